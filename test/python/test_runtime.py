"""The runtime: loading, interpreting, compiling ahead of time and counting bundles of emitted modules."""

import linecache
import traceback
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tilec.chips import CHIPS, chip_named
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.bundles import Loop, kernel_loops, loops_of
from tilec.runtime.interpret import RaceError, interpret
from tilec.runtime.load import load

HEADER = """\
import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu
"""

ANY = "pl.BlockSpec(memory_space=pl.ANY)"
SMEM = "pl.BlockSpec(memory_space=pltpu.SMEM)"

# Lines 6 to 12; the store is line 7.
DOUBLE = f"""{HEADER}def kernel(x_ref, o_ref):
    o_ref[...] = x_ref[...] * 2
def double(x, interpret=None):
    block = pl.BlockSpec((8, 128), lambda i: (i, 0))
    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), in_specs=[block],
        out_specs=block, grid=(pl.cdiv(x.shape[0], 8),), interpret=interpret,
        compiler_params=pltpu.CompilerParams(dimension_semantics=("parallel",)))(x)
"""

# A read, on line 8, of what a copy that nobody waited for is writing.
RACY = f"""{HEADER}def kernel(x_hbm, o_ref, buf, sem):
    copy = pltpu.make_async_copy(x_hbm, buf, sem); copy.start()
    o_ref[...] = buf[...]
    copy.wait()
def racy(x, interpret=None):
    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), in_specs=[{ANY}],
        scratch_shapes=[pltpu.VMEM(x.shape, x.dtype), pltpu.SemaphoreType.DMA], interpret=interpret)(x)
def racy_then_clean(x, interpret=None):
    def clean(x_ref, o_ref):
        o_ref[...] = x_ref[...]
    y = racy(x, interpret)
    return pl.pallas_call(clean, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), interpret=interpret)(y)
def unbalanced(x, interpret=None):
    def leave(x_hbm, o_ref, buf, sem):
        pltpu.make_async_copy(x_hbm, buf, sem).start()
        o_ref[...] = jnp.zeros(x.shape, x.dtype)
    return pl.pallas_call(leave, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), in_specs=[{ANY}],
        scratch_shapes=[pltpu.VMEM(x.shape, x.dtype), pltpu.SemaphoreType.DMA], interpret=interpret)(x)
TILE_LINES = {{8: "racy.mlir:4:7 of tile.load"}}
"""

# The load on line 7 has a row that nobody proved to be a multiple of 8.
UNALIGNED = f"""{HEADER}def rows(off_ref, x_ref):
    return x_ref[pl.ds(off_ref[0], 8), :]
def kernel(off_ref, x_ref, o_ref):
    @pl.when(off_ref[0] > 0)
    def _():
        o_ref[...] = rows(off_ref, x_ref)
def unaligned(off, x, interpret=None):
    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct((8, x.shape[1]), x.dtype),
        in_specs=[{SMEM}, pl.BlockSpec(memory_space=pltpu.VMEM)], interpret=interpret)(off, x)
def wrong_block(off, x, interpret=None):
    block = pl.BlockSpec((12, 256), lambda i: (i, 0))
    return pl.pallas_call(lambda x_ref, o_ref: None, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype),
        grid=(5,), in_specs=[block], out_specs=block, interpret=interpret)(x)
def too_big(off, x, interpret=None):
    def big(x_ref, o_ref, s_ref):
        s_ref[pl.program_id(0)] = x_ref[...]
        o_ref[...] = s_ref[pl.num_programs(0) - 1]
    block = pl.BlockSpec((256, 256), lambda i: (i, 0))
    return pl.pallas_call(big, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), grid=(2,), in_specs=[block],
        out_specs=block, scratch_shapes=[pltpu.VMEM((130, 256, 256), x.dtype)], interpret=interpret)(x)
def wrong_python(off, x, interpret=None):
    return x + missing
TILE_LINES = {{7: "rows.mlir:3:9 of tile.load"}}
"""

# Segments of rows are doubled, all other rows of `out` stay; a grid and an emit_pipeline say the same.
KEEP = f"""{HEADER}
def whole_blocks(a, block, interpret):
    return a if interpret is None else jnp.pad(a, [(0, -n % b) for n, b in zip(a.shape, block)])
def body(w, t_ref, begin_ref, end_ref, x_ref, init_ref, o_ref):
    @pl.when((w == 0) | (t_ref[w] != t_ref[jnp.maximum(w - 1, 0)]))
    def _():
        o_ref[...] = init_ref[...]
    rows = t_ref[w] * 32 + lax.broadcasted_iota(jnp.int32, (32, 1), 0)
    live = (rows >= begin_ref[w]) & (rows < end_ref[w])
    o_ref[...] = jnp.where(live, x_ref[...] * 2, o_ref[...])
def grid(t, begin, end, num, x, out, interpret=None):
    def kernel(t_ref, begin_ref, end_ref, *refs):
        body(pl.program_id(1), t_ref, begin_ref, end_ref, *refs)
    rows = out.shape[0]
    out = whole_blocks(out, (32, 128), interpret)
    block = pl.BlockSpec((32, 128), lambda n, w, t, *_: (t[w], n))
    init = pl.BlockSpec((32, 128), lambda n, w, t, *_: (t[w], n), pipeline_mode=pl.Buffered(1))
    spec = pltpu.PrefetchScalarGridSpec(num_scalar_prefetch=3, grid=(x.shape[1] // 128, num[0]),
        in_specs=[block, init], out_specs=block)
    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(out.shape, out.dtype), grid_spec=spec,
        input_output_aliases={{4: 0}}, interpret=interpret,
        compiler_params=pltpu.CompilerParams(dimension_semantics=("parallel", "arbitrary")))(
        t, begin, end, x, out)[:rows]
def pipeline(t, begin, end, num, x, out, interpret=None):
    def kernel(t_ref, begin_ref, end_ref, num_ref, x_hbm, init_hbm, o_hbm):
        def step(indices, *refs):
            body(indices[1], t_ref, begin_ref, end_ref, *refs)
        block = pl.BlockSpec((32, 128), lambda n, w: (t_ref[w], n))
        pltpu.emit_pipeline(step, grid=(x.shape[1] // 128, num_ref[0]), in_specs=[block, block],
            out_specs=[block], _explicit_indices=True)(x_hbm, o_hbm, o_hbm)
    spec = pltpu.PrefetchScalarGridSpec(
        num_scalar_prefetch=4, grid=(), in_specs=[{ANY}, {ANY}], out_specs={ANY})
    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(out.shape, out.dtype), grid_spec=spec,
        input_output_aliases={{5: 0}}, interpret=interpret)(t, begin, end, num, x, out)
"""


def test_load_shows_its_lines_in_a_traceback():
    module = load("def fail():\n    raise KeyError('x')\n", "failing")
    with pytest.raises(KeyError) as caught:
        module.fail()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == (module.__file__, 2, "raise KeyError('x')")
    linecache.checkcache()
    assert linecache.getline(frame.filename, 2) == "    raise KeyError('x')\n"


def test_load_names_a_file_by_its_text():
    first, again, other = (load(text, "kernel").__file__ for text in ("a = 1", "a = 1", "a = 2"))
    assert first == again != other


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_interpret_runs_a_block_past_the_end_and_keeps_the_dtype(dtype: jnp.dtype):
    x = np.arange(20 * 128).reshape(20, 128).astype(dtype)
    [out] = interpret(load(DOUBLE, "double").double, [x])
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, x * np.asarray(2, dtype))


def test_interpret_reports_a_race_by_its_tile_op():
    with pytest.raises(
        RaceError, match=r"^race: .*8:\d+ \(kernel\) \[racy.mlir:4:7 of tile.load\].* in no order$"
    ):
        interpret(load(RACY, "racy").racy, [np.ones((8, 128), np.float32)])


def test_interpret_reports_a_race_of_an_earlier_kernel():
    with pytest.raises(RaceError, match="race: "):
        interpret(load(RACY, "racy").racy_then_clean, [np.ones((8, 128), np.float32)])


def test_interpret_reports_a_copy_that_nobody_waited_for():
    with pytest.raises(RaceError, match="non-zero count"):
        interpret(load(RACY, "racy").unbalanced, [np.ones((8, 128), np.float32)], seed=1)


def test_interpret_reports_an_accumulation_over_an_axis_called_parallel():
    text = DOUBLE.replace("x_ref[...] * 2", "o_ref[...] + x_ref[...]").replace(
        "out_specs=block", "out_specs=pl.BlockSpec((8, 128), lambda i: (0, 0))"
    )
    with pytest.raises(RaceError, match="race: write of hbm"):
        interpret(load(text, "accumulate").double, [np.ones((32, 128), np.float32)])


def test_interpret_detects_no_race_when_told_not_to():
    assert len(interpret(load(RACY, "racy").racy, [np.ones((8, 128), np.float32)], races=False)) == 1


def test_interpret_compiles_once_for_all_cores_and_runs():
    fn, compiled = load(DOUBLE, "shared").double, list[str]()

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        compiled.extend([event] * event.endswith("backend_compile_duration"))

    def compiles(cores: int) -> int:
        compiled.clear()
        interpret(fn, [np.ones((32, 128), np.float32)], cores=cores)
        return len(compiled)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        counts = [compiles(cores) for cores in (2, 3, 5, 5)]
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert 0 < counts[1] == counts[2]
    assert counts[3] == 0


def test_interpret_hands_on_what_a_kernel_prints(capsys: pytest.CaptureFixture[str]):
    text = "def f(x, interpret=None):\n    print('traced')\n    return x\n"
    interpret(load(text, "printing").f, [np.ones(3, np.float32)])
    assert capsys.readouterr().out == "traced\n"


def test_interpret_works_after_a_kernel_failed():
    text = DOUBLE.replace("lambda i: (i, 0)", "lambda i: (i + 5, 0)")
    x = np.ones((16, 128), np.float32)
    with pytest.raises(RuntimeError, match="Out-of-bounds"):
        interpret(load(text, "outside").double, [x])
    [out] = interpret(load(DOUBLE, "double").double, [x])
    np.testing.assert_array_equal(out, x * 2)


def test_interpret_narrows_64_bit_integers_that_fit():
    fn = load("def f(x, interpret=None):\n    return x + 1\n", "plain").f
    [out] = interpret(fn, [np.array([0, 2**31 - 2])])
    assert (out.dtype, out.tolist()) == (np.int32, [1, 2**31 - 1])
    with pytest.raises(
        ValueError, match="argument 0 holds 0 to 2147483648: a kernel takes int32, -2147483648 to"
    ):
        interpret(fn, [np.array([0, 2**31])])
    with pytest.raises(TypeError, match="argument 0 is float64"):
        interpret(fn, [np.zeros(2)])


def worklist(segments: list[tuple[int, int]]) -> list[np.ndarray]:
    """Tile, begin and end of each step of 32 rows, and the number of steps."""
    steps = [(t, b, e) for b, e in segments if e > b for t in range(b // 32, (e - 1) // 32 + 1)]
    tables = np.array(steps or [(0, 0, 0)], np.int32).T
    return [*(np.ascontiguousarray(table) for table in tables), np.array([len(steps)], np.int32)]


KEEP_CASES = {
    "gaps": (100, [(0, 13), (13, 13), (20, 33), (96, 100)]),
    "all": (100, [(0, 100)]),
    "array-below-block": (5, [(1, 3)]),
    "no-steps": (200, [(0, 0), (7, 7)]),
    "tiles-unvisited": (200, [(0, 5), (150, 199)]),
}


@pytest.mark.parametrize("form", ["grid", "pipeline"])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize(("rows", "segments"), KEEP_CASES.values(), ids=KEEP_CASES)
def test_aliased_output_keeps_rows_that_no_step_stores(
    form: str, dtype: jnp.dtype, rows: int, segments: list[tuple[int, int]]
):
    rng = np.random.default_rng(0)
    x, out = (rng.standard_normal((rows, 256)).astype(dtype) for _ in range(2))
    expected = out.copy()
    for begin, end in segments:
        expected[begin:end] = x[begin:end] * np.asarray(2, dtype)
    [actual] = interpret(getattr(load(KEEP, "keep"), form), [*worklist(segments), x, out], seed=1)
    np.testing.assert_array_equal(actual, expected)


def structs_like(arrays: list[np.ndarray]) -> list[jax.ShapeDtypeStruct]:
    return [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v5e", "v6e", "tpu7x"])
@pytest.mark.parametrize("form", ["grid", "pipeline"])
def test_aliased_output_compiles(chip: str, form: str):
    fn = getattr(load(KEEP, "keep"), form)
    for rows, segments in KEEP_CASES.values():
        for dtype in (jnp.float32, jnp.bfloat16):
            arrays = [*worklist(segments), *(np.zeros((rows, 256), dtype) for _ in range(2))]
            assert compile_for(fn, structs_like(arrays), chip).code_bytes > 0


@pytest.mark.aot
@pytest.mark.parametrize("chip", list(CHIPS))
def test_compile_for_measures(chip: str):
    struct = jax.ShapeDtypeStruct((32, 128), jnp.float32)
    compiled = compile_for(load(DOUBLE, "double").double, [struct], chip)
    assert compiled.chip is chip_named(chip)
    assert compiled.argument_bytes == compiled.output_bytes == 32 * 128 * 4
    assert 0 < compiled.compile_seconds < 60


def refusal(module: ModuleType, function: str) -> CompileRefused:
    structs = [jax.ShapeDtypeStruct((1,), jnp.int32), jax.ShapeDtypeStruct((512, 256), jnp.bfloat16)]
    with pytest.raises(CompileRefused) as caught:
        compile_for(getattr(module, function), structs, "v5e")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.aot
def test_refusal_of_mosaic_names_the_tile_op():
    refused = refusal(load(UNALIGNED, "rows"), "unaligned")
    assert refused.module_line == 7
    assert refused.tile_location == "rows.mlir:3:9 of tile.load"
    assert refused.message == "E2003: cannot statically prove that index in dimension 0 is a multiple of 8"
    assert str(refused) == f"rows.mlir:3:9 of tile.load: {refused.message}"


@pytest.mark.aot
def test_refusal_of_pallas_names_the_call():
    refused = refusal(load(UNALIGNED, "rows"), "wrong_block")
    assert refused.message.startswith(
        "The Pallas TPU lowering currently requires that the last two dimensions"
    )
    assert refused.module_line is not None
    assert 15 <= refused.module_line <= 18
    assert refused.tile_location is None


@pytest.mark.aot
def test_refusal_for_lack_of_vmem_gives_the_numbers():
    refused = refusal(load(UNALIGNED, "rows"), "too_big")
    assert "E1001: Ran out of memory in memory space vmem" in refused.message
    assert "limit 16.00M exceeded scoped vmem limit" in refused.message


@pytest.mark.aot
def test_refusal_of_python_names_the_line():
    refused = refusal(load(UNALIGNED, "rows"), "wrong_python")
    assert refused.message == "name 'missing' is not defined"
    assert refused.module_line == UNALIGNED[: UNALIGNED.index("missing")].count("\n") + 1


def test_compile_for_an_unknown_chip():
    with pytest.raises(ValueError, match="unknown chip 'v9': known are v4, v5e, v5p, v6e, tpu7x"):
        compile_for(load(DOUBLE, "double").double, [], "v9")


SCHEDULE = """\
= control target key start
LB: loop body
     0   :  { %s1 = smov.u32 0 }
  0x1 LB: > { %s2 = sadd.s32 1, %s1 }
  0x2   : > { %3 = dma.hbm_to_vmem
base_bounds: (8, 32, 1)
 */ }
  0x3   :  {}
  0x4 LB: >> { %s4 = sadd.s32 1, %s2 }
  0x5   : >> { %5 = sbr.rel target = $region5 }
  0x6 PF: > { %s6 = sadd.s32 1, %s2 }
  0x7   :  {} /* End region */
  0x8 PF:  { %7 = vsyncpa [#allocation7], 1 }
  0x9 LB: > { %s8 = sadd.s32 1, %s1 }
  0xa   :  { %9 = vsyncpa [#allocation8], 1 } /* exit bundle: %kernel.1 = custom-call(%x) */
"""


def test_loops_of_counts_empty_bundles_where_they_stand():
    assert loops_of(SCHEDULE) == [Loop(1, 5), Loop(2, 2), Loop(1, 1)]


def test_loops_of_goes_on_after_a_bundle_that_is_marked_as_outside():
    schedule = """\
  0x1 LB: > { %s1 = sadd.s32 1, %s0 }
  0x2 LB: >> { %s2 = sadd.s32 1, %s1 }
  0x3   : > { %s3 = sadd.s32 1, %s2 }
  0x4   : >> { %s4 = sadd.s32 1, %s3 }
  0x5 LB: >> { %s5 = sadd.s32 1, %s4 }
"""
    assert loops_of(schedule) == [Loop(1, 2), Loop(2, 2), Loop(2, 1)]


@pytest.mark.aot
def test_kernel_loops_of_a_grid():
    struct = jax.ShapeDtypeStruct((32, 128), jnp.float32)
    loops = kernel_loops(DOUBLE, "double", [struct], "v5e")
    [(name, [loop])] = loops.items()
    assert name.startswith("double")
    assert loop.depth == 1
    assert 20 < loop.bundles < 200


@pytest.mark.aot
def test_kernel_loops_passes_a_refusal_on():
    structs = [jax.ShapeDtypeStruct((1,), jnp.int32), jax.ShapeDtypeStruct((64, 256), jnp.bfloat16)]
    with pytest.raises(CompileRefused, match=r"rows.mlir:3:9 of tile.load: E2003") as caught:
        kernel_loops(UNALIGNED, "unaligned", structs, "v5e")
    assert caught.value.module_line == 7


def test_chips_agree_with_jax():
    from jax.experimental.pallas import tpu as pltpu

    versions = {str(version).replace("7x", "tpu7x"): version for version in pltpu.ChipVersion}
    for chip in CHIPS.values():
        info = pltpu.get_tpu_info_for_chip(versions[chip.name], 1)
        assert chip.mxus == info.num_mxus
        assert chip.mxu_side == info.mxu_column_size
        assert chip.vmem_mib == pytest.approx(info.vmem_capacity_bytes / 2**20, rel=1e-3)
        assert chip.hbm_gb_per_s == pytest.approx(info.mem_bw_bytes_per_second / 1e9, rel=0.01)
        assert chip.bf16_tflop_per_s == pytest.approx(info.bf16_ops_per_second / 1e12, rel=0.01)
        flops_per_cycle = chip.mxus * 2 * 16 * chip.mxu_side**2 / chip.mxu_cycles
        assert chip.bf16_tflop_per_s * 1e3 == pytest.approx(flops_per_cycle * chip.clock_ghz, rel=0.01)
