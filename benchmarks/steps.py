"""Prints the steps that a jagged kernel makes, with a worklist, with overlaunching and streamed.

    python benchmarks/steps.py

The counts come from the schedules that the passes make: the interpreter runs the scalar code in front of the
pipeline, and the steps are the product of its axes. A streamed kernel counts in its loops: there they are
followed here, and so are the rows that it copies in. The ratios are to the fewest tiles that cover each group
for itself, and to the rows of all groups.
"""

import itertools
from math import prod

import numpy as np
from rich.console import Console
from rich.table import Table
from xdsl.builder import Builder
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.vmem import SUBLANES
from tilec.dialects.interpreter import run
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import LocatingParser, make_context
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.compact_worklist import CompactWorklist
from tilec.passes.fold_outer_pipeline import FoldOuterPipeline
from tilec.passes.overlaunch_jagged import OverlaunchJagged
from tilec.rewriting.index import IndexBuilder

BLOCK = 128


def distributions() -> dict[str, np.ndarray]:
    """Lengths of groups, in rows."""
    rng = np.random.default_rng(0)
    return {
        "uniform, 64 of 256": np.full(64, 256),
        "uniform, 64 of 300": np.full(64, 300),
        "ramp, 64 of 16 to 1024": np.linspace(16, 1024, 64),
        "half empty, 64 of 1024 or 0": np.tile([1024, 0], 32),
        "lognormal, 256 around 128": rng.lognormal(np.log(128), 1, 256),
        "zipf, 256": np.minimum(rng.zipf(1.5, 256) * 16, 16384),
        "one of 8192, 255 of 8": np.concatenate([[8192], np.full(255, 8)]),
    }


def schedule(groups: int, rows: int, longest: int, grouping: type) -> ModuleOp:
    """The schedule of a copy of the rows of each group."""
    text = f"""
func.func @copy(%x: memref<{rows}x128xf32>, %o: memref<{groups + 1}xi32>) -> memref<{rows}x128xf32> {{
  %out = tile.empty : memref<{rows}x128xf32>
  tile.grid %g = 0 to {groups} {{
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:{BLOCK} max {longest} {{
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }}
  }}
  return %out : memref<{rows}x128xf32>
}}"""
    module = LocatingParser(make_context(), text, "copy.mlir").parse_module()
    for each in (ClassifyAxes(), FoldOuterPipeline(), grouping()):
        each.apply(make_context(), module)
    return module


def steps(module: ModuleOp, offsets: np.ndarray) -> int:
    """The steps of the module's pipeline, which is replaced by the return of its axes' extents."""
    (function,) = (op for op in module.walk() if isinstance(op, func.FuncOp))
    (pipeline,) = (op for op in module.walk() if isinstance(op, PipelineOp))
    made: list = []
    build = IndexBuilder(made, pipeline.location)
    extents: list[SSAValue] = [build.value(axis.axis.bounds.end) for axis in pipeline.axes]
    last = function.body.block.last_op
    Rewriter.erase_op(last)
    Builder(InsertPoint.before(pipeline)).insert([*made, func.ReturnOp(*extents)])
    Rewriter.erase_op(pipeline)
    function.function_type = function.function_type.from_lists(
        list(function.function_type.inputs), [IndexType()] * len(extents)
    )
    rows = int(offsets[-1])
    results = run(module, "copy", [np.zeros((rows, 128), np.float32), offsets])
    return prod(int(result.data) for result in results)


def streamed(offsets: np.ndarray) -> tuple[int, int]:
    """The steps of the loops that --stream-jagged-items makes, and the rows that they copy in.

    As the kernel does: an empty group has a step and rests on the tile that it begins in, or on the last one.
    A tile is copied where the step before had another, as far as the array has tiles of memory.
    """
    rows = int(offsets[-1])
    last = -(-rows // BLOCK) - 1
    steps, copied, latest = 0, 0, -1
    for begin, end in itertools.pairwise(map(int, offsets)):
        first = begin // BLOCK
        stop = max(-(-end // BLOCK), first + 1)
        steps += stop - first
        for tile in range(min(first, last), min(first, last) + stop - first):
            if tile != latest:
                copied += min(BLOCK, -(-rows // SUBLANES) * SUBLANES - tile * BLOCK)
            latest = tile
    return steps, copied


def main() -> None:
    table = Table(
        "lengths",
        "fewest tiles",
        "worklist",
        "ratio",
        "overlaunch",
        "ratio",
        "streamed",
        "ratio",
        "rows",
        "rows copied",
        "ratio",
        title=f"steps, tiles of {BLOCK} rows",
    )
    for name, drawn in distributions().items():
        lengths = drawn.astype(np.int32)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        fewest = int(np.sum(-(-lengths // BLOCK)))
        counts = [
            steps(schedule(len(lengths), int(offsets[-1]), int(lengths.max()), grouping), offsets)
            for grouping in (CompactWorklist, OverlaunchJagged)
        ]
        streaming, copied = streamed(offsets)
        counts.append(streaming)
        cells = [cell for count in counts for cell in (str(count), f"{count / fewest:.2f}")]
        rows = int(offsets[-1])
        table.add_row(name, str(fewest), *cells, str(rows), str(copied), f"{copied / rows:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
