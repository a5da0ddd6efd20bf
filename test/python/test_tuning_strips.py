"""The model knows steps in strips: it likes those that the passes do so, and no others."""

from pathlib import Path

import pytest

from tilec.chips import CHIPS
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.plan_memory import PlanMemory
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program
from tilec.tuning.scoring import Scorer

CAUSAL = """
func.func @causal(%q: memref<8x4096x128xbf16>, %k: memref<8x4096x128xbf16>, %v: memref<8x4096x128xbf16>)
    -> memref<8x4096x128xbf16> {
  %out = tile.empty : memref<8x4096x128xbf16>
  tile.grid %h = 0 to 8, %m = 0 to 4096 by m {
    %end = tile.bound end %m
    %x = tile.load %q[%h, %m, :]
    %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %total, %acc = tile.for %n = 0 to %end by n max 4096 iter_args(%s = %none, %a = %zero) {
      %y = tile.load %k[%h, %n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %here = tile.reduce max %raw dims [1]
      %top = tile.broadcast %here dims [0] : tensor<?x?xf32, #tile.spans<m, n>>
      %d = arith.subf %raw, %top : tensor<?x?xf32, #tile.spans<m, n>>
      %w = math.exp %d : tensor<?x?xf32, #tile.spans<m, n>>
      %new = tile.reduce add %w dims [1]
      %sum = arith.addf %s, %new : tensor<?xf32, #tile.spans<m>>
      %weights = tile.cast %w to bf16
      %values = tile.load %v[%h, %n, :]
      %both = tile.dot %weights, %values, %a
      tile.yield %sum, %both
    }
    %wide = tile.broadcast %total dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
    %result = arith.divf %acc, %wide : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %result, %out[%h, %m, :]
  }
  return %out : memref<8x4096x128xbf16>
}
"""


def in_strips(choice: Choice) -> bool:
    module = PROGRAM.module.clone()
    for each in choice.pipeline("v5e").passes():
        if isinstance(each, PlanMemory):
            break
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    return pipeline.strips is not None


PROGRAM = Program("causal", CAUSAL, ())


@pytest.mark.parametrize("chip", ["v5e", "v6e", "tpu7x"])
def test_all_columns_in_strips_without_tuning(chip: str) -> None:
    chosen = default_choice(PROGRAM, chip)
    assert chosen.sizes["n"] == 4096
    assert in_strips(chosen)


@pytest.mark.parametrize(
    ("sizes", "loop"),
    [
        ({"m": 1024, "n": 4096}, "grid"),
        ({"m": 512, "n": 4096}, "grid"),
        ({"m": 1024, "n": 2048}, "grid"),
        ({"m": 1024, "n": 4096}, "fori_loop"),
    ],
)
def test_the_model_knows_which(sizes: dict[str, int], loop: str) -> None:
    """Code in strips is shorter than half of that of a quarter of the rows."""
    choice, scorer = Choice(loop=loop).with_sizes(sizes), Scorer(PROGRAM, CHIPS["v5e"])
    quarter = choice.with_sizes({**sizes, "m": 256})
    assert (scorer.body(choice) < scorer.body(quarter)) == in_strips(choice)


JAGGED = Path(__file__).resolve().parents[1] / "lit" / "passes" / "overlap-strips-jagged.mlir"


def jagged(lengths: list[int]) -> Program:
    """Causal attention of six sequences."""
    offsets = tuple(sum(lengths[:each]) for each in range(7))
    arrays = [Operand(name, (8192, 64), "bfloat16") for name in "qkv"]
    text = JAGGED.read_text().replace("1900x64", "8192x64")
    return Program("attention", text, (*arrays, Operand("offsets", (7,), "int32", offsets)))


@pytest.mark.parametrize("lengths", [[1005, 603, 753, 430, 503, 3014], [400, 900] * 3])
def test_few_live_parts(lengths: list[int]) -> None:
    """Large tiles of which few parts are live take no longer than smaller ones that have as many of those."""
    scorer = Scorer(jagged(lengths), CHIPS["v6e"])
    large, small = (scorer.score(Choice().with_sizes({"m": size, "n": 1024})) for size in (1024, 512))
    assert large < small
