"""What a tuner may choose: every point is one that the passes take."""

import json
import runpy
from math import ceil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import parse
from tuning_programs import EXAMPLES, example, jagged_row_sum, matmul
from xdsl.passes import PassPipeline

import tilec
import tilec.language as hl
from tilec.parsing import make_context
from tilec.passes.plan_memory import PlanMemory
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program, text_of
from tilec.tuning.space import LARGEST, Space, divisors_of, sizes_of
from tilec.tuning.structures import schedule_of, space_of

PROGRAMS = {
    each.name: each
    for each in (
        matmul(512),
        jagged_row_sum(2048),
        example("softmax", {}, [Operand("x", (37, 200), "float32")]),
        example("row_and_column_sums", {}, [Operand("x", (300, 260), "bfloat16")]),
        example(
            "embedding_gradient",
            {},
            [Operand("dy", (3000, 200), "bfloat16"), Operand("ids", (3000,), "int32")],
        ),
    )
}
SPACES = {name: space_of(program) for name, program in PROGRAMS.items()}


@given(st.sampled_from([1, 8, 16, 32, 128]), st.floats(0, 1e5), st.booleans())
def test_sizes_are_legal_and_none_is_larger_than_needed(granule: int, extent: float, ragged: bool) -> None:
    sizes = sizes_of(granule, LARGEST, extent, ragged)
    assert sizes
    assert list(sizes) == sorted(set(sizes))
    assert all(size % granule == 0 for size in sizes)
    assert all(size < 2 * max(2 * extent if ragged else extent, granule) + granule for size in sizes)
    assert ragged or extent > 4 * LARGEST or sizes[-1] >= ceil(extent)


@pytest.mark.parametrize(
    ("granule", "tile", "expected"),
    [
        (128, 16, (16,)),
        (16, 16, (16,)),
        (16, 192, (16, 32, 64, 192)),
        (128, 1000, (128, 256, 512, 1000)),
        (128, 2731, (128, 256, 512, 1024, 2048)),
        (128, 1 << 14, (128, 256, 512, 1024, 2048)),
    ],
)
def test_sizes_in_a_tile_divide_it(granule: int, tile: int, expected: tuple[int, ...]) -> None:
    assert divisors_of(granule, LARGEST, tile) == expected


PARTIAL = """
func.func @partial(%x: memref<128x128xf32>, %y: memref<128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %outer = 0 to 128 by outer:16 {
    %size = tile.bound size %outer
    %begin = tile.bound begin %outer
    %end = tile.bound end %outer
    %number = arith.floordivsi %begin, %size : index
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %w = tile.load %y[%m]
      %scale = tile.broadcast %w dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
      %scaled = arith.mulf %v, %scale : tensor<?x128xf32, #tile.spans<m, _>>
      %part = tile.reduce add %scaled dims [0]
      %next = arith.addf %a, %part : tensor<128xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%number, :]
  }
  return %out : memref<8x128xf32>
}"""


def test_an_axis_in_tiles_of_another_goes_no_further() -> None:
    """So it is a plain loop, with no list of tiles and no masks."""
    operands = Operand("x", (128, 128), "float32"), Operand("y", (128,), "float32")
    program = Program("partial", PARTIAL, operands)
    (axis,) = [each for each in space_of(program).axes if each.axis == "m"]
    assert axis.sizes == (16,)  # as one dimension it is in lanes, of which there are 128
    for choice in (default_choice(program, "v5e"), Choice()):
        module = program.module.clone()
        choice.pipeline("v5e").apply(make_context(), module)
        assert "worklist" not in str(module)
        assert "tile.select" not in str(module)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_axis_has_sizes(name: str) -> None:
    program, space = PROGRAMS[name], SPACES[name]
    levels = [level for work in program.workloads for level in work.levels]
    assert {each.axis for each in space.axes} == {each.axis for each in levels if each.size is None} - {None}
    assert space.structures[0] == Choice()
    assert ("overlaunch" in {each.grouping for each in space.structures}) == (name == "jagged_row_sum")
    assert not {"none", "worklist"} & {each.grouping for each in space.structures}


@pytest.mark.parametrize("name", ["jagged_row_sum", "row_and_column_sums", "embedding_gradient"])
def test_no_structure_is_another_one_by_name(name: str) -> None:
    program, space = PROGRAMS[name], SPACES[name]
    grids = [each for each in space.structures if (each.loop, each.grouping) == ("grid", "auto")]
    schedules = [schedule_of(program, space, each) for each in grids]
    assert None not in schedules
    assert len(set(schedules)) == len(grids)


def test_only_what_a_program_can_use_is_tried() -> None:
    def tried(name: str, option: str) -> set[str]:
        return {getattr(each, option) for each in SPACES[name].structures} - {"auto"}

    assert tried("embedding_gradient", "gathers") == {
        "inner",
        "rows",
    }  # auto is outer, where one block is all
    assert tried("row_and_column_sums", "shared") == {"phases"}  # auto is resident
    assert tried("jagged_row_sum", "clean") == {"peel"}
    for name in ("matmul", "softmax"):
        assert not tried(name, "gathers") | tried(name, "shared")
    depths = {each.depth for each in SPACES["jagged_row_sum"].structures if each.loop == "grid"}
    assert depths == {Choice.depth}  # a grid has two buffers, whatever is said


def test_products_have_tiles_of_their_own() -> None:
    space = SPACES["jagged_row_sum"]
    products = next(each for each in space.structures if each.grouping == "one_hot")
    assert {each.axis for each in space.axes_of(products)} == {"m", "g"}
    assert {each.axis for each in space.axes} == {"m"}
    moved = space.moved(Choice((("m", 64),)), products)
    assert moved.sizes["m"] == 64
    assert moved.sizes["g"] in dict((each.axis, each.sizes) for each in space.axes_of(products))["g"]


def test_what_the_program_says_stays() -> None:
    program = matmul(512)
    fixed = Program(program.name, program.text, program.operands, {"k": 96})
    assert next(each.sizes for each in space_of(fixed).axes if each.axis == "k") == (96,)


@pytest.mark.parametrize(
    ("bounds", "sizes"),
    [((16, 64), (16, 32, 64)), ((1, 4), (4,)), ((3000, 4096), (3000,)), ((1, 32), (16, 32))],
)
def test_sizes_are_within_bounds(bounds: tuple[int, int], sizes: tuple[int, ...]) -> None:
    x = Operand("x", (256, 200), "float32")
    program = example("softmax", {}, [x])
    bounded = Program(program.name, program.text, (x,), bounds={"m": bounds})
    assert Program.from_json(json.loads(json.dumps(bounded.to_json()))) == bounded
    assert next(each.sizes for each in space_of(bounded).axes if each.axis == "m") == sizes
    assert dict(default_choice(bounded, "v5e").blocks)["m"] in sizes


def test_few_rows_are_not_streamed() -> None:
    """A loop in the kernel copies 8 rows of an array of any number of rows at once."""
    for rows, loop in ((4096, "fori_loop"), (7, "grid")):
        operands = [
            Operand("x", (rows, 512), "bfloat16"),
            Operand("w", (8, 512, 256), "bfloat16"),
            Operand("offsets", (9,), "int32", tuple(rows * each // 8 for each in range(9))),
        ]
        assert default_choice(example("grouped_matmul", {}, operands), "v5e").loop == loop


def test_sums_over_short_segments_are_products() -> None:
    """Segments of 16 rows on average, by the rows that there are: a step for each is the longer way."""
    for groups, grouping in ((4096, "one_hot"), (32, "stream")):
        text = f"""
        func.func @f(%x: memref<65536x256xf32>, %offsets: memref<{groups + 1}xi32>)
            -> memref<{groups}x256xf32> {{
          %out = tile.empty : memref<{groups}x256xf32>
          tile.grid %g = 0 to {groups} {{
            %b, %e = tile.segment %offsets[%g]
            %none = tile.splat 0.0 : tensor<256xf32>
            %all = tile.for %r = %b to %e by r iter_args(%sum = %none) {{
              %v = tile.load %x[%r, :]
              %here = tile.reduce add %v dims [0]
              %more = arith.addf %sum, %here : tensor<256xf32>
              tile.yield %more
            }}
            tile.store %all, %out[%g, :]
          }}
          return %out : memref<{groups}x256xf32>
        }}"""
        operands = [Operand("x", (65536, 256), "float32"), Operand("offsets", (groups + 1,), "int32", None)]
        assert default_choice(Program("f", text_of(parse(text)), tuple(operands)), "v5e").grouping == grouping


def test_waits_for_rows_are_no_code() -> None:
    """Eight rows are gathered for each: what a step waits for them does not make it long to compile. Of 16
    rows a step the kernel takes 9.7 ms on v5e, of 64 5.2."""
    gathers = "".join(f"%p{i} = tile.load %at[%t, {i}] %v{i} = tile.gather %y[%p{i}, :]\n" for i in range(8))
    kind = "tensor<?x2048xbf16, #tile.spans<t, _>>"
    sums = "".join(
        f"%s{i} = arith.addf %{'v' if i == 1 else 's'}{i - 1}, %v{i} : {kind}\n" for i in range(1, 8)
    )
    text = f"""
    func.func @f(%y: memref<65536x2048xbf16>, %at: memref<8192x8xi32>) -> memref<8192x2048xbf16> {{
      %out = tile.empty : memref<8192x2048xbf16>
      tile.grid %t = 0 to 8192 by t {{
        {gathers}{sums}
        tile.store %s7, %out[%t, :]
      }}
      return %out : memref<8192x2048xbf16>
    }}"""
    operands = [Operand("y", (65536, 2048), "bfloat16"), Operand("at", (8192, 8), "int32", None)]
    program = Program("f", text_of(parse(text)), tuple(operands))
    assert default_choice(program, "v5e").sizes["t"] >= 64


def test_narrow_windows_are_copied_by_a_loop() -> None:
    """A grid fetches one block ahead, which is little of 128 columns; of whole rows it is enough."""
    kernels = runpy.run_path(str(EXAMPLES / "long_sum.py"))
    x = torch.empty(512, 16384)
    for name, loop in (("long_sum_wide", "emit_pipeline"), ("long_sum", "grid")):
        bound = kernels[name].bind(x)
        assert bound.for_chip("v6e").choices.loop == loop


def test_lanes_and_rows_have_sizes_of_memory_tiles() -> None:
    sizes = {each.axis: each.sizes for each in space_of(matmul(512)).axes}
    assert sizes == {"m": (16, 32, 64, 128, 256, 512), "n": (128, 256, 512), "k": (128, 256, 512)}


def test_all_lanes_of_an_array_are_a_block() -> None:
    """Where they are less than a register has, and fill whole tiles of rows; and not of a part of them."""
    text = """
func.func @heads(%x: memref<512x64xbf16>, %y: memref<512x96xbf16>, %z: memref<512x60xbf16>) {
  tile.grid %m = 0 to 512 by m, %n = 0 to 64 by n, %k = 0 to 64 by k, %j = 0 to 60 by j {
    %v = tile.load %x[%m, %n]
    %w = tile.load %y[%m, %k]
    %u = tile.load %z[%m, %j]
  }
  return
}"""
    operands = [Operand(name, (512, size), "bfloat16") for name, size in (("x", 64), ("y", 96), ("z", 60))]
    sizes = {each.axis: each.sizes for each in space_of(Program("heads", text, tuple(operands))).axes}
    assert (sizes["n"], sizes["k"], sizes["j"]) == ((64,), (128,), (128,))


def test_a_short_axis_that_leads_matrices_is_one_block() -> None:
    """Where it is all of the rows and lanes that it indexes too: 128 lanes of it would be 128 matrices. Of a
    part of them, or where it leads none, it has whole registers.
    """
    text = """
func.func @batches(%x: memref<{0}x512x256xf32>, %y: memref<{0}x512xf32>, %z: memref<{0}xf32>,
                   %part: memref<5xf32>) {{
  tile.grid %b = 0 to {0} by b, %m = 0 to 512 by m, %n = 0 to 256 by n, %j = 0 to 4 by j {{
    %v = tile.load %x[%b, %m, %n]
    %w = tile.load %y[%b, %m]
    %u = tile.load %z[%b]
    %t = tile.load %part[%j]
  }}
  return
}}"""
    for batch, expected in ((4, (4,)), (5, (5,)), (256, (128, 256))):
        shapes = {"x": (batch, 512, 256), "y": (batch, 512), "z": (batch,), "part": (5,)}
        operands = tuple(Operand(name, shape, "float32") for name, shape in shapes.items())
        axes = space_of(Program("batches", text.format(batch), operands)).axes
        sizes = {each.axis: each.sizes for each in axes}
        assert (sizes["b"], sizes["j"]) == (expected, (128,))


def test_rows_before_an_index_are_rows_and_batches_are_not() -> None:
    text = """
func.func @heads(%x: memref<4096x8x128xbf16>, %y: memref<4096x64x128xbf16>) -> memref<4096x8x128xbf16> {
  %out = tile.empty : memref<4096x8x128xbf16>
  tile.grid %h = 0 to 8, %m = 0 to 4096 by m, %b = 0 to 4096 by b {
    %v = tile.load %x[%m, %h, :]
    %w = tile.load %y[%b, :, :]
    tile.store %v, %out[%m, %h, :]
  }
  return %out : memref<4096x8x128xbf16>
}"""
    operands = Operand("x", (4096, 8, 128), "bfloat16"), Operand("y", (4096, 64, 128), "bfloat16")
    sizes = {each.axis: each.sizes for each in space_of(Program("heads", text, operands)).axes}
    assert (sizes["m"][0], sizes["m"][-1]) == (16, 4096)
    assert (sizes["b"][0], sizes["b"][-1]) == (1, 64)


def drawn(space: Space, data: st.DataObject) -> Choice:
    structure = data.draw(st.sampled_from(space.structures))
    axes = space.axes_of(structure)
    return structure.with_sizes({each.axis: data.draw(st.sampled_from(each.sizes)) for each in axes})


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(PROGRAMS)), st.data())
def test_the_passes_take_every_choice(name: str, data: st.DataObject) -> None:
    program, space = PROGRAMS[name], SPACES[name]
    choice = drawn(space, data)
    if not space.legal(choice):
        return
    passes = choice.pipeline("v5e").passes()
    before = next(at for at, each in enumerate(passes) if isinstance(each, PlanMemory))
    # What does not fit the chip only the finished schedule tells, so that may be refused.
    PassPipeline(tuple(passes[:before])).apply(make_context(), program.module.clone())


@settings(deadline=None)
@given(st.data())
def test_neighbours_are_mutual(data: st.DataObject) -> None:
    space = SPACES["matmul"]
    choice = drawn(space, data)
    for each in space.neighbours(choice):
        assert each != choice
        assert choice in space.neighbours(each) or not space.legal(choice)
        assert space.distance(choice, each) <= 2


def test_loops_that_are_written_out_stay_short() -> None:
    space = space_of(matmul(2048))
    unrolled = next(each for each in space.structures if each.loop == "unroll")
    assert not space.legal(unrolled.with_sizes({"m": 128, "n": 128, "k": 128}))
    assert space.legal(unrolled.with_sizes({"m": 128, "n": 128, "k": 512}))


RUNS = """
func.func @runs(%x: memref<512x1024xf32>) -> memref<512x128xf32> {
  %out = tile.empty : memref<512x128xf32>
  tile.grid %m = 0 to 512 by m {
    %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
    %sum = tile.for %c = 0 to 8 iter_args(%a = %zero) {
      %ones = tile.splat 1 : tensor<128xi32>
      %counted = tile.scan add %ones dim 0
      %lanes = arith.subi %counted, %ones : tensor<128xi32>
      %width = arith.constant 128 : index
      %start = arith.muli %c, %width : index
      %begin = arith.index_cast %start : index to i32
      %begins = tile.broadcast %begin dims [] : tensor<128xi32>
      %places = arith.addi %lanes, %begins : tensor<128xi32>
      %v = tile.gather %x[%m, %places]
      %t = arith.addf %a, %v : tensor<?x128xf32, #tile.spans<m, _>>
      tile.yield %t
    }
    tile.store %sum, %out[%m, :]
  }
  return %out : memref<512x128xf32>
}"""


def test_loops_through_runs_of_an_array_may_be_written_out() -> None:
    """How long the runs are is no choice, but how many there are counts: eight are few enough."""
    space = space_of(Program("runs", RUNS, (Operand("x", (512, 1024), "float32"),)))
    written_out = [each for each in space.structures if each.loop == "unroll"]
    choices = [choice for each in written_out for choice in space.all_of(each)]
    assert choices
    assert all(map(space.legal, choices))


def any_above(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Whether a segment has an element above 0, by columns."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)], dtype=torch.bool)
    for g in hl.grid(out.size(0)):
        found = hl.full([x.size(1)], False, dtype=torch.bool)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            found = found | (x[rows, :] > 0).any(0)
        out[g, :] = found
    return out


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_bools_are_stored_in_every_loop(loop: str) -> None:
    """As bytes: of words the TPU compiler refused copies."""
    args = (torch.zeros(4096, 256), torch.arange(0, 4097, 64, dtype=torch.int32))
    tilec.kernel(config=tilec.Config(loop=loop))(any_above).bind(*args).aot("v5e")
