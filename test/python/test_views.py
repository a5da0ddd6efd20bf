"""Arrays that are stored, loaded and returned through views: the proofs, and what XLA does around kernels.

The programs are those of `corpus/views.py`; others are drawn, for `--resolve-views` alone.
"""

from random import Random

import jax
import numpy as np
import pytest
from programs import parse

from corpus.corpus import DTYPES
from corpus.views import VIEWS, program
from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.resolve_views import ResolveViews
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.aot import Compiled, compile_for
from tilec.runtime.load import load

NAMES = list(VIEWS)
ELEMENTS = ("f32", "bf16", "i32")
TURNS = [
    # Every program meets the first loop and one of the others; element types take turns.
    (name, LOOPS[j], ELEMENTS[(i + j) % 3])
    for i, name in enumerate(NAMES)
    for j in (0, 1 + i % 3)
]


@pytest.mark.parametrize(("name", "loop", "dtype"), TURNS)
def test_proofs(name: str, loop: str, dtype: str) -> None:
    views = VIEWS[name]
    module, args = parse(program(name, dtype)), views.arguments(DTYPES[dtype], seed=0)
    expected = run(module, name, args)
    for result, wanted in zip(expected, views.reference(*args), strict=True):
        assert result.defined.all()
        assert np.array_equal(result.data, wanted)
    choice = TileToPallas(loop=loop, blocks=views.blocks)
    prove_passes(module, name, args, choice.passes(), seeds=(1,))
    prove_kernel(emit(module, [choice]), name, args, expected, seeds=(1,))


@pytest.mark.aot
@pytest.mark.parametrize("name", NAMES)
def test_compiles(name: str) -> None:
    views, turn = VIEWS[name], NAMES.index(name)
    dtype, loop, chip = ELEMENTS[turn % 3], LOOPS[turn % 4], CHIPS[1 + turn % 2]
    text = emit(parse(program(name, dtype)), [TileToPallas(loop=loop, chip=chip, blocks=views.blocks)])
    prove_compiles(text, name, views.arguments(DTYPES[dtype], seed=0), (chip,))


def compiled(name: str, dtype: str) -> Compiled:
    """On one chip; an argument that is updated in place is donated."""
    views, donate = VIEWS[name], (0,) if name.startswith("in_place") else ()
    text = emit(parse(program(name, dtype)), [TileToPallas(blocks=views.blocks)])
    args = views.arguments(DTYPES[dtype], seed=0)
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in args]
    return compile_for(getattr(load(text, name), name), structs, "v5e", donate=donate)


@pytest.mark.aot
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize(
    "name",
    [
        "stored_by_lanes",
        "stored_transposed",
        "returned_transposed",
        "loaded_transposed",
        "inner_permuted",
        "outer_permuted",
        "in_place_transposed",
    ],
)
def test_nothing_around_kernels(name: str, dtype: str) -> None:
    """Kernels transpose, and rows of 128 lanes are in memory one after the other, in any number of dims."""
    operations = compiled(name, dtype).operations
    assert operations.keys() <= {"parameter", "tuple", "get-tuple-element", "custom-call", "bitcast"}
    assert operations["custom-call"] == 1


@pytest.mark.aot
@pytest.mark.parametrize(
    ("name", "copies"), [("stored_2d", 1), ("loaded_flat", 1), ("between_kernels", 1), ("in_place", 2)]
)
def test_one_copy_for_another_layout(name: str, copies: int) -> None:
    """Rows of 256 are two tiles wide in memory, so XLA moves them where they become others."""
    operations = compiled(name, "f32").operations
    assert operations["copy"] == copies
    assert not {"broadcast", "pad", "fusion", "concatenate", "slice"} & operations.keys()


SHAPES: tuple[tuple[int, ...], ...] = ((2, 3, 4), (24,), (2, 4, 3), (4, 6), (1, 24), (3, 1, 8), (2, 2, 6))


def random_program(rng: Random) -> str:
    """A function that updates an array in one or two kernels, each through a view, and returns some views."""
    shapes, lines, arguments = [rng.choice(SHAPES)], list[str](), list[str]()
    if rng.random() < 0.5:
        lines.append(f"%v0 = tile.full 1.0 : {_kind(shapes[0])}")
    else:
        arguments.append(f"%v0: {_kind(shapes[0])}")
    for number in range(1, rng.randint(3, 6)):
        source = rng.randrange(number)
        shape, text = rng.choice(SHAPES), ""
        if rng.random() < 0.6:
            order = rng.sample(range(len(shapes[source])), len(shapes[source]))
            shape, text = tuple(shapes[source][dim] for dim in order), f"permute {order} "
        lines.append(f"%v{number} = tile.view %v{source} {text}: {_kind(shapes[source])} to {_kind(shape)}")
        shapes.append(shape)
    for kernel in range(rng.randint(1, 2)):
        target = rng.randrange(len(shapes))
        arguments.append(f"%c{kernel}: {_kind(shapes[target])}")
        some = rng.random() < 0.5
        full = [not some or rng.random() < 0.5 for _ in shapes[target]]
        lines += _kernel(f"%v{target}", f"%c{kernel}", shapes[target], full)
    returned = rng.sample(range(len(shapes)), rng.randint(1, 2))
    types = ", ".join(_kind(shapes[number]) for number in returned)
    lines.append(f"return {', '.join(f'%v{number}' for number in returned)} : {types}")
    return f"func.func @f({', '.join(arguments)}) -> ({types}) {{\n" + "\n".join(lines) + "\n}"


def _kind(shape: tuple[int, ...]) -> str:
    return f"memref<{'x'.join(map(str, shape))}xf32>"


def _kernel(target: str, other: str, shape: tuple[int, ...], full: list[bool]) -> list[str]:
    """`target = 2 * target + other`, some dimensions at once and the others one by one."""
    axes = [f"%i{dim} = 0 to {size}" for dim, size in enumerate(shape) if not full[dim]] or ["%g = 0 to 1"]
    window = ", ".join(":" if whole else f"%i{dim}" for dim, whole in enumerate(full))
    kept = "x".join(str(size) for size, whole in zip(shape, full, strict=True) if whole)
    kind = f"tensor<{kept}xf32>" if kept else "f32"
    return [
        f"tile.grid {', '.join(axes)} {{",
        f"%a = tile.load {target}[{window}]",
        f"%b = tile.load {other}[{window}]",
        f"%c = arith.addf %a, %a : {kind}",
        f"%d = arith.addf %b, %c : {kind}",
        f"tile.store %d, {target}[{window}]",
        "}",
    ]


@pytest.mark.parametrize("seed", range(60))
def test_random_views(seed: int) -> None:
    module = parse(random_program(Random(seed)))
    args = random_args(functions(module)[0])
    prove_passes(module, "f", args, [ResolveViews(), ClassifyAxes()], seeds=(0,))
