"""What `coverage` calls covered is: compared with all elements that small programs and schedules touch."""

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from programs import every, parse

from tilec.analysis.coverage import always_set, gap, steps_of_one_block, touches_every_block
from tilec.dialects.tile.arrays import StoreOp
from tilec.dialects.tile.schedule import WindowOp


@dataclass(frozen=True)
class Nest:
    """A store in a loop over j in a grid over g, at `(a g + b j + c, second)` of an array of rank 2.

    An axis is `(begin, extent, lanes)`, lanes 0 of an index axis; j begins at `follows` times g besides.
    Where g or j is a span, it is the first index. `second` is "j" or a literal.
    """

    g: tuple[int, int]
    j: tuple[int, int, int]
    follows: int
    factors: tuple[int, int, int]
    second: str

    @property
    def elements(self) -> set[tuple[int, int]]:
        found: set[tuple[int, int]] = set()
        (g0, gn), (j0, jn, lanes), (a, b, c) = self.g, self.j, self.factors
        for g in range(g0, g0 + gn):
            first = j0 + self.follows * g
            for j in range(first, first + jn):
                row = j if lanes else a * g + b * j + c
                found.add((row, j if self.second == "j" else int(self.second)))
        return found

    def text(self) -> str:
        (g0, gn), (j0, jn, lanes), (a, b, c) = self.g, self.j, self.factors
        by = f" by j:{lanes}" if lanes else ""
        spans = [lanes] * ((lanes > 0) + (lanes > 0 and self.second == "j"))
        value = "%v = arith.constant 1.0 : f32"
        if spans:
            shape, names = "x".join(map(str, spans)), ", ".join("j" for _ in spans)
            value = f"%v = tile.splat 1.0 : tensor<{shape}xf32, #tile.spans<{names}>>"
        second = "%j" if self.second == "j" else self.second
        sums = "" if lanes else _sum({"%g": a, "%j": b}, c)
        return f"""
  tile.grid %g = {g0} to {g0 + gn} {{
    %follows = arith.constant {self.follows} : index
    %j0 = arith.constant {j0} : index
    %jn = arith.constant {jn} : index
    %moved = arith.muli %g, %follows : index
    %begin = arith.addi %moved, %j0 : index
    %end = arith.addi %begin, %jn : index
    tile.for %j = %begin to %end{by} {{
      {sums}
      {value}
      tile.store %v, %out[{"%j" if lanes else "%row"}, {second}]
    }}
  }}"""


def _sum(factors: dict[str, int], constant: int) -> str:
    lines = [f"%row0 = arith.constant {constant} : index"]
    for i, (value, factor) in enumerate(factors.items()):
        lines += [
            f"%f{i} = arith.constant {factor} : index",
            f"%p{i} = arith.muli {value}, %f{i} : index",
            f"%row{i + 1 if i == 0 else ''} = arith.addi %row{i}, %p{i} : index",
        ]
    return "\n      ".join(lines)


@st.composite
def nests(draw: st.DrawFn) -> Nest:
    """A nest that leaves no gap, or just one or an overlap of one."""
    gn, jn, lanes = draw(st.integers(0, 4)), draw(st.integers(0, 4)), draw(st.sampled_from((0, 0, 2)))
    stride = jn + draw(st.sampled_from((-1, 0, 0, 0, 1)))
    first, second = draw(st.sampled_from((0, 0, 1, 4))), draw(st.sampled_from(("0", "0", "0", "1", "j")))
    follows = draw(st.booleans()) or lanes > 0
    factors = (0, 1, 0) if follows else (max(stride, 0), 1, first)
    return Nest((0, gn), (first if follows else 0, jn, lanes), max(stride, 0) * follows, factors, second)


def _gap_of(stores: list[Nest], rows: int, columns: int) -> str | None:
    body = "".join(nest.text() for nest in stores)
    module = parse(f"func.func @f(%out: memref<{rows}x{columns}xf32>) {{{body}\n  return\n}}")
    return gap(module.body.block.first_op.body.block.args[0], every(module, StoreOp))  # pyright: ignore


@settings(max_examples=200, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(st.lists(nests(), min_size=1, max_size=3))
def test_covered_is_covered(drawn: list[Nest]) -> None:
    elements = set[tuple[int, int]]().union(*(nest.elements for nest in drawn))
    rows, columns = (1 + max((each[dim] for each in elements), default=0) for dim in (0, 1))
    columns = max(columns, *(1 + int(nest.second) for nest in drawn if nest.second != "j"), 1)
    missing = set(product(range(rows), range(columns))) - elements
    if _gap_of(drawn, rows, columns) is None:
        assert not missing


@pytest.mark.parametrize(
    ("stores", "shape"),
    [
        ([Nest((0, 4), (0, 4, 0), 0, (4, 1, 0), "0")], (16, 1)),
        ([Nest((0, 4), (0, 5, 0), 0, (4, 1, 0), "0")], (17, 1)),
        ([Nest((0, 4), (0, 3, 0), 3, (0, 1, 0), "0")], (12, 1)),
        ([Nest((0, 4), (0, 6, 2), 6, (0, 0, 0), "0")], (24, 1)),
        ([Nest((0, 1), (0, 6, 2), 0, (0, 0, 0), "0"), Nest((0, 1), (0, 6, 2), 0, (0, 0, 0), "1")], (6, 2)),
        ([Nest((2, 4), (0, 4, 0), 0, (1, 0, 0), "0"), Nest((0, 3), (0, 1, 0), 0, (1, 0, 0), "0")], (6, 1)),
        # Two L-shaped parts: the first rows of column 1 come from another store than the others.
        (
            [
                Nest((0, 4), (0, 1, 0), 0, (1, 0, 0), "0"),
                Nest((0, 2), (0, 1, 0), 0, (1, 0, 0), "1"),
                Nest((0, 2), (0, 1, 0), 0, (1, 0, 2), "1"),
            ],
            (4, 2),
        ),
    ],
)
def test_covers(stores: list[Nest], shape: tuple[int, int]) -> None:
    assert _gap_of(stores, *shape) is None


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("tile.store %v, %out[%m, :] mask %p", "has a mask"),
        ("scf.if %c { tile.store %v, %out[%m, :] }", "stands under a condition"),
        ("tile.for %i = 0 to %n { tile.store %v, %out[%m, :] }", "is never made where axis i is empty"),
        ("tile.for %i = 0 to 0 { tile.store %v, %out[%m, :] }", "is never made where axis i is empty"),
        ("tile.store %d, %out[%m, %m]", "indexes two dimensions by axis m"),
        (
            "%b, %e = tile.segment %o[%n] tile.for %s = %b to %e { tile.store %r, %out[%s, :] }",
            "has a range in dimension 0 that differs between iterations",
        ),
        (
            "%two = arith.constant 2 : index tile.for %i = 0 to 32 { %k = arith.muli %i, %two : index "
            "tile.store %r, %out[%k, :] }",
            "leaves out some of dimension 0",
        ),
        ("tile.store %t, %out[%m, %h]", "no store reaches index 32 of dimension 1"),
        ("tile.for %i = 1 to 64 { tile.store %r, %out[%i, :] }", "no store reaches index 0 of dimension 0"),
    ],
)
def test_reasons(store: str, reason: str) -> None:
    module = parse(f"""
func.func @f(%out: memref<64x64xf32>, %o: memref<9xi32>, %n: index, %c: i1) {{
  tile.grid %m = 0 to 64 by m:16, %h = 0 to 32 by h:32 {{
    %v = tile.splat 1.0 : tensor<16x64xf32, #tile.spans<m, _>>
    %t = tile.splat 1.0 : tensor<16x32xf32, #tile.spans<m, h>>
    %p = tile.splat 1 : tensor<16x64xi1, #tile.spans<m, _>>
    %d = tile.splat 1.0 : tensor<16x16xf32, #tile.spans<m, m>>
    %r = tile.splat 1.0 : tensor<64xf32>
    {store}
  }}
  return
}}""")
    (found,) = every(module, StoreOp)
    problem = gap(found.array, [found])
    assert problem is not None
    assert problem.endswith(reason)


def test_run_time_extents() -> None:
    """Up to the extent itself, in one run or in two."""
    module = parse("""
func.func @f(%x: memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x8xf32>
  %out = tile.empty like(%x) : memref<?x8xf32>
  tile.grid %m = 0 to %rows by m:16 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  tile.grid %m = 0 to 16 by m:16 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  tile.grid %m = 10 to %rows by m:16 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return
}""")
    whole, top, rest = every(module, StoreOp)
    assert gap(whole.array, [whole]) is None
    assert gap(whole.array, [top, rest]) is None
    assert gap(whole.array, [top]) == "no store reaches index 16 of dimension 0"
    assert gap(whole.array, [rest]) == "no store reaches index 0 of dimension 0"


def _window(axes: str, window: str, body: str, shape: str = "100x128") -> WindowOp:
    module = parse(f"""
func.func @f(%y: memref<{shape}xf32>, %c: i1, %n: index) {{
  tile.pipeline grid {{
    {axes}
    %w = tile.window write %y[{window}]
    {body}
  }}
  return
}}""")
    (found,) = every(module, WindowOp)
    return found


@pytest.mark.parametrize("extent", [1, 8, 9, 16, 20])
def test_blocks_of_an_axis(extent: int) -> None:
    for begin, end in product(range(extent + 1), repeat=2):
        if begin > end:
            continue
        axis = f"%m = tile.axis {begin} to {end} by m:8 ordered{' aligned' if begin % 8 else ''}"
        window = _window(axis, "%m, :", "", f"{extent}x128")
        visited = {row // 8 for row in range(begin, end)}
        assert touches_every_block(window) == (visited == {row // 8 for row in range(extent)})


@pytest.mark.parametrize(
    ("axes", "window", "expected"),
    [
        ("%m = tile.axis 0 to 100 by m:8 parallel", "%m, :", True),
        ("%m = tile.axis 0 to 100 by m:8 parallel %k = tile.axis 0 to 4 ordered", "%m, :", True),
        ("%m = tile.axis 0 to 100 by m:8 parallel %k = tile.axis 0 to %n ordered", "%m, :", False),
        ("%m = tile.axis 0 to 100 by m:8 parallel %k = tile.axis 0 to %n ordered keep", "%m, :", True),
        ("%m = tile.axis 0 to 100 by m:8 parallel", "%m + 8, :", False),
        ("%m = tile.axis 0 to 100 by m:8 parallel", "%m, %m", False),
        ("%g = tile.axis 0 to 100 parallel", "%g, :", True),
        ("%g = tile.axis 0 to 99 parallel", "%g, :", False),
        ("%g = tile.axis 0 to 100 parallel", "3, :", False),
        ("%g = tile.axis 0 to %n parallel", "%g, :", False),
        # The steps begin between tiles, and copy rows rather than blocks.
        ("%m = tile.axis 4 to 100 by m:8 parallel", "%m, :", False),
    ],
)
def test_every_block(axes: str, window: str, expected: bool) -> None:
    assert touches_every_block(_window(axes, window, "", "100x100")) is expected


INNER = "%m = tile.axis 0 to 96 by m:8 parallel %k = tile.axis 0 to 4 ordered %j = tile.axis 0 to 4 ordered"
VALUE = "%v = tile.splat 1.0 : tensor<8x128xf32, #tile.spans<m, _>> "


@pytest.mark.parametrize(
    ("axes", "body", "expected"),
    [
        (INNER, "tile.set %v, %w", True),
        (INNER, "%p = tile.last %k scf.if %p { tile.set %v, %w }", True),
        (
            INNER,
            "%p = tile.last %k %q = tile.first %j %b = arith.andi %p, %q : i1 scf.if %b { tile.set %v, %w }",
            True,
        ),
        (INNER, "%p = tile.last %k %q = tile.first %j scf.if %p { scf.if %q { tile.set %v, %w } }", True),
        (
            INNER,
            "%p = tile.last %k %q = tile.first %k %b = arith.andi %p, %q : i1 scf.if %b { tile.set %v, %w }",
            False,
        ),
        (INNER, "%p = tile.last %m scf.if %p { tile.set %v, %w }", False),
        (INNER, "%p = tile.live %k scf.if %p { tile.set %v, %w }", False),
        (INNER, "scf.if %c { tile.set %v, %w }", False),
        (INNER, "%p = tile.last %k scf.if %p { } else { tile.set %v, %w }", False),
        (INNER, "%t = tile.splat 1 : tensor<8x128xi1, #tile.spans<m, _>> tile.set %v, %w mask %t", False),
        (INNER, "", False),
        (
            "%m = tile.axis 0 to 92 by m:8 parallel",
            "tile.set %v, %w",
            False,
        ),  # rows 92 to 96 are in the array
        ("%m = tile.axis 0 to 100 by m:8 parallel", "tile.set %v, %w", True),
        ("%m = tile.axis 3 to 96 by m:8 ordered aligned", "tile.set %v, %w", False),
        ("%m = tile.axis 3 to 96 by m:8 ordered aligned", "tile.set %all, %w", True),
        ("%m = tile.axis 3 to 92 by m:8 parallel", "tile.set %v, %w", True),  # only its rows are copied
    ],
)
def test_always_set(axes: str, body: str, expected: bool) -> None:
    every_lane = "%all = tile.splat 1.0 : tensor<8x128xf32> "
    assert always_set(_window(axes, "%m, :", VALUE + every_lane + body)) is expected


@pytest.mark.parametrize(
    ("axes", "window", "names"),
    [
        (INNER, "%m, :", ["k", "j"]),
        (INNER + " %i = tile.axis 0 to 1 ordered", "%m, :", ["k", "j"]),
        ("%g = tile.axis 0 to 1 parallel " + INNER, "%m, :", ["k", "j"]),
        ("%g = tile.axis 0 to 2 parallel " + INNER, "%m, :", None),
        (INNER, ":, :", ["m", "k", "j"]),
        (INNER, "%n, :", None),
        (INNER, "%m + %n, :", None),
        (INNER, "%k, :", None),
    ],
)
def test_steps_of_one_block(axes: str, window: str, names: list[str] | None) -> None:
    found = steps_of_one_block(_window(axes, window, ""))
    assert (None if found is None else [axis.axis.name for axis in found]) == names
