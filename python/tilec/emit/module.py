"""A whole program as the text of a Python module that imports only jax and numpy."""

from collections.abc import Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from tilec.diagnostics import fail

from .functions import FunctionPrinter
from .helpers import HELPERS, SIMULATED_CHIP
from .lines import Lines
from .names import Names, string_text
from .scope import Scope

IMPORTS = """\
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu"""


def print_module(module: ModuleOp) -> str:
    """The module's functions, each with its kernels, as Python text: the same bytes for the same IR.

    Raises TileError at the operation that cannot be printed.
    """
    functions = _functions(module)
    lines = _assemble(functions)
    _add_line_map(lines)
    _add_main(lines, functions)
    return lines.render()


def module_lines(module: ModuleOp) -> Sequence[tuple[str, Operation | None]]:
    """The first lines of what `print_module` prints, each with the operation it came from.

    What is left out is the table of these, and what runs as a script. Raises as it does.
    """
    return _assemble(_functions(module)).lines


def _functions(module: ModuleOp) -> list[FunctionPrinter]:
    """The functions, printed. Raises TileError at an operation that cannot be."""
    scope = Scope(Names(), host=False)
    functions: list[FunctionPrinter] = []
    for op in module.body.block.ops:
        if not isinstance(op, func.FuncOp) or op.is_declaration:
            fail(op, f"{op.name} cannot be printed for Pallas; a module holds functions with a body")
        if len(op.body.blocks) != 1:
            fail(
                op,
                f"{op.sym_name.data} has {len(op.body.blocks)} blocks; it can be printed if it has one",
            )
        functions.append(FunctionPrinter(op, scope))
    if not functions:
        fail(module, "there is no function to print for Pallas")
    return functions


def _assemble(functions: list[FunctionPrinter]) -> Lines:
    """Docstring, imports, the helpers that are called, and the functions."""
    body = Lines()
    for function in functions:
        body.lines += function.kernels.lines + function.wrapper.lines
    text = body.render()
    lines = Lines()
    lines.add(_docstring(functions))
    if "functools." in text:
        lines.add("import functools\n")
    lines.add(IMPORTS)
    for name, helper in HELPERS.items():
        if f"{name}(" in text:
            lines.add(f"\n\n{helper.rstrip()}")
    lines.lines += body.lines
    return lines


def _docstring(functions: list[FunctionPrinter]) -> str:
    signatures = "\n".join(f"    {function.signature}" for function in functions)
    return f'''"""Pallas kernels for TPUs, printed by tilec. Change the program they come from, not this file.

{signatures}

Arguments are numpy or jax arrays; the functions are pure and can be under `jax.jit`. They run on a TPU, or
with `interpret=jax.experimental.pallas.tpu.InterpretParams()` on any machine. Run as a script, the module
tries each so.
"""
'''


def _add_line_map(lines: Lines) -> None:
    origins = lines.origins()
    lines.add("\n\n# For lines of this file, the operation each came from.")
    if not origins:
        lines.add("TILE_LINES = {}")
        return
    lines.add("TILE_LINES = {")
    with lines.indented():
        for number, place in origins.items():
            lines.add(f"{number}: {string_text(place)},")
    lines.add("}")


def _add_main(lines: Lines, functions: list[FunctionPrinter]) -> None:
    example = Lines()
    for function in functions:
        function.example(example)
    text = example.render()
    lines.add('\n\nif __name__ == "__main__":')
    with lines.indented():
        lines.add('jax.config.update("jax_platforms", "cpu")')
        if "rng." in text:
            lines.add("rng = np.random.default_rng(0)")
        if "use_abstract_mesh" in text:
            lines.add(SIMULATED_CHIP.rstrip().replace("\n    ", "\n").removeprefix("    "))
        lines.add(text.rstrip())
