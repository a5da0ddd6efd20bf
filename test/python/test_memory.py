"""What the TPU compiler says that kernels take, and that the ledger says the same."""

import re

import jax
import jax.numpy as jnp
import pytest
from xdsl.dialects.builtin import ModuleOp

from corpus.choices import parse
from corpus.corpus import CASES, Dtype
from corpus.segments import of_lengths
from tilec.diagnostics import TileError
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import LocatingParser, make_context
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, read_program
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.memory import needed_vmem, reported_vmem, scoped_vmem

KERNEL = 'f32[8]{0} custom-call(%x), custom_call_target="tpu_custom_call", backend_config='


def test_reads_the_vmem_of_each_kernel() -> None:
    lines = [
        "ENTRY %main {",
        f'  %one.1 = {KERNEL}{{"used_scoped_memory_configs":[{{"memory_space":"1","size":"42"}}]}}',
        '  %copy = f32[8]{0} copy(%one.1), backend_config={"used_scoped_memory_configs":[]}',
        f'  ROOT %two = {KERNEL}{{"used_scoped_memory_configs":[{{"memory_space":"3","size":"7"}},'
        '{"memory_space":"1","size":"8"}]}',
        f"  %three = {KERNEL}{{}}",
    ]
    assert scoped_vmem("\n".join(lines)) == {"one.1": 42, "two": 8, "three": 0}


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("E1001: Scoped allocation with size 292.0K and limit 9.8K exceeded scoped vmem limit", 299008),
        ("Ran out of memory in memory space vmem. Used 18.45M of 16.00M vmem. Exceeded", 19346227),
        ("Scoped allocation with size 512B and limit 1B", 512),
        ("Ran out of memory in memory space hbm. Used 18.45G of 16.00G hbm", None),
        ("Mosaic failed", None),
    ],
)
def test_reads_a_refusal(message: str, size: int | None) -> None:
    assert needed_vmem(message) == size


def ledger_and_compiler(name: str, loop: str, chip: str, dtype: Dtype) -> tuple[int, int]:
    case = CASES[name]
    program = case.program(of_lengths("for_a_chip", [128, 300, 0, 1, 200, 64, 0, 350]), dtype)
    module = parse(program)
    passes = TileToPallas("worklist", loop, chip, case.blocks)
    structs = [jax.ShapeDtypeStruct(each.shape, jnp.dtype(each.dtype)) for each in program.arguments(seed=0)]
    reported = reported_vmem(emit(module, [passes]), name, structs, chip)
    return ledger(module, passes), max(reported.values())


def ledger(module: ModuleOp, passes: TileToPallas) -> int:
    """The VMEM that a program's kernel is counted to take. Changes the program."""
    for each in passes.passes():
        if isinstance(each, ConvertTileToPallas):
            break
        each.apply(make_context(), module)
    (pipeline,) = (op for op in module.walk() if isinstance(op, PipelineOp))
    assert pipeline.vmem is not None
    return pipeline.vmem.value.data


@pytest.mark.aot
@pytest.mark.parametrize(
    ("name", "loop", "chip", "dtype"),
    [
        ("matmul", "grid", "v6e", "bf16"),
        ("layer_norm", "grid", "tpu7x", "bf16"),
        ("jagged_bias_lhd", "emit_pipeline", "v5e", "f32"),
        ("jagged_bias_lhd", "grid", "v5p", "bf16"),
        ("gdpa", "grid", "v5e", "f32"),
        ("in_place", "emit_pipeline", "v5e", "f32"),
        ("in_place", "grid", "v5e", "f32"),
    ],
)
def test_the_ledger_is_what_the_compiler_takes(name: str, loop: str, chip: str, dtype: Dtype) -> None:
    counted, reported = ledger_and_compiler(name, loop, chip, dtype)
    assert counted == reported


@pytest.mark.aot
@pytest.mark.parametrize(
    ("name", "loop", "dtype"),
    [
        ("softmax", "grid", "f32"),
        ("layer_norm", "grid", "bf16"),
        ("layer_norm", "fori_loop", "bf16"),
        ("jagged_flash_attention", "grid", "bf16"),
        ("jagged_row_sum", "grid", "f32"),
        ("jagged_row_sum", "fori_loop", "bf16"),
    ],
)
def test_the_ledger_counts_spills_within_a_tenth(name: str, loop: str, dtype: Dtype) -> None:
    """Of a chip with 32 registers, where these tiles do not fit them."""
    counted, reported = ledger_and_compiler(name, loop, "v4", dtype)
    assert counted == pytest.approx(reported, rel=0.1)


def softmax_of(rows: int, chip: str) -> str:
    """The Pallas module of softmax with blocks of that many rows of 200 f32."""
    passes = TileToPallas("worklist", "grid", chip, {"m": rows})
    return emit(parse(CASES["softmax"].program(dtype="f32")), [passes])


SOFTMAX = jax.ShapeDtypeStruct((65536, 200), jnp.float32)


@pytest.mark.aot
def test_both_accept() -> None:
    """3072 rows take 12 MiB, and 3 more for what is held."""
    assert reported_vmem(softmax_of(3072, "v4"), "softmax", [SOFTMAX], "v4")


@pytest.mark.aot
def test_both_refuse() -> None:
    """3584 rows take 14 MiB, and 3.5 more for what is held, and v4 has 16."""
    with pytest.raises(TileError, match="m:1792 in place of m:3584 would fit"):
        softmax_of(3584, "v4")
    # Without a limit of its own, a kernel gets all that v4 has.
    text = re.sub(r" *vmem_limit_bytes=.*\n", "", softmax_of(3584, "v5e"))
    with pytest.raises(CompileRefused) as refused:
        reported_vmem(text, "softmax", [SOFTMAX], "v4")
    needed = needed_vmem(str(refused.value))
    assert needed is not None
    assert needed > 16 * 2**20
    assert needed == pytest.approx(17.5 * 2**20, rel=0.1)


COUNTS = """
func.func @counts(%ids: memref<262144xi32>) -> memref<64xi32> {
  %out = tile.full 0 : memref<64xi32>
  tile.grid %i = 0 to 262144 by i, %n = 0 to 64 by n {
    %id = tile.load %ids[%i]
    %bins = tile.indices %n
    %rows = tile.broadcast %id dims [0] : tensor<?x?xi32, #tile.spans<i, n>>
    %lanes = tile.broadcast %bins dims [1] : tensor<?x?xi32, #tile.spans<i, n>>
    %equal = tile.compare eq %rows, %lanes
    %ones = tile.cast %equal to i32
    %count = tile.reduce add %ones dims [0]
    tile.atomic_rmw add %count, %out[%n]
  }
  return %out : memref<64xi32>
}
"""


@pytest.mark.aot
def test_the_ledger_counts_lanes_that_become_rows() -> None:
    """Each number of a row is laid out over a row of its own: 8 MiB for 64 KiB."""
    passes = TileToPallas(chip="v5e", blocks={"i": 16384, "n": 64})
    text = emit(read_program(COUNTS)[0], [passes])
    reported = reported_vmem(text, "counts", [jax.ShapeDtypeStruct((262144,), jnp.int32)], "v5e")
    assert ledger(read_program(COUNTS)[0], passes) == pytest.approx(max(reported.values()), rel=0.03)


PAIRS = """
func.func @kernel(%x: memref<4096x128xf32>) -> memref<4096x128xf32> {
  %out = tile.empty : memref<4096x128xf32>
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %x[%m, :]
    %rows = tile.broadcast %v dims [0, 1] : tensor<?x128x128xf32, #tile.spans<m, _, _>>
    %lanes = tile.broadcast %v dims [0, 2] : tensor<?x128x128xf32, #tile.spans<m, _, _>>
    %pairs = arith.mulf %rows, %lanes : tensor<?x128x128xf32, #tile.spans<m, _, _>>
    %e = math.exp %pairs : tensor<?x128x128xf32, #tile.spans<m, _, _>>
    %s = tile.reduce add %e dims [2]
    tile.store %s, %out[%m, :]
  }
  return %out : memref<4096x128xf32>
}
"""
PRODUCTS = """
func.func @kernel(%x: memref<4096x16x16xf32>) -> memref<4096x16x16xf32> {
  %out = tile.empty : memref<4096x16x16xf32>
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %x[%m, :, :]
    %square = tile.dot %v, %v contract [2] x [1] precision highest
    %cube = tile.dot %square, %v contract [2] x [1] precision highest
    tile.store %cube, %out[%m, :, :]
  }
  return %out : memref<4096x16x16xf32>
}
"""


@pytest.mark.aot
@pytest.mark.parametrize("program", [PAIRS, PRODUCTS])
def test_the_ledger_counts_values_of_rank_3(program: str) -> None:
    """What waits of them is many times the windows, and past the compiler's usual limit."""
    passes = TileToPallas(chip="v5e", blocks={"m": 256})
    shape = (4096, 128) if program is PAIRS else (4096, 16, 16)
    text = emit(read_program(program)[0], [passes])
    reported = reported_vmem(text, "kernel", [jax.ShapeDtypeStruct(shape, jnp.float32)], "v5e")
    assert ledger(read_program(program)[0], passes) == pytest.approx(max(reported.values()), rel=0.1)


SEGMENTS = """
func.func @sums(%x: memref<4096x256xf32>, %offsets: memref<1025xi32>) -> memref<1024x256xf32> {
  %out = tile.empty : memref<1024x256xf32>
  tile.grid %g = 0 to 1024 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<256xf32>
    %sum = tile.for %rows = %begin to %end by rows mean 4 iter_args(%a = %zero) {
      %v = tile.load %x[%rows, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<256xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<1024x256xf32>
}
"""


@pytest.mark.aot
def test_spilled_registers_pass_the_usual_limit() -> None:
    """10 MiB are counted, and the compiler takes 18.3 and has 16 where nothing is said."""
    structs = [jax.ShapeDtypeStruct((4096, 256), jnp.float32), jax.ShapeDtypeStruct((1025,), jnp.int32)]

    def emitted(groups: int, rows: int) -> str:
        module = LocatingParser(make_context(), SEGMENTS, "sums.mlir").parse_module()
        return emit(module, [TileToPallas(chip="v5e", blocks={"g": groups, "rows": rows})])

    assert "vmem_limit_bytes=33554432" in emitted(1024, 512)
    text = emitted(1024, 1280)
    assert "vmem_limit_bytes=134217728" in text
    assert max(reported_vmem(text, "sums", structs, "v5e").values()) > 16 * 2**20
    assert "vmem_limit_bytes" not in emitted(128, 512)


@pytest.mark.aot
def test_tells_why_a_kernel_is_refused() -> None:
    with pytest.raises(CompileRefused, match=r"x is float32\[8, 100\]; float32\[\?, 200\] is needed"):
        reported_vmem(softmax_of(128, "v5e"), "softmax", [jax.ShapeDtypeStruct((8, 100), jnp.float32)], "v5e")


def test_an_internal_failure_is_one_line_without_addresses() -> None:
    def fail(x: jax.Array) -> jax.Array:
        raise RuntimeError(
            "INTERNAL: RET_CHECK failure (a/b/ranges.cc:7) range.IsValid() {9, 3, 0x7f8, {}}\nmore"
        )

    told = (
        r"^an internal failure, at ranges.cc:7 \(range.IsValid\(\)\), and no fault of the program; .* may do$"
    )
    with pytest.raises(CompileRefused, match=told):
        compile_for(fail, [SOFTMAX], "v5e")
