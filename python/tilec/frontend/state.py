"""What a loop or a branch of the user's function changes: its variables, taken apart into tensors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from xdsl.dialects.builtin import LocationAttr

from tilec.frontend.elements import name_of
from tilec.frontend.known import Range, Value
from tilec.frontend.torch_private import TreeSpec, tree_flatten, tree_unflatten
from tilec.frontend.trace import Trace

Held = tuple[tuple[str, Callable[[], object]], ...]
"""Names through which a body reaches objects made before it, each with what reads it."""

ANY_INT = 2**31

MISSING = object()
"""Stands for a variable that is not bound."""


@dataclass(eq=False)
class Leaf:
    """One object in a variable; `value` is what it stands for if it is a tensor of the device."""

    name: str
    held: Any
    value: Value | None


@dataclass(eq=False)
class Variables:
    """Variables of the user's function by name, each taken apart; of one that is unbound there is no spec."""

    names: tuple[str, ...]
    specs: tuple[TreeSpec | None, ...]
    leaves: tuple[tuple[Leaf, ...], ...]

    @classmethod
    def read(cls, trace: Trace, names: Sequence[str], values: Sequence[Any]) -> "Variables":
        """Take the values of variables apart, through tuples, lists and dicts."""
        specs: list[TreeSpec | None] = []
        leaves: list[tuple[Leaf, ...]] = []
        for name, value in zip(names, values, strict=True):
            if value is MISSING:
                specs.append(None)
                leaves.append(())
                continue
            flat, spec = tree_flatten(value)
            specs.append(spec)
            leaves.append(tuple(Leaf(name, each, _value_of(trace, each)) for each in flat))
        return cls(tuple(names), tuple(specs), tuple(leaves))

    def values(self) -> list[tuple[Leaf, Value]]:
        """The tensors of the device, in order."""
        return [(leaf, leaf.value) for group in self.leaves for leaf in group if leaf.value is not None]

    def without(self, names: Sequence[str]) -> "Variables":
        """The variables with those of some names unbound."""
        specs = [None if name in names else spec for name, spec in zip(self.names, self.specs, strict=True)]
        leaves = [() if name in names else each for name, each in zip(self.names, self.leaves, strict=True)]
        return Variables(self.names, tuple(specs), tuple(leaves))

    def rebuilt(self, replaced: Mapping[Leaf, Any]) -> tuple[Any, ...]:
        """The values of the variables, with other objects in place of some leaves."""
        return tuple(
            MISSING
            if spec is None
            else tree_unflatten([replaced.get(leaf, leaf.held) for leaf in group], spec)
            for spec, group in zip(self.specs, self.leaves, strict=True)
        )

    def copies(self, trace: Trace) -> tuple[Any, ...]:
        """The values, each tensor of the device as a new one: what is done to one in place stays there."""
        return self.rebuilt({leaf: tensor_like(trace, leaf, value) for leaf, value in self.values()})


def tensor_like(trace: Trace, leaf: Leaf, value: Value) -> torch.Tensor:
    """A tensor of the shape and dtype of a leaf that stands for `value`, and that the user takes for it."""
    made = trace.tensor(leaf.held.shape, leaf.held.dtype, value)
    trace.aliases.share(made, leaf.held)
    return made


def value_of(leaf: Leaf) -> Value:
    """What a leaf stands for that is known to be a tensor of the device."""
    if leaf.value is None:
        raise TypeError(f"'{leaf.name}' is no tensor of the device")
    return leaf.value


def any_range(value: Value) -> Range | None:
    """The range of an integer of which only is known that it fits 32 bits; `None` of what has none."""
    return None if value.range is None else Range(-ANY_INT, ANY_INT - 1)


def _value_of(trace: Trace, held: Any) -> Value | None:
    if not isinstance(held, torch.Tensor):
        return None
    known = trace.known(held)
    return known if isinstance(known, Value) else None


def matched(
    trace: Trace, before: Variables, after: Variables, place: Callable[[str, str], str]
) -> list[tuple[Leaf | None, Leaf]]:
    """The tensors that variables hold before and after a body, in pairs; `None` for one that was unbound.

    `place(name, message)` words an error. Raises TraceError where something other than the elements of a
    tensor changes.
    """
    pairs: list[tuple[Leaf | None, Leaf]] = []
    rows = zip(before.names, before.specs, before.leaves, after.specs, after.leaves, strict=True)
    for name, old_spec, old, new_spec, new in rows:
        if old_spec is None:
            pairs += [(None, leaf) for leaf in new if leaf.value is not None]
            continue
        if new_spec is None or old_spec != new_spec:
            what = "is deleted" if new_spec is None else f"changes from {old_spec} to {new_spec}"
            trace.fail(place(name, what))
        for first, second in zip(old, new, strict=True):
            problem = difference(trace, first, second)
            if problem is not None:
                trace.fail(place(name, problem))
            if first.value is not None:
                pairs.append((first, second))
    return pairs


def difference(trace: Trace, old: Leaf, new: Leaf) -> str | None:
    """Why one leaf cannot take the place of another, in words."""
    if old.value is None and new.value is None:
        same = old.held is new.held or _same(trace, old.held, new.held)
        return (
            None
            if same
            else (
                f"is {shown(trace, old.held)} and becomes {shown(trace, new.held)}; "
                "what is traced once cannot change a Python value, make it a tensor"
            )
        )
    if old.value is None or new.value is None:
        return f"is {shown(trace, old.held)} and becomes {shown(trace, new.held)}; {_both(trace, old, new)}"
    if old.held.dtype != new.held.dtype:
        return (
            f"changes dtype from {name_of(old.held.dtype)} to {name_of(new.held.dtype)}; "
            f"cast it back with .to(torch.{name_of(old.held.dtype)})"
        )
    if old.value.ssa.type != new.value.ssa.type:
        return f"changes shape from {trace.describe(old.held)} to {trace.describe(new.held)}"
    if new.held.dtype is torch.int64 and new.value.range is None:
        return "is an int64 that may pass 32 bits, which a TPU does not have; use int32"
    return None


def _both(trace: Trace, old: Leaf, new: Leaf) -> str:
    """How a number that becomes a tensor begins as one."""
    if new.value is None or not isinstance(old.held, int | float):
        return "make both tensors"
    shape = ", ".join(trace.words(size) for size in new.held.shape)
    return f"begin with hl.full([{shape}], {old.held!r}, dtype=torch.{name_of(new.held.dtype)})"


def _same(trace: Trace, old: Any, new: Any) -> bool:
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        return trace.known(old) is trace.known(new)
    if isinstance(old, torch.SymInt) and isinstance(new, torch.SymInt):
        return bool(old.node.expr == new.node.expr)
    try:
        return type(old) is type(new) and bool(old == new)
    except Exception:  # an __eq__ of the user's that does not compare
        return False


def shown(trace: Trace, held: Any) -> str:
    """An object as errors write it."""
    if isinstance(held, torch.Tensor):
        return trace.describe(held)
    return trace.words(held) if isinstance(held, torch.SymInt) else repr(held)


class Snapshot:
    """What the objects that a body reads looked like, to see that it changes none unseen."""

    def __init__(self, trace: Trace, held: Held, names: Sequence[str]) -> None:
        self.trace = trace
        self.objects = [(name, read(get)) for name, get in held if name not in names]
        self.before = [self._print(value, 3) for _, value in self.objects]

    def check(self, what: str, location: LocationAttr | None = None) -> None:
        """Refuse a body that changed one of the objects."""
        for (name, value), before in zip(self.objects, self.before, strict=True):
            if self._print(value, 3) != before:
                how = "in place" if isinstance(value, torch.Tensor) else "inside"
                self.trace.fail(
                    f"'{name}' is changed {how} by a {what}, whose body is traced once; "
                    f"assign to a local variable, as in {name} = …",
                    location,
                )

    def _print(self, value: Any, depth: int) -> Any:
        """What tells whether an object was changed: the identities of what it holds."""
        if isinstance(value, torch.Tensor):
            known = self.trace.seen(value)
            # Arrays are not changed as a whole, and a tensor of the user's is one from its first use on.
            return id(known) if isinstance(known, Value) else id(value)
        if depth and isinstance(value, list | tuple):
            return [self._print(each, depth - 1) for each in value]
        if depth and isinstance(value, dict):
            return [(key, self._print(each, depth - 1)) for key, each in value.items()]
        if depth and isinstance(value, set):
            return sorted(id(each) for each in value)
        if depth and type(value).__module__.partition(".")[0] not in _PLAIN:
            fields = getattr(value, "__dict__", {})
            return [(key, self._print(each, depth - 1)) for key, each in fields.items()]
        return value if isinstance(value, int | float | str | bool) else id(value)


def read(get: Callable[[], object]) -> object:
    """A variable, or `MISSING` if it is not bound."""
    try:
        return get()
    except NameError:
        return MISSING


_PLAIN = {"builtins", "torch", "functools", "tilec", "numpy"}
"""Modules whose objects hold nothing of the user's that a loop could change."""
