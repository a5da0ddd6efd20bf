"""Estimates of functions whose operations are no kernels of ours, or several that are equal."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tilec.analysis.cost.scalars import UNKNOWN
from tilec.runtime.estimate import estimate
from tilec.runtime.flow import Flow
from tilec.runtime.twins import called, twins

KERNEL = """
import jax
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

def body(limit, x, out):
    out[...] = x[...] + limit[0]

def steps(limit, x, name="steps"):
    return pl.pallas_call(
        body,
        grid_spec=pltpu.PrefetchScalarGridSpec(
            num_scalar_prefetch=1,
            grid=(limit[1],),
            in_specs=[pl.BlockSpec((8, 512), lambda i, limit: (i, 0))],
            out_specs=pl.BlockSpec((8, 512), lambda i, limit: (i, 0)),
        ),
        out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype),
        name=name,
    )(limit, x)

inner = jax.jit(steps)

def several(a, b, c, x):
    return inner(c, steps(b, inner(a, x)))

def several_told_nothing(a, b, x):
    return steps(b * 2, steps(a * 2, x))

def ragged(limit, sizes, w, x):
    return lax.ragged_dot(steps(limit, x, None), w, sizes)
"""
X = jax.ShapeDtypeStruct((1024, 512), "float32")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def pair(limit: int, steps: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array([limit, steps], np.int32)


@pytest.mark.aot
def test_each_of_several_equal_operations_counts_with_its_own_integers() -> None:
    """XLA schedules one of them, and numbers what jitted functions call in another order."""
    found = estimate(KERNEL, "several", [pair(1, 3), pair(2, 5), pair(3, 9), X], "v5e")
    assert found.doubts == ()
    kernels = [each.steps for each in found.operations if each.opcode == "custom-call"]
    assert kernels == [3, 5, 9]
    assert len([each for each in found.operations if each.opcode == "slice"]) == 3


@pytest.mark.aot
def test_calls_that_cannot_be_told_apart_are_not_trusted() -> None:
    found = estimate(KERNEL, "several_told_nothing", [pair(1, 3), pair(2, 5), X], "v5e")
    assert found.doubts == ("which call of steps gets which integers is not known",)
    assert estimate(KERNEL, "several_told_nothing", [pair(1, 3), pair(1, 3), X], "v5e").trusted


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v5e", "tpu7x"])
def test_a_kernel_of_xla_gets_the_integers_of_arguments(chip: str) -> None:
    sizes, w = np.array([3, 1000, 0, 21], np.int32), jax.ShapeDtypeStruct((4, 512, 256), "float32")
    found = estimate(KERNEL, "ragged", [pair(1, 3), sizes, w, X], chip)
    assert found.doubts == ()
    ours, product = (each for each in found.operations if each.opcode == "custom-call" and each.steps != 4)
    assert ours.steps == 3
    assert 4 * 512 * (1024 + 3 * 256) <= product.bytes_read <= 4 * 512 * (1024 + 3 * 256) + 4096
    assert product.bytes_written == 4 * 1024 * 256
    assert not estimate(
        KERNEL, "ragged", [pair(1, 3), jax.ShapeDtypeStruct((4,), "int32"), w, X], chip
    ).trusted


HLO = """HloModule m

%add (p: f32[2]) -> f32[2] {
  %p = f32[2]{0} parameter(0)
  ROOT %sum = f32[2]{0} add(%p, %p), metadata={op_name="one"}
}

%add.1 (q: f32[2]) -> f32[2] {
  %q = f32[2]{0} parameter(0)
  ROOT %sum.1 = f32[2]{0} add(%q, %q), metadata={op_name="other"}
}

ENTRY %main (n: s32[2], x: f32[2], y: f32[4]) -> f32[2] {
  %n = s32[2]{0:T(128)} parameter(0)
  %x = f32[2]{0} parameter(1)
  %y = f32[4]{0} parameter(2)
  %a = f32[2]{0} fusion(%x), calls=%add
  %b = f32[2]{0} fusion(%a), calls=%add.1
  %c = f32[2]{0} fusion(%y), calls=%add.1
  %row = s32[2,1]{1,0} bitcast(%n)
  %list = (s32[2]{0}, s32[], f32[2]{0}) custom-call(%row, %b), custom_call_target="k"
  %second = s32[] get-tuple-element(%list), index=1
  ROOT %d = f32[2]{0} custom-call(%second, %n, /*index=2*/%c), custom_call_target="k"
}
"""


def test_equal_operations_are_those_with_equal_types_and_computations() -> None:
    bundles = "{ %1 = inlined_call %s1, %s2 /* %b = fusion(%a) */ } { inlined_call /* <late> */ }"
    assert called(bundles) == ["b"]
    assert twins(HLO, ["b", "c", "d"], ["a", "list"]) == {"b": "a"}


def test_a_value_may_be_called_as_its_computation() -> None:
    """XLA calls both the same where it expands a scatter."""
    same = HLO.replace("%sum ", "%add ").replace("%sum.1 ", "%add.1 ")
    assert twins(same, ["b", "c", "d"], ["a", "list"]) == {"b": "a"}


def test_integers_flow_through_the_module() -> None:
    flow = Flow(HLO, [[7, 8], None, None])
    assert flow.given("list") == ([[7, 8], None], [[UNKNOWN, UNKNOWN], [UNKNOWN], None])
    assert flow.given("d")[0] == [None, [7, 8], None]
    flow.keep("list", [[1, 2], [3], None])
    assert flow.given("d")[0] == [[3], [7, 8], None]
    assert flow.tells("d", [[3], None, None]) is True
    assert flow.tells("d", [[3], [7, 9], None]) is False
    assert flow.tells("d", [[UNKNOWN], None, None]) is None
    assert flow.tells("sum", [[3]]) is None  # of no entry


def test_nothing_is_known_where_an_argument_was_left_out() -> None:
    assert Flow(HLO, [[7, 8], None]).given("d")[0] == [None, None, None]
