"""The steps that the scalar unit runs are those of the schedule, which the interpreter counts."""

from pathlib import Path

import jax
import ml_dtypes
import numpy as np
import pytest
from xdsl.builder import Builder
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.dialects.interpreter import run
from tilec.dialects.tile.axes import span_of
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.rewriting.index import IndexBuilder
from tilec.runtime.executable import Executable

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
GROUPED = EXAMPLES / "grouped_matmul.mlir"
BLOCKS = {"m": 64, "k": 256}


def counted(module: ModuleOp, choices: TileToPallas, arguments: list[np.ndarray]) -> int:
    """The steps of the pipeline that the passes make, as the interpreter runs the scalar code before it."""
    changed = module.clone()
    for each in choices.passes():
        each.apply(make_context(), changed)
        if each.name == "compact-worklist":
            break
    (function,) = (op for op in changed.walk() if isinstance(op, func.FuncOp))
    (pipeline,) = (op for op in changed.walk() if isinstance(op, PipelineOp))
    made: list[Operation] = []
    build = IndexBuilder(made, pipeline.location)
    extents = [build.value(axis.axis.bounds.end) for axis in pipeline.axes]
    spans = [span_of(axis.axis.value) for axis in pipeline.axes]
    sizes = [1 if span is None else int(span.size or 1) for span in spans]
    assert function.body.block.last_op is not None
    Rewriter.erase_op(function.body.block.last_op)
    Builder(InsertPoint.before(pipeline)).insert([*made, func.ReturnOp(*extents)])
    Rewriter.erase_op(pipeline)
    inputs = list(function.function_type.inputs)
    function.function_type = function.function_type.from_lists(inputs, [IndexType()] * len(extents))
    results = run(changed, function.sym_name.data, arguments)
    return int(np.prod([-(-int(each.data) // size) for each, size in zip(results, sizes, strict=True)]))


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v5e", "v5p", "tpu7x"])
def test_a_kernel_runs_the_steps_of_its_schedule(chip: str) -> None:
    module, _ = read_program(GROUPED)
    choices = TileToPallas(blocks=BLOCKS)
    offsets = np.array([0, 5, 5, 300, 301, 640, 640, 700, 1024], np.int32)
    shapes = ((1024, 512), (8, 512, 256))
    arguments = [*(np.zeros(shape, ml_dtypes.bfloat16) for shape in shapes), offsets]
    structs = [jax.ShapeDtypeStruct(shape, "bfloat16") for shape in shapes]
    found = Executable(module, choices=choices).estimate(chip, [*structs, offsets])
    kernel = next(each for each in found.operations if each.name.startswith("grouped_matmul."))
    assert found.trusted
    steps = counted(module, choices, arguments)
    assert kernel.loops[0] == steps + 2  # it begins two steps early to fetch, or ends two late to wait
    assert steps == 2 * (1 + 5 + 1 + 6 + 1 + 6)  # tiles of 64 rows that each group is in, and 2 of k
