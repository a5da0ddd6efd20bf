"""Programs as functions of jax: under `jit`, `vmap`, `shard_map` and `export`, and what is refused there."""

import os
import subprocess
import sys
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tilec.dialects.interpreter import random_args
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.runtime.executable import Executable

jax: Any = import_module("jax")  # many of its functions have no complete types
jnp = jax.numpy
EXAMPLES = Path(__file__).parents[2] / "examples"

PROGRAMS = {"dense": "softmax", "jagged": "jagged_row_sum", "atomic": "embedding_gradient"}
ROWS = 24


def example(kind: str, loop: str = "grid") -> Executable:
    module, _ = read_program(EXAMPLES / f"{PROGRAMS[kind]}.mlir")
    return Executable(module, choices=TileToPallas(loop=loop))


def arguments(kind: str, seed: int) -> list[Any]:
    _, function = read_program(EXAMPLES / f"{PROGRAMS[kind]}.mlir")
    return [jnp.asarray(each) for each in random_args(function, seed=seed, extent=ROWS)]


def bits(array: Any) -> list[Any]:
    """The elements, for exact comparison."""
    return np.asarray(array.astype(np.float32)).tolist()


@pytest.mark.parametrize("kind", PROGRAMS)
def test_jit_and_eval_shape(kind: str):
    fn, args = example(kind).jax_fn, arguments(kind, 0)
    [plain], [jitted], [shape] = fn(*args), jax.jit(fn)(*args), jax.eval_shape(fn, *args)
    assert bits(jitted) == bits(plain)
    assert (shape.shape, shape.dtype) == (plain.shape, plain.dtype)


@pytest.mark.parametrize(
    ("kind", "loop"),
    [*product(PROGRAMS, ["grid"]), ("jagged", "emit_pipeline"), ("jagged", "fori_loop"), ("dense", "unroll")],
)
def test_vmap_over_any_arguments_is_a_loop(kind: str, loop: str):
    fn = example(kind, loop).jax_fn
    batch = [arguments(kind, seed) for seed in range(2)]
    subsets = list(product([True, False], repeat=len(batch[0])))[:-1]
    for mapped in subsets if loop == "grid" else subsets[:1]:
        columns = zip(zip(*batch, strict=True), mapped, strict=True)
        stacked = [jnp.stack(each) if m else each[0] for each, m in columns]
        [out] = jax.vmap(fn, in_axes=tuple(0 if m else None for m in mapped))(*stacked)
        for index, each in enumerate(batch):
            one = [arg if m else first for arg, first, m in zip(each, batch[0], mapped, strict=True)]
            assert bits(out[index]) == bits(fn(*one)[0])


def test_vmap_in_vmap_over_other_axes():
    fn, batch = example("jagged").jax_fn, [arguments("jagged", seed) for seed in range(2)]
    x, offsets = (jnp.stack(each, axis=1) for each in zip(*batch, strict=True))
    inner = jax.vmap(fn, in_axes=(None, 1))
    [out] = jax.jit(jax.vmap(inner, in_axes=(1, None), out_axes=1))(x, offsets)
    assert out.shape[:2] == (2, 2)
    for i, j in product(range(2), repeat=2):
        assert bits(out[j, i]) == bits(fn(batch[i][0], batch[j][1])[0])


@pytest.mark.parametrize("kind", PROGRAMS)
def test_without_rows_or_elements_of_a_batch(kind: str):
    fn, args = example(kind).jax_fn, arguments(kind, 0)
    [out] = jax.vmap(fn)(*(jnp.zeros((0, *arg.shape), arg.dtype) for arg in args))
    [one] = fn(*args)
    assert out.shape == (0, *one.shape)
    no_rows = [jnp.zeros((2, 0 if arg.shape[0] == ROWS else 9, *arg.shape[1:]), arg.dtype) for arg in args]
    [out] = jax.vmap(fn)(*no_rows)
    assert out.shape == (2, *fn(*(arg[0] for arg in no_rows))[0].shape)
    assert not out.any()


@pytest.mark.parametrize("kind", PROGRAMS)
@pytest.mark.parametrize("loop", ["grid", "emit_pipeline"])
def test_export_for_a_tpu(kind: str, loop: str):
    exported = jax.export.export(jax.jit(example(kind, loop).jax_fn), platforms=["tpu"])
    text = exported(*arguments(kind, 0)).mlir_module()
    assert "tpu_custom_call" in text
    assert "callback" not in text


def test_what_is_interpreted_cannot_be_exported():
    exported = jax.export.export(jax.jit(example("dense").jax_fn), platforms=["cpu"])
    with pytest.raises(NotImplementedError, match="serialization of host_callbacks"):
        exported(*arguments("dense", 0))


SHARDED = """
import jax, numpy as np, sys
from jax.sharding import NamedSharding, PartitionSpec as P
sys.path.insert(0, {folder!r})
from test_jax_functions import PROGRAMS, arguments, bits, example
mesh = jax.make_mesh((8,), ("i",), axis_types=(jax.sharding.AxisType.Auto,))
for kind in PROGRAMS:
    fn, batch = example(kind).jax_fn, [arguments(kind, seed) for seed in range(8)]
    stacked = [jax.device_put(np.stack(each), NamedSharding(mesh, P("i"))) for each in zip(*batch)]
    one = lambda *shards: fn(*(shard[0] for shard in shards))[0][None]
    mapped = jax.shard_map(one, mesh=mesh, in_specs=P("i"), out_specs=P("i"), check_vma=False)
    out = jax.jit(mapped)(*stacked)
    assert len(out.sharding.device_set) == 8
    for index, each in enumerate(batch):
        assert bits(out[index]) == bits(fn(*each)[0]), kind
print("equal")
"""


def test_shard_map_over_eight_devices():
    script = SHARDED.format(folder=str(Path(__file__).parent))
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    child = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | flags, capture_output=True, text=True, timeout=300
    )
    assert child.stdout == "equal\n", child.stderr


def test_callers_with_jax_arrays_need_no_torch():
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_jax_functions import arguments, example
example("dense")(arguments("dense", 0))
print("torch" in sys.modules)
"""
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert child.stdout == "False\n", child.stderr


def test_wide_integers_where_jax_has_them():
    rows, (x, offsets) = example("jagged"), arguments("jagged", 0)
    [expected] = rows.jax_fn(x, offsets)
    with jax.enable_x64(True):
        wide = offsets.astype(np.int64)
        assert bits(rows.jax_fn(x, wide)[0]) == bits(jax.jit(rows.jax_fn)(x, offsets)[0]) == bits(expected)
        with pytest.raises(ValueError, match="offsets holds 4294967296 to"):
            rows.jax_fn(x, wide + 2**32)
        with pytest.raises(
            TypeError,
            match=r"offsets is traced int64\[9\], so whether its values fit int32 cannot be checked",
        ):
            jax.jit(rows.jax_fn)(x, wide)


def test_derivatives_are_refused():
    fn, [x] = example("dense").jax_fn, arguments("dense", 0)

    def total(x: Any) -> Any:
        return fn(x)[0].astype(np.float32).sum()

    def stopped(x: Any) -> Any:
        return total(jax.lax.stop_gradient(x))

    with pytest.raises(
        NotImplementedError, match=r"softmax has no derivative; give it one with jax\.custom_vjp"
    ):
        jax.grad(total)(x)
    assert not jax.grad(stopped)(x).any()
