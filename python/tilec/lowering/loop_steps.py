"""The steps of a loop that a kernel runs itself: their scalars, which exist, and where windows move."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.dialects import pallas
from tilec.lowering.copies import CopiedWindow
from tilec.lowering.scalars import Scalars
from tilec.lowering.windows import block_position
from tilec.rewriting.index import Index, IndexBuilder

MakeScalars = Callable[[Sequence[Index], list[Operation]], Scalars]
"""Scalars of the step at a position on the loop's axes, whose operations go into a list."""


@dataclass
class Steps:
    """The steps of a loop over axes with `trips` steps each, the last one fastest, seen from one place.

    Operations go into `ops`.
    """

    trips: Sequence[Index]
    total: Index
    make: MakeScalars
    ops: list[Operation]
    build: IndexBuilder
    _at: dict[Index, Scalars] = field(default_factory=dict[Index, Scalars])

    def at(self, step: Index) -> Scalars:
        """The scalars of a step."""
        if step not in self._at:
            self._at[step] = self.make(self._positions(step), self.ops)
        return self._at[step]

    def _positions(self, step: Index) -> list[Index]:
        positions: list[Index] = [0] * len(self.trips)
        several = [i for i, trip in enumerate(self.trips) if trip != 1]
        for i in reversed(several):
            last = i == several[0]
            positions[i] = step if last else self.build.remainder(step, self.trips[i])
            step = step if last else self.build.floordiv(step, self.trips[i])
        return positions

    def clamped(self, step: Index) -> Index:
        """`step`, or the last one if there are not so many: what it asks of tables is then in them."""
        return self.build.minimum(step, self.build.sub(self.total, 1))

    def changed(self, window: CopiedWindow, step: Index) -> SSAValue | None:
        """Whether the step before `step`, if any, had another block; `None` is yes."""
        if step == 0:
            return None
        build = self.build
        before = build.maximum(build.sub(step, 1), 0)
        found = build.compare("eq", step, 0)
        for now, then in zip(
            block_position(window.plan, self.at(step)),
            block_position(window.plan, self.at(before)),
            strict=True,
        ):
            if now is not then and now != then:
                found = build.insert(arith.OrIOp(found, build.compare("ne", now, then)))
        found.name_hint = "changed"
        return found

    def counted(self, count: Index, condition: SSAValue | None) -> Index:
        """`count`, and one more where the condition holds; `None` is always."""
        return self.build.add(count, 1 if condition is None else self.build.select(condition, 1, 0))

    def when(self, condition: SSAValue | None, *ops: Operation) -> None:
        """Run `ops` where the condition holds; `None` is always."""
        for op in ops:
            op.location = self.build.location
            if condition is None:
                self.ops.append(op)
        if condition is not None:
            self.build.insert_all(pallas.WhenOp(condition, Region(Block(ops))), self.build.location)
