"""`returns` finds every order of axes that comes back to a block: compared with the visits themselves."""

from dataclasses import dataclass
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every, named, parse

from tilec.analysis.visits import axes_behind, block_values, one_step, returns, shared_axes
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
