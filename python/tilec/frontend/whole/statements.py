"""The text of one operation on the values of a kernel.

A value has a dimension for each slot of its region, of extent 1 where it does not depend on that; leading
dimensions of this kind may be absent. So operations that only rename dimensions disappear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, cast

import torch
from torch.fx import Node

from tilec.frontend.whole.arguments import argument, cat_arguments, cut_arguments, reduced_dims
from tilec.frontend.whole.axes import Shape, leaves
from tilec.frontend.whole.graph import aten, packet, sizes_of
from tilec.frontend.whole.plan import Plan, Slot
from tilec.frontend.whole.regions import Refused

_SIGNS = {
    aten.add: "+",
    aten.bitwise_and: "&",
    aten.bitwise_or: "|",
    aten.bitwise_xor: "^",
    aten.div: "/",
    aten.eq: "==",
    aten.ge: ">=",
    aten.gt: ">",
    aten.le: "<=",
    aten.lt: "<",
    aten.mul: "*",
    aten.ne: "!=",
    aten.pow: "**",
    aten.sub: "-",
}

_OWN_TYPES = frozenset({aten._to_copy, aten.clone, aten.logical_and, aten.logical_not, aten.logical_or})
"""Operations whose operands need not be of one element type."""


@dataclass(frozen=True)
class Code:
    """A value in the text. `dims` are its slots, the last for the last dimension, `None` for extents of 1."""

    text: str
    dims: tuple[Slot | None, ...] = ()

    def at(self, slot: Slot) -> int:
        """The dimension of a slot, counted from the end: -1 for the last."""
        return self.dims.index(slot) - len(self.dims)

    def indexed(self, place: int, index: str) -> str:
        """The value with an index at one dimension, counted from the end."""
        parts = [":"] * len(self.dims)
        parts[place] = index
        return f"{self.text}[{', '.join(parts)}]"


def literal(value: Any) -> str:
    """A number, an element type or a list of them as text."""
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(literal(each) for each in cast('Sequence[Any]', value))}]"
    return repr(value)


class Statements:
    """Text for nodes whose operands have text: `codes`. `names` gives the names of loops over slots."""

    def __init__(self, plan: Plan, order: list[Slot], shapes: dict[Node, Shape], names: dict[Slot, str]):
        self._plan = plan
        self._order = order
        self._shapes = shapes
        self._names = names

    def size(self, slot: Slot | None) -> str:
        """The extent of a dimension of values."""
        if slot is None:
            return "1"
        return self._names.get(slot, str(slot.size))

    def creation(self, node: Node) -> Code:
        if packet(node) is aten.arange:
            return self._positions(node)
        value = 0 if packet(node) is aten.zeros else 1 if packet(node) is aten.ones else None
        if value is None:
            value = node.args[0] if packet(node) is aten.scalar_tensor else node.args[1]
        dtype = node.meta["val"].dtype
        kind = float if dtype.is_floating_point else bool if dtype is torch.bool else int
        if not sizes_of(node):
            return Code(literal(kind(cast("float", value))))
        return Code(f"torch.full([1], {literal(kind(cast('float', value)))}, dtype={dtype})", (None,))

    def _positions(self, node: Node) -> Code:
        bounds = cast("tuple[int, ...]", node.args)
        start, step = bounds[0] if len(bounds) > 1 else 0, bounds[2] if len(bounds) > 2 else 1
        slot = self._plan.slot(self._shapes[node][0])
        if slot is None:
            return Code(f"torch.full([1], {start}, dtype=torch.int32)", (None,))
        if slot.role == "grid":
            raise Refused("positions along a dimension that a grid goes over")
        text = f"hl.arange({sizes_of(node)[0]})" if slot.role == "whole" else f"{self._names[slot]}.index"
        text = text if step == 1 else f"{text} * {step}"
        text = text if start == 0 else f"{text} + {start}"
        text = f"({text})" if " " in text else text
        behind = self._order[self._order.index(slot) :]
        if len(behind) > 1:
            text = f"{text}[:, {', '.join('None' for _ in behind[1:])}]"
        return Code(text, tuple(each if each is slot else None for each in behind))

    def view(self, node: Node, code: Code) -> Code:
        """A view: other names for the dimensions, but for a part of one."""
        if packet(node) not in (aten.select, aten.slice):
            return code
        source = cast("Node", node.args[0])
        dim, begin, _ = cut_arguments(node)
        size = 1 if packet(node) is aten.select else sizes_of(node)[dim]
        if size == sizes_of(source)[dim]:
            return code
        slot = self._plan.slot(self._shapes[source][dim])
        if slot is None or slot not in code.dims:
            # What is the same everywhere is so in a part of it.
            return code
        text = code.indexed(code.at(slot), f"{begin}:{begin + size}")
        return Code(text, code.dims if size > 1 else tuple(None if d is slot else d for d in code.dims))

    def reduction(self, node: Node, code: Code) -> Code:
        source = cast("Node", node.args[0])
        slots = self._plan.slots(tuple(self._shapes[source][dim] for dim in reduced_dims(node)))
        if not slots:
            return self.converted(code, source.meta["val"].dtype, node.meta["val"].dtype)
        code = self.widened(code, slots, self._shapes[source])
        places = literal(sorted(code.at(slot) for slot in slots))
        dtype = argument(node, 3, "dtype")
        name = packet(node).__name__
        keep = f"{places}, keepdim=True" + (f", dtype={dtype}" if dtype else "")
        return Code(f"torch.{name}({code.text}, {keep})", tuple(None if d in slots else d for d in code.dims))

    def part_of_total(self, node: Node, code: Code) -> Code:
        """What a step adds to a sum or mean, f32."""
        shape = self._shapes[cast("Node", node.args[0])]
        dims = tuple(shape[dim] for dim in reduced_dims(node))
        slots = [slot for slot in self._plan.slots(dims) if slot.role != "grid"]
        code = self.widened(code, slots, shape)
        if slots:
            places = literal(sorted(code.at(slot) for slot in slots))
            text = f"torch.sum({code.text}, {places}, keepdim=True, dtype=torch.float32)"
            code = Code(text, tuple(None if d in slots else d for d in code.dims))
        if packet(node) is aten.sum:
            return code
        return Code(f"{code.text} / {prod(self._plan.extents(dims))}", code.dims)

    def widened(self, code: Code, slots: Sequence[Slot], shape: Shape) -> Code:
        """The value repeated along those of `slots` that it does not have. `shape` gives their extents."""
        if all(slot in code.dims for slot in slots):
            return code
        first = min(self._order.index(slot) for slot in (*slots, *(d for d in code.dims if d)))
        wanted = self._order[min(first, len(self._order) - len(code.dims)) :]
        have = (None,) * (len(wanted) - len(code.dims)) + code.dims
        dims = tuple(slot if slot in slots else old for slot, old in zip(wanted, have, strict=True))
        extents = dict(zip(self._plan.slots(shape), self._plan.extents(shape), strict=True))
        sizes = [
            "1" if slot is None else self._names.get(slot, str(extents.get(slot, slot.size))) for slot in dims
        ]
        return Code(f"{code.text}.expand([{', '.join(sizes)}])", dims)

    def join(self, node: Node, codes: dict[Node, Code]) -> Code:
        parts, dim = cat_arguments(node)
        slot = self._plan.slot(self._shapes[node][dim])
        if slot is None:
            return codes[parts[0]]
        wide = list(dict.fromkeys(s for part in parts for s in codes[part].dims if s is not None))
        wide = [each for each in wide if each is not slot]
        pieces: list[Code] = []
        for part in parts:
            own = [slot] if leaves(self._shapes[part][dim]) else []
            pieces.append(self.widened(codes[part], [*wide, *own], self._shapes[part]))
        dims = max((piece.dims for piece in pieces), key=len)
        texts = [piece.text if len(piece.dims) == len(dims) else f"{piece.text}[None]" for piece in pieces]
        place = dims.index(slot) - len(dims) if slot in dims else self._order.index(slot) - len(self._order)
        joined = tuple(slot if i - len(dims) == place else d for i, d in enumerate(dims))
        return Code(f"torch.cat([{', '.join(texts)}], {place})", joined)

    def pointwise(self, node: Node, code_of: Callable[[Node], Code]) -> Code:
        kind = packet(node)
        taken = [each for each in (*node.args, *node.kwargs.values()) if isinstance(each, Node)]
        dims = common([code_of(each).dims for each in taken])
        if kind is aten.clone:
            return code_of(taken[0])
        if kind is aten._to_copy:
            return self.converted(code_of(taken[0]), taken[0].meta["val"].dtype, node.meta["val"].dtype)
        dtype = self._common_type(node)

        def text(each: Any) -> str:
            if not isinstance(each, Node):
                return literal(each)
            condition = kind is aten.where and each is node.args[0]
            if dtype is None or condition or each.meta["val"].dtype is dtype:
                return code_of(each).text
            return self.converted(code_of(each), each.meta["val"].dtype, dtype).text

        args = [text(each) for each in node.args]
        named = {name: text(each) for name, each in node.kwargs.items()}
        if kind in _SIGNS and not named:
            # `-1.0 ** x` is not `(-1.0) ** x`.
            first = f"({args[0]})" if args[0].startswith("-") else args[0]
            return Code(f"{first} {_SIGNS[kind]} {args[1]}", dims)
        place = "torch.nn.functional" if kind is aten.gelu else "torch"
        every = [*args, *(f"{name}={value}" for name, value in named.items())]
        return Code(f"{place}.{kind.__name__}({', '.join(every)})", dims)

    def _common_type(self, node: Node) -> torch.dtype | None:
        """What operands of several element types become first; values of a kernel have other ranks, by
        which torch would choose."""
        kind = packet(node)
        tensors = [each.meta["val"] for each in node.args if isinstance(each, Node)]
        if kind is aten.where:
            tensors = tensors[1:]
        if kind in _OWN_TYPES or len({tensor.dtype for tensor in tensors}) < 2:
            return None
        return torch.result_type(*tensors)

    def converted(self, code: Code, old: torch.dtype, new: torch.dtype) -> Code:
        # Positions are of 64 bits in torch, and of 32 in a kernel.
        wide = new is torch.int64
        return code if old is new or wide else Code(f"{code.text}.to({new})", code.dims)


def common(dims: Sequence[tuple[Slot | None, ...]]) -> tuple[Slot | None, ...]:
    """The dimensions of a value that is computed lane by lane from others."""
    rank = max((len(each) for each in dims), default=0)
    aligned = [(None,) * (rank - len(each)) + each for each in dims]
    return tuple(
        next((slot for slot in column if slot is not None), None) for column in zip(*aligned, strict=True)
    )
