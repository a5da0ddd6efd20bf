"""`--overlap-strips`: two products with a statistic of rows between them are made in strips of rows.

The matrix units make scores, the vector units exponentials of them, and neither has work while a step waits
for the largest score of a row. In strips of rows, the scores of one are made while the exponentials of the
one before are: attention of 32 heads of 4096 x 4096 scores takes 617 us on a v6e in place of 755, estimated.
Scores lie in VMEM between the two, those of one strip, and turned, columns by rows: what is known of each row
then lies along lanes, sums over columns take no moves between lanes, and the second product fills a matrix
unit of 256 x 256.

Before:
    tile.pipeline grid {
      %m = tile.axis 0 to 4096 by m:2048 parallel
      %n = tile.axis 0 to 4096 by n:4096 ordered
      …
      tile.set %none, %total
      %before = tile.get %total
      %sum = arith.addf %before, %here : tensor<2048xf32, #tile.spans<m>>
      …
After:
    tile.pipeline grid strips m:256 n:256 {
      …
      %sum = arith.addf %none, %here : tensor<2048xf32, #tile.spans<m>>
      …

The operations stay as they are, and their order is that of the lowering; sums over columns are added up part
by part. What a step keeps in scratch for itself alone is passed on as a value; what it keeps for others is
read and written strip by strip. What stands under other conditions, as the begin and the end of such sums,
may have rows alone. A pipeline is left alone where a step does other things.

Some columns of the one tile of a range may be dead, as those behind a causal tile of rows, `0 to %end by
n:4096`. Which, only a step knows: the kernel has a body for each of up to four numbers of columns, and a step
takes the least that has all live ones. Causal attention of 32 heads of 4096 x 4096 scores is estimated at 529
us on a v6e and 1085 us on a v5e, in tiles of 1024 rows.

Of several tiles of a range, as those of a segment, there are bodies for one of which all columns are live,
and for others; and where positions of rows and columns are compared, as by a causal mask, for tiles that lie
so and so far from each other, which are masked on its edge alone. Where columns end with the tile of rows,
a strip ends with its own as if it were the tile, if the mask leaves nothing of those after it: the lowest
scores become zeros. Of up to 16 parts, strips are written out one by one, each begun two ahead; then there
are also bodies for parts of a tile, of which a step takes one that has all live rows and columns, as few of a
segment's first and last tile are. Jagged causal attention of 8 heads of 8 sequences of 1024 rows is estimated
at 98 us on a v6e in place of 208, of 377 to 3014 rows at 258 in place of 473.
"""

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.strip_masks import size_of
from tilec.analysis.strips import FEW_PARTS, name_of, strips_of
from tilec.diagnostics import explain
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, scratch_of
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import PipelineOp

SIZE = 256
"""Rows of a strip, and columns of its parts: those of a matrix unit. With 512, v6e and tpu7x take as long and
compiling takes twice as long."""
FEWEST = 8
"""Parts of a step: of fewer, little overlaps. They are in two strips or more."""
FEWEST_STRIPS = 4
"""Strips of a step of so many parts that they are done in a loop: the first part of the first has nothing to
overlap with, nor has the second of the last."""
MOST = 32
"""Parts of a strip, which are written out: compiling takes seven seconds with 16."""


class OverlapStrips(ModulePass):
    """Do steps with two products and a statistic between them in strips of rows."""

    name = "overlap-strips"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            if sum(isinstance(inner, DotOp) for inner in pipeline.body.walk()) > 1:
                _overlap(pipeline)


def _overlap(pipeline: PipelineOp) -> None:
    if all(_is_local(scratch) for scratch in scratch_of(pipeline)):
        for scratch in scratch_of(pipeline):
            _pass_on(scratch)
    strips = strips_of(pipeline)
    if isinstance(strips, str):
        explain(pipeline, f"overlap-strips: the steps are done at once: {strips}")
        return
    rows, cols = size_of(strips.rows), size_of(strips.cols)
    if not fit_strips(rows, cols):
        explain(
            pipeline,
            f"overlap-strips: the steps are done at once: {rows} x {cols} are "
            f"neither {FEWEST} to {FEW_PARTS} parts of {SIZE} x {SIZE} in two strips or more, nor more in "
            f"{FEWEST_STRIPS} strips or more of up to {MOST} parts",
        )
    else:
        pipeline.set_strips({name_of(span): SIZE for span in (strips.rows, strips.cols)})


def fit_strips(rows: int, cols: int) -> bool:
    """Whether so many rows and columns are enough strips and parts, and not too many."""
    strips, parts = rows // SIZE, cols // SIZE
    if rows % SIZE or cols % SIZE or strips * parts < FEWEST or parts > MOST:
        return False
    return strips >= (2 if strips * parts <= FEW_PARTS else FEWEST_STRIPS)


def _is_local(scratch: ScratchOp) -> bool:
    """Whether each step sets a scratch before it reads it, all of it, and does nothing else with it."""
    users = [use.operation for use in scratch.result.uses]
    block = scratch.parent
    if block is None or any(user.parent is not block for user in users):
        return False
    if not all(isinstance(user, GetOp | SetOp) for user in users):
        return False
    first = next((op for op in block.ops if op in users), None)
    return isinstance(first, SetOp) and all(op.mask is None for op in users if isinstance(op, SetOp))


def _pass_on(scratch: ScratchOp) -> None:
    """Use what a scratch was set to in place of what it holds."""
    held: SSAValue | None = None
    users = {use.operation for use in scratch.result.uses}
    in_order: list[Operation] = [op for op in scratch.parent.ops if op in users] if scratch.parent else []
    for op in in_order:
        if isinstance(op, SetOp):
            held = op.value
            Rewriter.erase_op(op)
        elif isinstance(op, GetOp) and held is not None:
            Rewriter.replace_op(op, [], [held])
    Rewriter.erase_op(scratch)
