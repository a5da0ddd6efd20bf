"""Which axes the values of a cluster have.

A *cluster* is a set of nodes of an ATen graph that one kernel shall compute. `trace_axes` follows the
dimensions of its values through it. Most values belong to the body of the kernel; what a matrix product
takes is computed in the loop over the dimension that is summed, so it has a region of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from torch.fx import Node

from tilec.frontend.whole.arguments import (
    AttentionArguments,
    attention_arguments,
    base,
    cat_arguments,
    consumers,
    cut_arguments,
    factors,
    inner_operands,
    outputs,
    permutation,
    reduced_dims,
    segment_options,
)
from tilec.frontend.whole.axes import Dim, Mismatch, Shape, fresh, leaves, reshaped, same
from tilec.frontend.whole.graph import (
    ATTENTION,
    CREATIONS,
    JOINS,
    PRODUCTS,
    REDUCTIONS,
    SEGMENTS,
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

    @property
    def regions(self) -> list[Region]:
        return [self.left, *self.rights.values()]


@dataclass
class Attention:
    """The results of one attention, summed in one loop over the keys, `inner`. Queries are in the body."""

    given: AttentionArguments
    nodes: list[Node] = field(default_factory=list[Node])
    keys: Region = field(default_factory=Region)
    values: Region = field(default_factory=Region)
    mask: Region = field(default_factory=Region)
    rows: Dim = ()
    inner: Dim = ()

    @property
    def regions(self) -> list[Region]:
        return [self.keys, self.values, self.mask]


@dataclass
class Segments:
    """A sum over the rows of each segment, `inner`; the segments are `groups`."""

    node: Node
    rows: Region = field(default_factory=Region)
    groups: Dim = ()
    inner: Dim = ()

    @property
    def regions(self) -> list[Region]:
        return [self.rows]


@dataclass(frozen=True)
class Way:
    """How a cluster may be computed: `totals`, sums over rows of results of other rows, are collected from
    all steps; `cut` loads what slices are taken from, rather than have torch take them.
    """

    totals: bool
    cut: bool


class Cluster:
    """The axes of the values of some nodes, which are in the order of their graph. Raises Refused.

    `totals` are the sums that all steps add to. `whole` says which dimensions a node needs whole, `beside`
    which axes stand in one place of values though their extents differ, as those of a slice and of what it is
    cut from.
    """

    def __init__(self, nodes: Sequence[Node], way: Way) -> None:
        self.nodes = frozenset(nodes)
        self._way = way
        self.totals = {node for node in nodes if way.totals and is_total(node, self.nodes)}
        self.outputs = outputs(nodes)
        self.main = Region()
        self.products: list[Product] = []
        self.attentions: list[Attention] = []
        self.segments: list[Segments] = []
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
        return [self.main, *(region for loop in self.inner_loops for region in loop.regions)]

    @property
    def inner_loops(self) -> list[Product | Attention | Segments]:
        return [*self.products, *self.attentions, *self.segments]

    def _body(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes that are not only there for an operand of a product."""
        needed = set(self.outputs)
        for node in reversed(nodes):
            if node in needed:
                taken = inner_operands(node)
                needed.update(base(each) for each in operands(node) if each not in taken)
        return [node for node in nodes if node in needed]

    def _inside(self, node: Node) -> bool:
        """Whether a kernel makes the value of `node`, rather than load it."""
        if node in self.nodes or packet(node) in CREATIONS:
            return True
        if packet(node) not in VIEWS:
            return False
        if not self._way.cut and base(node) not in self.nodes and is_cut(node):
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
        elif packet(node) in ATTENTION:
            shape = self._attention(region, node)
        elif packet(node) in SEGMENTS:
            shape = self._segments(region, node)
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
        if region is not self.main or self.attentions or self.segments:
            raise Refused("a product is an operand of another loop")
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

    def _attention(self, region: Region, node: Node) -> Shape:
        if region is not self.main or self.products or self.segments:
            raise Refused("attention and a product in one kernel")
        given = attention_arguments(node)
        found = next((each for each in self.attentions if each.given == given), None)
        if found is None:
            found = Attention(given)
            self.attentions.append(found)
        found.nodes.append(node)
        q, k, v = (
            self._shape(place, each)
            for place, each in ((region, given.q), (found.keys, given.k), (found.values, given.v))
        )
        group = sizes_of(given.q)[1] // sizes_of(given.k)[1]
        same(q[1], (*k[1], *fresh(group)))
        for left, right in ((q[0], k[0]), (q[3], k[3]), *zip(k[:3], v[:3], strict=True)):
            same(left, right)
        found.rows, found.inner = q[2], k[2]
        if any(not dim for dim in (q[2], q[3], k[2], v[3])):
            raise Refused("an operand of attention has one row or one column")
        if given.mask is not None:
            broadcast(
                (*sizes_of(given.q)[:3], sizes_of(given.k)[2]),
                [(*q[:3], k[2]), self._shape(found.mask, given.mask)],
            )
        self._aside(node, q[3], v[3])
        self.whole.append((node, v[3]))
        return (*q[:3], v[3]) if node.args[1] == 0 else q[:3]

    def _segments(self, region: Region, node: Node) -> Shape:
        if region is not self.main or self.products or self.attentions:
            raise Refused("segments and a product in one kernel")
        if len(segment_options(node)) > 0:
            raise Refused(f"segments with {' and '.join(segment_options(node))}")
        found = Segments(node)
        self.segments.append(found)
        found.inner, *others = self._shape(found.rows, inner_operands(node)[0])
        found.groups = fresh(sizes_of(node)[0])
        if not found.inner or not found.groups:
            raise Refused("segments of one row, or only one")
        return (found.groups, *others)

    def _reduced(self, node: Node, shape: Shape) -> Shape:
        dims = reduced_dims(node)
        if node not in self.totals:
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
        if left and right and leaves(left) != leaves(right):
            self.beside.append((left, right))


def is_total(node: Node, nodes: Collection[Node]) -> bool:
    """Whether `node` is a sum over rows, which only others than `nodes` use."""
    if packet(node) not in (aten.mean, aten.sum) or not node.meta["val"].is_floating_point():
        return False
    rank = len(sizes_of(operands(node)[0]))
    dims = reduced_dims(node)
    trailing = len(dims) < rank and sorted(dims) == list(range(rank - len(dims), rank))
    return not trailing and not any(user in nodes for user in consumers(node))


def is_cut(node: Node) -> bool:
    """Whether a view leaves some elements out."""
    while packet(node) in VIEWS:
        node, cut = operands(node)[0], packet(node) in (aten.select, aten.slice)
        if cut:
            return True
    return False


def broadcast(sizes: tuple[int, ...], shapes: Sequence[Shape]) -> Shape:
    """The dimensions of what is computed lane by lane from `shapes`. Raises Mismatch."""
    result: list[Dim] = []
    for place, size in enumerate(sizes, -len(sizes)):
        found = [shape[place] for shape in shapes if len(shape) >= -place and shape[place]]
        for other in found[1:]:
            same(found[0], other)
        result.append(found[0] if found else fresh(size))
    return tuple(result)
