"""What `conflicts` calls disjoint is disjoint: compared with all pairs of iterations of small programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every, named, parse

from tilec.analysis.races import conflicts
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.loops import LoopOp

SIDE = 64
"""Extent of both dimensions of the array; no access of a drawn program passes it."""


@dataclass(frozen=True)
class Position:
    """How an access indexes a dimension: `:`, a literal, an axis or `a g + b j + c`, shifted by a literal.

    A base "g+" is the axis g, shifted by `a g + b j + c`. A tile axis counts there by where its tile begins.
    """

    base: str  # ":", "literal", "g", "j", "s", "g+", "j+", "s+" or "linear"
    factors: tuple[int, int, int] = (0, 0, 0)
    shift: int = 0


@dataclass(frozen=True)
class Program:
    """A grid over g, a loop over j in it, and two accesses of one array.

    An axis is `(extent, lanes)`, lanes 0 of an index axis. `offsets` are the segments of the loop over s,
    whose number is `number[0] g + number[1] j + number[2]`; `lanes` are those of s.
    """

    g: tuple[int, int]
    j: tuple[int, int]
    offsets: tuple[int, ...]
    number: tuple[int, int, int]
    lanes: int
    first: tuple[Position, Position]
    second: tuple[Position, Position]
    second_writes: bool


AXES = st.tuples(st.integers(1, 5), st.sampled_from((0, 0, 2, 3)))
FACTORS = st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 4))
POSITIONS = st.builds(
    Position,
    st.sampled_from((":", "literal", "g", "g", "g+", "j", "j+", "s", "s", "s+", *["linear"] * 4)),
    FACTORS,
    st.integers(0, 3),
)
PROGRAMS = st.builds(
    Program,
    AXES,
    AXES,
    st.lists(st.integers(0, 24), min_size=30, max_size=30).map(lambda cuts: tuple(sorted(cuts))),
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    st.sampled_from((0, 2, 3)),
    st.tuples(POSITIONS, POSITIONS),
    st.tuples(POSITIONS, POSITIONS),
    st.booleans(),
)


def write_index(name: str, factors: Sequence[int], program: Program) -> list[str]:
    """`%name_2 = a g + b j + c`."""
    lines = [f"%{name}_0 = arith.constant {factors[2]} : index"]
    for i, (axis, (_, lanes)) in enumerate((("g", program.g), ("j", program.j))):
        ask = f"tile.bound begin %{axis}" if lanes else f"arith.addi %{axis}, %zero : index"
        lines.append(f"%{name}_a{i} = {ask}")
        lines.append(f"%{name}_f{i} = arith.constant {factors[i]} : index")
        lines.append(f"%{name}_p{i} = arith.muli %{name}_a{i}, %{name}_f{i} : index")
        lines.append(f"%{name}_{i + 1} = arith.addi %{name}_{i}, %{name}_p{i} : index")
    return lines


def write_position(name: str, position: Position) -> str:
    match position.base:
        case ":":
            return ":"
        case "literal":
            return str(position.shift)
        case "linear":
            return f"%{name}_2 + {position.shift}"
        case "g" | "j" | "s" as axis:
            return f"%{axis} + {position.shift}"
        case base:
            return f"%{base[0]} + %{name}_2"


def by(axis: tuple[int, int], name: str) -> str:
    return f"0 to {axis[0]}" + (f" by {name}:{axis[1]}" if axis[1] else "")


def write_program(program: Program) -> str:
    lines = ["%zero = arith.constant 0 : index", *write_index("number", program.number, program)]
    lines += ["%b, %e = tile.segment %o[%number_2]"]
    lines += [f"tile.for %s = %b to %e{f' by s:{program.lanes}' if program.lanes else ''} {{"]
    for name, positions in (("first", program.first), ("second", program.second)):
        for dim, position in enumerate(positions):
            lines += write_index(f"{name}{dim}", position.factors, program)
        window = ", ".join(write_position(f"{name}{dim}", at) for dim, at in enumerate(positions))
        lines += [f"%{name} = tile.load %x[{window}]"]
        if name == "first" or program.second_writes:
            lines += [f"tile.store %{name}, %x[{window}]"]
    body = "\n".join(lines)
    return (
        f"func.func @f(%x: memref<{SIDE}x{SIDE}xf32>, %o: memref<30xi32>) {{\n"
        f"tile.grid %g = {by(program.g, 'g')} {{\n"
        f"tile.for %j = {by(program.j, 'j')} {{\n{body}\n}}\n}}\n}}\nreturn\n}}"
    )


def tiles(begin: int, end: int, lanes: int) -> Iterator[range]:
    """The indices of each step of an axis."""
    for start in range(begin, end, lanes or 1):
        yield range(start, min(start + (lanes or 1), end))


def indices(position: Position, steps: dict[str, range], numbers: tuple[int, int]) -> range:
    match position.base:
        case ":":
            return range(SIDE)
        case "literal":
            return range(position.shift, position.shift + 1)
        case "linear":
            at = number_of(position, numbers) + position.shift
            return range(at, at + 1)
        case base:
            step, more = steps[base[0]], base[1:]
            shift = number_of(position, numbers) if more else position.shift
            return range(step.start + shift, step.stop + shift)


def number_of(position: Position, numbers: tuple[int, int]) -> int:
    a, b, c = position.factors
    return a * numbers[0] + b * numbers[1] + c


def touched(program: Program, axis: str) -> list[list[set[tuple[int, int]]]]:
    """For each step of `axis` the elements that the two accesses touch, over all steps of the other axes."""
    found: dict[int, list[set[tuple[int, int]]]] = {}
    for g, j in product(tiles(0, *program.g), tiles(0, *program.j)):
        numbers = (g.start, j.start)
        a, b, c = program.number
        segment = a * numbers[0] + b * numbers[1] + c
        for s in tiles(program.offsets[segment], program.offsets[segment + 1], program.lanes):
            steps = {"g": g, "j": j, "s": s}
            sets = found.setdefault(steps[axis].start, [set(), set()])
            for access, positions in zip(sets, (program.first, program.second), strict=True):
                access |= set(product(*(indices(at, steps, numbers) for at in positions)))
    return list(found.values())


def collide(program: Program, axis: str) -> bool:
    """Whether two steps of `axis` touch one element, and one of them writes it.

    Both accesses load; the first stores too.
    """
    every_step = touched(program, axis)
    for one, two in product(range(len(every_step)), repeat=2):
        if one == two:
            continue
        if every_step[one][0] & (every_step[two][0] | every_step[two][1]):
            return True
        if program.second_writes and every_step[one][1] & every_step[two][1]:
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(program=PROGRAMS)
def test_what_collides_is_a_conflict(program: Program) -> None:
    module = parse(write_program(program))
    grid, loop, _ = every(module, LoopOp)
    assert not collide(program, "g") or any(conflicts(grid, named(module, "g")))
    # Iterations of the loop in one and the same step of the grid.
    for g in range(-(-program.g[0] // (program.g[1] or 1))):
        step = inner(program, g)
        if step is not None:
            assert not collide(step, "j") or any(conflicts(loop, named(module, "j")))


def inner(program: Program, step: int) -> Program | None:
    """The program with step number `step` of g as the only one, for index axes."""
    if program.g[1]:
        return None

    def moved(position: Position) -> Position:
        a, b, c = position.factors
        if position.base == "g":
            return Position("literal", shift=step + position.shift)
        if position.base == "g+":
            return Position("linear", (0, b, c + a * step + step), 0)
        return Position(position.base, (0, b, c + a * step), position.shift)

    a, b, c = program.number
    return Program(
        (1, 0),
        program.j,
        program.offsets,
        (0, b, c + a * step),
        program.lanes,
        (moved(program.first[0]), moved(program.first[1])),
        (moved(program.second[0]), moved(program.second[1])),
        program.second_writes,
    )


def conflict_count(body: str, axis: str = "g") -> int:
    text = f"""
func.func @f(%x: memref<64x128xf32>, %y: memref<64x128xf32>, %o: memref<9xi32>, %q: memref<9xi32>) {{
  %two = arith.constant 2 : index
  %four = arith.constant 4 : index
  tile.grid %g = 0 to 8 {{
    %v = tile.load %y[0, :]
    %b, %e = tile.segment %o[%g]
    %p, %r = tile.segment %q[%g]
    {body}
  }}
  return
}}"""
    module = parse(text)
    loop = next(op for op in every(module, LoopOp) for a in op.axes if a.name == axis)
    return len(list(conflicts(loop, named(module, axis))))


DISJOINT = [
    "tile.store %v, %x[%g, :]",
    "tile.store %v, %x[%g + 3, :]\n%w = tile.load %x[%g + 3, :]",
    "%i = arith.muli %g, %four : index\ntile.for %j = 0 to 4 {\ntile.store %v, %x[%i + %j, :]\n}",
    "%i = arith.muli %g, %two : index\ntile.store %v, %x[%i, :]\n%w = tile.load %x[%i + 1, :]",
    "tile.for %m = %b to %e {\ntile.store %v, %x[%m, :]\n}",
    "%z = tile.load %y[%g, :]\ntile.store %z, %x[%g, :]",
    "%n = arith.muli %g, %two : index\n%c, %d = tile.segment %o[%n]\n"
    "tile.for %m = %c to %d {\ntile.store %v, %x[%m, :]\n}",
    # A segment in tiles, and these in smaller ones.
    "tile.for %m = %b to %e by m:4 {\n%c = tile.bound begin %m\n%d = tile.bound end %m\n"
    "tile.for %n = %c to %d {\ntile.store %v, %x[%n, :]\n}\n}",
]
MEETING = [
    "tile.store %v, %x[0, :]",
    "tile.store %v, %x[%g, :]\n%w = tile.load %x[%g + 1, :]",
    "%i = arith.muli %g, %four : index\ntile.for %j = 0 to 5 {\ntile.store %v, %x[%i + %j, :]\n}",
    "%i = arith.muli %g, %two : index\ntile.store %v, %x[%i, :]\n%w = tile.load %x[%i + 2, :]",
    "tile.for %m = %b to %e {\ntile.store %v, %x[%m + 1, :]\n%w = tile.load %x[%m, :]\n}",
    "tile.for %m = %b to %e {\ntile.for %n = %p to %r {\n"
    "tile.store %v, %x[%m, :]\n%w = tile.load %x[%n, :]\n}\n}",
    # Segments g and g + 1: neighbours in g share one.
    "tile.for %j = 0 to 2 {\n%n = arith.addi %g, %j : index\n%c, %d = tile.segment %o[%n]\n"
    "tile.for %m = %c to %d {\ntile.store %v, %x[%m, :]\n}\n}",
    # What is added to g may undo it.
    "%n = arith.subi %two, %g : index\ntile.store %v, %x[%g + %n, :]",
    "tile.for %j = 0 to 2 {\ntile.store %v, %x[%g + %j, :]\n}",
]


@pytest.mark.parametrize("body", DISJOINT)
def test_disjoint(body: str) -> None:
    assert conflict_count(body) == 0


@pytest.mark.parametrize("body", MEETING)
def test_meeting(body: str) -> None:
    assert conflict_count(body) > 0


TILES = """
func.func @f(%x: memref<640xf32>) {{
  tile.grid %g = 0 to 4, %m = {bounds} by m:16 {{
    %b = tile.bound begin %m
    %e = tile.bound end %m
    %twelve = arith.constant 12 : index
    %base = arith.muli %g, %twelve : index
    {body}
  }}
  return
}}"""
STORED = "%v = tile.splat 1.0 : tensor<4xf32, #tile.spans<{0}>>\ntile.store %v, %x[{1}]"
LOOP = "tile.for %k = {0} by k:4 {{\n{1}\n}}"


@pytest.mark.parametrize(
    ("bounds", "body", "disjoint"),
    [
        # All of a tile in smaller ones, wherever tiles are cut.
        ("0 to 100", LOOP.format("%b to %e", STORED.format("k", "%k")), True),
        ("5 to 100", LOOP.format("%b to %e", STORED.format("k", "%k")), True),
        ("0 to 100", LOOP.format("%b to 100", STORED.format("k", "%k")), False),
        # As many as a tile has from where it begins; the first tile of 5 to 100 may be cut shorter.
        ("0 to 96", LOOP.format("0 to 16", STORED.format("k", "%k + %b")), True),
        ("0 to 96", LOOP.format("0 to 20", STORED.format("k", "%k + %b")), False),
        ("5 to 101", LOOP.format("0 to 16", STORED.format("k", "%k + %b")), False),
        # A tile and its own begin are twice as far apart; less its begin, all tiles are one.
        ("0 to 96", "%n = arith.subi %twelve, %b : index\n" + STORED.format("m", "%m + %n"), False),
        # The shift is that of an axis before.
        ("0 to 96", STORED.format("m", "%m + %base"), True),
    ],
)
def test_windows_from_where_tiles_begin(bounds: str, body: str, disjoint: bool) -> None:
    text = TILES.format(bounds=bounds, body=body).replace(
        "tensor<4xf32, #tile.spans<m>>", "tensor<16xf32, #tile.spans<m>>"
    )
    module = parse(text)
    grid = every(module, LoopOp)[0]
    assert (next(conflicts(grid, named(module, "m")), None) is None) == disjoint


@pytest.mark.parametrize(("shift", "disjoint"), [(6, True), (-6, True), (5, False), (-5, False)])
def test_halves(shift: int, disjoint: bool) -> None:
    """What one part of an array is made of is in the other."""
    body = f"%w = tile.load %x[%j + 8, :]\ntile.store %w, %x[%j + {8 + shift}, :]"
    assert (conflict_count(f"tile.for %j = 0 to 6 by j:2 {{\n{body}\n}}", "j") == 0) == disjoint


def test_a_conflict_names_the_write_and_the_other() -> None:
    module = parse("""
func.func @f(%x: memref<64x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.store %v, %x[%g + 1, :]
  }
  return
}""")
    (grid,) = every(module, LoopOp)
    (conflict,) = conflicts(grid, named(module, "g"))
    assert conflict.write.effect is Effect.WRITE
    assert (conflict.write.name, conflict.other.name) == ("tile.store", "tile.load")
