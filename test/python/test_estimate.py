"""Estimates: of functions compiled here, what is known of integers between kernels, and the cache."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import pallas as pl
from programs import parse

from tilec.analysis.cost.estimate import Estimate, Operation, assumptions, faster, from_plain, plain
from tilec.analysis.cost.scalars import UNKNOWN
from tilec.chips import CHIPS
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime import cache
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.estimate import estimate
from tilec.runtime.executable import Executable
from tilec.runtime.known import Made, Words, run_known
from tilec.runtime.schedules import Compilation, operations_of

STEPS = """
import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

def body(limit, x, out):
    @pl.when(pl.program_id(0) < limit[0])
    def _():
        out[...] = x[...] + 1

def steps(limit, x):
    return pl.pallas_call(
        body,
        grid_spec=pltpu.PrefetchScalarGridSpec(
            num_scalar_prefetch=1,
            grid=(limit[1] * 2,),
            in_specs=[pl.BlockSpec((256, 512), lambda i, limit: (i, 0))],
            out_specs=pl.BlockSpec((256, 512), lambda i, limit: (i, 0)),
        ),
        out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype),
        name="steps",
    )(limit * 2, x)
"""
X = jax.ShapeDtypeStruct((8192, 512), "float32")
WINDOW = 256 * 512 * 4


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v5e", "v6e", "tpu7x"])
def test_an_estimate_has_the_steps_and_bytes_that_its_arguments_say(chip: str) -> None:
    found = estimate(STEPS, "steps", [np.array([3, 7], np.int32), X], chip)
    assert (found.trusted, found.doubts) == (True, ())
    kernel = next(each for each in found.operations if each.opcode == "custom-call")
    assert kernel.steps == 14  # of which 6 work
    assert kernel.loops[0] == 14 + 2  # it begins two steps early to fetch, or ends two late to wait
    assert WINDOW * 14 <= kernel.bytes_read <= WINDOW * 14 + 4096
    assert kernel.bytes_written == WINDOW * 14
    assert kernel.vmem is not None
    assert kernel.vmem >= 4 * WINDOW  # two buffers each
    assert kernel.spills == 0
    assert found.band[0] < found.seconds < found.band[1]
    assert estimate(STEPS, "steps", [np.array([3, 14], np.int32), X], chip).seconds > 1.5 * found.seconds


@pytest.mark.aot
def test_a_kernel_without_a_name_in_a_function_with_a_gradient_of_its_own() -> None:
    """It is found, and a matrix of integers in tiles of memory is read."""
    text = STEPS.replace('        name="steps",\n', "").replace("limit[0]", "limit[0, 1]")
    text = text.replace("limit[1] * 2", "limit[1, 2] * 2").replace("def steps", "@jax.custom_vjp\ndef steps")
    text += "\nsteps.defvjp(lambda *given: (steps(*given), None), lambda _, gradient: (None, gradient))\n"
    found = estimate(text, "steps", [np.array([[0, 3, 0], [0, 0, 7]], np.int32), X], "v5e")
    assert found.doubts == ()
    kernel = next(each for each in found.operations if each.opcode == "custom-call")
    assert kernel.steps == 14  # of which 6 work
    assert WINDOW * 14 <= kernel.bytes_read <= WINDOW * 14 + 16384


@pytest.mark.aot
def test_a_product_takes_what_was_measured() -> None:
    text = """
func.func @product(%x: memref<4096x4096xbf16>, %w: memref<4096x4096xbf16>) -> memref<4096x4096xbf16> {
  %out = tile.empty : memref<4096x4096xbf16>
  tile.grid %m = 0 to 4096 by m, %n = 0 to 4096 by n {
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, n>>
    %acc = tile.for %k = 0 to 4096 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%m, %n]
  }
  return %out : memref<4096x4096xbf16>
}"""
    executable = Executable(parse(text), choices=TileToPallas(blocks={"m": 512, "n": 1024, "k": 1024}))
    square = jax.ShapeDtypeStruct((4096, 4096), "bfloat16")
    found = executable.estimate("v5e", [square, square])
    assert found.trusted
    assert found.seconds == pytest.approx(784e-6, rel=0.1)  # blocks of 512 x 1024 x 1024, as published
    kernel = found.operations[0]
    assert (kernel.steps, kernel.bound) == (8 * 4 * 4, "MXU")
    assert kernel.bytes_read == 128 * (512 * 1024 + 1024 * 1024) * 2
    assert kernel.bytes_written == 4096 * 4096 * 2


@pytest.mark.aot
def test_an_estimate_with_a_guess_in_it_says_so() -> None:
    limit = jax.ShapeDtypeStruct((2,), "int32")
    found = estimate(STEPS, "steps", [limit, X], "v5e")
    assert not found.trusted
    assert any("sbr.rel" in doubt for doubt in found.doubts)


@pytest.mark.aot
@pytest.mark.parametrize(
    "body",
    [
        "jax.lax.fori_loop(0, 5, lambda _, y: steps(limit, y), x)",
        "jax.lax.cond(limit[0] > 2, lambda: steps(limit, x), lambda: x)",
    ],
)
def test_kernels_in_control_flow_of_xla_are_not_trusted(body: str) -> None:
    text = f"{STEPS}\ndef nested(limit, x):\n    return {body}\n"
    found = estimate(text, "nested", [np.array([3, 7], np.int32), X], "v5e")
    assert any(doubt.startswith("XLA runs steps") for doubt in found.doubts), found.doubts
    assert any(each.name.startswith("steps") for each in found.operations)


@pytest.mark.aot
def test_what_the_compiler_refuses_has_no_estimate() -> None:
    text = STEPS.replace("(256, 512)", "(256, 100)")
    with pytest.raises(CompileRefused, match="divisible"):
        estimate(text, "steps", [np.array([3, 7], np.int32), X], "v5e")


@pytest.mark.aot
def test_equal_questions_are_answered_from_the_cache(own_cache: Path) -> None:
    arguments = [np.array([3, 7], np.int32), X]
    found = estimate(STEPS, "steps", arguments, "v5e")

    def compile_again(*rest: object) -> Compilation:
        raise AssertionError

    assert estimate(STEPS, "steps", arguments, "v5e", compile_again) == found
    with pytest.raises(AssertionError):
        estimate(STEPS, "steps", [np.array([3, 8], np.int32), X], "v5e", compile_again)


def known(function: Any, *arguments: Any) -> list[tuple[str | None, list[Words | None]]]:
    """The kernels that a function calls, with what is known of their operands."""
    calls: list[tuple[str | None, list[Words | None]]] = []

    def call(
        name: str | None, operands: list[Words | None], made: Sequence[Made], finite: bool
    ) -> list[Words | None]:
        calls.append((name, operands))
        return [[5, UNKNOWN] if dtype == "int32" else None for _, dtype in made]

    run_known(function, arguments, CHIPS["v5e"], call)
    return calls


def copy(*arrays: Any, name: str) -> Any:
    """A kernel of no meaning: its results are two integers and two floats."""
    made = [jax.ShapeDtypeStruct((2,), jnp.int32), jax.ShapeDtypeStruct((2,), jnp.float32)]
    return pl.pallas_call(lambda *refs: None, out_shape=made, name=name)(*arrays)


def test_integers_are_followed_from_arguments_to_kernels() -> None:
    def function(offsets: Any, x: Any) -> Any:
        lengths = jnp.where(offsets[1:] > 0, jnp.diff(offsets), -1)
        words, floats = copy(lengths, x, name="first")
        return copy(words[0], words, words + 1, floats, x.astype(jnp.int32), name="second")

    x = np.ones(4, np.float32)
    assert known(function, np.array([0, 0, 3], np.int32), x) == [
        ("first", [[2**32 - 1, 3], None]),
        ("second", [None, [5, UNKNOWN], None, None, None]),
    ]
    unknown = known(function, jax.ShapeDtypeStruct((3,), jnp.int32), x)
    assert unknown[0] == ("first", [None, None])


def test_operations_are_those_of_the_entry() -> None:
    hlo = """HloModule m
%inner (p: f32[2]) -> f32[2] {
  ROOT %add = f32[2]{0} add(%p, %p)
}

ENTRY %main (x: f32[2]) -> f32[2] {
  %x = f32[2]{0:T(128)} parameter(0)
  %k.1 = (s32[1], s32[], s32[], s32[], s32[], /*index=5*/f32[2]{0}) custom-call(%x), custom_call_target="k"
  %part = f32[2]{0} get-tuple-element(%k.1), index=1
  ROOT %fusion.2 = f32[2]{0} fusion(%part), calls=%inner
}
"""
    assert operations_of(hlo) == (("k.1", "custom-call"), ("fusion.2", "fusion"))


def made(seconds: float, bound: str = "MXU", chip: str = "v5e", doubts: tuple[str, ...] = ()) -> Estimate:
    use = {"MXU": 0.9 if bound == "MXU" else 0.0}
    kernel = Operation("k", "custom-call", seconds, 10.0, 0.0, 1, 2, bound, use, (5, 3), 3, 0, None)
    return Estimate(chip, (kernel,), doubts, assumptions(CHIPS[chip]))


def test_only_trusted_estimates_that_differ_are_ranked() -> None:
    assert faster(made(1.0), made(1.2)) is True
    assert faster(made(1.2), made(1.0)) is False
    assert faster(made(1.0), made(1.1)) is None
    assert faster(made(1.0), made(9.0, doubts=("guessed",))) is None
    assert faster(made(1.0), made(9.0, chip="v6e")) is None


def test_the_band_is_narrow_where_hardware_was_compared() -> None:
    assert made(1.0).band == pytest.approx((0.9, 1.1))
    assert made(1.0, "vector").band == made(1.0, chip="tpu7x").band == pytest.approx((0.9, 2.25))


def test_estimates_are_plain_data() -> None:
    found = made(1.0, doubts=("one",))
    assert from_plain(plain(found)) == found


def test_a_damaged_entry_is_left_aside(own_cache: Path) -> None:
    cache.store_result("kind", "key", [1, 2])
    assert cache.load_result("kind", "key") == [1, 2]
    (path,) = own_cache.rglob("key.json")
    for damaged in (path.read_text().replace("[1, 2]", "[1, 3]"), path.read_text()[:9], "[]", ""):
        path.write_text(damaged)
        with pytest.warns(RuntimeWarning, match=r"key.json in the cache is left aside: [^\n]+$"):
            assert cache.load_result("kind", "key") is None
    cache.store_result("kind", "key", [4])
    assert cache.load_result("kind", "key") == [4]


def test_a_full_disk_loses_nothing(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store_result("kind", "key", [1])

    def full(*rest: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match=r"keeps nothing: No space left on device$"):
        cache.store_result("kind", "key", [2])
    assert cache.load_result("kind", "key") == [1]
    assert [path.name for path in own_cache.rglob("*") if path.is_file()] == ["key.json"]


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v4", "v5p", "tpu7x"])
def test_gathers_are_taken_to_be_of_finite_elements(chip: str) -> None:
    text = """
func.func @rows(%x: memref<300x200xf32>, %places: memref<400xi32>,
                %offsets: memref<5xi32>) -> memref<400x200xf32> {
  %out = tile.full 0.0 : memref<400x200xf32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %place = tile.load %places[%m]
      %row = tile.gather %x[%place, :]
      tile.store %row, %out[%m, :]
    }
  }
  return %out : memref<400x200xf32>
}"""
    executable = Executable(parse(text), choices=TileToPallas(blocks={"m": 128}))
    places, offsets = np.arange(400, dtype=np.int32) % 300, np.array([0, 10, 140, 140, 400], np.int32)
    found = executable.estimate(chip, [jax.ShapeDtypeStruct((300, 200), "float32"), places, offsets])
    assert found.doubts == ()
    (assumed,) = (each for each in found.assumptions if each.startswith("rows"))
    assert float(assumed.split()[-4]) > 1


@pytest.mark.aot
def test_a_module_that_xla_cannot_read_back_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(compiled: jax.stages.Compiled) -> str:
        raise jax.errors.JaxRuntimeError("INTERNAL: RET_CHECK failure")  # pyright: ignore

    monkeypatch.setattr(jax.stages.Compiled, "as_text", refuse)
    found = compile_for(jnp.exp, [X], "v6e")
    assert (found.operations, found.output_bytes) == ({}, 8192 * 512 * 4)


def test_a_function_that_computes_nothing() -> None:
    with pytest.raises(ValueError, match="nothing computes nothing: the TPU compiler has no schedule"):
        estimate("def nothing(x):\n    return ()\n", "nothing", [np.zeros(8, np.float32)], "v5e")


MATRICES = """
import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

def kernel(counts, x, out):
    group, part = pl.program_id(0), pl.program_id(1)
    def again(i, carried):
        out[...] = x[...] + i
        return carried
    lax.fori_loop(0, counts[group, part, 2], again, 0)

def turns(counts, x):
    return pl.pallas_call(
        kernel,
        grid_spec=pltpu.PrefetchScalarGridSpec(
            num_scalar_prefetch=1,
            grid=(3, ROWS),
            in_specs=[pl.BlockSpec((8, 128), lambda group, part, counts: (0, 0))],
            out_specs=pl.BlockSpec((8, 128), lambda group, part, counts: (group * ROWS + part, 0)),
        ),
        out_shape=jax.ShapeDtypeStruct((24 * ROWS, 128), jnp.float32),
        name="turns",
    )(counts, x)
"""


@pytest.mark.parametrize("rows", [1, 3, 5, 9])
def test_integers_in_several_matrices_are_known(rows: int) -> None:
    """Each matrix begins with a tile of scalar memory, so that there is room behind some rows."""
    counts = np.zeros((3, rows, 7), np.int32)
    counts[:, :, 2] = np.arange(3 * rows).reshape(3, rows) + 1
    found = estimate(MATRICES.replace("ROWS", str(rows)), "turns", [counts, X], "v6e")
    assert not found.doubts
    assert 3 * rows * (3 * rows + 1) // 2 in found.operations[0].loops


def test_what_was_not_known_is_why_a_kernel_cannot_have_run() -> None:
    struct = jax.ShapeDtypeStruct((3, 5, 7), np.int32)
    (doubt,) = estimate(MATRICES.replace("ROWS", "5"), "turns", [struct, X], "v6e").doubts
    assert doubt == "turns.1: whether sbr.rel runs is not known"
