"""Where what is accessed through an axis begins: what accesses add to its indices."""

from collections.abc import Iterator

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import Linear, linear
from tilec.analysis.positions import Positions, positions
from tilec.dialects.tile.access import AccessOp, Dim


def bases_of(span: SSAValue, loop: Operation) -> Iterator[tuple[AccessOp, Linear]]:
    """The accesses in a loop, and what each adds to the index of a tile axis."""
    for op in loop.walk():
        if isinstance(op, AccessOp):
            yield from ((op, base) for dim in op.window for base in _bases(dim, span))


def _bases(dim: Dim, span: SSAValue) -> Iterator[Linear]:
    if dim.base is span:
        yield linear(dim.shift)
    elif dim.base is not None and dim.indexed:
        form = positions(dim.base)
        if isinstance(form, Positions):
            yield from _added(form, span)


def _added(form: Positions, span: SSAValue) -> Iterator[Linear]:
    """What positions add to a span's index: what is a multiple of what two of its lanes are apart."""
    for each, factor in form.spans.values():
        if each is span:
            terms, literal = form.scalar.factors.items(), form.scalar.constant
            shared = {leaf: f // factor for leaf, f in terms if f % factor == 0}
            yield Linear(0 if literal % factor else literal // factor, shared)
