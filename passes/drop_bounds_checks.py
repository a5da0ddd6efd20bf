"""`--drop-bounds-checks`: kernels whose copies stay within their arrays are compiled without checks of that.

The TPU compiler puts a comparison of both places before each copy, and stops the chip where one is outside:
in a loop that copies itself some 25 bundles a copy. Here the places are followed through the kernel, through
what its loops carry from turn to turn. Where each is known to end within its array, the kernel needs none of
the checks; a place that may be below 0, as one computed from a loaded integer may, is at least 0 from then
on. A kernel with one place that may be behind the end keeps them (`--explain` says which).

Softmax of 64 segments with 32,768 rows of 1,024 f32 is estimated at 103 us on a tpu7x in place of 107, of 512
segments at 249 in place of 285.

Before:
    pallas.call "softmax" vmem 67043328 {
      …
      pallas.copy_start %x_ref[ds(%row, 256), :], %x_window[%slot, :, :], %x_copied[%slot]
After:
    pallas.call "softmax" vmem 67043328 unchecked {
      …
      %place = arith.maxsi %row, %c0 : index
      pallas.copy_start %x_ref[ds(%place, 256), :], %x_window[%slot, :, :], %x_copied[%slot]

Refused: nothing.
"""

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.in_bounds import Beyond, beyond
from tilec.diagnostics import explain
from tilec.dialects.pallas.copies import CopyStartOp
from tilec.dialects.pallas.kernels import CallOp
from tilec.dialects.pallas.types import Ds
from tilec.dialects.pallas.windows import Dim
from tilec.dialects.tile.types import UNBOUND
from tilec.rewriting.index import IndexBuilder, named


class DropBoundsChecks(ModulePass):
    """Compile kernels without checks of copies that stay within their arrays."""

    name = "drop-bounds-checks"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for call in [inner for inner in op.walk() if isinstance(inner, CallOp)]:
            found = list(beyond(call))
            past = next((each for each in found if not each.below), None)
            if past is not None:
                extent = "known only at run time" if past.extent == UNBOUND else past.extent
                name = past.ref.name_hint or "an array"
                explain(
                    past.op,
                    f"drop-bounds-checks: {call.kernel_name.data} keeps its checks: %{name} may be left at "
                    f"the end of dimension {past.dim}, whose extent is {extent}",
                )
                continue
            for copy in dict.fromkeys(each.op for each in found):
                _clamp(copy, [each for each in found if each.op is copy])
            call.unchecked = UnitAttr()


def _clamp(op: Operation, found: Sequence[Beyond]) -> None:
    """Let a copy begin at 0 or later in some dimensions."""
    if not isinstance(op, CopyStartOp):
        raise ValueError("windows are no copies that could begin elsewhere")
    build = IndexBuilder([], op.location)
    places: dict[SSAValue, SSAValue] = {}
    parts: list[tuple[SSAValue, list[Dim]]] = [(ref, list(dims)) for ref, dims in op.parts]
    for each in found:
        for ref, dims in parts[:2]:
            if ref is each.ref:
                dims[each.dim] = _at_least_0(dims[each.dim], places, build)
    made = CopyStartOp(*parts[0], *parts[1], *parts[2])
    made.location = op.location
    Rewriter.insert_op(build.ops, InsertPoint.before(op))
    Rewriter.replace_op(op, made)


def _at_least_0(dim: Dim, places: dict[SSAValue, SSAValue], build: IndexBuilder) -> Dim:
    start = dim.start if isinstance(dim, Ds) else dim
    if not isinstance(start, SSAValue):
        return dim
    if start not in places:
        places[start] = build.value(named(build.maximum(start, 0), "place"))
    return Ds(places[start], dim.size) if isinstance(dim, Ds) else places[start]
