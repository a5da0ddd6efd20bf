"""How a kernel goes over the axes of a cluster.

Axes that always stand side by side become one *slot*, a dimension of the kernel's arrays. Slots that an
operation needs whole are loaded whole, one or two of the others are tiles, the rest indices of a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Literal, TypeAlias

from torch.fx import Node

from tilec.frontend.whole.arguments import factors
from tilec.frontend.whole.axes import Axis, Dim, Shape, flat, leaves
from tilec.frontend.whole.graph import operands
from tilec.frontend.whole.regions import Attention, Cluster, Product, Refused, Region, Segments, Way

ROW = 64 * 1024
"""The most bytes, in f32, of a row that a kernel takes whole: eight rows in two buffers are 1 MiB, of the
16 MiB of on-chip memory that a v5e gives to a kernel."""

PRODUCT_ROW = 16 * 1024
"""The same for a row of a matrix product, of which a tile has 128 or more."""

Role: TypeAlias = Literal["grid", "tile", "whole", "inner"]


@dataclass(eq=False)
class Slot:
    """One dimension of a kernel's arrays, of which a loop goes over `size`, unless it is whole."""

    size: int
    role: Role = "whole"


class Plan:
    """Slots and loops of a cluster. Raises Refused.

    `loops` are the slots of the body that are not whole, in order; `row` is how many elements one of their
    places has.
    """

    def __init__(self, nodes: Sequence[Node], way: Way) -> None:
        self.cluster = Cluster(nodes, way)
        self._slots, self._whole = _slots(self.cluster)
        for loop in self.cluster.inner_loops:
            if self.inner(loop) in self._whole:
                raise Refused("an operand of a product needs whole what the product sums over")
            self.inner(loop).role = "inner"
        self._main = self._main_order()
        self._choose()
        self.loops = [slot for slot in self._main if slot.role != "whole"]
        self.row = prod(slot.size for slot in self._main if slot.role == "whole")
        for region in self.cluster.regions:
            self._check(region)
        # A sum that all steps add to is that of an operand that depends on all loops.
        nodes = [operands(node)[0] if node in self.cluster.totals else node for node in self.cluster.outputs]
        shapes = [self.cluster.main.shapes[node] for node in nodes]
        if any(slot not in self.slots(shape) for shape in shapes for slot in self.loops):
            raise Refused("a result does not depend on all loops")

    def slots(self, shape: Shape) -> list[Slot]:
        """The slots of a value, in the order of memory."""
        return list(dict.fromkeys(self._slots[axis] for axis in flat(shape)))

    def extents(self, shape: Shape) -> tuple[int, ...]:
        """The shape of a value as an array of the kernel: a dimension for each of its slots."""
        axes = flat(shape)
        return tuple(
            prod(axis.size for axis in axes if self._slots[axis] is slot) for slot in self.slots(shape)
        )

    def slot(self, dim: Dim) -> Slot | None:
        """The slot of a dimension, `None` for an extent of 1. Raises Refused if it is in several parts."""
        slots = self.slots((dim,))
        if len(slots) > 1:
            raise Refused("a dimension is cut or joined, and taken apart")
        return slots[0] if slots else None

    def inner(self, loop: Product | Attention | Segments) -> Slot:
        """What the loop of a product is over. Raises Refused if that is several slots."""
        slots = self.slots((loop.inner,))
        if len(slots) != 1:
            raise Refused("the dimension that a product sums over is one in several parts")
        return slots[0]

    def order(self, region: Region) -> list[Slot]:
        """The slots that are dimensions of the values of a region, in the order they have there."""
        order = [slot for slot in self._main if slot.role != "grid"]
        for product in self.cluster.products:
            left = [slot for slot in order if slot in self.slots(product.left.shapes[product.lhs])]
            if region is product.left:
                return [*left, self.inner(product)]
            if region in product.rights.values():
                return [self.inner(product), *(slot for slot in order if slot not in left)]
        for attention in self.cluster.attentions:
            rows = [slot for slot in order if slot in self.slots((attention.rows,))]
            if region is attention.mask:
                return [*rows, self.inner(attention)]
            if region in (attention.keys, attention.values):
                return [self.inner(attention), *(slot for slot in order if slot not in rows)]
        for segments in self.cluster.segments:
            if region is segments.rows:
                return [self.inner(segments), *order]
        return order

    def _main_order(self) -> list[Slot]:
        shapes = list(self.cluster.main.shapes.values())
        order = self.slots(max(shapes, key=lambda shape: prod(self.extents(shape))))
        if any(slot not in order for shape in shapes for slot in self.slots(shape)):
            raise Refused("no value has all dimensions")
        return order

    def _choose(self) -> None:
        """Give each slot of the body its role."""
        free = [slot for slot in self._main if slot not in self._whole]
        around = [*self.cluster.products, *self.cluster.attentions]
        groups = [self.slot(segments.groups) for segments in self.cluster.segments]
        if around:
            self._choose_around(free, around[0])
        elif groups:
            self._choose_of_groups(free, groups)
        else:
            self._choose_rows(free)

    def _choose_of_groups(self, free: list[Slot], groups: list[Slot | None]) -> None:
        if any(group not in free for group in groups):
            raise Refused("all segments are needed at once")
        for slot in free:
            last = slot is self._main[-1]
            slot.role = "grid" if slot in groups else "tile" if last and 4 * slot.size > ROW else "whole"
        self._check_row(ROW)

    def _choose_around(self, free: list[Slot], loop: Product | Attention) -> None:
        for slot in free:
            slot.role = "grid"
        if isinstance(loop, Attention):
            tiled = [loop.rows]
        else:
            node, right = next(iter(loop.rights.items()))
            tiled = [loop.left.shapes[loop.lhs][-2], right.shapes[factors(node)[-1]][-1]]
        for dim in tiled:
            slots = self.slots((dim,))
            if all(slot in free for slot in slots):
                max(slots, key=lambda slot: slot.size).role = "tile"
        if all(slot.role != "tile" for slot in self._main):
            raise Refused("every dimension is reduced or taken apart, so there are no rows")
        self._check_row(PRODUCT_ROW)

    def _choose_rows(self, free: list[Slot]) -> None:
        row = 4 * prod(slot.size for slot in self._main if slot in self._whole)
        if len(free) > 1 and free[-1] is self._main[-1]:
            last = free.pop()
            if row * last.size <= ROW:
                row *= last.size
            else:
                last.role = "tile"
        if not free:
            raise Refused("every dimension is reduced or taken apart, so there are no rows")
        tile = max(free, key=lambda slot: slot.size)
        for slot in free:
            # A short dimension inside the rows is better part of a tile than a step of its own.
            inside = free.index(slot) > free.index(tile) and row * slot.size <= ROW
            slot.role = "tile" if slot is tile else "whole" if inside else "grid"
            row *= slot.size if inside else 1
        self._check_row(ROW)

    def _check_row(self, most: int) -> None:
        row = 4 * prod(slot.size for slot in self._main if slot.role == "whole")
        if row > most:
            raise Refused(f"a row takes {row} bytes, and a kernel at most {most}")

    def _check(self, region: Region) -> None:
        order = self.order(region)
        for shape in region.shapes.values():
            axes = flat(shape)
            slots = [self._slots[axis] for axis in axes]
            runs = [slot for slot, after in pairwise([*slots, None]) if slot is not after]
            if len(axes) != len(set(axes)) or len(runs) != len(set(runs)):
                raise Refused("a value has one dimension twice")
            if any(slot not in order for slot in slots if slot.role != "grid"):
                raise Refused("an operand of a product has dimensions that its result has not")
        if region is not self.cluster.main and not self.cluster.segments and len(order) != 2:
            raise Refused("an operand of a product has more than two dimensions in a step")


def _slots(cluster: Cluster) -> tuple[dict[Axis, Slot], set[Slot]]:
    """The slot of each axis, and the slots that some operation needs whole."""
    shapes = [flat(shape) for region in cluster.regions for shape in region.shapes.values()]
    axes = list(dict.fromkeys(axis for shape in shapes for axis in shape))
    touched = {axis: {id(node) for node, dim in cluster.whole if axis in leaves(dim)} for axis in axes}
    inner = {axis for loop in cluster.inner_loops for axis in leaves(loop.inner)}
    group = {axis: [axis] for axis in axes}
    # Which query may see which key depends on positions of both; segments are rows of one dimension.
    alone = {axis for loop in cluster.attentions if loop.given.causal for axis in leaves(loop.rows)}
    alone |= {axis for loop in cluster.segments for axis in leaves((*loop.groups, *loop.inner))}
    minor = _minor(cluster)
    for first, second in dict.fromkeys(pair for shape in shapes for pair in pairwise(shape)):
        alike = touched[first] == touched[second] and (first in inner) == (second in inner)
        if (
            alone.isdisjoint((first, second))
            and second is not minor
            and alike
            and all(_adjacent(first, second, shape) for shape in shapes)
        ):
            _join(group, first, second)
    slots = {id(members): Slot(prod(axis.size for axis in members)) for members in group.values()}
    for left, right in cluster.beside:
        if len(leaves(left)) != 1 or len(leaves(right)) != 1:
            raise Refused("a dimension is cut or joined, and taken apart")
        one, other = (slots[id(group[leaves(dim)[0]])] for dim in (left, right))
        one.size = max(one.size, other.size)
        _join(group, leaves(left)[0], leaves(right)[0])
    found = {axis: slots[id(members)] for axis, members in group.items()}
    return found, {found[axis] for axis in axes if touched[axis]}


def _minor(cluster: Cluster) -> Axis | None:
    """The last axis of the largest value, which stays apart: rows of a TPU's memory are as long as it is.

    Products and attention decide by themselves which dimensions are rows.
    """
    largest = max(cluster.main.shapes.values(), key=lambda shape: prod(axis.size for axis in flat(shape)))
    return flat(largest)[-1] if flat(largest) and not (cluster.products or cluster.attentions) else None


def _adjacent(first: Axis, second: Axis, shape: Dim) -> bool:
    """Whether a value has both axes, one after the other, or neither."""
    if first not in shape:
        return second not in shape
    return shape[shape.index(first) + 1 :][:1] == (second,)


def _join(group: dict[Axis, list[Axis]], first: Axis, second: Axis) -> None:
    if group[first] is not group[second]:
        group[first].extend(group[second])
        for axis in group[second]:
            group[axis] = group[first]
