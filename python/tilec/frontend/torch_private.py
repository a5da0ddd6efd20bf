"""The one module of the frontend that touches what torch does not call public.

Fake tensors have a shape and no memory; a shape environment gives sizes names. Both are what `torch.export`
is made of, and torch exposes them under these names only.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import sympy
import torch
from torch._decomp import get_decompositions
from torch._dynamo.source import ConstantSource
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, GuardOnDataDependentSymNode, ShapeEnv
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_map, tree_unflatten

__all__ = [
    "FakeTensorMode",
    "GuardOnDataDependentSymNode",
    "OpOverload",
    "ShapeEnv",
    "TorchDispatchMode",
    "TreeSpec",
    "aot_backend",
    "decisions",
    "decompositions",
    "expression",
    "functional_form",
    "is_view",
    "named_size",
    "new_shapes",
    "schema_of",
    "tree_flatten",
    "tree_map",
    "tree_unflatten",
    "unlogged",
    "with_sizes",
]


def new_shapes() -> ShapeEnv:
    """A shape environment in which two sizes are never taken for one because their hints agree."""
    return ShapeEnv(duck_shape=False)


def named_size(shapes: ShapeEnv, name: str, hint: int, *, any_number: bool = False) -> torch.SymInt:
    """A size called `name`, of which torch assumes that it is at least 2, or nothing if it is `any_number`.

    `hint` decides comparisons.
    """
    source = ConstantSource(name)
    expression = shapes.create_symbol(
        hint,
        source,
        dynamic_dim=DimDynamic.DYNAMIC,
        positive=None if any_number else True,
        do_not_specialize_zero_one=any_number,
    )
    size = shapes.create_symintnode(expression, hint=hint, source=source)
    if not isinstance(size, torch.SymInt):
        raise TypeError(f"torch made {name} the number {size}")
    return size


@contextmanager
def decisions(decided: Callable[[Any], None]) -> Generator[None]:
    """Tell `decided` of the condition on sizes, in sympy, wherever meanwhile one becomes true or false."""

    def told(bool_of: Callable[[Any], bool], condition: Callable[[Any], Any]) -> Callable[[Any], bool]:
        def decide(value: Any) -> bool:
            decided(condition(expression(value)))
            return bool_of(value)

        return decide

    truth = patch.object(torch.SymBool, "__bool__", told(torch.SymBool.__bool__, lambda found: found))
    number = told(torch.SymInt.__bool__, lambda found: sympy.Ne(found, 0))
    with truth, patch.object(torch.SymInt, "__bool__", number):
        yield


def expression(size: Any) -> Any:
    """The sympy expression of a SymInt or SymBool."""
    return size.node.expr


def schema_of(op: OpOverload) -> Any:
    """The names, defaults and aliases of an operator's arguments."""
    return op._schema  # pyright: ignore[reportPrivateUsage]


_IN_PLACE = {
    "__iand__": "__and__",
    "__ior__": "__or__",
    "__ixor__": "__xor__",
    "__ilshift__": "__lshift__",
    "__irshift__": "__rshift__",
}


def functional_form(op: OpOverload) -> OpOverload | None:
    """The operator that returns what `op` changes its first argument to, for one whose name ends with `_`,
    or that Python has for `<<=` and the like."""
    name = op.overloadpacket.__name__
    if name in _IN_PLACE:
        name = _IN_PLACE[name]
    elif not name.endswith("_") or name.startswith("__"):
        return None
    plain = name if name.startswith("__") else name.rstrip("_")
    return getattr(getattr(torch.ops.aten, plain, None), op._overloadname, None)  # pyright: ignore[reportPrivateUsage]


@contextmanager
def unlogged() -> Generator[None]:
    """Torch does not log, with a traceback, what it refuses meanwhile; it raises it too."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def is_view(op: OpOverload) -> bool:
    """Whether what an operator returns shares the elements of its first argument."""
    schema = schema_of(op)
    return not schema.is_mutable and any(each.alias_info is not None for each in schema.returns)


def decompositions(ops: Sequence[Any]) -> dict[Any, Callable[..., Any]]:
    """What torch knows of how each of `ops` is made of simpler ones."""
    return dict(get_decompositions(ops))


def aot_backend(compiler: Callable[..., Any], table: dict[Any, Callable[..., Any]]) -> Callable[..., Any]:
    """A backend of `torch.compile` that gives `compiler` graphs of ATen operations, decomposed by `table`."""
    # Takes seconds to import.
    from torch._dynamo.backends.common import aot_autograd

    return aot_autograd(fw_compiler=compiler, decompositions=table)


def with_sizes(module: torch.fx.GraphModule, args: Sequence[Any]) -> torch.fx.GraphModule:
    """A graph again, with the sizes that its inputs have in `args` in the place of symbols."""
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(module, tracing_mode="fake")(*args)
