"""Which axes the values of a cluster have.

A *cluster* is a set of nodes of an ATen graph that one kernel shall compute. `trace_axes` follows the
dimensions of its values through it. Most values belong to the body of the kernel; what a matrix product
takes is computed in the loop over the dimension that is summed, so it has a region of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch.fx import Node

from tilec.frontend.whole.arguments import (
    base,
    cat_arguments,
    cut_arguments,
    factors,
    outputs,
    permutation,
    reduced_dims,
)
from tilec.frontend.whole.axes import Dim, Mismatch, Shape, fresh, reshaped, same
from tilec.frontend.whole.graph import (
    CREATIONS,
    JOINS,
    PRODUCTS,
    REDUCTIONS,
    VIEWS,
    aten,
    operands,
    packet,
    sizes_of,
)


class Refused(Exception):
    """Why no kernel computes some nodes together: a clause for people."""


@dataclass
class Region:
    """Values that are computed at one place: the shapes of all, in order, and which of them are loaded."""

    shapes: dict[Node, Shape] = field(default_factory=dict[Node, Shape])
    loads: list[Node] = field(default_factory=list[Node])


@dataclass
class Product:
    """Matrix products of one left operand, summed in one loop over `inner`."""

    lhs: Node
    left: Region = field(default_factory=Region)
    rights: dict[Node, Region] = field(default_factory=dict[Node, Region])
    inner: Dim = ()


class Cluster:
    """The axes of the values of some nodes, which are in the order of their graph. Raises Refused.

    `whole` says which dimensions a node needs whole, `beside` which axes stand in one place of values
    though their extents differ, as those of a slice and of what it is cut from.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = frozenset(nodes)
        self.outputs = outputs(nodes)
        self.main = Region()
        self.products: list[Product] = []
        self.whole: list[tuple[Node, Dim]] = []
        self.beside: list[tuple[Dim, Dim]] = []
        try:
            for node in self._body(nodes):
                self._shape(self.main, node)
        except Mismatch as error:
            raise Refused(f"dimensions do not fit each other ({error})") from error
        computed = [node for region in self.regions for node in region.shapes if node in self.nodes]
        if len(computed) != len(set(computed)):
            raise Refused("a value is needed in the loop of a product and outside of it")

    @property
    def regions(self) -> list[Region]:
        inner = [[product.left, *product.rights.values()] for product in self.products]
        return [self.main, *(region for regions in inner for region in regions)]

    def _body(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes that are not only there for an operand of a product."""
        needed = set(self.outputs)
        for node in reversed(nodes):
            if node in needed:
                taken = factors(node) if packet(node) in PRODUCTS else ()
                needed.update(base(each) for each in operands(node) if each not in taken)
        return [node for node in nodes if node in needed]

    def _inside(self, node: Node) -> bool:
        """Whether a kernel makes the value of `node`, rather than load it."""
        if node in self.nodes or packet(node) in CREATIONS:
            return True
        if packet(node) not in VIEWS:
            return False
        # Torch makes a view at no cost, and needs no copy where its elements are in order.
        return base(node) in self.nodes or not node.meta["val"].is_contiguous()

    def _shape(self, region: Region, node: Node) -> Shape:
        if node in region.shapes:
            return region.shapes[node]
        if not self._inside(node):
            region.loads.append(node)
            shape = tuple(fresh(size) for size in sizes_of(node))
        elif packet(node) in PRODUCTS:
            shape = self._product(region, node)
        else:
            shape = self._result(node, {each: self._shape(region, each) for each in operands(node)})
        region.shapes[node] = shape
        return shape

    def _result(self, node: Node, shapes: dict[Node, Shape]) -> Shape:
        kind = packet(node)
        if kind in CREATIONS:
            return tuple(fresh(size) for size in sizes_of(node))
        if kind in JOINS:
            return self._joined(node, shapes)
        if kind in REDUCTIONS:
            return self._reduced(node, *shapes.values())
        if kind in VIEWS:
            return self._viewed(node, *shapes.values())
        return broadcast(sizes_of(node), list(shapes.values()))

    def _product(self, region: Region, node: Node) -> Shape:
        if region is not self.main:
            raise Refused("a product is an operand of another")
        left, right = factors(node)
        product = next((each for each in self.products if each.lhs is left), None)
        if product is None:
            product = Product(left)
            self.products.append(product)
        product.rights[node] = Region()
        lhs, rhs = self._shape(product.left, left), self._shape(product.rights[node], right)
        same(lhs[-1], rhs[-2])
        product.inner = lhs[-1]
        if any(not dim for dim in (lhs[-2], lhs[-1], rhs[-1])):
            raise Refused("an operand of a product has one row or one column")
        if len(lhs) == 3:
            same(lhs[0], rhs[0])
        shape = (*lhs[:-1], rhs[-1])
        bias = [self._shape(region, each) for each in operands(node) if each not in (left, right)]
        return broadcast(sizes_of(node), [shape, *bias])

    def _reduced(self, node: Node, shape: Shape) -> Shape:
        dims = reduced_dims(node)
        self.whole += [(node, shape[dim]) for dim in dims]
        if len(sizes_of(node)) == len(shape):
            return tuple(() if i in dims else dim for i, dim in enumerate(shape))
        return tuple(dim for i, dim in enumerate(shape) if i not in dims)

    def _joined(self, node: Node, shapes: dict[Node, Shape]) -> Shape:
        parts, dim = cat_arguments(node)
        sizes = sizes_of(node)
        others = [tuple(() if i == dim else d for i, d in enumerate(shapes[part])) for part in parts]
        result = list(broadcast((*sizes[:dim], 1, *sizes[dim + 1 :]), others))
        result[dim] = fresh(sizes[dim])
        self.whole.append((node, result[dim]))
        for part in parts:
            self._aside(node, shapes[part][dim], result[dim])
        return tuple(result)

    def _viewed(self, node: Node, shape: Shape) -> Shape:
        kind, sizes = packet(node), sizes_of(node)
        if kind is aten.permute or kind is aten.transpose:
            return tuple(shape[dim] for dim in permutation(node))
        if kind is aten.expand:
            return broadcast(sizes, [shape])
        if kind is aten.select or kind is aten.slice:
            return self._cut(node, shape)
        return reshaped(shape, sizes)

    def _cut(self, node: Node, shape: Shape) -> Shape:
        dim, _, step = cut_arguments(node)
        sizes = sizes_of(node)
        if step != 1:
            raise Refused(f"a slice takes every {step}th element")
        if packet(node) is aten.select:
            self.whole.append((node, shape[dim]))
            return (*shape[:dim], *shape[dim + 1 :])
        if sizes[dim] == sizes_of(operands(node)[0])[dim]:
            return shape
        part = fresh(sizes[dim])
        self.whole.append((node, shape[dim]))
        self._aside(node, part, shape[dim])
        return (*shape[:dim], part, *shape[dim + 1 :])

    def _aside(self, node: Node, left: Dim, right: Dim) -> None:
        self.whole.append((node, left))
        if left and right:
            self.beside.append((left, right))


def broadcast(sizes: tuple[int, ...], shapes: Sequence[Shape]) -> Shape:
    """The dimensions of what is computed lane by lane from `shapes`. Raises Mismatch."""
    result: list[Dim] = []
    for place, size in enumerate(sizes, -len(sizes)):
        found = [shape[place] for shape in shapes if len(shape) >= -place and shape[place]]
        for other in found[1:]:
            same(found[0], other)
        result.append(found[0] if found else fresh(size))
    return tuple(result)
