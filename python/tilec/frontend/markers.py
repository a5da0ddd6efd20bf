"""Loops and conditions of the user's function as regions of the program.

The source of a traced function is rewritten so that it says where its loops and branches begin and end, and
which variables they may change (`tilec.frontend.rewrite`). What is said comes to `TracingMarkers`. A loop
over tiles runs once, with its variables standing for what they are in any iteration; other loops run as in
Python.
"""

import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from xdsl.ir import SSAValue

from tilec import language
from tilec.frontend.branch_regions import BranchRegion
from tilec.frontend.builtin_calls import REPLACED
from tilec.frontend.known import Value
from tilec.frontend.loop_regions import LoopRegion
from tilec.frontend.places import moved_to
from tilec.frontend.rewrite import Markers, rewritten
from tilec.frontend.scalars import is_symbolic, truth_of
from tilec.frontend.state import MISSING, Held
from tilec.frontend.tiles import Loop
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace

Exits = tuple[tuple[str, int, int], ...]


class Plain:
    """A loop or a branch that Python runs."""

    def __init__(self, items: Any):
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def begin(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values

    def end(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values

    def finish(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values


class TracingMarkers(Markers):
    """What rewritten functions call while they are traced."""

    MISSING = MISSING

    def __init__(self, trace: Trace):
        self.trace = trace

    def loop(
        self, iterable: Any, names: tuple[str, ...], targets: tuple[str, ...], held: Held, exits: Exits = ()
    ) -> Any:
        if not isinstance(iterable, Loop):
            return Plain(iterable)
        self.trace.here()
        if exits:
            word, *place = exits[0]
            self.trace.fail(
                f"`{word}` leaves a loop over tiles, whose body is traced once; "
                "mask what should not happen, or use an `if`",
                moved_to(self.trace.location, *place),
            )
        return LoopRegion(self.trace, iterable, names, targets, held)

    def branch(self, condition: Any, names: tuple[str, ...], held: Held) -> Any:
        truth = self._device(condition)
        if truth is None:
            return Plain([bool(condition)])
        return BranchRegion(self.trace, truth, names, held)

    def choose(self, condition: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
        truth = self._device(condition)
        if truth is None:
            return if_true() if condition else if_false()
        region = BranchRegion(self.trace, truth, ("the value",), ())
        value: tuple[Any, ...] = (None,)
        for arm in region:
            region.begin((None,))
            value = region.end((if_true() if arm else if_false(),))
        return region.finish(value)[0]

    def both(self, first: Any, second: Callable[[], Any]) -> Any:
        if self._is_device(first):
            return self._logical(torch.logical_and, first, second())
        return first and second()

    def either(self, first: Any, second: Callable[[], Any]) -> Any:
        if self._is_device(first):
            return self._logical(torch.logical_or, first, second())
        return first or second()

    def negate(self, value: Any) -> Any:
        if self._is_device(value):
            return torch.logical_not(self._as_tensor(value))
        return not value

    def decide(self, condition: Any, what: str) -> bool:
        if self._is_device(condition):
            self.trace.here()
            sizes = self.trace.sizes_in(condition)
            if sizes:
                self.trace.fail(
                    f"{what} depends on the block size of {', '.join(sizes)}; give the tile a block_size"
                )
            self.trace.fail(
                f"{what} depends on a value that is only known on the device; "
                "use torch.where, a mask, or an `if` without it"
            )
        return bool(condition)

    def call(self, function: Any) -> Any:
        """What runs in place of a function: traced forms of builtins, rewritten helpers."""
        if (getattr(function, "__module__", None) or "").partition(".")[0] == "helion":
            return self._helions(function)
        if isinstance(function, types.BuiltinFunctionType | type) and function in REPLACED:
            return REPLACED[function].__get__(self.trace)
        if isinstance(function, types.FunctionType) and _is_users(function):
            self.trace.outside |= _tensors_outside(function)
            return rewritten(function, self)
        if isinstance(function, types.MethodType) and isinstance(function.__func__, types.FunctionType):
            if _is_users(function.__func__):
                return types.MethodType(rewritten(function.__func__, self), function.__self__)
        inner = getattr(function, "__tilec_traced__", None)  # a kernel called from another
        return self.call(inner) if inner is not None else function

    def _helions(self, function: Any) -> Any:
        """The language's function of the name of one of Helion's; of a kernel of Helion's its function. What
        its autotuner has as choices for `register_tunable` stays as it is.
        """
        name, inner = getattr(function, "__name__", ""), getattr(function, "fn", None)
        if isinstance(function, type) and name.endswith("Fragment"):
            return function
        if isinstance(inner, types.FunctionType):
            return self.call(inner)
        found = getattr(language, name, None)
        if found is None:
            self.trace.here()
            self.trace.fail(
                f"helion's {name} is not in tilec.language; these are: {', '.join(language.__all__)}"
            )
        return found

    def _is_device(self, value: Any) -> bool:
        if isinstance(value, torch.Tensor):
            return True
        return is_symbolic(value) and not isinstance(value, torch.SymFloat) and self._unknown(value)

    def _unknown(self, value: Any) -> bool:
        """Whether a symbolic number or condition is only known on the device: not of extents of arrays alone,
        by which Python may decide, as the program is then one for such extents.
        """
        return bool(expression(value).free_symbols - self.trace.extents.keys())

    def _device(self, condition: Any) -> SSAValue | None:
        """The `i1` of a condition that only the device knows; `None` of any other."""
        if not self._is_device(condition):
            return None
        self.trace.here()
        if isinstance(condition, torch.Tensor):
            return self._truth(condition)
        if isinstance(condition, torch.SymInt):
            condition = condition != 0
        return truth_of(self.trace, condition)

    def _truth(self, tensor: torch.Tensor) -> SSAValue:
        if tensor.numel() != 1:
            self.trace.fail(
                f"a branch on {self.trace.describe(tensor)}: only a single element is true or false"
            )
        return self.trace.value(tensor.reshape(()).to(torch.bool)).ssa

    def _as_tensor(self, value: Any) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value
        return self.trace.tensor([], torch.bool, Value(truth_of(self.trace, value)))

    def _logical(self, function: Callable[..., torch.Tensor], first: Any, second: Any) -> torch.Tensor:
        self.trace.here()
        if isinstance(second, bool):
            second = torch.full((), second, dtype=torch.bool)
        return function(self._as_tensor(first), self._as_tensor(second))


def _tensors_outside(function: types.FunctionType) -> dict[int, str]:
    """The names by which a function knows tensors that it finds outside, by the tensors' ids."""
    code, found = function.__code__, dict[int, str]()
    for name in code.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, torch.Tensor):
            found[id(value)] = name
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if cell != types.CellType() and isinstance(cell.cell_contents, torch.Tensor):  # else it is empty
            found[id(cell.cell_contents)] = name
    return found


def _is_users(function: types.FunctionType) -> bool:
    """Whether a helper's loops and branches may be the user's: not of a library."""
    module = function.__module__ or ""
    return module.split(".")[0] not in _LIBRARIES


_LIBRARIES = {
    "torch",
    "tilec",
    "numpy",
    "math",
    "functools",
    "itertools",
    "builtins",
    "typing",
    "sympy",
    "jax",
}
