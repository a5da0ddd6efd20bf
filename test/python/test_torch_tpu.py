"""Calls on tensors of torch_tpu, whose part a stand-in plays: what it is given, and what comes of it."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import jax
import numpy as np
import pytest
import torch
from programs import parse

from tilec.runtime.executable import Executable
from tilec.runtime.signature import Parameter, Result, Signature

# Adds up the rows of each group, onto what `total` holds.
ADD_GROUPS = """
func.func @add_groups(%x: memref<?x200xf32>, %offsets: memref<5xi32>, %total: memref<4x200xf32>)
    -> (memref<4xi32>, memref<4x200xf32>) {
  %seen = tile.full 0 : memref<4xi32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      tile.atomic_rmw add %s, %total[%g, :]
    }
  }
  return %seen, %total : memref<4xi32>, memref<4x200xf32>
}
"""
SIGNATURE = Signature(
    "add_groups",
    (
        Parameter("x", (None, 200), "float32"),
        Parameter("offsets", (5,), "int64"),
        Parameter("total", (4, 200), "float32"),
    ),
    (Result("int64"), Result("float32", 2)),
)


def plain(tensor: Any) -> Any:
    return tensor.as_subclass(torch.Tensor)


OnChip: Any = type(
    "OnChip", (torch.Tensor,), {"device": property(lambda self: SimpleNamespace(type="tpu")), "cpu": plain}
)
"""A tensor that says that it is on a TPU."""


def on_chip(array: Any) -> Any:
    return torch.as_tensor(array).as_subclass(OnChip)


class JaxCallable:
    """What torch_tpu has: exports a jitted function for a TPU. There it would run; here it is interpreted."""

    made: list["JaxCallable"]

    def __init__(self, name: str, jit_fn: Any, trace_key: str) -> None:
        self.name, self.jit_fn, self.trace_key = name, jit_fn, trace_key
        self.exported: Any = jax.export.export(jit_fn, platforms=["tpu"])
        self.made.append(self)

    def __call__(self, *tensors: torch.Tensor) -> Any:
        arrays = [np.asarray(plain(tensor)) for tensor in tensors]
        text = self.exported(*arrays).mlir_module()
        assert "tpu_custom_call" in text
        return [on_chip(np.array(result)) for result in self.jit_fn(*arrays)]


@pytest.fixture(autouse=True)
def torch_tpu(monkeypatch: pytest.MonkeyPatch):
    """The module of that name; its callables, in the order they were made."""
    pallas = cast(Any, ModuleType("torch_tpu._internal.pallas.pallas"))
    pallas.JaxCallable, JaxCallable.made = JaxCallable, []
    for name in ("torch_tpu", "torch_tpu._internal", "torch_tpu._internal.pallas"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, pallas.__name__, pallas)


def test_tensors_on_a_tpu_go_through_torch_tpu():
    program = Executable(parse(ADD_GROUPS), SIGNATURE)
    for groups, calls in (([0, 2, 2, 5, 9], 1), ([0, 0, 1, 1, 2], 1)):
        total = on_chip(np.full((4, 200), 0.5, np.float32))
        seen, new = program([on_chip(np.ones((9, 200), np.float32)), on_chip(groups), total])
        assert new is total
        assert plain(total)[:, 0].tolist() == (np.diff(groups) + 0.5).tolist()
        assert (type(seen), seen.dtype, plain(seen).tolist()) == (OnChip, torch.int64, [0, 0, 0, 0])
        assert len(JaxCallable.made) == calls
    program([on_chip(np.ones((2, 200), np.float32)), on_chip(groups), total])
    keys = {each.trace_key for each in JaxCallable.made}
    assert (len(JaxCallable.made), len(keys)) == (2, 1)
    assert keys.pop().startswith("add_groups_")


def test_what_is_refused_there():
    program, x = Executable(parse(ADD_GROUPS), SIGNATURE), on_chip(np.ones((9, 200), np.float32))
    total = on_chip(np.zeros((4, 200), np.float32))
    with pytest.raises(ValueError, match="segment 1 is 2 to 1"):
        program([x, on_chip([0, 2, 1, 5, 9]), total])
    with pytest.raises(ValueError, match="offsets holds 0 to 4294967296; a kernel takes int32"):
        program([x, on_chip([0, 2, 2, 5, 2**32]), total])
    with pytest.raises(TypeError, match="offsets is on cpu; a tensor on tpu is needed"):
        program([x, torch.tensor([0, 2, 2, 5, 9]), total])
    assert not JaxCallable.made
