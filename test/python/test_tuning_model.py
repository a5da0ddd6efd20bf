"""The analytic model beside recorded estimates of compiled kernels, all for v5e, and what it chooses.

`data/tuning.v5e.json` has, for examples of `benchmarks/tuning.py` at its shapes, choices drawn from all over
their spaces, the best that is known and the default, with microseconds that `tilec.analysis.cost` estimated
with libtpu 0.0.51. To record them again, run that with `--save`.
"""

import importlib.util
import json
import sys
import time
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from xdsl.passes import PassPipeline

from tilec.analysis.model import modelled
from tilec.analysis.nest import Nest, Schedule
from tilec.analysis.vmem import MEBIBYTE, Space
from tilec.chips import CHIPS
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.plan_memory import PlanMemory, ledger_of
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.space import space_with
from tilec.tuning.structures import space_of

ROOT = Path(__file__).resolve().parents[2]
RECORDED: dict[str, list[Any]] = json.loads((Path(__file__).parent / "data" / "tuning.v5e.json").read_text())


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_tuning", ROOT / "benchmarks" / "tuning.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(ROOT / "benchmarks"))  # from where benchmarks import each other
    spec.loader.exec_module(module)
    return module


BENCHMARK = benchmark()


def recorded(name: str) -> dict[Choice, float]:
    plain = Choice().to_json()
    return {Choice.from_json(plain | told): microseconds for told, microseconds in RECORDED[name]}


@pytest.mark.parametrize("name", list(RECORDED))
def test_the_model_ranks_as_estimates_do(name: str) -> None:
    scorer = Scorer(BENCHMARK.program(name), CHIPS["v5e"])
    pairs = [(scorer.score(choice), estimate) for choice, estimate in recorded(name).items()]
    assert len(pairs) >= 15
    assert BENCHMARK.spearman(pairs) >= 0.8
    assert BENCHMARK.right(pairs) >= 0.85
    factors = [1e6 * score / estimate for score, estimate in pairs]
    assert all(0.15 < factor < 6 for factor in factors)


@pytest.mark.parametrize("name", list(RECORDED))
def test_a_default_is_near_the_best(name: str) -> None:
    program, known = BENCHMARK.program(name), recorded(name)
    default = default_choice(program, "v5e")
    assert default in known
    assert known[default] <= 1.5 * min(known.values())


def nest(name: str, choice: Choice) -> Nest:
    (work,) = BENCHMARK.program(name).workloads_for(choice)
    resident = choice.operands == "resident"
    return Nest(work, choice.sizes, Schedule(choice.loop, choice.depth, resident, fetch=choice.fetch))


def test_tiles_of_a_resident_array_are_copied_together() -> None:
    sizes, whole = {"rows": 128, "cols": 512, "cols_2": 256}, 4 * 2048 * 2048
    for operands, arrays in (("auto", 3), ("resident", 2)):  # read, read again, written
        known = nest("softmax_two_pass", Choice(operands=operands).with_sizes(sizes))
        assert modelled(known.work, sizes, CHIPS["v5e"], known.schedule).bytes_moved == arrays * whole


def test_several_tiles_are_fetched_less_often() -> None:
    sizes = {"rows": 128, "cols": 128, "k": 256}
    once, twice = (nest("matmul", Choice(fetch=fetch).with_sizes(sizes)) for fetch in (1, 2))
    for traffic in once.work.traffic:
        (small, _, often), (large, _, seldom) = once.copied(traffic), twice.copied(traffic)
        factor = 2 if "k" in traffic.shape else 1
        assert (prod(large), seldom) == (prod(small) * factor, often / factor)


def test_columns_move_out_of_segments_that_share_tiles() -> None:
    """`--fold-outer-pipeline` does that, so each column goes through all rows."""
    known = nest("grouped_gemm", Choice().with_sizes({"rows": 128, "cols": 256, "k": 512}))
    assert [known.work.levels[number].axis for number in known.outward] == ["cols"]


@pytest.mark.parametrize("name", list(BENCHMARK.CASES))
def test_a_default_fits_every_chip(name: str) -> None:
    program = BENCHMARK.program(name)
    least = {each.axis: each.sizes[0] for each in space_with(program, [Choice()]).axes}
    for chip in ("v5e", "v6e", "tpu7x"):
        choice = default_choice(program, chip)
        assert choice.sizes != least or not least, "the passes refuse all that the model likes"
        passes = choice.pipeline(chip).passes()
        before = next(at for at, each in enumerate(passes) if isinstance(each, PlanMemory))
        module = program.module.clone()
        PassPipeline(tuple(passes[:before])).apply(make_context(), module)
        pipelines = [op for op in module.walk() if isinstance(op, PipelineOp)]
        used = [ledger_of(each, CHIPS[chip]).total(Space.VMEM) for each in pipelines]
        assert used
        assert max(used) <= CHIPS[chip].vmem_mib * MEBIBYTE


def test_a_choice_takes_the_model_less_than_a_millisecond() -> None:
    program: Program = BENCHMARK.program("attention")
    space = space_of(program)
    best = float("inf")
    for _ in range(5):
        scorer = Scorer(program, CHIPS["v5e"])
        begin = time.perf_counter()
        count = len(scorer.ordered(space, space.structures[0]))
        best = min(best, (time.perf_counter() - begin) / count)
    assert best < 1e-3
