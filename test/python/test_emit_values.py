"""Each operation on values, printed, traced by Pallas and run in interpret mode, against numpy."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import numpy as np
import pytest

from tilec.emit.module import print_module
from tilec.parsing import LocatingParser, make_context
from tilec.runtime.aot import compile_for
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

F, N = "tensor<8x128xf32>", "tensor<8x128xi32>"


def erf(x: Array) -> Array:
    return np.array([math.erf(lane) for lane in x.flat], np.float32).reshape(x.shape)


# Operands: %a and %b are floats with NaN, infinity and zero of both signs among them, %p is from 0.5 to 2;
# %i and %j are integers of both signs, %j not 0, %s is from 0 to 31.
FLOATS: dict[str, Callable[[Any], Array]] = {
    f"arith.addf %a, %b : {F}": lambda v: v.a + v.b,
    f"arith.subf %a, %b : {F}": lambda v: v.a - v.b,
    f"arith.mulf %a, %b : {F}": lambda v: v.a * v.b,
    f"arith.divf %a, %p : {F}": lambda v: v.a / v.p,
    f"arith.negf %a : {F}": lambda v: -v.a,
    f"arith.maximumf %a, %b : {F}": lambda v: np.maximum(v.a, v.b),
    f"arith.minimumf %a, %b : {F}": lambda v: np.minimum(v.a, v.b),
    f"arith.maxnumf %a, %b : {F}": lambda v: np.fmax(v.a, v.b),
    f"arith.minnumf %a, %b : {F}": lambda v: np.fmin(v.a, v.b),
    f"math.absf %a : {F}": lambda v: np.abs(v.a),
    f"math.atan2 %a, %p : {F}": lambda v: np.arctan2(v.a, v.p),
    f"math.ceil %a : {F}": lambda v: np.ceil(v.a),
    f"math.copysign %p, %a : {F}": lambda v: np.copysign(v.p, v.a),
    f"math.cos %p : {F}": lambda v: np.cos(v.p),
    f"math.erf %p : {F}": lambda v: erf(v.p),
    f"math.exp %a : {F}": lambda v: np.exp(v.a),
    f"math.exp2 %a : {F}": lambda v: np.exp2(v.a),
    f"math.floor %a : {F}": lambda v: np.floor(v.a),
    f"math.fma %a, %b, %p : {F}": lambda v: v.a * v.b + v.p,
    f"math.log %p : {F}": lambda v: np.log(v.p),
    f"math.log10 %p : {F}": lambda v: np.log10(v.p),
    f"math.log1p %p : {F}": lambda v: np.log1p(v.p),
    f"math.log2 %p : {F}": lambda v: np.log2(v.p),
    f"math.powf %p, %p : {F}": lambda v: np.power(v.p, v.p),
    f"math.round %a : {F}": lambda v: np.copysign(np.floor(np.abs(v.a) + 0.5), v.a),
    f"math.roundeven %a : {F}": lambda v: np.rint(v.a),
    f"math.rsqrt %p : {F}": lambda v: np.reciprocal(np.sqrt(v.p)),
    f"math.sin %p : {F}": lambda v: np.sin(v.p),
    f"math.sqrt %p : {F}": lambda v: np.sqrt(v.p),
    f"math.tan %p : {F}": lambda v: np.tan(v.p),
    f"math.tanh %a : {F}": lambda v: np.tanh(v.a),
    f"math.trunc %a : {F}": lambda v: np.trunc(v.a),
    "tile.cast %i to f32": lambda v: v.i.astype(np.float32),
}

INTEGERS: dict[str, Callable[[Any], Array]] = {
    f"arith.addi %i, %j : {N}": lambda v: v.i + v.j,
    f"arith.subi %i, %j : {N}": lambda v: v.i - v.j,
    f"arith.muli %i, %j : {N}": lambda v: v.i * v.j,
    f"arith.floordivsi %i, %j : {N}": lambda v: v.i // v.j,
    f"arith.ceildivsi %i, %j : {N}": lambda v: -(-v.i // v.j),
    f"arith.divsi %i, %j : {N}": lambda v: np.trunc(v.i / v.j).astype(np.int32),
    f"arith.remsi %i, %j : {N}": lambda v: np.fmod(v.i, v.j),
    f"arith.maxsi %i, %j : {N}": lambda v: np.maximum(v.i, v.j),
    f"arith.minsi %i, %j : {N}": lambda v: np.minimum(v.i, v.j),
    f"arith.andi %i, %j : {N}": lambda v: v.i & v.j,
    f"arith.ori %i, %j : {N}": lambda v: v.i | v.j,
    f"arith.xori %i, %j : {N}": lambda v: v.i ^ v.j,
    f"arith.shli %i, %s : {N}": lambda v: v.i << v.s,
    f"arith.shrsi %i, %s : {N}": lambda v: v.i >> v.s,
    f"arith.shrui %i, %s : {N}": lambda v: (v.i.view(np.uint32) >> v.s.view(np.uint32)).view(np.int32),
    f"math.absi %i : {N}": lambda v: np.abs(v.i),
    "tile.cast %p to i32": lambda v: v.p.astype(np.int32),
    f"arith.bitcast %p : {F} to {N}": lambda v: v.p.view(np.int32),
}

PREDICATES: dict[str, Callable[[Any], Array]] = {
    "tile.compare eq %a, %b": lambda v: v.a == v.b,
    "tile.compare ne %a, %b": lambda v: v.a != v.b,
    "tile.compare lt %a, %b": lambda v: v.a < v.b,
    "tile.compare le %a, %b": lambda v: v.a <= v.b,
    "tile.compare gt %a, %b": lambda v: v.a > v.b,
    "tile.compare ge %i, %j": lambda v: v.i >= v.j,
    "tile.cast %i to i1": lambda v: v.i != 0,
}


class Operands:
    """What the operations work on, float32 and int32 arrays of 8 x 128."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, -2.5], np.float32)
        self.a = rng.normal(0, 4, (8, 128)).astype(np.float32)
        self.b = rng.normal(0, 4, (8, 128)).astype(np.float32)
        self.a[0, :9] = self.b[0, 9:18] = self.a[1, :9] = self.b[1, :9] = special
        self.p = rng.uniform(0.5, 2, (8, 128)).astype(np.float32)
        self.i = rng.integers(-100, 100, (8, 128), np.int32)
        self.j = rng.integers(1, 7, (8, 128), np.int32) * rng.choice(np.array([-1, 1], np.int32), (8, 128))
        self.s = rng.integers(0, 32, (8, 128), np.int32)


OPERANDS = Operands()
NAMES = ("a", "b", "p", "i", "j", "s")


def program(operations: list[str], kind: str, made: str) -> str:
    """A function whose kernel applies each operation, with results of `made`, cast to `kind`."""
    array = f"memref<{len(operations) * 8}x128x{kind}>"
    kinds = {name: "f32" if name in "abp" else "i32" for name in NAMES}
    arguments = ", ".join(f"%{name}_array: memref<8x128x{kinds[name]}>" for name in NAMES)
    lines = [f"func.func @apply({arguments}) -> {array} {{", '  %out = pallas.call "apply" {']
    zero = "%{0} = arith.constant 0 : index"
    for name in NAMES:
        lines.append(f"%{name}_ref = pallas.in %{name}_array block [8, 128] map () {{")
        lines += [zero.format("c0"), "pallas.yield %c0, %c0", "}"]
    lines.append(f"%out_ref = pallas.out block [{len(operations) * 8}, 128] map () {{")
    lines += [zero.format("c0"), f"pallas.yield %c0, %c0 }} : {array}"]
    lines += [f"%{name} = pallas.load %{name}_ref" for name in NAMES]
    for number, operation in enumerate(operations):
        lines.append(f"%r{number} = {operation}")
        result = f"%r{number}"
        if made != kind:
            lines.append(f"%w{number} = tile.cast {result} to {kind}")
            result = f"%w{number}"
        lines.append(f"pallas.store {result}, %out_ref[ds({number * 8}, 8), :]")
    return "\n".join([*lines, f"  }} : {array}", f"  return %out : {array}", "}"])


@pytest.mark.aot
@pytest.mark.parametrize(
    ("table", "kind", "made"), [(FLOATS, "f32", "f32"), (INTEGERS, "i32", "i32"), (PREDICATES, "i32", "i1")]
)
def test_tpu_compiler_takes_it(table: dict[str, Callable[[Any], Array]], kind: str, made: str) -> None:
    module = LocatingParser(make_context(), program(list(table), kind, made), "test").parse_module()
    structs = [jax.ShapeDtypeStruct((8, 128), getattr(OPERANDS, name).dtype) for name in NAMES]
    assert compile_for(load(print_module(module), "values").apply, structs, "v5e").code_bytes > 0


def run(text: str, arguments: list[Array]) -> Array:
    module = LocatingParser(make_context(), text, "test").parse_module()
    module.verify()
    (result,) = interpret(load(print_module(module), "values").apply, arguments)
    return result


@pytest.mark.parametrize(
    ("table", "kind", "made"),
    [(FLOATS, "f32", "f32"), (INTEGERS, "i32", "i32"), (PREDICATES, "i32", "i1")],
    ids=["floats", "integers", "predicates"],
)
def test_lane_by_lane(table: dict[str, Callable[[Any], Array]], kind: str, made: str) -> None:
    results = run(program(list(table), kind, made), [getattr(OPERANDS, name) for name in NAMES])
    for number, (operation, reference) in enumerate(table.items()):
        with np.errstate(all="ignore"):
            wanted = reference(OPERANDS)
        got = results[number * 8 : number * 8 + 8]
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6, err_msg=operation)


SCALARS: dict[str, Callable[[int, int], int]] = {
    "arith.addi %x, %y : index": lambda x, y: x + y,
    "arith.floordivsi %x, %y : index": lambda x, y: x // y,
    "arith.ceildivsi %x, %y : index": lambda x, y: -(-x // y),
    "arith.divsi %x, %y : index": lambda x, y: int(x / y),
    "arith.remsi %x, %y : index": lambda x, y: int(math.fmod(x, y)),
    "arith.maxsi %x, %y : index": max,
    "arith.minsi %x, %y : index": min,
    "arith.floordivsi %x, %three : index": lambda x, y: x // 3,
    "arith.remsi %x, %three : index": lambda x, y: int(math.fmod(x, 3)),
    "arith.divsi %three, %y : index": lambda x, y: int(3 / y),
    "arith.select %more, %x, %three : index": lambda x, y: x if x > y else 3,
    "arith.select %more, %three, %minus : index": lambda x, y: 3 if x > y else -1,
}


@pytest.mark.parametrize(("x", "y"), [(7, 2), (-7, 2), (7, -2), (-7, -2), (6, 3), (-6, 3), (0, 5)])
def test_scalars(x: int, y: int) -> None:
    lines = [
        f"func.func @apply(%given: memref<2xi32>) -> memref<{len(SCALARS)}xi32> {{",
        '%out = pallas.call "scalars" {',
        "%given_ref = pallas.in_space %given smem",
        f"%out_ref = pallas.out_space smem : memref<{len(SCALARS)}xi32>",
        "%x_32 = pallas.load %given_ref[0]",
        "%x = arith.index_cast %x_32 : i32 to index",
        "%y_32 = pallas.load %given_ref[1]",
        "%y = arith.index_cast %y_32 : i32 to index",
        "%three = arith.constant 3 : index",
        "%minus = arith.constant -1 : index",
        "%more = arith.cmpi sgt, %x, %y : index",
    ]
    for number, operation in enumerate(SCALARS):
        lines.append(f"%r{number} = {operation}")
        lines.append(f"%w{number} = arith.index_cast %r{number} : index to i32")
        lines.append(f"pallas.store %w{number}, %out_ref[{number}]")
    kind = f"memref<{len(SCALARS)}xi32>"
    results = run(
        "\n".join([*lines, f"}} : {kind}", f"return %out : {kind}", "}"]), [np.array([x, y], np.int32)]
    )
    assert results.tolist() == [reference(x, y) for reference in SCALARS.values()]
