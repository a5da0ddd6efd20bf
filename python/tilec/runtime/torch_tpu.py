"""Programs on tensors that torch_tpu keeps on a TPU, through its way to call functions of jax.

That is `JaxCallable`, which exports a jitted function for the shapes that it is called with. It is private to
torch_tpu; all that tilec knows of it is here. It can donate arguments, in ways that differ from version to
version: here none are.
"""

import functools
import hashlib
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from tilec.runtime.executable import Executable


def run(program: "Executable", dense: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """All results of a program for tensors on a TPU that fit it, computed or to be computed there.

    Integers are copied to the host, for the checks of `Executable.jax_fn`. Raises ValueError where they fail,
    and ImportError without torch_tpu.
    """
    check, launch = program.prepared(tuple(tuple(tensor.shape) for tensor in dense))
    check(*(_on_host(tensor) for tensor in dense))
    return list(_callable(launch, program.signature.name, program.text)(*dense))


@functools.lru_cache(maxsize=256)
def _callable(launch: Callable[..., Any], name: str, text: str) -> Callable[..., Sequence[torch.Tensor]]:
    """torch_tpu tells kernels apart by a key, to which it adds the shapes of arguments."""
    pallas = import_module("torch_tpu._internal.pallas.pallas")
    key = f"{name}_{hashlib.sha256(text.encode()).hexdigest()}"
    return pallas.JaxCallable(name=name, jit_fn=launch, trace_key=key)


def _on_host(tensor: torch.Tensor) -> Any:
    """What the checks of a program see of a tensor: integers, and of others the shape."""
    if tensor.is_floating_point():
        return np.broadcast_to(np.float32(0), tuple(tensor.shape))
    return tensor.cpu().numpy()
