"""An `if` of the user's function on a value of the device as a condition of the program."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from xdsl.dialects import scf
from xdsl.ir import Block, Region, SSAValue

from tilec.frontend.known import Value
from tilec.frontend.places import user_variables
from tilec.frontend.state import Held, Leaf, Snapshot, Variables, any_range, matched, tensor_like, value_of
from tilec.frontend.trace import Trace


class BranchRegion:
    """An `if` on a value of the device, while both arms are traced."""

    def __init__(self, trace: Trace, condition: SSAValue, names: Sequence[str], held: Held):
        self.trace = trace
        self.condition = condition
        self.names = names
        self.location = trace.location
        self.held = Snapshot(trace, held, names)
        self.before = Variables((), (), ())
        self.arms: list[tuple[Block, Variables]] = []

    def __iter__(self) -> Iterator[bool]:
        for arm in (True, False):
            self.trace.blocks.append(Block())
            yield arm

    def begin(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.arms:
            self.before = Variables.read(self.trace, self.names, values)
        return self.before.copies(self.trace)  # the second arm does not see what the first assigned

    def end(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.trace.here()
        self.trace.name_variables(user_variables(self.trace.outermost))
        self.held.check("branch on a device value")
        after = Variables.read(self.trace, self.names, values)
        self.arms.append((self.trace.blocks.pop(), after))
        return values

    def finish(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        trace, ((first, yes), (second, no)) = self.trace, self.arms
        trace.location = self.location
        for name, one, other in zip(yes.names, yes.specs, no.specs, strict=True):
            if (one is None) != (other is None):
                trace.fail(self._words(name, "is assigned in one arm only; assign it before the `if`"))
        pairs = [
            (old, new)
            for old, new in matched(trace, yes, no, self._words)
            if old is not None and value_of(old).ssa is not value_of(new).ssa
        ]
        for block, leaves in ((first, [old for old, _ in pairs]), (second, [new for _, new in pairs])):
            block.add_op(scf.YieldOp(*[value_of(leaf).ssa for leaf in leaves]))
        kinds = [value_of(new).ssa.type for _, new in pairs]
        otherwise = Region(second) if pairs or len(second.ops) > 1 else Region()
        op = trace.emit(scf.IfOp(self.condition, kinds, Region(first), otherwise))
        made: dict[Leaf, torch.Tensor] = {}
        for (_, leaf), result in zip(pairs, op.results, strict=True):
            made[leaf] = tensor_like(trace, leaf, Value(result, any_range(value_of(leaf))))
        return no.rebuilt(made)

    def _words(self, name: str, message: str) -> str:
        return f"variable '{name}' of an `if` on a device value {message}"
