"""Programs as operations of torch, for `torch.compile`, `torch.export` and autograd."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.library import custom_op

from tilec.runtime.arrays import check_array
from tilec.runtime.executable import Executable
from tilec.runtime.shapes import result_shapes
from tilec.runtime.signature import Signature

Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Family:
    """Programs of one signature. `choose` gives the one for tensors, of which it sees shape and dtype."""

    signature: Signature
    choose: Callable[..., Executable]


def as_custom_op(
    program: Executable | Family, name: str, *, backward: Executable | Family | None = None
) -> Any:
    """Registers a program as the torch operation `name`, "library::operation", and returns it.

    It takes the tensors of the program's parameters, writes to those that the program changes, and returns
    its other results: a tensor if there is one, else a tuple.

    `backward` computes gradients. Its first parameters take those of the results, in order. The others take
    the arguments of the forward program that have their names; `out`, or `out0`, `out1` and so on, are its
    results. What it returns are the gradients of the floating-point arguments, in order.

    Raises TypeError where the programs do not fit each other so; ValueError for a backward of a program that
    changes arguments, and for a name without library.
    """
    operation = _register(name, program)
    if backward is not None:
        _register_backward(operation, name, program.signature, backward)
    return operation


def _register(name: str, program: Executable | Family) -> Any:
    signature = program.signature
    fresh = [position for position, each in enumerate(signature.results) if each.argument is None]

    def chosen(tensors: Tensors) -> Executable:
        return program if isinstance(program, Executable) else program.choose(*tensors)

    def run(*tensors: torch.Tensor) -> Any:
        results = chosen(tensors)(tensors)
        return _packed([results[position] for position in fresh])

    def shapes(*tensors: torch.Tensor) -> Any:
        module = chosen(tensors).module
        for parameter, tensor in zip(signature.parameters, tensors, strict=True):
            check_array(parameter, _dtype(tensor), tensor.shape)
        found = result_shapes(module, [tuple(tensor.shape) or (1,) for tensor in tensors])
        made = [(found[position], signature.results[position].dtype) for position in fresh]
        return _packed(
            [
                torch.empty(shape, dtype=getattr(torch, dtype), device=tensors[0].device)
                for shape, dtype in made
            ]
        )

    changed = [_names(signature)[position] for position in sorted(signature.mutated)]
    operation = custom_op(name, run, mutates_args=changed, schema=_schema(signature, len(fresh)))
    operation.register_fake(shapes)
    return operation


def _packed(tensors: Sequence[torch.Tensor]) -> Any:
    """What an operation returns for its results."""
    if not tensors:
        return None
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _names(signature: Signature) -> list[str]:
    """Names of the parameters as torch's schemas allow them."""
    return [re.sub(r"\W", "_", parameter.name) for parameter in signature.parameters]


def _schema(signature: Signature, results: int) -> str:
    """`(Tensor x, Tensor(a1!) y) -> Tensor`: the tensors an operation takes, changes and returns."""
    taken = [
        f"Tensor(a{position}!) {name}" if position in signature.mutated else f"Tensor {name}"
        for position, name in enumerate(_names(signature))
    ]
    made = "Tensor" if results == 1 else f"({', '.join(['Tensor'] * results)})"
    return f"({', '.join(taken)}) -> {made}"


def _register_backward(
    operation: Any, name: str, signature: Signature, backward: Executable | Family
) -> None:
    if signature.mutated:
        raise ValueError(f"{name} changes arguments, and torch derives only operations that do not")
    sources = _sources(name, signature, backward.signature)
    floats = [i for i, each in enumerate(signature.parameters) if "float" in each.dtype]
    if len(backward.signature.results) != len(floats) or backward.signature.mutated:
        raise TypeError(
            f"{name}: the backward returns {len(backward.signature.results)} arrays, of which it changes "
            f"{len(backward.signature.mutated)}; the gradients of {len(floats)} arguments are needed"
        )
    gradients = _register(f"{name}_backward", backward)

    def save(ctx: Any, inputs: Tensors, output: Any) -> None:
        outputs = (output,) if isinstance(output, torch.Tensor) else tuple(output)
        ctx.save_for_backward(*inputs, *outputs)

    def derive(ctx: Any, *given: torch.Tensor) -> Any:
        known = (*given, *ctx.saved_tensors)
        made = gradients(*(known[source] for source in sources))
        found = dict(zip(floats, (made,) if isinstance(made, torch.Tensor) else made, strict=True))
        return tuple(found.get(position) for position in range(len(signature.parameters)))

    operation.register_autograd(derive, setup_context=save)


def _sources(name: str, forward: Signature, backward: Signature) -> list[int]:
    """For each parameter of a backward its place among: gradients of the results, arguments, results."""
    results = len(forward.results)
    outs = ["out"] if results == 1 else [f"out{position}" for position in range(results)]
    known = [*(each.name for each in forward.parameters), *outs]
    sources = list(range(results))
    for parameter in backward.parameters[results:]:
        if parameter.name not in known:
            raise TypeError(
                f"{name}: the backward takes {parameter.name} after {results} gradients; "
                f"{', '.join(known)} are known"
            )
        sources.append(results + known.index(parameter.name))
    return sources
