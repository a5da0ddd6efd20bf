"""Random programs with jagged tiles, statement by statement: lanes that take turns, and lanes under masks.

Whatever a program does in which a tile of lanes and its lanes one by one differ, `--scalarize-jagged` leaves
alone, or `--classify-axes` refuses it afterwards. `--mask-jagged` takes them all.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS, parse
from xdsl.context import Context
from xdsl.passes import PassPipeline

from tilec.diagnostics import TileError
from tilec.dialects.interpreter import InterpreterError, run
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.mask_jagged import MaskJagged
from tilec.passes.scalarize_jagged import ScalarizeJagged
from tilec.proof import ProofFailed, difference, prove_passes

LANES = "tensor<{p}xf32, #tile.spans<p>>"
"""The type of a value with one number for each lane."""

STATEMENTS = {
    "decay": "%{0} = arith.mulf %a, %halves : LANES",
    "carry": "%{0} = arith.addf %a, %s : LANES",
    "restart": "%{0} = arith.addf %s, %halves : LANES",
    "store": "tile.store %a, %last[%p]",
    "store_sum": "tile.store %s, %last[%p]",
    "add": "tile.atomic_rmw add %s, %sums[%p]",
    "add_class": "tile.atomic_rmw add %halves, %classes[%class]",
    "add_lanes": "%r{0} = tile.reduce add %s dims [0]\n tile.atomic_rmw add %r{0}, %total[0]",
    "add_halves": "%r{0} = tile.reduce add %halves dims [0]\n tile.atomic_rmw add %r{0}, %total[0]",
    "add_all": "%r{0} = tile.reduce add %v dims [0, 1]\n tile.atomic_rmw add %r{0}, %total[0]",
    "most": "%r{0} = tile.reduce max %a dims [0]\n tile.atomic_rmw max %r{0}, %most[0]",
    "add_outer": "tile.atomic_rmw add %outer, %total[0]",
    "count": "tile.atomic_rmw add %half, %total[0]",
    "longest": """%u{0} = tile.load %w[%k]
      %t{0} = tile.reduce add %u{0} dims [0]
      %{0} = tile.broadcast %t{0} dims [] : LANES""",
    "keep": "%u{0} = tile.load %w[%k]\n tile.store %u{0}, %copy[%k]",
    "next": "%{0} = tile.load %last[%p]",
    "after": "tile.store %s, %beyond[%p + 1]\n %{0} = tile.load %beyond[%p]",
    "scatter": "tile.scatter %s, %placed[%id]",
    "gather": "%{0} = tile.gather %placed[%id]",
    "gather_last": "%{0} = tile.gather %last[%id]",
    "scatter_steps": "tile.scatter %v, %flat[%places]",
    "steps": "%n{0} = arith.addf %c, %half : f32",
}
"""What a step may do. Those that make a `%{{0}}` make what `%a` is from then on, for each lane."""

HEAD = """
func.func @f(%x: memref<7x16xf32>, %lens: memref<7xi32>, %ids: memref<7xi32>, %starts: memref<7xi32>,
             %w: memref<16xf32>)
    -> (memref<7xf32>, memref<7xf32>, memref<7xf32>, memref<3xf32>, memref<1xf32>, memref<1xf32>,
        memref<16xf32>, memref<8xf32>, memref<7xf32>, memref<7xf32>, memref<64xf32>) {
  %out = tile.full 0.0 : memref<7xf32>
  %last = tile.full -1.0 : memref<7xf32>
  %sums = tile.full 0.0 : memref<7xf32>
  %classes = tile.full 0.0 : memref<3xf32>
  %total = tile.full 0.0 : memref<1xf32>
  %most = tile.full -9.0 : memref<1xf32>
  %copy = tile.full 0.0 : memref<16xf32>
  %beyond = tile.full 0.0 : memref<8xf32>
  %placed = tile.full 0.0 : memref<7xf32>
  %carried = tile.full 0.0 : memref<7xf32>
  %flat = tile.full 0.0 : memref<64xf32>
  %half = arith.constant 0.5 : f32
  %none = arith.constant 0.0 : f32
"""
GRID = "tile.grid %p = 0 to 7 by p{size} {{"
LOOP = "tile.grid %cell = 0 to 1 {{\n %last_tile = tile.for %p = 0 to 7 by p{size}{carries} {{"
BODY = """
    %l = tile.load %lens[%p]
    %id = tile.load %ids[%p]
    %start = tile.load %starts[%p]
    %i = tile.indices %p
    %three = tile.splat 3 : tensor<{p}xi32, #tile.spans<p>>
    %class = arith.remsi %i, %three : tensor<{p}xi32, #tile.spans<p>>
    %zero = tile.splat 0.0 : LANES
    %halves = tile.broadcast %half dims [] : LANES
    {before}
    %sum, %count = tile.for %k = 0 to %l by k:4 of p max 16 iter_args(%a0 = %zero, %c = %none) {{
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [1]
      %j = tile.indices %k
      %jw = tile.broadcast %j dims [1] : tensor<{p}x4xi32, #tile.spans<p, k>>
      %sw = tile.broadcast %start dims [0] : tensor<{p}x4xi32, #tile.spans<p, k>>
      %places = arith.addi %jw, %sw : tensor<{p}x4xi32, #tile.spans<p, k>>
      {steps}
    }}
    tile.store %sum, %out[%p]
    {rest}
"""
TAIL = """
  return %out, %last, %sums, %classes, %total, %most, %copy, %beyond, %placed, %carried, %flat
    : memref<7xf32>, memref<7xf32>, memref<7xf32>, memref<3xf32>, memref<1xf32>, memref<1xf32>,
      memref<16xf32>, memref<8xf32>, memref<7xf32>, memref<7xf32>, memref<64xf32>
}
"""


def body(names: list[str], size: int | None, *, counted: bool) -> str:
    """The statements of a cell, those called `names` in the steps of its jagged loop."""
    lines, current, counts = list[str](), "a0", "c"
    for number, name in enumerate(names):
        text = STATEMENTS[name].replace("%a", f"%{current}").replace("%c,", f"%{counts},")
        lines.append(text.format(f"v{number}"))
        if f"%v{number} = " in lines[-1]:
            current = f"v{number}"
        if f"%nv{number} = " in lines[-1]:
            counts = f"nv{number}"
    lines.append(f"tile.yield %{current}, %{counts}")
    before = "%outer = tile.reduce add %halves dims [0]" if "add_outer" in names else ""
    rest = ""
    if counted:
        rest = "%many = tile.broadcast %count dims [] : LANES\n tile.store %many, %carried[%p]"
    text = BODY.format(
        p="?" if size is None else size, steps="\n      ".join(lines), before=before, rest=rest
    )
    return text.replace("LANES", LANES.format(p="?" if size is None else size))


@st.composite
def programs(draw: st.DrawFn) -> str:
    size = draw(st.sampled_from([None, 4, 8]))
    by = "" if size is None else f":{size}"
    names = draw(st.lists(st.sampled_from(sorted(STATEMENTS)), min_size=1, max_size=4, unique=True))
    inside = body(names, size, counted=draw(st.booleans()))
    if draw(st.booleans()):
        return HEAD + GRID.format(size=by) + inside + "}" + TAIL
    carried = draw(st.booleans())
    carries = " iter_args(%tile = %none)" if carried else ""
    end = "%after = arith.addf %tile, %half : f32\n tile.yield %after\n}" if carried else "}"
    keep = "\n tile.atomic_rmw add %last_tile, %total[0]\n" if carried and draw(st.booleans()) else ""
    loop = LOOP if carried else LOOP.replace("%last_tile = ", "")
    return HEAD + loop.format(size=by, carries=carries) + inside + end + keep + "}" + TAIL


def arguments(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    lens = rng.integers(-1, 14, 7)
    starts = (
        rng.integers(0, 50, 7) if seed % 2 else np.concatenate([[0], np.cumsum(np.maximum(lens, 0))[:-1]])
    )
    ids = rng.permutation(7) if seed % 3 else rng.integers(0, 7, 7)
    x, w = rng.standard_normal((7, 16)), rng.standard_normal(16)
    return [
        x.astype(np.float32),
        *(each.astype(np.int32) for each in (lens, ids, starts)),
        w.astype(np.float32),
    ]


def runs(text: str, args: list[np.ndarray], seed: int) -> bool:
    """Whether a program does what the dialect allows, and the same for every cut into tiles."""
    module = parse(text)
    try:
        first, second = (run(module, "f", args, seed=each) for each in (seed, seed + 1))
    except InterpreterError:
        return False
    return difference(second, first) is None


@RANDOM_PROGRAMS
@given(text=programs(), seed=st.integers(0, 99))
def test_random_steps(text: str, seed: int) -> None:
    args = arguments(seed)
    assume(runs(text, args, seed))
    try:
        prove_passes(parse(text), "f", args, [ScalarizeJagged()], seeds=(seed, seed + 1))
    except ProofFailed:
        with pytest.raises(TileError, match="race"):
            PassPipeline((ScalarizeJagged(), ChooseBlocks(), ClassifyAxes())).apply(Context(), parse(text))


@RANDOM_PROGRAMS
@given(text=programs(), seed=st.integers(0, 99))
def test_random_steps_under_masks(text: str, seed: int) -> None:
    args = arguments(seed)
    assume(runs(text, args, seed))
    prove_passes(parse(text), "f", args, [MaskJagged()], seeds=(seed, seed + 1))
