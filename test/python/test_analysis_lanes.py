"""Lanes that may be dead, compared with the tiles themselves."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every, named, parse

from tilec.analysis.lanes import may_have_dead_lanes, spans_to_blend
from tilec.dialects.tile.schedule import PipelineOp


@dataclass(frozen=True)
class Tiles:
    """An axis from `begin` to `end` in tiles of `lanes`, over an array of `rows`, indexed with a shift."""

    begin: int
    end: int
    lanes: int
    rows: int
    shift: int
    aligned: bool
    segment: bool

    def text(self) -> str:
        bounds = f"{self.begin} to {self.end}"
        if self.segment:
            bounds = "%b to %e"
        return (
            f"func.func @f(%y: memref<{self.rows}x128xf32>, %o: memref<2xi32>) {{\ntile.pipeline grid {{\n"
            "%g = tile.axis 0 to 1 ordered\n%b, %e = tile.segment %o[%g]\n"
            f"%m = tile.axis {bounds} by m:{self.lanes} ordered{' aligned' if self.aligned else ''}\n"
            f"%w = tile.window write %y[%m + {self.shift}, :]\n}}\nreturn\n}}"
        )

    @property
    def exact(self) -> bool:
        """Whether tiles begin between those of the array, so that only live rows are copied."""
        return not self.aligned and (self.segment or self.begin % self.lanes != 0)

    def dead(self) -> set[int]:
        """The indices of lanes outside the range in tiles of the axis."""
        first = self.begin - self.begin % self.lanes if self.aligned else self.begin
        tiles = range(first, self.end, self.lanes) if self.begin < self.end else range(0)
        lanes = {index for start in tiles for index in range(start, start + self.lanes)}
        return lanes - set(range(self.begin, self.end))


@st.composite
def drawn(draw: st.DrawFn) -> Tiles:
    begin = draw(st.integers(0, 20))
    end = begin + draw(st.integers(0, 20))
    rows = draw(st.one_of(st.just(max(end, 1)), st.integers(max(end, 1), 50)))
    shift = draw(st.integers(0, rows - end))
    return Tiles(begin, end, draw(st.integers(1, 9)), rows, shift, draw(st.booleans()), draw(st.booleans()))


@settings(max_examples=300, deadline=None)
@given(tiles=drawn())
def test_no_dead_lane_is_overlooked(tiles: Tiles) -> None:
    module = parse(tiles.text())
    span = named(module, "m")
    dead = tiles.dead()
    assert may_have_dead_lanes(span) or not dead
    window = every(module, PipelineOp)[0].windows[0]
    inside = {index for index in dead if 0 <= index + tiles.shift < tiles.rows}
    assert span in spans_to_blend(window) or tiles.exact or not inside


def test_full_tiles_have_no_dead_lanes() -> None:
    assert not may_have_dead_lanes(named(parse(Tiles(0, 16, 8, 16, 0, False, False).text()), "m"))
    assert not may_have_dead_lanes(named(parse(Tiles(3, 19, 8, 32, 0, False, False).text()), "m"))


def test_what_lies_outside_the_array_needs_no_blend() -> None:
    to_the_end = parse(Tiles(0, 20, 8, 20, 0, False, False).text())
    assert may_have_dead_lanes(named(to_the_end, "m"))
    assert spans_to_blend(every(to_the_end, PipelineOp)[0].windows[0]) == []
    before_the_end = parse(Tiles(0, 20, 8, 24, 0, False, False).text())
    assert spans_to_blend(every(before_the_end, PipelineOp)[0].windows[0]) == [named(before_the_end, "m")]
