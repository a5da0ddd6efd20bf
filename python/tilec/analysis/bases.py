"""Where what is accessed through an axis begins: what accesses add to its indices."""

from collections.abc import Iterator

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import Linear, linear
from tilec.analysis.positions import Positions, positions
from tilec.dialects.tile.access import AccessOp


def bases_of(span: SSAValue, loop: Operation) -> Iterator[Linear]:
    """What each access in a loop adds to the index of a tile axis, but for literals."""
    for op in loop.walk():
        for dim in op.window if isinstance(op, AccessOp) else ():
            if dim.base is span:
                yield Linear(0, linear(dim.shift).factors)
            elif dim.base is not None and dim.indexed:
                form = positions(dim.base)
                if isinstance(form, Positions):
                    yield from _added(form, span)


def _added(form: Positions, span: SSAValue) -> Iterator[Linear]:
    """What positions add to a span's index: what is a multiple of what two of its lanes are apart."""
    for each, factor in form.spans.values():
        if each is span:
            terms = form.scalar.factors.items()
            yield Linear(0, {leaf: f // factor for leaf, f in terms if f % factor == 0})
