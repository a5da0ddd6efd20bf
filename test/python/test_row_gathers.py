"""Rows at computed positions that are copied one by one: proofs in every loop, and when that is chosen."""

import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
import torch
from programs import every, parse

from tilec.analysis.vmem import Space
from tilec.chips import CHIPS
from tilec.diagnostics import where
from tilec.dialects.interpreter import run
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.plan_memory import ledger_of
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.estimate import estimate
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

Array = npt.NDArray[np.generic]
DTYPES = {"f32": np.float32, "bf16": ml_dtypes.bfloat16, "i32": np.int32, "i8": np.int8}
FRAME = """
func.func @f(%table: memref<{rows}x{lanes}x{dtype}>, %ids: memref<40xi32>, %offsets: memref<5xi32>)
    -> memref<40x{lanes}x{dtype}> {{
  %out = tile.full {zero} : memref<40x{lanes}x{dtype}>
  {body}
  return %out : memref<40x{lanes}x{dtype}>
}}"""
ALONE = """
  tile.grid %m = 0 to 40 by m {
    %p = tile.load %ids[%m]
    %v = tile.gather %table[%p, :]
    tile.store %v, %out[%m, :]
  }"""
PARTS = """
  tile.grid %m = 0 to 40 by m, %n = 0 to 256 by n {
    %p = tile.load %ids[%m]
    %v = tile.gather %table[%p, %n]
    tile.store %v, %out[%m, %n]
  }"""
COMPUTED = """
  tile.grid %m = 0 to 40 by m {
    %p = tile.load %ids[%m]
    %two = tile.splat 2 : tensor<?xi32, #tile.spans<m>>
    %far = tile.splat 20 : tensor<?xi32, #tile.spans<m>>
    %half = arith.divsi %p, %two : tensor<?xi32, #tile.spans<m>>
    %place = arith.subi %half, %far : tensor<?xi32, #tile.spans<m>>
    %none = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %is = tile.compare ge %place, %none
    %wide = tile.broadcast %is dims [0] : tensor<?x{lanes}xi1, #tile.spans<m, _>>
    %one = tile.splat 1.0 : tensor<?x{lanes}x{dtype}, #tile.spans<m, _>>
    %v = tile.gather %table[%place, :] mask %wide other %one
    tile.store %v, %out[%m, :]
  }"""
SEGMENTS = """
  tile.grid %g = 0 to 4 {
    %b, %e = tile.segment %offsets[%g]
    tile.for %m = %b to %e by m {
      %p = tile.load %ids[%m]
      %v = tile.gather %table[%p, :]
      %w = arith.addf %v, %v : tensor<?x{lanes}x{dtype}, #tile.spans<m, _>>
      tile.store %w, %out[%m, :]
    }
  }"""
SUMS = """
  tile.grid %g = 0 to 4 {
    %b, %e = tile.segment %offsets[%g]
    %z = tile.splat 0.0 : tensor<{lanes}xf32>
    %s = tile.for %m = %b to %e by m iter_args(%a = %z) {
      %p = tile.load %ids[%m]
      %v = tile.gather %table[%p, :]
      %c = tile.cast %v to f32
      %r = tile.reduce add %c dims [0]
      %n = arith.addf %a, %r : tensor<{lanes}xf32>
      tile.yield %n
    }
    %t = tile.cast %s to {dtype}
    tile.store %t, %out[%g, :]
  }"""
WAYS = (
    (SEGMENTS, "f32", "worklist", "grid"),
    (SEGMENTS, "bf16", "overlaunch", "emit_pipeline"),
    (SEGMENTS, "f32", "worklist", "fori_loop"),
    (SEGMENTS, "bf16", "stream", "fori_loop"),
    (SUMS, "bf16", "overlaunch", "grid"),
    (SUMS, "f32", "worklist", "emit_pipeline"),
    (SUMS, "f32", "stream", "fori_loop"),
)


def program(body: str, dtype: str, rows: int, lanes: int) -> str:
    for name, value in (("lanes", lanes), ("dtype", dtype)):
        body = body.replace(f"{{{name}}}", str(value))
    zero = "0" if dtype.startswith("i") else "0.0"
    return FRAME.format(rows=rows, lanes=lanes, dtype=dtype, zero=zero, body=body)


def arguments(dtype: str, rows: int, lanes: int) -> list[Array]:
    rng = np.random.default_rng(0)
    table = (rng.standard_normal((rows, lanes)) * 10).astype(DTYPES[dtype])
    ids = rng.integers(0, rows, 40).astype(np.int32)
    ids[:4] = 0, rows - 1, rows - 1, 0
    return [table, ids, np.array([0, 0, 13, 14, 40], np.int32)]


def check(text: str, args: Sequence[Array], choices: TileToPallas, chips: Sequence[str] = ()) -> str:
    """The three proofs of a program; returns the kernel, which must copy rows of the table."""
    module = parse(text)
    prove_passes(module, "f", args, choices.schedule())
    kernel = emit(module, choices.passes())
    assert "make_async_copy(table_ref.at[pl.ds(" in kernel
    prove_kernel(kernel, "f", args, run(module, "f", args))
    if chips:
        prove_compiles(kernel, "f", args, chips)
    return kernel


CASES: list[Any] = [
    pytest.param(ALONE, "f32", 50, 200, {"m": 24}, id="f32"),
    pytest.param(ALONE, "bf16", 64, 256, {"m": 16}, id="bf16"),
    pytest.param(ALONE, "i32", 1, 128, {"m": 12}, id="one_row"),
    pytest.param(ALONE, "i8", 64, 128, {"m": 32}, id="i8"),
    pytest.param(ALONE, "bf16", 57, 200, {"m": 16}, id="one_behind"),
    pytest.param(ALONE, "i8", 63, 128, {"m": 12}, id="seven_behind"),
    pytest.param(PARTS, "bf16", 11, 256, {"m": 16, "n": 128}, id="parts_behind"),
    pytest.param(PARTS, "f32", 50, 256, {"m": 16, "n": 128}, id="parts_of_rows"),
    pytest.param(PARTS, "bf16", 64, 256, {"m": 16, "n": 128}, id="parts_of_bf16"),
    pytest.param(COMPUTED, "f32", 50, 128, {"m": 8}, id="computed_and_masked"),
]


@pytest.mark.parametrize(("body", "dtype", "rows", "lanes", "blocks"), CASES)
def test_rows(body: str, dtype: str, rows: int, lanes: int, blocks: dict[str, int]) -> None:
    text, args = program(body, dtype, rows, lanes), arguments(dtype, rows, lanes)
    choices = TileToPallas(gathers="rows", blocks=blocks)
    kernel = check(text, args, choices, ("v5e", "v6e", "tpu7x"))
    assert "disable_bounds_checks=True" in kernel  # positions are kept inside the array


@pytest.mark.parametrize(("body", "dtype", "grouping", "loop"), WAYS, ids=lambda each: each.split()[0])
def test_rows_of_segments(body: str, dtype: str, grouping: str, loop: str) -> None:
    choices = TileToPallas(grouping, loop, gathers="rows", blocks={"m": 8})
    chips = ("v6e",) if (body, dtype) == (SEGMENTS, "bf16") else ()
    check(program(body, dtype, 64, 128), arguments(dtype, 64, 128), choices, chips)


@pytest.mark.parametrize(
    ("dtype", "rows", "lanes", "size"),
    [
        ("f32", 64, 256, 12),
        ("f32", 64, 1000, 13),
        ("i32", 64, 130, 3),
        ("f32", 64, 64, 12),
        ("bf16", 64, 200, 12),
        ("i8", 64, 200, 4),
        ("bf16", 57, 200, 12),
        ("bf16", 63, 768, 16),
        ("i8", 66, 200, 4),
    ],
)
def test_no_more_is_waited_for_than_is_copied(dtype: str, rows: int, lanes: int, size: int) -> None:
    """The interpreter does not count what fills up tiles of memory; the estimator counts what a chip does."""
    args = arguments(dtype, rows, lanes)
    choices = TileToPallas(gathers="rows", blocks={"m": size}, chip="v6e")
    kernel = emit(parse(program(ALONE, dtype, rows, lanes)), choices.passes())
    table = jax.ShapeDtypeStruct(args[0].shape, args[0].dtype)
    found = estimate(kernel, "f", [table, *args[1:]], "v6e")
    assert not found.doubts
    assert found.operations[0].steps == -(-40 // size)


def test_what_they_take() -> None:
    """Positions in scalar memory, rows on the chip, and a semaphore."""
    module = parse(program(ALONE, "f32", 50, 128))
    for each in TileToPallas(gathers="rows", blocks={"m": 8}).schedule():
        each.apply(make_context(), module)
    (pipeline,) = every(module, PipelineOp)
    (gather,) = every(module, GatherOp)
    entries = [each for each in ledger_of(pipeline, CHIPS["v5e"]).entries if each.place == where(gather)]
    assert {each.space: each.size - each.padding for each in entries} == {
        Space.VMEM: 4 * 8 * (128 + 1),
        Space.SMEM: 4 * 8,
        Space.SEMAPHORES: 4,
    }


def test_rows_are_as_they_were() -> None:
    """Copies keep zeros' signs and numbers that are none, which products do not."""
    args = arguments("f32", 50, 128)
    table = np.resize(np.array([-0.0, np.inf, np.nan, 1e-42], np.float32), (50, 128))
    kernel = emit(
        parse(program(ALONE, "f32", 50, 128)), TileToPallas(gathers="rows", blocks={"m": 8}).passes()
    )
    (found,) = interpret(load(kernel, "f").f, [table, *args[1:]])
    wanted = np.take(table, args[1].astype(np.int32), axis=0)
    np.testing.assert_array_equal(found.view(np.int32), wanted.view(np.int32))


@pytest.mark.parametrize(
    ("rows", "dtype", "copied"),
    [
        (32_000, "f32", True),
        (32_000, "bf16", True),
        (32_003, "bf16", True),
        (7, "bf16", False),
        (256, "f32", False),
    ],
)
def test_what_is_chosen(rows: int, dtype: str, copied: bool) -> None:
    """Large tables are not gone through for each tile of positions, small ones are."""
    choices = TileToPallas(blocks={"m": 8}, chip="v6e")
    kernel = emit(parse(program(ALONE, dtype, rows, 1024)), choices.passes())
    assert ("make_async_copy(table_ref" in kernel) == copied


@pytest.mark.parametrize(("rows", "more"), [(64, 0), (67, 8 * 1024 * 2 + 4 * 1024 * 2)])
def test_memory_is_counted(rows: int, more: int) -> None:
    """Tiles of eight rows for each that is wanted, and for those that are in no eight, which lie besides."""
    module = parse(program(ALONE, "bf16", rows, 1024))
    for each in TileToPallas(gathers="rows", blocks={"m": 16}).schedule():
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    tiles, found, lanes = 16 * 8 * 1024 * 2, 16 * 1024 * 4, 128 * 4
    windows = 2 * 16 * 1024 * 2 + 128 * 4  # of the positions all, once
    assert pipeline.vmem is not None
    assert pipeline.vmem.value.data == tiles + found + lanes + windows + more


VIEWED = """
func.func @f(%table: memref<{rows}x{lanes}x{dtype}>, %ids: memref<40xi32>, %offsets: memref<5xi32>)
    -> (memref<40x128x{dtype}>, memref<40x{dtype}>) {
  %seen = tile.view %table : memref<{rows}x{lanes}x{dtype}> to memref<{parts}x128x{dtype}>
  %flat = tile.view %table : memref<{rows}x{lanes}x{dtype}> to memref<{all}x{dtype}>
  %out = tile.empty : memref<40x128x{dtype}>
  %elements = tile.empty : memref<40x{dtype}>
  tile.grid %m = 0 to 40 by m {
    %p = tile.load %ids[%m]
    %three = tile.splat 3 : tensor<?xi32, #tile.spans<m>>
    %far = tile.splat {lanes} : tensor<?xi32, #tile.spans<m>>
    %part = arith.muli %p, %three : tensor<?xi32, #tile.spans<m>>
    %v = tile.gather %seen[%part + 2, :]
    tile.store %v, %out[%m, :]
    %place = arith.muli %p, %far : tensor<?xi32, #tile.spans<m>>
    %e = tile.gather %flat[%place + 130]
    tile.store %e, %elements[%m]
  }
  return %out, %elements : memref<40x128x{dtype}>, memref<40x{dtype}>
}"""


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_rows_of_a_view_are_parts_of_rows(dtype: str) -> None:
    """They are copied from the array itself, which is not laid out anew for them; so are single elements."""
    rows, lanes = 1024, 384
    text = VIEWED
    for name, value in (
        ("rows", rows),
        ("lanes", lanes),
        ("dtype", dtype),
        ("parts", 3 * rows),
        ("all", rows * lanes),
    ):
        text = text.replace(f"{{{name}}}", str(value))
    choices = TileToPallas(gathers="rows", blocks={"m": 16})
    kernel = check(text, arguments(dtype, rows, lanes), choices, ("v5e", "v6e", "tpu7x"))
    assert "jnp.reshape(table" not in kernel
    assert len(re.findall(r"make_async_copy\(table_ref\w*\.at", kernel)) == 2


def test_the_example_copies_rows_of_a_large_table() -> None:
    """As README says."""
    example = runpy.run_path(str(Path(__file__).resolve().parents[2] / "examples" / "embedding.py"))
    bound = example["embedding"].bind(torch.zeros(64, dtype=torch.int64), torch.empty(32_000, 512))
    assert "make_async_copy(table_ref" in bound.pallas()
    bound = example["embedding"].bind(torch.zeros(64, dtype=torch.int64), torch.empty(320, 512))
    assert "make_async_copy" not in bound.pallas()
