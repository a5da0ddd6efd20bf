"""Arrays that are made in a function, made with another type."""

from xdsl.dialects.builtin import i1

from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import Array


def made_as(made: EmptyOp | FullOp, kind: Array) -> EmptyOp | FullOp:
    """An array of `kind` in place of one that is made, with its fill. A truth value that holds is 1."""
    if isinstance(made, EmptyOp):
        new: EmptyOp | FullOp = EmptyOp(kind, like=made.like, extent=made.extent)
    else:
        fill = scalar_of(made.value)
        fill = abs(fill) if made.array_type.element_type == i1 else fill
        new = FullOp(fill, kind, like=made.like, extent=made.extent)
    new.location, new.array.name_hint = made.location, made.array.name_hint
    return new
