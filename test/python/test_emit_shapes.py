"""Operations that move or mix lanes, printed, run in interpret mode against numpy, and compiled for a TPU."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tilec.emit.module import print_module
from tilec.parsing import LocatingParser, make_context
from tilec.runtime.aot import compile_for
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Reference: TypeAlias = Callable[[Any, Any], Any]

DTYPES = {"f32": np.float32, "bf16": jnp.bfloat16, "i32": np.int32, "i8": np.int8}

CASES: dict[str, tuple[str, str, str, str, Reference]] = {
    # Name: element, shapes of operands %a and %b, type of the result, operations (%0, %1, …), reference
    "broadcast_rows": ("f32", "8x128 128", "8x128xf32", "tile.broadcast %b dims [1]", lambda a, b: a * 0 + b),
    "transpose": ("f32", "128x256 8x128", "256x128xf32", "tile.transpose %a [1, 0]", lambda a, b: a.T),
    "reshape": ("f32", "16x256 8x128", "8x2x256xf32", "tile.reshape %a", lambda a, b: a.reshape(8, 2, 256)),
    "concatenate": (
        "f32",
        "8x128 8x256",
        "8x384xf32",
        "tile.concatenate %a, %b dim 1",
        lambda a, b: np.c_[a, b],
    ),
    "slice": (
        "f32",
        "16x256 8x128",
        "16x128xf32",
        "tile.slice %a dim 1 from 128 size 128",
        lambda a, b: a[:, 128:],
    ),
    "sum": ("f32", "8x256 8x128", "8xf32", "tile.reduce add %a dims [1]", lambda a, b: a.sum(1)),
    "sum_of_rows": ("f32", "16x128 8x128", "128xf32", "tile.reduce add %a dims [0]", lambda a, b: a.sum(0)),
    "sum_of_all": (
        "f32",
        "2x16x128 8x128",
        "128xf32",
        "tile.reduce add %a dims [0, 1]",
        lambda a, b: a.sum((0, 1)),
    ),
    "maximum": ("f32", "8x256 8x128", "8xf32", "tile.reduce max %a dims [1]", lambda a, b: a.max(1)),
    "minimum": ("f32", "8x256 8x128", "8xf32", "tile.reduce min %a dims [1]", lambda a, b: a.min(1)),
    "integer_sum": ("i32", "8x128 8x128", "128xi32", "tile.reduce add %a dims [0]", lambda a, b: a.sum(0)),
    "integer_maximum": (
        "i32",
        "8x128 8x128",
        "128xi32",
        "tile.reduce max %a dims [0]",
        lambda a, b: a.max(0),
    ),
    "all": (
        "i32",
        "8x128 8x128",
        "128xi32",
        "tile.compare le %a, %b; tile.reduce and %0 dims [0]; tile.cast %1 to i32",
        lambda a, b: (a <= b).all(0),
    ),
    "any": (
        "i32",
        "8x128 8x128",
        "128xi32",
        "tile.compare eq %a, %b; tile.reduce or %0 dims [0]; tile.cast %1 to i32",
        lambda a, b: (a == b).any(0),
    ),
    "dot": ("bf16", "32x128 128x256", "32x256xf32", "tile.dot %a, %b", lambda a, b: a @ b),
    "dot_transposed": (
        "bf16",
        "32x128 256x128",
        "32x256xf32",
        "tile.dot %a, %b contract [1] x [1]",
        lambda a, b: a @ b.T,
    ),
    "dot_of_columns": (
        "bf16",
        "32x128 32x256",
        "128x256xf32",
        "tile.dot %a, %b contract [0] x [0]",
        lambda a, b: a.T @ b,
    ),
    "dot_highest": (
        "f32",
        "32x128 128x256",
        "32x256xf32",
        "tile.dot %a, %b precision highest",
        lambda a, b: a @ b,
    ),
    "dot_of_integers": ("i8", "32x128 128x256", "32x256xi32", "tile.dot %a, %b", lambda a, b: a @ b),
    "batches": (
        "bf16",
        "3x32x128 3x128x256",
        "3x32x256xf32",
        "tile.dot %a, %b contract [2] x [1]",
        lambda a, b: a @ b,
    ),
    "batches_of_columns": (
        "i8",
        "3x128x32 3x256x128",
        "3x32x256xi32",
        "tile.dot %a, %b contract [1] x [2]",
        lambda a, b: np.einsum("bkm,bnk->bmn", a, b),
    ),
    "narrow": ("f32", "16x128 8x128", "16x128xbf16", "tile.cast %a to bf16", lambda a, b: a),
    "wide": ("bf16", "16x128 8x128", "16x128xf32", "tile.cast %a to f32", lambda a, b: a),
    "bf16_sum": (
        "bf16",
        "16x128 16x128",
        "16x128xbf16",
        "arith.addf %a, %b : tensor<16x128xbf16>",
        lambda a, b: a + b,
    ),
}


def module_of(name: str) -> str:
    element, shapes, result, made, _ = CASES[name]
    a, b = (f"{shape}x{element}" for shape in shapes.split())
    operations = made.split("; ")
    steps = "\n".join(f"%{i} = {operation}" for i, operation in enumerate(operations))
    if "broadcast" in name or name == "reshape":
        steps += f" : tensor<{result}>"
    text = f"""
    func.func @apply(%x: memref<{a}>, %y: memref<{b}>) -> memref<{result}> {{
      %out = pallas.call "{name}" {{
        %a_ref = pallas.in_space %x vmem
        %b_ref = pallas.in_space %y vmem
        %r_ref = pallas.out_space vmem : memref<{result}>
        %a = pallas.load %a_ref
        %b = pallas.load %b_ref
        {steps}
        pallas.store %{len(operations) - 1}, %r_ref
      }} : memref<{result}>
      return %out : memref<{result}>
    }}"""
    module = LocatingParser(make_context(), text, "test").parse_module()
    module.verify()
    return print_module(module)


def shapes_of(name: str) -> list[tuple[int, ...]]:
    return [tuple(int(n) for n in shape.split("x")) for shape in CASES[name][1].split()]


@pytest.mark.parametrize("name", CASES)
def test_against_numpy(name: str) -> None:
    element, *_, reference = CASES[name]
    rng = np.random.default_rng(0)
    arrays: list[Array] = []
    for shape in shapes_of(name):
        numbers = rng.integers(-9, 9, shape) if element.startswith("i") else rng.standard_normal(shape)
        arrays.append(numbers.astype(DTYPES[element]))
    (got,) = interpret(load(module_of(name), name).apply, arrays)
    wide = np.int32 if element.startswith("i") else np.float32
    wanted = reference(*(array.astype(wide) for array in arrays))
    np.testing.assert_allclose(
        got.astype(wide), wanted, rtol=1e-2 if "bf16" in str(CASES[name]) else 1e-5, atol=1e-4
    )


@pytest.mark.aot
@pytest.mark.parametrize("name", CASES)
def test_tpu_compiler_takes_it(name: str) -> None:
    dtype = DTYPES[CASES[name][0]]
    structs = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes_of(name)]
    assert compile_for(load(module_of(name), name).apply, structs, "v5e").code_bytes > 0
