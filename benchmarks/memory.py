"""Compares the memory ledger of `--plan-memory` with what the TPU compiler allocates.

    python benchmarks/memory.py examples --chips v5e
    python benchmarks/memory.py sweep --chips v4,tpu7x

`examples`: every example, with blocks that are good for chips. `sweep`: six of them with blocks from an
eighth of a chip's VMEM to twice as much, and whether both refuse the same ones. An answer that differs within
a tenth of the limit counts as `near`. A chip's sweep takes minutes.
"""

import argparse
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

from bundles import struct
from rich.console import Console
from rich.table import Table
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i64

from tilec.analysis.vmem import MEBIBYTE, Space
from tilec.chips import CHIPS
from tilec.diagnostics import TileError
from tilec.dialects.tile.schedule import PipelineOp
from tilec.emit.target import PallasTarget
from tilec.parsing import LocatingParser, make_context
from tilec.passes.plan_memory import PlanMemory, ledger_of
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.aot import CompileRefused
from tilec.runtime.memory import needed_vmem, reported_vmem

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LOOPS = ("grid", "emit_pipeline", "fori_loop")


@dataclass(frozen=True)
class Case:
    """An example, its arguments (`T` for the element type, `L` for rows), its blocks and changes of its text.

    In a sweep the blocks of the axes in `grow` are multiplied.
    """

    example: str
    structs: str
    blocks: dict[str, int]
    grow: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict[str, str])


CASES = (
    Case("matmul", "T[300,200] T[200,260]", {"m": 128, "n": 256, "k": 128}),
    Case("batched_matmul", "T[3,100,200] T[3,200,136]", {"m": 128, "n": 128, "k": 128}),
    Case("softmax", "T[L,200]", {"m": 128}),
    Case("softmax_two_pass", "T[100,700]", {"m": 128, "n": 256}),
    Case("layer_norm", "T[L,200] T[200] T[200]", {"m": 128}),
    Case("residual_rms_norm", "T[L,200] T[L,200] T[200]", {"m": 128}),
    Case("grouped_matmul", "T[L,512] T[8,512,256] i32[9]", {"m": 128, "k": 256}),
    Case("grouped_matmul_transposed", "T[L,200] T[L,136] i32[9]", {"m": 128, "k": 128, "n": 128}),
    Case("jagged_row_sum", "T[L,200] i32[9]", {"m": 128}),
    Case("gdpa", "T[L,128] T[8,256,128] T[8,256,128] i32[9]", {"m": 128, "n": 256}),
    Case("jagged_flash_attention", "T[L,128] T[L,128] T[L,128] i32[9] i32[9]", {"m": 128, "n": 128}),
    Case("jagged_bias_lhd", "T[L,6,72] T[8,6,72] i32[9]", {"m": 64}),
)
_LARGE = {"300": "8192", "200": "8192", "260": "8192"}
SWEEPS = (
    Case("matmul", "T[8192,8192] T[8192,8192]", {"m": 128, "n": 256, "k": 128}, ("m", "n", "k"), _LARGE),
    Case("softmax", "T[L,200]", {"m": 128}, ("m",)),
    Case("layer_norm", "T[L,200] T[200] T[200]", {"m": 128}, ("m",)),
    Case("gdpa", "T[L,128] T[8,256,128] T[8,256,128] i32[9]", {"m": 128, "n": 128}, ("m",)),
    Case(
        "jagged_flash_attention",
        "T[L,128] T[L,128] T[L,128] i32[9] i32[9]",
        {"m": 128, "n": 128},
        ("m", "n"),
    ),
    Case("grouped_matmul", "T[L,512] T[8,512,256] i32[9]", {"m": 128, "k": 256}, ("m",)),
)


@dataclass(frozen=True)
class Planned:
    """A module after `--plan-memory`, and what that says: bytes for the largest kernel, and if they fit."""

    module: ModuleOp
    passes: TileToPallas
    total: int
    fits: bool

    def text(self) -> str:
        """The Pallas module. One that is refused gets the limit of the chip, too."""
        output = io.StringIO()
        for each in self.passes.passes()[len(self.passes.schedule()) :]:
            each.apply(make_context(), self.module)
        PallasTarget().emit(make_context(), self.module, output)
        return output.getvalue()


def planned(case: Case, loop: str, dtype: str, chip: str, times: float = 1) -> Planned:
    """The schedule of a case with blocks that many times as large."""
    text = (EXAMPLES / f"{case.example}.mlir").read_text()
    for old, new in case.changes.items():
        text = re.sub(rf"(?<!\d){old}(?!\d)", new, text)
    text = text.replace("bf16", dtype)
    blocks = {
        name: round(size * times / 128) * 128 if name in case.grow else size
        for name, size in case.blocks.items()
    }
    module = LocatingParser(make_context(), text, f"{case.example}.mlir").parse_module()
    passes = TileToPallas("worklist", loop, chip, blocks)
    fits = True
    for each in passes.schedule():
        try:
            each.apply(make_context(), module)
        except TileError:
            if not isinstance(each, PlanMemory):
                raise
            fits = False
    totals: list[int] = []
    for pipeline in module.walk():
        if isinstance(pipeline, PipelineOp):
            totals.append(ledger_of(pipeline, CHIPS[chip]).total(Space.VMEM))
            pipeline.vmem, pipeline.chip = IntegerAttr(totals[-1], i64), StringAttr(chip)
    return Planned(module, passes, max(totals), fits)


def compiled(plan: Planned, case: Case, dtype: str, rows: int, chip: str) -> tuple[int, bool]:
    """What the compiler takes for the largest kernel, in bytes, and whether it accepts it."""
    structs = [struct(each.replace("T", dtype).replace("L", str(rows))) for each in case.structs.split()]
    try:
        return max(reported_vmem(plan.text(), case.example, structs, chip).values()), True
    except CompileRefused as refused:
        needed = needed_vmem(str(refused))
        if needed is None:
            raise
        return needed, False


def compare_examples(chips: Sequence[str]) -> int:
    """Print the ledger of each example beside the compiler's figure; returns how many are a tenth off."""
    table, wrong = Table("kernel", "loop", "chip", "dtype", "ledger, KiB", "compiler, KiB", "ratio"), 0
    for case, loop, chip, dtype in product(CASES, LOOPS, chips, ("f32", "bf16")):
        plan = planned(case, loop, dtype, chip)
        taken, _ = compiled(plan, case, dtype, 1043, chip)
        ratio = plan.total / taken
        wrong += abs(ratio - 1) > 0.1
        row = (f"{plan.total / 1024:.1f}", f"{taken / 1024:.1f}", f"{ratio:.3f}")
        table.add_row(case.example, loop, chip, dtype, *row)
    Console().print(table)
    print(f"{wrong} differ by more than a tenth")
    return wrong


def growing(make: Callable[[float], Planned], limit: float) -> Iterator[tuple[float, Planned]]:
    """Blocks one and a third or one and a half times as large each, from limit / 8 to limit * 2."""
    for step in range(1, 24):
        times = 2.0 ** (step // 2) * (1.5 if step % 2 else 1)
        plan = make(times)
        if plan.total > 2 * limit:
            return
        if plan.total > limit / 8:
            yield times, plan


def compare_refusals(chips: Sequence[str]) -> int:
    """Print what both say of growing blocks; returns how many answers differ away from the limit."""
    table = Table("kernel", "chip", "dtype", "blocks", "ledger, MiB", "compiler, MiB", "ratio", "both fit")
    wrong = 0
    for case, chip, dtype in product(SWEEPS, chips, ("f32", "bf16")):
        limit = CHIPS[chip].vmem_mib * MEBIBYTE
        for times, plan in growing(partial(planned, case, "grid", dtype, chip), limit):
            row = (case.example, chip, dtype, f"x {times:g}", f"{plan.total / MEBIBYTE:.2f}")
            try:
                taken, accepted = compiled(plan, case, dtype, 65536, chip)
            except CompileRefused as refused:
                table.add_row(*row, "", "", f"compiler: {refused}")
                continue
            verdict = _verdict(plan.fits, accepted, abs(taken / limit - 1) <= 0.1)
            wrong += verdict == "DIFFER"
            table.add_row(*row, f"{taken / MEBIBYTE:.2f}", f"{plan.total / taken:.3f}", verdict)
    Console().print(table)
    print(f"{wrong} answers differ by more than a tenth of the limit")
    return wrong


def _verdict(fits: bool, accepted: bool, near: bool) -> str:
    if fits == accepted:
        return "yes" if fits else "no"
    return "near" if near else "DIFFER"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=("examples", "sweep"))
    parser.add_argument("--chips", default=",".join(CHIPS), help=f"of {','.join(CHIPS)}")
    options = parser.parse_args()
    chips: list[str] = options.chips.split(",")
    return 1 if (compare_examples if options.table == "examples" else compare_refusals)(chips) else 0


if __name__ == "__main__":
    sys.exit(main())
