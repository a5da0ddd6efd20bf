"""`--drop-bounds-checks`: kernels whose copies stay within their arrays are compiled without checks of that.

The TPU compiler puts a comparison of both places before each copy, and stops the chip where one is outside:
in a loop that copies itself some 25 bundles a copy. Here the places are followed through the kernel, through
what its loops carry from turn to turn. Where each is known to end within its array, the kernel needs none of
the checks. A place that may be below 0, as one computed from a loaded integer may, is at least 0 from then
on, and a window's block, or an index, that a list of the program's own names is one of its array. Checks
keeps a kernel with arrays of any number of rows, blocks that the caller numbers, or copies of its own that
may end behind an array (`--explain` says which). Loads and stores on the chip have no checks with or without.

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

from collections.abc import Mapping

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.in_bounds import beyond
from tilec.analysis.ranges import Range
from tilec.diagnostics import explain
from tilec.dialects.pallas.blocks import BlockOp
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
            past = next((each for each in found if each.inside is None), None)
            if past is not None:
                extent = "known only at run time" if past.extent == UNBOUND else past.extent
                name = past.ref.name_hint or "an array"
                explain(
                    past.op,
                    f"drop-bounds-checks: {call.kernel_name.data} keeps its checks: %{name} may be left at "
                    f"the end of dimension {past.dim}, whose extent is {extent}",
                )
                continue
            for inner in dict.fromkeys(each.op for each in found):
                bounds = {(each.ref, each.dim): each.inside for each in found if each.op is inner}
                match inner:
                    case CopyStartOp():
                        _bound_copy(inner, bounds)
                    case BlockOp():
                        _bound_blocks(inner, {dim: inside for (_, dim), inside in bounds.items()})
                    case _:
                        raise ValueError(f"{inner.name} copies nothing")
            call.unchecked = UnitAttr()


def _bound_copy(op: CopyStartOp, bounds: Mapping[tuple[SSAValue, int], Range | None]) -> None:
    """Let a copy begin within bounds in some dimensions of what it is between."""
    build = IndexBuilder([], op.location)
    places: dict[SSAValue, SSAValue] = {}
    parts: list[tuple[SSAValue, list[Dim]]] = [(ref, list(dims)) for ref, dims in op.parts]
    for ref, dims in parts[:2]:
        for number, dim in enumerate(dims):
            start = dim.start if isinstance(dim, Ds) else dim
            if (inside := bounds.get((ref, number))) is None or not isinstance(start, SSAValue):
                continue
            if start not in places:
                places[start] = _bounded(start, inside, build)
            dims[number] = Ds(places[start], dim.size) if isinstance(dim, Ds) else places[start]
    made = CopyStartOp(*parts[0], *parts[1], *parts[2])
    made.location = op.location
    Rewriter.insert_op(build.ops, InsertPoint.before(op))
    Rewriter.replace_op(op, made)


def _bound_blocks(op: BlockOp, bounds: Mapping[int, Range | None]) -> None:
    """Let the block of a window be one of its array in some dimensions."""
    last = op.index_map.block.last_op
    if last is None:
        raise ValueError(f"{op.name} has no index map")
    build = IndexBuilder([], last.location)
    for dim, inside in bounds.items():
        if inside is not None:
            last.operands[dim] = _bounded(last.operands[dim], inside, build)
    Rewriter.insert_op(build.ops, InsertPoint.before(last))


def _bounded(place: SSAValue, inside: Range, build: IndexBuilder) -> SSAValue:
    bounded = place if inside.low is None else build.maximum(place, inside.low)
    bounded = bounded if inside.high is None else build.minimum(bounded, inside.high)
    return build.value(named(bounded, "place"))
