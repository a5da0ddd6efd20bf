"""Multiples and bounds of axes, spans and kernels, and of every value in runs of the examples."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import named, parse
from xdsl.dialects.builtin import IndexType, IntegerType
from xdsl.ir import SSAValue

from corpus.choices import DISTINCT, Choice, main_segments
from corpus.choices import parse as parse_program
from corpus.corpus import EXAMPLES
from tilec.analysis.ranges import Range, Ranges
from tilec.dialects.interpreter import runner
from tilec.dialects.interpreter.machine import Machine
from tilec.dialects.interpreter.spans import Span, tile, tiles
from tilec.dialects.interpreter.values import Value
from tilec.proof import prove_passes

UNKNOWN = Range()

AXES = """func.func @f(%o: memref<9xi32>, %n: index) {{
tile.pipeline grid {{
  %g = tile.axis 0 to 8 ordered
  %b, %e = tile.segment %o[%g]
  %m = tile.axis {axis}
  %j = tile.axis {bounds} ordered
  %s = tile.span %j of %b to %e by s:16
  %l = tile.span %j of %b to 100 by l:16 aligned
  %k = tile.span %n of {bounds} by k:16 aligned keep
}}
return
}}"""


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("%b to %e by m:16 ordered aligned", Range(16, 0, 0)),
        ("%b to %e by m:16 ordered", Range(low=0)),
        ("%b to %e by m ordered aligned", Range(low=0)),
        ("%b to 100 by m:16 ordered aligned", Range(16, 0, 0, 96)),
        ("5 to 100 by m:16 ordered", Range(16, 5, 5, 85)),
        ("5 to 100 by m:16 ordered aligned", Range(16, 0, 0, 96)),
        ("5 to 100 by m ordered", Range(1, 0, 5, 99)),
        ("5 to %n by m:16 max 40 ordered", Range(16, 5, 5, 37)),
        ("5 to %n max 40 ordered", Range(1, 0, 5, 44)),
        ("5 to 6 ordered", Range(0, 5)),
        ("%b to 100 by m:16 ordered keep", Range(low=0)),
        ("50 to %e by m:16 max 40 ordered aligned keep", Range(16, 0, 48, 80)),
        ("%n to %e by m:16 ordered", UNKNOWN),
    ],
)
def test_where_the_tiles_of_an_axis_begin(axis: str, expected: Range) -> None:
    assert Ranges().of(named(parse(AXES.format(axis=axis, bounds="0 to 4")), "m")) == expected


def test_where_numbered_tiles_begin() -> None:
    module, ranges = parse(AXES.format(axis="0 to 1 ordered", bounds="0 to 4")), Ranges()
    assert ranges.of(named(module, "s")) == Range(low=0)
    assert ranges.of(named(module, "l")) == Range(16, 0, 0, 48)
    assert ranges.of(named(module, "k")) == Range(16)
    assert [ranges.multiple_of(named(module, name)) for name in "slk"] == [1, 16, 16]


@pytest.mark.parametrize(
    ("axis", "begin", "end"),
    [
        ("0 to 64 by m:16 ordered", Range(16, 0, 0, 48), Range(16, 0, 16, 64)),
        ("0 to 60 by m:16 ordered", Range(16, 0, 0, 48), Range(1, 0, 1, 60)),
        ("5 to 64 by m:16 ordered aligned", Range(1, 0, 5, 48), Range(1, 0, 6, 64)),
        ("%b to %e by m:16 ordered aligned", Range(low=0), Range(low=1)),
        ("32 to 40 by m:16 ordered", Range(0, 32), Range(1, 0, 33, 40)),
        ("%b to %e by m:16 ordered keep", UNKNOWN, UNKNOWN),
    ],
)
def test_where_tiles_begin_and_end(axis: str, begin: Range, end: Range) -> None:
    sides = "  %sb = tile.bound begin %m\n  %se = tile.bound end %m\n  %s ="
    text = AXES.format(axis=axis, bounds="0 to 4").replace("  %s =", sides)
    module, ranges = parse(text), Ranges()
    assert ranges.of(named(module, "sb")) == begin
    assert ranges.of(named(module, "se")) == end


@settings(max_examples=150, deadline=None)
@given(
    begin=st.integers(0, 40),
    extent=st.integers(0, 40),
    size=st.integers(1, 16),
    limit=st.none() | st.integers(0, 60),
    words=st.sampled_from(["", " aligned", " keep", " aligned keep"]),
    known=st.tuples(st.booleans(), st.booleans()),
)
def test_every_tile_begins_in_the_range(
    begin: int, extent: int, size: int, limit: int | None, words: str, known: tuple[bool, bool]
) -> None:
    assume(limit is None or extent <= limit)
    end, aligned = begin + extent, "aligned" in words
    bounds = f"{begin if known[0] else '%b'} to {end if known[1] else '%e'}"
    most = "" if limit is None else f" max {limit}"
    axis = f"{bounds} by m:{size}{most} ordered{words}"
    spans = f"  %z = tile.span %n of {bounds} by z:{size}{words}\n"
    sides = [(side, span) for side in ("begin", "end", "size") for span in "mz"]
    spans += "".join(f"  %{side}_{span} = tile.bound {side} %{span}\n" for side, span in sides)
    text = AXES.format(axis=axis, bounds="0 to 4").replace("  %s =", spans + "  %s =")
    module, ranges = parse(text), Ranges()
    made = tiles(begin, end, size, aligned=aligned)
    places = [place.start for place in made]
    if not places and "keep" in words:
        places = [begin // size * size if aligned else begin]
    assert all(place in ranges.of(named(module, "m")) for place in places)
    numbered = [tile(begin, end, size, index, 0 if aligned else begin) for index in range(-3, 90)]
    live = [place for place in numbered if "keep" in words or place.lo < place.hi]
    assert all(place.start in ranges.of(named(module, "z")) for place in live)
    for span, found in (("m", made), ("z", live)):
        for name, index in (("begin", "lo"), ("end", "hi"), ("size", "size")):
            side = ranges.of(named(module, f"{name}_{span}"))
            assert all(getattr(place, index) in side for place in found)


KERNEL = """func.func @f(%x: memref<512x512xf32>, %t: memref<9xi32>, %n: index) -> memref<512x512xf32> {
  %y = pallas.call "k" grid [parallel 4, arbitrary %n] {
    %t_ref = pallas.prefetch %t
    %x_ref = pallas.in %x block [128, 128] map (%i0, %i1) {
      %two = arith.constant 2 : index
      %half = arith.floordivsi %i0, %two : index
      pallas.yield %half, %i1
    }
    %y_ref = pallas.out block [128, 128] map (%i, %j) -> (%i, %j) : memref<512x512xf32>
    %p0 = pallas.program_id 0
    %p1 = pallas.program_id 1
    %v = pallas.load %t_ref[%p0]
    %element = pallas.load %x_ref[%p0, %p1]
    %w = arith.index_cast %v : i32 to index
    %zero = arith.constant 0 : index
    %r = pallas.fori %q = %p0 to 8 iter_args(%c = %zero) {
      pallas.yield %q
    }
  } : memref<512x512xf32>
  %d = arith.constant 1 : index
  %columns = memref.dim %y, %d : memref<512x512xf32>
  return %y : memref<512x512xf32>
}"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p0", Range(1, 0, 0, 3)),
        ("p1", Range(low=0)),
        ("i0", Range(1, 0, 0, 3)),
        ("half", Range(1, 0, 0, 1)),
        ("i1", Range(low=0)),
        ("v", UNKNOWN),
        ("element", UNKNOWN),
        ("x_ref", UNKNOWN),
        ("y", UNKNOWN),
        ("columns", Range(0, 512)),
        ("w", Range(1, 0, -(2**31), 2**31 - 1)),
        ("q", Range(1, 0, 0, 7)),
        ("c", Range(1, 0, 0, 7)),
        ("r", Range(1, 0, 0, 7)),
    ],
)
def test_values_of_kernels(name: str, expected: Range) -> None:
    assert Ranges().of(named(parse(KERNEL), name)) == expected


class Watched(dict[SSAValue, Any]):
    """The values of a run, each of them checked against its range."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges = Ranges()

    def __setitem__(self, key: SSAValue, value: Any) -> None:
        found = self.ranges.of(key)
        if isinstance(value, Span):
            assert value.start in found, (key, value, found)
        elif (
            isinstance(key.type, IndexType | IntegerType)
            and isinstance(value, Value)
            and value.poison is None
        ):
            assert int(value.data) in found, (key, value, found)
        super().__setitem__(key, value)


@pytest.mark.parametrize("choice", [c for c in DISTINCT if c.case in EXAMPLES and c.loop == "grid"], ids=str)
def test_ranges_hold_in_runs_after_every_pass(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    class WatchedMachine(Machine):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.values = Watched()

    monkeypatch.setattr(runner, "Machine", WatchedMachine)
    program = choice.case.program(main_segments(choice.case), "f32")
    prove_passes(
        parse_program(program), choice.case.name, program.arguments(seed=1), choice.passes(), seeds=(4,)
    )
