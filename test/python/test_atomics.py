"""Updates of shared elements: programs of `corpus/atomics.py` in every loop, and what their sums may cost.

The proofs are tried on a part of the variants that has all programs, element types and loops in it; seeds
take turns.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from corpus.atomics import ATOMIC_CASES, ATOMIC_VARIANTS, SPLITS, AtomicVariant, reordered, split
from corpus.choices import parse
from corpus.segments import of_offsets
from corpus.ways import Way
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import InterpreterError, run
from tilec.dialects.tile import AxisOp
from tilec.dialects.tile.axes import Order, OrderAttr
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import LOOPS
from tilec.proof import CHIPS, ProofFailed, emit, prove_kernel
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

Array = np.ndarray[Any, np.dtype[Any]]


def refusal(way: Way) -> str | None:
    """What a part of the refusal says, or None for a way that must work."""
    name = way.variant.case.name.removeprefix("atomic_")
    if name == "split_k" and way.loop == "unroll":
        return "axis k has an extent that is known only at run time"
    return way.refused


def ways(per_case: int) -> list[Way]:
    """For each program, `per_case` of its variants, with all loops and both groupings in turn."""
    found: list[Way] = []
    for number, case in enumerate(ATOMIC_CASES.values()):
        variants = [variant for variant in ATOMIC_VARIANTS if variant.case is case]
        for turn in range(per_case):
            variant = variants[(number + turn * (len(variants) // per_case + 1)) % len(variants)]
            options = {"grouping": "overlaunch"} if case.jagged and (number + turn) % 2 else {}
            way = Way(variant, LOOPS[(number + turn) % len(LOOPS)], options)
            found.append(way if refusal(way) is None else replace(way, loop="fori_loop"))
    return found


@pytest.mark.parametrize("way", ways(2), ids=str)
def test_passes(way: Way) -> None:
    way.prove_passes(seed=len(str(way)))


@pytest.mark.parametrize("way", ways(1), ids=str)
def test_kernels(way: Way) -> None:
    way.prove_kernel(seed=len(str(way)))


@pytest.mark.aot
@pytest.mark.parametrize("way", ways(1), ids=str)
def test_compiles(way: Way) -> None:
    way.prove_compiles(CHIPS[len(str(way)) % len(CHIPS)])


@pytest.mark.parametrize("name", ["split_k", "jagged_shared"])
def test_what_is_refused(name: str) -> None:
    """Each refusal is that of a loop that is written out, and names a place in the program."""
    variant = next(variant for variant in ATOMIC_VARIANTS if variant.case is ATOMIC_CASES[name])
    way = Way(variant, "unroll")
    with pytest.raises(TileError, match=re.escape(refusal(way) or "")) as refused:
        emit(parse(variant.program()), [way.choice()])
    assert re.fullmatch(rf"{variant.case.name}\.mlir:\d+:\d+", refused.value.place)


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_first_and_last_segments_are_empty(loop: str) -> None:
    """What a cell shares is read before its first step and stored after its last, whichever these are."""
    case = ATOMIC_CASES["jagged_dense"]
    segments = of_offsets("empty_around", [0, 0, 17, 17, 30, 30])
    way = Way(AtomicVariant(case, "f32", case.small_blocks, segments=segments), loop)
    way.prove_passes(seed=0)
    way.prove_kernel(seed=0)


# Products whose inner dimension is split


def outputs(way: Way, args: Sequence[Array], seed: int) -> list[Array]:
    """What the kernel returns in interpret mode."""
    program = way.variant.program()
    name = program.case.name
    kernel = getattr(load(emit(parse(program), [way.choice()]), name), name)
    return interpret(kernel, args, seed=seed)


def bf16_ulp(x: Array) -> Array:
    """The distance between neighbours in bf16 at each of x, for normal numbers."""
    return np.exp2(np.floor(np.log2(np.abs(x))) - 7)


@pytest.mark.parametrize("count", SPLITS)
def test_splits(count: int) -> None:
    """Sums of any number of splits, of which K is no multiple, are f32 sums that are rounded once."""
    case = ATOMIC_CASES["split_k"]
    variant = AtomicVariant(case, "bf16", case.small_blocks, changes=split(count), label=str(count))
    program = variant.program()
    args = program.arguments(seed=count)
    (got,) = outputs(Way(variant, LOOPS[count % 3]), args, seed=count)
    (exact,) = program.expected(args)
    x, w, bias = (np.abs(array.astype(np.float64)) for array in args)
    in_f32 = (x @ w + bias) * 2.0**-20  # 2**-24 for each of some roundings
    assert (np.abs(got.astype(np.float64) - exact) <= 0.5 * bf16_ulp(np.abs(exact) + in_f32) + in_f32).all()


@pytest.mark.parametrize("name", ["split_k", "matmul"])
def test_orders(name: str) -> None:
    """Any order of the three axes of a product gives one of two kernels, and both prove right."""
    case = ATOMIC_CASES[name]
    kernels: dict[str, Way] = {}
    for order in permutations("smn" if name == "split_k" else "kmn"):
        change = split(4, order) if name == "split_k" else (reordered(name, order),)
        way = Way(AtomicVariant(case, "f32", case.small_blocks, changes=change), "grid")
        text = emit(parse(way.variant.program()), [way.choice()])
        kernels.setdefault(re.sub(r" +#.*", "", text), way)
    assert len(kernels) == 2  # m before n, or n before m
    for seed, way in enumerate(kernels.values()):
        way.prove_kernel(seed)


# What sums may cost, and what a wrong claim does


@pytest.mark.parametrize("loop", ["grid", "fori_loop"])
def test_many_terms(loop: str) -> None:
    """8192 numbers of bf16 in 64 steps: one rounding of a sum in f32, which bf16 sums would not come near."""
    changes = (("100x", "8192x"), ("0 to 100", "0 to 8192"))
    variant = AtomicVariant(
        ATOMIC_CASES["columns"], "bf16", {"m": 128, "n": 256}, changes=changes, label="8192"
    )
    program = variant.program()
    args = [np.abs(array) for array in program.arguments(seed=1)]
    (got,), (exact,) = outputs(Way(variant, loop), args, seed=1), program.expected(args)
    assert (np.abs(got.astype(np.float64) - exact) <= bf16_ulp(exact)).all()


def falsely_parallel(way: Way) -> ModuleOp:
    """The schedule whose ordered axes are all called parallel, but for `--convert-tile-to-pallas`."""
    schedule = parse(way.variant.program())
    for each in way.choice().schedule():
        each.apply(make_context(), schedule)
    ordered = [op for op in schedule.walk() if isinstance(op, AxisOp) and op.order.data is Order.ORDERED]
    assert ordered
    for axis in ordered:
        axis.order = OrderAttr(Order.PARALLEL)
    return schedule


def summed(name: str, loop: str) -> Way:
    case = ATOMIC_CASES[name]
    return Way(AtomicVariant(case, "f32", case.small_blocks), loop)


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
@pytest.mark.parametrize("name", ["columns", "matmul", "jagged_shared", "nested"])
def test_false_claims_of_schedules(name: str, loop: str) -> None:
    """Steps that share an accumulator and run in any order are no schedule for the interpreter."""
    way = summed(name, loop)
    schedule, program = falsely_parallel(way), way.variant.program()
    wrong = "race: .* different iterations|which nothing has stored|an undefined lane"
    with pytest.raises(InterpreterError, match=wrong):
        run(schedule, program.case.name, program.arguments(seed=0))


@pytest.mark.parametrize(
    ("name", "loop", "shown"),
    [
        ("columns_onto", "grid", "in place of"),
        ("matmul", "grid", "in place of"),
        ("nested", "fori_loop", "race"),
    ],
)
def test_false_claims_of_kernels(name: str, loop: str, shown: str) -> None:
    """Two cores that share an accumulator show, by what they leave out of it or by a race."""
    way = summed(name, loop)
    program = way.variant.program()
    args, convert = program.arguments(seed=0), way.choice().passes()[len(way.choice().schedule()) :]
    expected = run(parse(program), program.case.name, args)
    with pytest.raises(ProofFailed, match=shown):
        prove_kernel(emit(falsely_parallel(way), convert), program.case.name, args, expected, seeds=(0,))
