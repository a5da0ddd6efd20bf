"""Prints what XLA does around the kernels of programs: copies, fills, changes of layout.

    python benchmarks/outputs.py
    python benchmarks/outputs.py FILE.mlir …

Without arguments: of all examples. Each is compiled for one chip, for arrays of 1,024 rows where a program
does not say how many, and with blocks of 128. Arguments that a program returns are donated.
"""

import argparse
import re
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Table
from xdsl.dialects import func

from tilec.diagnostics import TileError
from tilec.dialects.interpreter import random_args
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, read_program
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.load import load

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CHIP = "v5e"
LOOPS = ("grid", "emit_pipeline")
ROWS = 1024


def around(path: Path, loop: str) -> list[str]:
    """Cells of a row: the inputs that share memory with an output, the kernels, and all other operations."""
    module, function = read_program(path)
    name = function.sym_name.data
    try:
        text = emit(module, [TileToPallas(loop=loop, chip=CHIP)])
        kernel = getattr(load(text, name), name)
        structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in random_args(function, 0, ROWS)]
        compiled = compile_for(kernel, structs, CHIP, donate=returned(function))
    except (TileError, CompileRefused) as refused:
        return ["", "", f"refused: {refused}"]
    counts = dict(compiled.operations)
    kernels = counts.pop("custom-call", 0)
    aliases = sum(each.count(":") for each in re.findall(r"input_output_aliases=\{(.*?)\}", text))
    others = ", ".join(f"{count} {opcode}" for opcode, count in sorted(counts.items()))
    return [str(aliases), str(kernels), others or "nothing"]


def returned(function: func.FuncOp) -> list[int]:
    """The positions of the arguments that the function returns, which are those that it changes."""
    results = function.get_return_op()
    operands = () if results is None else results.operands
    return [argument.index for argument in function.body.block.args if argument in operands]


def main() -> None:
    parser = argparse.ArgumentParser(description="Print what XLA does around the kernels of programs.")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, default=sorted(EXAMPLES.glob("*.mlir"))
    )
    table = Table("program", "loop", "aliases", "kernels", "around them", title=f"HLO for {CHIP}")
    for path in parser.parse_args().files:
        for loop in LOOPS:
            table.add_row(path.stem, loop, *around(path, loop))
    Console().print(table)


if __name__ == "__main__":
    main()
