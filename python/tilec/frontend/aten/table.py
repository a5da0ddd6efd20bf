"""The table of operators, and what they are called with."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from xdsl.ir import SSAValue

from tilec.frontend.known import Range, Value
from tilec.frontend.lanes import Operand, as_byte, cast, operand
from tilec.frontend.torch_private import OpOverload, schema_of
from tilec.frontend.trace import Trace


@dataclass
class Call:
    """One call of an operator. `out` is what torch says of its result: shape and dtype."""

    trace: Trace
    op: OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any = None
    _names: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        schema = schema_of(self.op).arguments
        for position, argument in enumerate(schema):
            if position < len(self.args):
                self._names[argument.name] = self.args[position]
            elif argument.name in self.kwargs:
                self._names[argument.name] = self.kwargs[argument.name]
            elif argument.has_default_value():
                self._names[argument.name] = argument.default_value

    @property
    def name(self) -> str:
        """The name of the operator, without overload."""
        return self.op.overloadpacket.__name__

    def __getitem__(self, name: str) -> Any:
        """An argument by the name in the operator's schema, or its default."""
        return self._names[name]

    def get(self, name: str) -> Any:
        """An argument, or `None` of an overload that does not have it."""
        return self._names.get(name)

    def lanes(self, given: Operand, dtype: torch.dtype) -> SSAValue:
        """An argument in the shape of the result, of a dtype."""
        return operand(self.trace, given, self.out.shape, dtype).ssa

    def result(self, ssa: SSAValue, known: Range | None = None) -> torch.Tensor:
        """The result, rounded to the dtype that torch gives it."""
        value = Value(cast(self.trace, ssa, self.trace.element(self.out.dtype)), known)
        if self.out.dtype is torch.uint8 and self.name not in _STAY_BYTES:
            value = as_byte(self.trace, value)
        return self.trace.bind(self.out, value)


_STAY_BYTES = frozenset(
    "amax amin bitwise_and bitwise_or bitwise_right_shift bitwise_xor ceil "
    "clone contiguous detach floor fmod maximum minimum remainder round trunc where".split()
)
"""Operators of which no result is outside of 0 to 255 where no argument is."""

Handler = Callable[[Call], Any]

HANDLERS: dict[str, Handler] = {}
"""By the name of an operator, without overload. They run after torch has computed shapes."""

EARLY: dict[str, Handler] = {}
"""Those that compute the shapes themselves, since torch refuses what a TPU does."""


def handles(*names: str, early: bool = False) -> Callable[[Handler], Handler]:
    """Enter a handler in the table."""

    def enter(handler: Handler) -> Handler:
        for name in names:
            (EARLY if early else HANDLERS)[name] = handler
        return handler

    return enter


def unsupported(name: str) -> str:
    """What to say of an operator that is not in the table, with one like it that is, or that is there, but
    only takes values in tiles."""
    if name in HANDLERS or name in EARLY:
        return f"torch's {name} is of values in loops over tiles"
    close = difflib.get_close_matches(name, [*HANDLERS, *EARLY], 3)
    nearest = f"; the nearest that are: {', '.join(close)}" if close else ""
    return f"torch's {name} is not supported in a tile program{nearest}"
