"""What is chosen without tuning: the model's best that the ledger of on-chip memory lets through."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from tilec.analysis.affine import static_extent
from tilec.analysis.reach import indexing
from tilec.analysis.segments import mean_rows
from tilec.analysis.vmem import MEBIBYTE, SUBLANES
from tilec.chips import chip_named
from tilec.diagnostics import TileError
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.schedule import PipelineOp
from tilec.dialects.tile.types import UNBOUND, shape_of, span_of
from tilec.parsing import make_context
from tilec.passes.plan_memory import PlanMemory
from tilec.runtime.signature import only_function
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.space import Space, space_with

PLAIN = (Choice(), Choice(operands="resident"))
"""What is chosen between: a grid, with what its loop comes back to on the chip or not."""
STREAMS = tuple(replace(each, grouping="stream", loop="fori_loop") for each in PLAIN)
"""The same for jagged axes, besides."""
PIPELINES = tuple(replace(each, loop="emit_pipeline") for each in PLAIN)
"""The same in a loop in the kernel, whose copies begin further ahead than those of a grid."""
OWN_LOOPS = (replace(PLAIN[0], loop="fori_loop"),)
"""The same in a loop of the kernel's own, which has several rows on their way to memory where an
`emit_pipeline` has one: for loops from row to row of a segment."""
RUNS = tuple(Choice(grouping=each, loop="fori_loop") for each in ("worklist", "overlaunch"))
"""The same where rows at computed positions are copied in runs, for which steps of other loops wait."""
PRODUCTS = (Choice(grouping="one_hot"),)
"""The same for segments of few rows: one such product for those of many, in place of a step for each."""
FEW_ROWS = 512
"""Rows on average up to which that is tried. Means of 2,048 segments of 128 rows of 512 bf16 take .88 of the
time of a stream so on v5e, .72 on v6e and .49 on tpu7x; of 128 segments of 256 rows of 1024 .67 on tpu7x."""
GAIN = 0.9
"""A choice that is not the first of these takes so much of the time of that one by the model, or less."""
GAIN_OF_PIPELINES = 0.75
"""The same for loops in the kernel, of which the model is less sure. So chosen, `long_sum_wide` takes 0.55 to
0.73 of the time on v5e, v6e and tpu7x, and none of the benchmarks more than 1.02."""
NEAR = 0.05
"""Of choices that the model holds for as good as this the one with fewest steps is taken: what the model does
not know, each step takes anew."""
NEAR_STREAMED = 0.005
"""The same for streams: of segments longer tiles copy more twice, which the model knows. With 0.05 defaults
of four benchmarks were 10 to 20 % slower on some chip, and none was more than 6 % faster."""
MOST_BODY = 8000
"""Cycles of a step on all units together. Of steps of over 10,000 some took the compiler minutes."""
MOST_VMEM = 7 / 8
"""The part of on-chip memory that kernels take by the ledger, if there is a choice: the compiler keeps
something of its own there, and spilled registers."""
MOST_SCORED = 150
"""Choices of sizes that are all scored, in less than a tenth of a second."""
MOST_TRIED = 12
"""Choices that are put through the passes, each in a tenth of a second, before the usual blocks are taken."""


def default_choice(program: Program, chip: str) -> Choice:
    """The model's best choice that the passes take for `chip`, in well under a second mostly.

    It is for a grid, or streams jagged axes, or is for a loop in the kernel where there are none; what steps
    come back to may stay on the chip. Where the passes refuse all that the model likes of these, the choice
    of `--tile-to-pallas` with nothing said, and the smallest sizes where they refuse that too. Raises
    ValueError for an unknown chip.
    """
    if not any(level.ragged for work in program.workloads for level in work.levels):
        structures = [*PLAIN, *PIPELINES, *(OWN_LOOPS if _is_row_by_row(program) else ())]
    else:
        structures = [*PLAIN, *(() if _few(program) else STREAMS), *(PRODUCTS if _are_short(program) else ())]
        structures += RUNS if _has_runs(program) else ()
    space, scorer = space_with(program, structures), Scorer(program, chip_named(chip))
    first, *others = [list(_liked(space, scorer, each)) for each in structures]

    def weighed(liked: list[Choice]) -> float:
        in_kernel = liked[0].loop in ("emit_pipeline", "fori_loop") and liked[0].grouping != "stream"
        return scorer.score(liked[0]) / (GAIN_OF_PIPELINES if in_kernel else GAIN)

    best = min((each for each in others if each), key=weighed, default=first)
    if first and weighed(best) <= scorer.score(first[0]):
        first = best[: MOST_TRIED // 2] + first[: MOST_TRIED // 2]
    least = Choice().with_sizes({each.axis: each.sizes[0] for each in space.axes})
    tight: Choice | None = None
    for each in dict.fromkeys((*first, *best, Choice(), *_in_other_orders(program))):
        part = _part_of_vmem(program, each, chip)
        if part is not None and part <= MOST_VMEM:
            return each
        tight = tight or (each if part is not None else None)
    return tight or least


def _liked(space: Space, scorer: Scorer, structure: Choice) -> Iterator[Choice]:
    """The best choice of a structure, one that differs from it by more than a step of a size, since passes
    may refuse all that are like it, and the next best ones."""
    every = scorer.ordered(space, structure, MOST_SCORED)
    ordered = [each for each in every if scorer.body(each) <= MOST_BODY] or every
    near = NEAR_STREAMED if structure.grouping == "stream" else NEAR
    alike = [each for each in ordered if scorer.score(each) <= (1 + near) * scorer.score(ordered[0])]
    ordered[: len(alike)] = sorted(alike, key=scorer.steps)
    other = (each for each in ordered if space.distance(ordered[0], each) > 1)
    tried = dict.fromkeys((*ordered[:1], *islice(other, 1), *ordered))
    yield from islice(tried, MOST_TRIED)


def _in_other_orders(program: Program) -> Iterator[Choice]:
    """Each axis outermost: with one that no range depends on a list of tiles is shorter."""
    loops = [op for op in program.prepared(Choice.grouping).walk() if isinstance(op, LoopOp)]
    yield from (
        Choice(order=(name,)) for name in dict.fromkeys(axis.name for op in loops for axis in op.axes)
    )


def _are_short(program: Program) -> bool:
    """Whether segments are of few rows on average, by those that there are, and sums over them can be
    products."""
    loops = [op for op in program.prepared("worklist").walk() if isinstance(op, ForOp)]
    means = [
        mean_rows(loop.axis.bounds, shape_of(op.array.type)[place])
        for loop in loops
        for op, place in indexing(loop.axis.value, loop.walk())
    ]
    short = any(mean is not None and mean < FEW_ROWS for mean in means)
    return short and str(program.prepared("one_hot")) != str(program.prepared("worklist"))


def _is_row_by_row(program: Program) -> bool:
    """Whether a loop goes through indices, of which nothing says how many there are."""
    loops = [op for op in program.prepared(Choice.grouping).walk() if isinstance(op, ForOp)]
    return any(span_of(loop.axis.value) is None and static_extent(loop.axis.bounds) is None for loop in loops)


def _has_runs(program: Program) -> bool:
    """Whether rows at computed positions are copied in runs."""
    return any(traffic.runs for work in program.workloads for traffic in work.traffic)


def _few(program: Program) -> bool:
    """Whether an array of any number of rows has fewer than a loop in the kernel copies at once."""
    values = only_function(program.module).body.block.args
    return any(
        shape_of(value.type)[:1] == (UNBOUND,) and operand.shape[0] < SUBLANES
        for value, operand in zip(values, program.operands, strict=False)
    )


def _part_of_vmem(program: Program, choice: Choice, chip: str) -> float | None:
    """What part of the chip's memory a kernel takes at most by the ledger; None where a pass refuses."""
    module, context, taken = program.module.clone(), make_context(), 0
    try:
        for each in choice.pipeline(chip).passes():
            each.apply(context, module)
            if isinstance(each, PlanMemory):
                planned = [op.vmem for op in module.walk() if isinstance(op, PipelineOp)]
                taken = max((size.value.data for size in planned if size is not None), default=0)
    except TileError:
        return None
    return taken / (chip_named(chip).vmem_mib * MEBIBYTE)
