"""Multiples and bounds of index values, compared with the values themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import every, named, parse
from xdsl.dialects import arith

from tilec.analysis.ranges import Range, Ranges
from tilec.parsing import LocatingParser, make_context

UNKNOWN = Range()


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


OPERATIONS: dict[str, tuple[Callable[[int, int], int], Callable[[Range, Range], Range]]] = {
    "addi": (lambda a, b: a + b, Range.__add__),
    "subi": (lambda a, b: a - b, Range.__sub__),
    "muli": (lambda a, b: a * b, Range.__mul__),
    "floordivsi": (lambda a, b: a // b, Range.__floordiv__),
    "ceildivsi": (lambda a, b: -(-a // b), Range.ceildiv),
    "divsi": (truncated, Range.truncdiv),
    "remsi": (lambda a, b: a - b * truncated(a, b), Range.rem),
    "minsi": (min, Range.minimum),
    "maxsi": (max, Range.maximum),
    "andi": (lambda a, b: a & b, Range.masked),
    "shrsi": (lambda a, b: a >> b, Range.shifted),
}
"""Of each operation of `arith`, what it computes and its range."""

DIVISIONS = ("floordivsi", "ceildivsi", "divsi", "remsi")


def defined(name: str, right: int) -> bool:
    """Whether an operation with such a right side has a value."""
    return not (name in DIVISIONS and right == 0) and (name != "shrsi" or 0 <= right < 32)


@st.composite
def members(draw: st.DrawFn) -> tuple[Range, int]:
    """A range and one of its members."""
    value, multiple = draw(st.integers(-200, 200)), draw(st.integers(0, 40))
    below = draw(st.none() | st.integers(0, 300))
    above = draw(st.none() | st.integers(0, 300))
    low, high = None if below is None else value - below, None if above is None else value + above
    return Range(multiple, value, low, high), value


SMALL = range(-3, 4)
SMALL_RANGES = {
    Range(multiple, remainder, low, high)
    for multiple in range(4)
    for remainder in (SMALL if multiple == 0 else range(multiple))
    for low in (None, *SMALL)
    for high in (None, *SMALL)
}
"""All ranges with small numbers."""


@pytest.mark.parametrize("name", [*OPERATIONS])
def test_an_operation_on_members_of_small_ranges_is_a_member(name: str) -> None:
    compute, on_ranges = OPERATIONS[name]
    inside = {each: [n for n in range(-7, 8) if n in each] for each in SMALL_RANGES}
    for left, right in product(SMALL_RANGES, repeat=2):
        rights = [n for n in inside[right] if defined(name, n)]
        values = {compute(a, b) for a, b in product(inside[left], rights)}
        found = on_ranges(left, right)
        assert all(value in found for value in values), (left, right, found)


@settings(max_examples=200, deadline=None)
@given(left=members(), right=members(), name=st.sampled_from([*OPERATIONS]))
def test_an_operation_on_members_is_a_member(
    left: tuple[Range, int], right: tuple[Range, int], name: str
) -> None:
    assume(defined(name, right[1]))
    compute, on_ranges = OPERATIONS[name]
    assert compute(left[1], right[1]) in on_ranges(left[0], right[0])


@given(left=members(), right=members())
def test_a_join_holds_both_and_within_keeps_what_both_hold(
    left: tuple[Range, int], right: tuple[Range, int]
) -> None:
    joined = left[0].join(right[0])
    assert left[1] in joined
    assert right[1] in joined
    low, high = right[0].low, right[0].high
    if (low is None or low <= left[1]) and (high is None or left[1] <= high):
        assert left[1] in left[0].within(right[0])


@given(member=members(), other=st.integers(-400, 400))
def test_a_range_is_its_members(member: tuple[Range, int], other: int) -> None:
    found, value = member
    assert value in found
    if found.divisor:
        assert value % found.divisor == 0
    same = Range(found.multiple, found.remainder + 3 * found.multiple, found.low, found.high)
    assert same == found
    for end in (found.low, found.high):
        assert end is None or end in found
    inside = (found.low is None or other >= found.low) and (found.high is None or other <= found.high)
    same_class = (other - value) % found.multiple == 0 if found.multiple else other == value
    assert (other in found) == (inside and same_class)


def test_ranges_have_one_form() -> None:
    assert Range(8, 21, 3, 40) == Range(8, 5, 5, 37)
    assert Range(8, 5, 5, 12) == Range(0, 5) == Range(0, 5, 5, 5)
    assert Range(8, 5, 6, 12) == Range(8, 5)
    assert Range(2**70, 2**69) == Range(2**32)
    assert Range(0, 3 * 2**70) == Range(2**32)
    assert Range(0, 3**50) == UNKNOWN
    assert Range(4, 0, -(2**70), 2**70) == Range(4)


def test_the_divisor_of_a_range() -> None:
    assert (Range(16, 4).divisor, Range(0, 24).divisor, Range(0, 0).divisor) == (4, 24, 0)


# What follows compares programs with what they compute. The text of a program is made of the leaves in
# HEADER and of operations on them, in two types.


@dataclass(frozen=True)
class Node:
    """An operation on expressions, in the type of the context."""

    name: str
    sides: tuple["Expression", ...]


Expression: TypeAlias = str | int | Node
"""A leaf by its name, a literal, or an operation; `cast` is from the other type, `select` by `%p`."""

HEADER = """func.func @f(%x: memref<?x24xf32>, %o: memref<9xi32>, %a: index, %b: i32, %p: i1) {
%c0 = arith.constant 0 : index
%rows = memref.dim %x, %c0 : memref<?x24xf32>
%c5 = arith.constant 5 : index
%c60 = arith.constant 60 : index
%c12 = arith.constant 12 : index
tile.grid %g = 0 to 8, %t = 3 to %a max 9 {
%begin, %end = tile.segment %o[%g]
scf.for %i = %c5 to %c60 step %c12 {
"""

LEAVES: dict[str, st.SearchStrategy[int]] = {
    "a": st.integers(-(2**31), 2**31 - 1) | st.integers(-50, 50),
    "rows": st.integers(0, 1000),
    "begin": st.integers(0, 1000),
    "g": st.integers(0, 7),
    "t": st.integers(3, 11),
    "i": st.sampled_from(range(5, 60, 12)),
}
NUMBERS = st.integers(-9, 9) | st.sampled_from([8, 16, 128, 256])
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from([*LEAVES]) | NUMBERS,
    lambda inner: (
        st.builds(
            Node,
            st.sampled_from([*OPERATIONS, "select"]),
            st.tuples(inner, inner),
        )
        | st.builds(Node, st.just("cast"), st.tuples(inner))
    ),
    max_leaves=10,
)


@dataclass
class Written:
    """Text of operations, and the value of each by name: `None` where it is undefined."""

    lines: list[str]
    values: dict[str, int | None]
    chosen: bool

    def add(self, text: str, value: int | None) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"%{name} = {text}")
        self.values[name] = value
        return name


def signed(value: int, bits: int) -> int:
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def fits(value: int | None) -> bool:
    return value is not None and -(2**31) <= value < 2**31


def write(expression: Expression, kind: str, out: Written) -> str:
    """Append the operations of an expression of type `index` or `i32`; its value's name."""
    other = "i32" if kind == "index" else "index"
    match expression:
        case int():
            return out.add(f"arith.constant {expression} : {kind}", expression)
        case str() if kind == "index":
            return expression
        case str():  # a leaf is an index
            return write(Node("cast", (expression,)), kind, out)
        case Node("cast", (inner,)):
            name = write(inner, other, out)
            value = out.values[name]
            return out.add(f"arith.index_cast %{name} : {other} to {kind}", value if fits(value) else None)
        case Node("select", (left, right)):
            names = write(left, kind, out), write(right, kind, out)
            text = f"arith.select %p, %{names[0]}, %{names[1]} : {kind}"
            return out.add(text, out.values[names[0 if out.chosen else 1]])
        case Node(name, (left, right)):
            names = write(left, kind, out), write(right, kind, out)
            a, b = (out.values[side] for side in names)
            text = f"arith.{name} %{names[0]}, %{names[1]} : {kind}"
            if a is None or b is None or not defined(name, b):
                return out.add(text, None)
            value = OPERATIONS[name][0](a, b)
            return out.add(text, value if kind == "index" else signed(value, 32))
        case _:
            raise AssertionError(expression)


@settings(max_examples=200, deadline=None)
@given(
    expression=EXPRESSIONS,
    leaves=st.fixed_dictionaries(LEAVES),
    kind=st.sampled_from(["index", "i32"]),
    chosen=st.booleans(),
)
def test_every_value_of_a_program_is_in_its_range(
    expression: Expression, leaves: dict[str, int], kind: str, chosen: bool
) -> None:
    out = Written([], dict(leaves), chosen)
    write(expression, kind, out)
    module = parse(HEADER + "\n".join(out.lines) + "\n}\n}\nreturn\n}")
    ranges = Ranges()
    for name, value in out.values.items():
        found = ranges.of(named(module, name))
        assert value is None or value in found, (name, value, found)


CARRIED: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from(["turn", "one", "two", "begin"]) | NUMBERS,
    lambda inner: st.builds(Node, st.sampled_from([*OPERATIONS, "select"]), st.tuples(inner, inner)),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    inits=st.tuples(NUMBERS, NUMBERS),
    yields=st.tuples(CARRIED, CARRIED),
    chosen=st.lists(st.booleans(), max_size=12),
    begin=LEAVES["begin"],
)
def test_what_a_loop_carries_is_in_its_range(
    inits: tuple[int, int], yields: tuple[Expression, Expression], chosen: list[bool], begin: int
) -> None:
    """Of a loop with a turn for each of `chosen`, what `select` chooses in it."""
    text = Written([], {"turn": None, "one": None, "two": None, "begin": None}, True)
    names = [write(each, "index", text) for each in yields]
    loop = (
        f"%a1 = arith.constant {inits[0]} : index\n%a2 = arith.constant {inits[1]} : index\n"
        f"%r1, %r2 = pallas.fori %turn = 0 to {len(chosen)} iter_args(%one = %a1, %two = %a2) {{\n"
    )
    body = "\n".join([*text.lines, f"pallas.yield %{names[0]}, %{names[1]}"])
    source = HEADER + loop + body + "\n}\n}\n}\nreturn\n}"
    module, ranges = LocatingParser(make_context(), source, "f.mlir").parse_module(), Ranges()
    carried: tuple[int | None, int | None] = inits
    for turn, choice in enumerate(chosen):
        here: dict[str, int | None] = {"turn": turn, "one": carried[0], "two": carried[1], "begin": begin}
        out = Written([], here, choice)
        one, two = (write(each, "index", out) for each in yields)
        for name, value in out.values.items():
            found = ranges.of(named(module, name))
            assert value is None or value in found, (turn, name, value, found)
        carried = out.values[one], out.values[two]
    for name, value in zip(("r1", "r2"), carried, strict=True):
        assert value is None or value in ranges.of(named(module, name))


def range_of(text: str, name: str = "r") -> Range:
    """The range of a value in a function of the operations in `text`."""
    return Ranges().of(named(parse(HEADER + text + "\n}\n}\nreturn\n}"), name))


CONSTANTS = "\n".join(f"%n{n} = arith.constant {n} : index" for n in (4, 8, 32, 48, 128, 256, 257)) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%q = arith.floordivsi %a, %n8 : index\n%r = arith.muli %q, %n8 : index", Range(8)),
        (
            "%s = arith.muli %a, %n128 : index\n%t1 = arith.muli %begin, %n256 : index\n"
            "%r = arith.minsi %s, %t1 : index",
            Range(128),
        ),
        (
            "%s = arith.muli %a, %n32 : index\n%t1 = arith.muli %rows, %n8 : index\n"
            "%r = arith.select %p, %s, %t1 : index",
            Range(8),
        ),
        ("%s = arith.muli %g, %n32 : index\n%r = arith.addi %begin, %s : index", Range(low=0)),
        ("%s = arith.remsi %rows, %n4 : index\n%r = arith.muli %s, %n32 : index", Range(32, 0, 0, 96)),
        ("%s = arith.remsi %a, %n4 : index\n%r = arith.muli %s, %n32 : index", Range(32, 0, -96, 96)),
        ("%s = arith.muli %a, %n8 : index\n%r = arith.addi %s, %c5 : index", Range(8, 5)),
        ("%s = arith.muli %a, %n8 : index\n%r = arith.subi %c5, %s : index", Range(8, 5)),
        ("%s = arith.muli %a, %n128 : index\n%r = arith.divsi %s, %n32 : index", Range(4)),
        ("%r = arith.ceildivsi %g, %n4 : index", Range(1, 0, 0, 2)),
        ("%r = arith.divsi %rows, %n4 : index", Range(low=0)),
        ("%r = arith.floordivsi %g, %rows : index", Range(1, 0, 0, 7)),
        ("%r = arith.remsi %g, %n32 : index", Range(1, 0, 0, 7)),
        ("%r = arith.maxsi %g, %n4 : index", Range(1, 0, 4, 7)),
        ("%r = arith.minsi %g, %n8 : index", Range(1, 0, 0, 7)),
        ("%s = arith.muli %g, %n8 : index\n%r = arith.minsi %s, %n257 : index", Range(8, 0, 0, 56)),
        ("%s = arith.muli %a, %n128 : index\n%r = arith.remsi %s, %n48 : index", Range(16, 0, -32, 32)),
        ("%r = arith.addi %i, %n8 : index", Range(12, 1, 13, 61)),
        ("%r = arith.muli %n8, %n257 : index", Range(0, 2056)),
        ("%r = memref.dim %x, %c1 : memref<?x24xf32>", Range(0, 24)),
        ("%r = memref.dim %x, %c0 : memref<?x24xf32>", Range(low=0)),
        ("%r = memref.dim %x, %a : memref<?x24xf32>", Range(low=0)),
        ("%r = tile.load %o[%g]", UNKNOWN),
        ("%l = tile.load %o[%g]\n%r = arith.index_cast %l : i32 to index", Range(1, 0, -(2**31), 2**31 - 1)),
        ("%e = arith.index_cast %g : index to i8\n%r = arith.extsi %e : i8 to i32", Range(1, 0, 0, 7)),
        ("%f = arith.index_cast %n257 : index to i32\n%r = arith.trunci %f : i32 to i8", Range(0, 1)),
        ("%q = tile.load %x[%g, %g]\n%r = arith.addf %q, %q : f32", UNKNOWN),
    ],
)
def test_what_is_found(text: str, expected: Range) -> None:
    assert range_of(CONSTANTS + "%c1 = arith.constant 1 : index\n" + text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", UNKNOWN),
        ("a", UNKNOWN),
        ("b", UNKNOWN),
        ("rows", Range(low=0)),
        ("g", Range(1, 0, 0, 7)),
        ("t", Range(1, 0, 3, 11)),
        ("begin", Range(low=0)),
        ("end", Range(low=0)),
        ("i", Range(12, 5, 5, 53)),
    ],
)
def test_ranges_of_leaves(name: str, expected: Range) -> None:
    assert range_of("", name) == expected


def test_integers_of_fixed_width_wrap_around() -> None:
    """48 times an unknown i32 may overflow: then it is no multiple of 3 any more."""
    text = (
        "%k = arith.constant 48 : i32\n%r = arith.muli %b, %k : i32\n%w = arith.index_cast %r : i32 to index"
    )
    assert range_of(text) == Range(16, 0, -(2**31), 2**31 - 16)
    assert range_of(text, "w") == range_of(text)
    small = (
        "%k = arith.constant 48 : i32\n%s = arith.index_cast %g : index to i32\n%r = arith.muli %s, %k : i32"
    )
    assert range_of(small) == Range(48, 0, 0, 336)
    far = (
        "%k = arith.constant 1099511627776 : i64\n%h = arith.constant 34359738368 : i64\n"
        "%u = arith.index_cast %a : index to i64\n%m = arith.muli %u, %k : i64\n"
        "%s = arith.addi %m, %h : i64\n%r = arith.trunci %s : i64 to i32"
    )
    assert range_of(far) == Range(0, 0)


def test_literals_and_multiples() -> None:
    assert Ranges().of(12) == Range(0, 12)
    assert [Ranges().multiple_of(number) for number in (0, 12, -12)] == [0, 12, 12]


def test_each_value_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain in which every sum has twice the paths of the one before, longer than recursion is deep."""
    sums, made, normalize = 3_000, 0, Range.__post_init__

    def count(self: Range) -> None:
        nonlocal made
        made += 1
        assert made < 10 * sums, "more ranges than operations account for"
        normalize(self)

    lines = ["%v0 = arith.addi %a, %a : index"]
    lines += [f"%v{n} = arith.addi %v{n - 1}, %v{n - 1} : index" for n in range(1, sums)]
    last = every(parse(HEADER + "\n".join(lines) + "\n}\n}\nreturn\n}"), arith.AddiOp)[-1].result
    monkeypatch.setattr(Range, "__post_init__", count)
    assert Ranges().of(last) == Range()
