"""Prints the bundles of a step of emitted kernels, for one chip or several.

    python benchmarks/bundles.py
    python benchmarks/bundles.py MODULE.py FUNCTION 'i32[9]' 'bf16[2048,512]' 'bf16[8,512,256]'

Without arguments: of three examples, emitted here, beside kernels written by hand. With them: of each loop of
a module's function; the shapes are those of its arguments.
"""

import argparse
import io
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Table

from tilec.chips import CHIPS
from tilec.emit.target import PallasTarget
from tilec.parsing import LocatingParser, make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.aot import CompileRefused
from tilec.runtime.bundles import kernel_loops

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

_DTYPES = {
    "f32": "float32",
    "bf16": "bfloat16",
    "f16": "float16",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "i1": "bool",
}


@dataclass(frozen=True)
class Case:
    """An example with the shapes of its arguments, and what a step takes in a kernel written by hand.

    `by_hand` has bundles by loop, element type and chip. Source: kernels for the same blocks, written
    by hand and counted with libtpu 0.0.51. GDPA: 397 is with relu on the scores, as here; of 341 it is
    not recorded what was done to the scores. Matrix product: those of an emit_pipeline or a fori_loop run in
    each cell of a grid, with what a cell takes besides for the emit_pipeline, which here has no cells.
    `extents` replaces those of the example's arrays.
    """

    example: str
    blocks: dict[str, int]
    structs: str
    by_hand: dict[tuple[str, str, str], int]
    extents: dict[str, str] = field(default_factory=dict[str, str])


_PRODUCT = {
    ("grid", "bf16", "v5e"): 742,
    ("grid", "bf16", "v6e"): 440,
    ("grid", "bf16", "tpu7x"): 491,
    ("emit_pipeline", "bf16", "v5e"): 578 + 211,
    ("emit_pipeline", "bf16", "v6e"): 287 + 180,
    ("emit_pipeline", "bf16", "tpu7x"): 437 + 339,
    ("fori_loop", "bf16", "v5e"): 587,
    ("fori_loop", "bf16", "v6e"): 292,
    ("fori_loop", "bf16", "tpu7x"): 428,
}
_SQUARE = {"300": "1024", "200": "2048", "260": "1024"}
CASES = (
    Case("matmul", {"m": 256, "n": 256, "k": 512}, "T[1024,2048] T[2048,1024]", _PRODUCT, _SQUARE),
    Case("split_k_matmul", {"m": 256, "n": 256, "k": 512}, "T[1024,2048] T[2048,1024]", _PRODUCT, _SQUARE),
    Case(
        "gdpa",
        {"m": 128, "n": 256},
        "T[2048,128] T[8,256,128] T[8,256,128] i32[9]",
        {
            ("grid", "f32", "v5e"): 397,
            ("grid", "bf16", "v5e"): 341,
            ("emit_pipeline", "f32", "v5e"): 464,
            ("emit_pipeline", "bf16", "v5e"): 443,
        },
    ),
    Case(
        "grouped_matmul",
        {"m": 128, "k": 512},
        "T[2048,512] T[8,512,256] i32[9]",
        {
            ("grid", "f32", "v5e"): 377,
            ("grid", "bf16", "v5e"): 400,
            ("grid", "f32", "tpu7x"): 233,
            ("grid", "bf16", "tpu7x"): 200,
        },
    ),
    Case(
        "jagged_flash_attention",
        {"m": 128, "n": 128},
        "T[2048,128] T[2048,128] T[2048,128] i32[9] i32[9]",
        {
            ("grid", "bf16", "v5e"): 666,
            ("grid", "bf16", "tpu7x"): 445,
            ("emit_pipeline", "bf16", "v5e"): 651,
            ("emit_pipeline", "bf16", "tpu7x"): 536,
        },
    ),
)


def struct(text: str) -> jax.ShapeDtypeStruct:
    """The shape and dtype that `bf16[8,128]` spells; argparse reports the `ValueError`."""
    match = re.fullmatch(r"(\w+)\[([\d,]*)\]", text)
    if match is None or match[1] not in _DTYPES:
        raise ValueError
    return jax.ShapeDtypeStruct([int(extent) for extent in match[2].split(",") if extent], _DTYPES[match[1]])


def emitted(case: Case, loop: str, dtype: str, chip: str) -> str:
    """The Pallas module of an example, with bf16 arrays or with f32 ones."""
    text = (EXAMPLES / f"{case.example}.mlir").read_text()
    for old, new in case.extents.items():
        text = re.sub(rf"(?<!\d){old}(?!\d)", new, text)
    if dtype == "f32":
        casts = dict(re.findall(r"(%\w+) = tile\.cast (%\w+) to bf16\n", text))
        text = re.sub(r".*tile\.cast .* to bf16\n", "", text).replace("bf16", "f32")
        for made, source in casts.items():
            text = text.replace(f"{made},", f"{source},")
    module = LocatingParser(make_context(), text, f"{case.example}.mlir").parse_module()
    TileToPallas("worklist", loop, chip, case.blocks).apply(make_context(), module)
    printed = io.StringIO()
    PallasTarget().emit(make_context(), module, printed)
    return printed.getvalue()


def compare(chips: list[str]) -> int:
    """Print a table of all cases; returns how many compiles were refused."""
    table = Table("kernel", "loop", "chip", "dtype", "bundles a step", "by hand", "ratio")
    refusals = 0
    for case in CASES:
        for loop in ("grid", "emit_pipeline", "fori_loop"):
            for chip in chips:
                for dtype in ("f32", "bf16"):
                    structs = [struct(each.replace("T", dtype)) for each in case.structs.split()]
                    row = (case.example, loop, chip, dtype)
                    try:
                        text = emitted(case, loop, dtype, chip)
                        kernels = kernel_loops(text, case.example, structs, chip)
                    except CompileRefused as refused:
                        refusals += 1
                        table.add_row(*row, f"refused: {refused}")
                        continue
                    (loops,) = (found for name, found in kernels.items() if "worklist" not in name)
                    bundles = max(each.bundles for each in loops)
                    known = case.by_hand.get((loop, dtype, chip))
                    ratio = "" if known is None else f"{bundles / known:.2f}"
                    table.add_row(*row, str(bundles), "" if known is None else str(known), ratio)
    Console().print(table)
    return refusals


def show(module: Path, function: str, structs: list[jax.ShapeDtypeStruct], chips: list[str]) -> int:
    """Print the loops of one module's kernels; returns how many compiles were refused."""
    text = module.read_text()
    print(f"{'chip':6} {'kernel':24} bundles of each loop (> for the depth)")
    refusals = 0
    for chip in chips:
        try:
            kernels = kernel_loops(text, function, structs, chip)
        except CompileRefused as refused:
            refusals += 1
            print(f"{chip:6} refused: {refused}")
            continue
        for name, loops in kernels.items():
            print(f"{chip:6} {name:24} {' '.join('>' * loop.depth + str(loop.bundles) for loop in loops)}")
    return refusals


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", type=Path, nargs="?")
    parser.add_argument("function", nargs="?")
    parser.add_argument("structs", type=struct, nargs="*", metavar="bf16[8,128]")
    parser.add_argument("--chips", default="v5e,v6e,tpu7x", help=f"of {','.join(CHIPS)}")
    options = parser.parse_args()
    chips: list[str] = options.chips.split(",")
    if options.module is None:
        return 1 if compare(chips) else 0
    if options.function is None:
        parser.error("a module needs the name of its function")
    return 1 if show(options.module, options.function, options.structs, chips) else 0


if __name__ == "__main__":
    sys.exit(main())
