"""Which kernels only ask of elements whether they are finite.

A product with ones and zeros that follows positions, or sums segments, gives NaN where it meets an infinity
or a NaN, so kernels look for these and then do more. Whether they do hangs on what the vector unit computes;
but where nothing else does, the way of finite elements can be assumed. A traced kernel is gone through here,
with what is known of each value if all elements of tiles are finite.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, Final

from tilec.analysis.cost.scalars import COMPARISONS

Fact = frozenset[float] | None
"""The values that a value may have, or None: any that elements of tiles may lead to."""

SCALAR: Final[Fact] = frozenset()
"""What the scalar unit has: no element led to it."""

_COMPUTED: Mapping[str, Callable[[Any, Any], Any]] = {**COMPARISONS, "max": max, "min": min}
_SAME = ("broadcast_in_dim", "reshape", "squeeze", "convert_element_type", "reshard", "copy", "reduce_max")
_ZERO: Final[Fact] = frozenset([0.0])
_INLINED = ("jit", "pjit", "closed_call")
_LEAST = -(2.0**31)
"""What a maximum of integers takes for lanes that are not there. One lane at least always is."""


class _Asks(Exception):
    """Control flow hangs on elements, and not on whether they are finite."""


def only_asks_whether_finite(jaxpr: Any) -> bool:
    """Whether all control flow of a traced kernel that hangs on elements of tiles asks whether they are
    finite, by a number that is 0 if they are."""
    try:
        _walk(jaxpr, [None] * len(jaxpr.invars))
    except _Asks:
        return False
    return True


def _walk(jaxpr: Any, given: Sequence[Fact], captured: Sequence[Fact] = ()) -> list[Fact]:
    """What is known of the results. Raises `_Asks`."""
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)  # what is closed has one inside
    facts: dict[Any, Fact] = dict(zip(jaxpr.invars, given, strict=True))
    facts.update(zip(jaxpr.constvars, captured, strict=False))

    def fact(atom: Any) -> Fact:
        if hasattr(atom, "val"):  # a literal
            return frozenset([float(atom.val)]) if not atom.aval.shape else None
        return facts.get(atom)  # constants are arrays

    for equation in jaxpr.eqns:
        results = _results(equation, [fact(each) for each in equation.invars])
        facts.update(zip(equation.outvars, results, strict=True))
    return [fact(each) for each in jaxpr.outvars]


def _results(equation: Any, facts: Sequence[Fact]) -> list[Fact]:
    name, parameters = equation.primitive.name, equation.params
    difference = name == "sub" and equation.invars[0] is equation.invars[1]
    if difference or (name == "mul" and _ZERO in facts):
        return [_ZERO]  # so it is of what is finite
    if name in _INLINED:
        return _walk(parameters["jaxpr"], facts)
    if name == "cond":
        return _branches(parameters["branches"], facts)
    if name == "while":
        return _while(parameters, facts)
    if name == "scan":
        fixed, carried = parameters["num_consts"], parameters["num_carry"]
        elements: list[Fact] = [None] * (len(facts) - fixed - carried)
        made = _repeated(parameters["jaxpr"], facts[:fixed], facts[fixed : fixed + carried], elements)
        return made + [None] * (len(equation.outvars) - carried)
    if name == "run_scoped":
        inner = parameters["jaxpr"]
        return _walk(inner, [None] * len(inner.invars), facts)
    if name in ("get", "swap"):
        return [_accessed(equation, facts)]
    for inner in _jaxprs(parameters):
        _walk(inner, [None] * len(getattr(inner, "jaxpr", inner).invars))
    return [_computed(name, facts, not each.aval.shape) for each in equation.outvars]


def _branches(branches: Sequence[Any], facts: Sequence[Fact]) -> list[Fact]:
    chooses, *given = facts
    _decides(chooses)
    sides = zip(*(_walk(each, given) for each in branches), strict=True)
    return [_together(facts) for facts in sides]


def _while(parameters: Mapping[str, Any], facts: Sequence[Fact]) -> list[Fact]:
    first, fixed = parameters["cond_nconsts"], parameters["body_nconsts"]
    tested, kept, carried = facts[:first], facts[first : first + fixed], facts[first + fixed :]
    made = _repeated(parameters["body_jaxpr"], kept, carried, [])
    (goes_on,) = _walk(parameters["cond_jaxpr"], [*tested, *made])
    _decides(goes_on)
    return made


def _repeated(
    body: Any, fixed: Sequence[Fact], carried: Sequence[Fact], elements: Sequence[Fact]
) -> list[Fact]:
    """What is known of values that a loop carries, however often it runs."""
    found = [_together([each]) for each in carried]
    while True:
        made = _walk(body, [*fixed, *found, *elements])[: len(found)]
        after = [_together(pair) for pair in zip(found, made, strict=True)]
        if after == found:
            return found
        found = after


def _accessed(equation: Any, facts: Sequence[Fact]) -> Fact:
    """An integer in scalar memory is the scalar unit's, and no other may come there."""
    memory = equation.invars[0].aval
    integer = "int" in str(memory.dtype)
    if "smem" not in str(getattr(memory, "memory_space", "")).lower() or not integer:
        return None
    if equation.primitive.name == "swap" and facts[1] is None:
        raise _Asks
    return SCALAR if not equation.outvars[0].aval.shape else None


def _computed(name: str, facts: Sequence[Fact], scalar: bool) -> Fact:
    if name == "select_n" and len(facts) == 3:
        chooses, *sides = facts
        if chooses is not None and len(chooses) == 1:
            return sides[int(*chooses)]
        if sides[0] and sides[1] and not scalar:
            return sides[0] | sides[1]
    if name == "reduce_sum" and facts[0] == _ZERO:
        return _ZERO
    if name in _SAME and facts[0]:
        values = facts[0]
        return values - {_LEAST} or values if name == "reduce_max" else values
    if name in _COMPUTED and all(facts):
        return frozenset(float(_COMPUTED[name](*pair)) for pair in product(*filter(None, facts)))
    return _together(facts) if scalar else None


def _together(facts: Sequence[Fact]) -> Fact:
    """What is known of a value that is made of some, or is one of them."""
    return None if any(each is None or len(each) > 1 for each in facts) else SCALAR


def _decides(fact: Fact) -> None:
    """Raises `_Asks` where control flow hangs on elements."""
    if fact is None or len(fact) > 1:
        raise _Asks


def _jaxprs(parameters: Mapping[str, Any]) -> list[Any]:
    values = [
        each for value in parameters.values() for each in (value if isinstance(value, tuple) else (value,))
    ]
    return [each for each in values if hasattr(getattr(each, "jaxpr", each), "eqns")]
