"""`returns` finds every order of axes that comes back to a block: compared with the visits themselves."""

from dataclasses import dataclass
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every, named, parse

from tilec.analysis.revisits import returns
from tilec.analysis.visits import axes_behind, block_values, one_step, shared_axes
from tilec.dialects.tile.schedule import AxisOp, PipelineOp

OFFSETS = 5
"""Elements of the array of offsets: four segments."""


@dataclass(frozen=True)
class Axes:
    """Axes of a pipeline, outermost first, and the ones that index the window.

    `a` and `b` are indices, `m` the tiles of a segment whose number is `g`. `order` puts them in order.
    """

    order: tuple[str, ...]
    a: int
    b: int
    offsets: tuple[int, ...]
    lanes: int
    window: tuple[str, ...]


NAMES = ("a", "b", "g", "m")
ORDERS = st.permutations(NAMES).filter(lambda order: order.index("g") < order.index("m")).map(tuple)
DRAWN = st.builds(
    Axes,
    ORDERS,
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(0, 12), min_size=OFFSETS, max_size=OFFSETS).map(lambda cuts: tuple(sorted(cuts))),
    st.integers(1, 4),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(tuple),
)


def write_pipeline(axes: Axes) -> str:
    text = {
        "a": f"%a = tile.axis 0 to {axes.a} ordered",
        "b": f"%b = tile.axis 0 to {axes.b} ordered",
        "g": f"%g = tile.axis 0 to {OFFSETS - 1} ordered\n%begin, %end = tile.segment %o[%g]",
        "m": f"%m = tile.axis %begin to %end by m:{axes.lanes} ordered aligned",
    }
    dims = [f"%{name}" for name in axes.window]
    dims += [":"] * (4 - len(dims))
    body = "\n".join(text[name] for name in axes.order)
    return (
        f"func.func @f(%y: memref<16x16x16x16xf32>, %o: memref<{OFFSETS}xi32>) {{\n"
        f"tile.pipeline grid {{\n{body}\n%w = tile.window write %y[{', '.join(dims)}]\n}}\nreturn\n}}"
    )


def visits(axes: Axes) -> list[tuple[int, ...]]:
    """The block of the window in each step, in the order of the steps."""
    found: list[tuple[int, ...]] = []

    def step(left: tuple[str, ...], at: dict[str, int]) -> None:
        if not left:
            found.append(tuple(at[name] for name in axes.window))
            return
        name, *rest = left
        ranges = {"a": range(axes.a), "b": range(axes.b), "g": range(OFFSETS - 1)}
        if name == "m":
            begin, end = axes.offsets[at["g"]], axes.offsets[at["g"] + 1]
            first = begin // axes.lanes
            ranges["m"] = range(first, -(-end // axes.lanes) if begin < end else first)
        for value in ranges[name]:
            step(tuple(rest), at | {name: value})

    step(axes.order, {})
    return found


def comes_back(blocks: list[tuple[int, ...]]) -> bool:
    runs = [block for block, _ in groupby(blocks)]
    return len(runs) != len(set(runs))


@settings(max_examples=400, deadline=None)
@given(axes=DRAWN)
def test_a_block_that_is_left_stays_left(axes: Axes) -> None:
    (pipeline,) = every(parse(write_pipeline(axes)), PipelineOp)
    found = returns(pipeline.axes, pipeline.windows[0])
    assert found is not None or not comes_back(visits(axes))


@pytest.mark.parametrize(
    ("order", "window", "axis"),
    [
        ("abgm", "ab", None),
        ("abgm", "b", "a"),
        ("abgm", "", None),
        ("gmab", "m", None),
        ("agmb", "am", None),
        ("gmab", "ma", "g"),  # a tile shared by two segments is left for the next a
        ("gamb", "m", "a"),
    ],
)
def test_the_axis_at_fault_is_named(order: str, window: str, axis: str | None) -> None:
    axes = Axes(tuple(order), 2, 2, (0, 3, 5, 9, 12), 4, tuple(window))
    (pipeline,) = every(parse(write_pipeline(axes)), PipelineOp)
    found = returns(pipeline.axes, pipeline.windows[0])
    assert (found and found.axis.name) == axis
    assert comes_back(visits(axes)) == (axis is not None)


@dataclass(frozen=True)
class Computed:
    """A window at a position that is computed of two axes, `of[0] * a + of[1] * b`, with `n` inside or not.

    `kind` says what is there: a matrix, a row of one, a segment of that number, or three elements.
    """

    kind: str
    of: tuple[int, int]
    extents: tuple[int, int]
    divisor: int
    n: str


NUMBERS = 16
"""The positions that are reached: three times three, and as many below."""


def write_computed(given: Computed) -> str:
    kind = "memref<64x64x128xf32>" if given.kind == "matrix" else "memref<64x128xf32>"
    inner = {"matrix": "%i, 0, %n", "row": "%i, %n", "segment": "%m, %n", "elements": "%m, %n"}[given.kind]
    before = {
        "segment": "%s, %e = tile.segment %o[%i]\n%m = tile.axis %s to %e by m:8 ordered aligned",
        "elements": "%e = arith.addi %i, %three : index\n%m = tile.axis %i to %e by m:8 ordered aligned",
    }.get(given.kind, "")
    n = "%n = tile.axis 0 to 128 by n:64 ordered"
    fetch = " fetch [8, 64]" if given.kind == "row" else ""
    return f"""
func.func @f(%y: {kind}, %o: memref<{2 * NUMBERS}xi32>) {{
  tile.pipeline grid {{
    {n if given.n == "outside" else ""}
    %a = tile.axis 0 to {given.extents[0]} ordered
    %b = tile.axis 0 to {given.extents[1]} ordered
    %three = arith.constant 3 : index
    %zero = arith.constant 0 : index
    %fa = arith.constant {given.of[0]} : index
    %fb = arith.constant {given.of[1]} : index
    %d = arith.constant {given.divisor} : index
    %base = arith.constant {NUMBERS} : index
    %pa = arith.muli %a, %fa : index
    %pb = arith.muli %b, %fb : index
    %p = arith.addi %pa, %pb : index
    %q = arith.addi %p, %base : index
    %i = {"arith.addi %q, %zero" if given.divisor == 1 else "arith.floordivsi %q, %d"} : index
    {before}
    {n if given.n == "inside" else ""}
    %w = tile.window write %y[{inner}]{fetch}
  }}
  return
}}
"""


def computed_visits(given: Computed) -> list[tuple[int, ...]]:
    """The blocks in the order of the steps; segments have three elements each, and one none."""
    ends = [0]
    for number in range(2 * NUMBERS - 1):
        ends.append(ends[-1] + (0 if number == NUMBERS + 1 else 3))
    inside, outside = (range(2) if given.n == side else [None] for side in ("inside", "outside"))
    found: list[tuple[int, ...]] = []
    for out in outside:
        for a in range(given.extents[0]):
            for b in range(given.extents[1]):
                i = (given.of[0] * a + given.of[1] * b + NUMBERS) // given.divisor
                begin, end = (ends[i], ends[i + 1]) if given.kind == "segment" else (i, i + 3)
                tiles = range(begin // 8, -(-end // 8) if begin < end else begin // 8)
                blocks = {"matrix": [i], "row": [i // 8]}.get(given.kind, tiles)
                found += [(block, out or n or 0) for block in blocks for n in inside]
    return found


@settings(max_examples=400, deadline=None)
@given(
    given=st.builds(
        Computed,
        st.sampled_from(["matrix", "row", "segment", "elements"]),
        st.tuples(st.integers(-3, 6), st.integers(-3, 6)),
        st.tuples(st.integers(1, 3), st.integers(1, 3)),
        st.integers(1, 3),
        st.sampled_from(["inside", "outside"]),
    )
)
def test_a_computed_block_that_is_left_stays_left(given: Computed) -> None:
    (pipeline,) = every(parse(write_computed(given)), PipelineOp)
    assert returns(pipeline.axes, pipeline.windows[0]) is not None or not comes_back(computed_visits(given))


@pytest.mark.parametrize(
    ("given", "back"),
    [
        (Computed("matrix", (1, 4), (4, 3), 1, "inside"), False),  # never twice, in whatever order
        (Computed("segment", (1, 4), (4, 3), 1, "inside"), True),
        (Computed("segment", (3, 1), (4, 3), 1, "outside"), False),
        (Computed("segment", (2, 1), (4, 3), 1, "outside"), True),
        (Computed("elements", (9, 3), (4, 3), 1, "outside"), False),
        (Computed("elements", (6, 2), (4, 3), 1, "outside"), True),
        (Computed("row", (3, 1), (4, 3), 1, "outside"), False),
        (Computed("row", (1, 4), (4, 3), 1, "outside"), True),
        (Computed("matrix", (3, 1), (4, 3), 2, "outside"), False),
        (Computed("matrix", (3, 1), (4, 3), 2, "inside"), True),
    ],
)
def test_what_is_known_of_computed_blocks(given: Computed, *, back: bool) -> None:
    (pipeline,) = every(parse(write_computed(given)), PipelineOp)
    assert (returns(pipeline.axes, pipeline.windows[0]) is not None) == back


PIPELINE = """
func.func @f(%y: memref<?x16xf32>, %o: memref<9xi32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %n = tile.axis 0 to 16 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:8 ordered aligned
    %two = arith.constant 2 : index
    %i = arith.muli %n, %two : index
    %w = tile.window write %y[%m, %i]
    %one = tile.axis 0 to 1 ordered
    %few = tile.axis 3 to 7 by few:4 ordered
    %more = tile.axis 3 to 8 by more:4 ordered
  }
  return
}"""


def test_axes_are_found_through_scalars_and_bounds() -> None:
    module = parse(PIPELINE)
    window = every(module, PipelineOp)[0].windows[0]
    assert {axis.axis.name for axis in axes_behind([named(module, "i")])} == {"n"}
    assert {axis.axis.name for axis in axes_behind(block_values(window))} == {"g", "m", "n"}
    assert {axis.axis.name for axis in shared_axes(window)} == {"g", "m"}


def test_an_axis_of_one_step() -> None:
    axes = every(parse(PIPELINE), AxisOp)
    assert {axis.axis.name for axis in axes if one_step(axis)} == {"one", "few"}
