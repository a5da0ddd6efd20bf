"""Kernels of clusters, as text in the language of tiles.

    def kernel_0(x):
        out = torch.empty([24, 8], dtype=torch.float32)
        for r in hl.tile(24):
            x_1 = x[r, :]
            amax = torch.amax(x_1, [-1], keepdim=True)
            …
            out[r, :] = div
        return out

The body of its loops is that of the plan, from the top: arguments are loaded where they are first needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from math import prod

from torch.fx import Node

from tilec.frontend.whole.graph import (
    ATTENTION,
    CREATIONS,
    JOINS,
    PRODUCTS,
    REDUCTIONS,
    SEGMENTS,
    VIEWS,
    operands,
    packet,
)
from tilec.frontend.whole.inner_loops import attention_of, product_of, segments_of
from tilec.frontend.whole.plan import Plan, Slot
from tilec.frontend.whole.regions import Refused, Region, Way, is_cut, is_total
from tilec.frontend.whole.statements import Code, Statements, literal


@dataclass(frozen=True)
class Array:
    """An argument or a result of a kernel: a node, in the shape in which the kernel sees it."""

    node: Node
    shape: tuple[int, ...]
    name: str


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel as text, and block sizes for its loops by name.

    Its arguments and results are the nodes of `Array`, viewed in other shapes.
    """

    name: str
    text: str
    blocks: dict[str, int]
    arguments: tuple[Array, ...]
    results: tuple[Array, ...]


class Writer:
    """Writes the kernel of a plan. `kernel` is the result. Raises Refused."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self._taken = {"hl", "torch", name}
        self.names: dict[Slot, str] = {}
        self._arguments: dict[tuple[Node, tuple[int, ...]], Array] = {}
        self._lines: list[str] = []
        self.depth = 1
        self.sums: dict[Node, Code] = {}
        self.codes: dict[int, dict[Node, Code]] = {id(r): {} for r in plan.cluster.regions}
        self._results = [self._result(node) for node in plan.cluster.outputs]
        self._heads()
        self.region(plan.cluster.main)
        self._stores()
        names = [each.name for each in self._arguments.values()]
        returned = ", ".join(each.name for each in self._results)
        lines = [f"def {name}({', '.join(names)}):", *self._lines, f"    return {returned}", ""]
        blocks = {self.names[slot]: self._block(slot) for slot in self.names if slot.role != "grid"}
        arguments, results = tuple(self._arguments.values()), tuple(self._results)
        self.kernel = Kernel(name, "\n".join(lines), blocks, arguments, results)

    def name(self, wanted: str) -> str:
        """`wanted`, or that with a number, as a name that nothing has yet."""
        names = (wanted if not i else f"{wanted}_{i}" for i in count())
        name = next(name for name in names if name not in self._taken and not iskeyword(name))
        self._taken.add(name)
        return name

    def line(self, text: str) -> None:
        self._lines.append("    " * self.depth + text)

    def _result(self, node: Node) -> Array:
        shape = self.plan.extents(self.plan.cluster.main.shapes[node]) or (1,)
        return Array(node, shape, self.name("out"))

    def _heads(self) -> None:
        for array in self._results:
            dtype = array.node.meta["val"].dtype
            made = "zeros" if array.node in self.plan.cluster.totals else "empty"
            self.line(f"{array.name} = torch.{made}({literal(array.shape)}, dtype={dtype})")
        letters = iter("mn" if self.plan.cluster.inner_loops else "rc")
        grid = [slot for slot in self.plan.loops if slot.role == "grid"]
        tiles = [slot for slot in self.plan.loops if slot.role == "tile"]
        self.names.update({slot: self.name("g") for slot in grid})
        self.names.update({slot: self.name(next(letters)) for slot in tiles})
        if grid:
            self._loop("grid", grid)
        if tiles:
            self._loop("tile", tiles)

    def extent(self, slot: Slot) -> str:
        """The extent of a dimension of values."""
        return self.names.get(slot, str(slot.size))

    def inner_loop(self, slot: Slot, name: str, bounds: str = "") -> None:
        """Begin a loop over tiles of a slot, or of a part of it."""
        self.names[slot] = self.name(name)
        self.line(f"for {self.names[slot]} in hl.tile({bounds or slot.size}):")
        self.depth += 1

    def _loop(self, kind: str, slots: list[Slot]) -> None:
        names = ", ".join(self.names[slot] for slot in slots)
        self.line(f"for {names} in hl.{kind}({listed([slot.size for slot in slots])}):")
        self.depth += 1

    def _block(self, slot: Slot) -> int:
        """How many places of a slot a step has: at most 256 in products, else values of 256 KiB in f32."""
        most = 1 << (slot.size - 1).bit_length()
        if self.plan.cluster.products or self.plan.cluster.attentions:
            return max(8, min(most, 512 if slot.role == "inner" else 256))
        tiles = [each for each in self.plan.loops if each.role == "tile"]
        if slot.role == "tile" and slot is not tiles[0]:
            return min(most, 512)
        row = self.plan.row * prod(min(512, each.size) for each in tiles[1:])
        return max(8, min(most, 1 << (65536 // row).bit_length() - 1))

    def statements(self, region: Region) -> Statements:
        return Statements(self.plan, self.plan.order(region), region.shapes, self.names)

    def region(self, region: Region) -> None:
        """Write the values of a region."""
        codes, statements = self.codes[id(region)], self.statements(region)
        for node in region.shapes:
            codes[node] = self._code(region, statements, node)

    def _code(self, region: Region, statements: Statements, node: Node) -> Code:
        codes, kind = self.codes[id(region)], packet(node)
        if node in region.loads:
            return self.assigned(node, self._load(region, node))
        if kind in CREATIONS:
            return statements.creation(node)
        if kind in VIEWS:
            return statements.view(node, codes[operands(node)[0]])
        if kind in PRODUCTS:
            return self.assigned(node, product_of(self, node))
        if kind in ATTENTION:
            return self.assigned(node, attention_of(self, node))
        if kind in SEGMENTS:
            return self.assigned(node, segments_of(self, node))
        if kind in REDUCTIONS:
            source = codes[operands(node)[0]]
            return self.assigned(node, self._reduction(statements, node, source))
        if kind in JOINS:
            return self.assigned(node, statements.join(node, codes))
        return self.assigned(node, statements.pointwise(node, codes.__getitem__))

    def assigned(self, node: Node, code: Code) -> Code:
        if code.text in self._taken:
            return code
        name = self.name(node.name)
        self.line(f"{name} = {code.text}")
        return Code(name, code.dims)

    def operand(self, region: Region, node: Node) -> str:
        """A value of a region with all of its dimensions."""
        order = self.plan.order(region)
        return self.statements(region).widened(self.codes[id(region)][node], order, region.shapes[node]).text

    def argument(self, node: Node, shape: tuple[int, ...]) -> str:
        """The name of an argument that is `node` in this shape."""
        array = self._arguments.get((node, shape))
        if array is None:
            array = Array(node, shape, self.name(node.name))
            self._arguments[node, shape] = array
        return array.name

    def _load(self, region: Region, node: Node) -> Code:
        shape, order = region.shapes[node], self.plan.order(region)
        slots, extents = self.plan.slots(shape), self.plan.extents(shape) or (1,)
        index = [self.names.get(slot, ":") for slot in slots] or ["0"]
        text = f"{self.argument(node, extents)}[{', '.join(index)}]"
        dims = [slot for slot in slots if slot.role != "grid"]
        there = sorted(dims, key=order.index)
        if dims != there:
            text += ".T" if len(dims) == 2 else f".permute({literal([dims.index(slot) for slot in there])})"
        if not there:
            return Code(text)
        wanted = [slot if slot in there else None for slot in order[order.index(there[0]) :]]
        if None in wanted:
            text += f"[{', '.join('None' if slot is None else ':' for slot in wanted)}]"
        return Code(text, tuple(wanted))

    def _reduction(self, statements: Statements, node: Node, source: Code) -> Code:
        if node in self.plan.cluster.totals:
            return statements.part_of_total(node, source)
        return statements.reduction(node, source)

    def _stores(self) -> None:
        main = self.plan.cluster.main
        statements = Statements(self.plan, self.plan.order(main), main.shapes, self.names)
        for array in self._results:
            shape = main.shapes[array.node]
            slots = self.plan.slots(shape)
            dims = [slot for slot in slots if slot.role != "grid"]
            code = statements.widened(self.codes[id(main)][array.node], dims, shape)
            text = code.text
            if None in code.dims:
                text += f"[{', '.join('0' if slot is None else ':' for slot in code.dims)}]"
            there = [slot for slot in code.dims if slot is not None]
            if dims != there:
                text += (
                    ".T" if len(dims) == 2 else f".permute({literal([there.index(slot) for slot in dims])})"
                )
            if array.node in self.plan.cluster.totals:
                index = [self.names.get(slot, "slice(None)") for slot in slots] or ["0"]
                self.line(f"hl.atomic_add({array.name}, [{', '.join(index)}], {text})")
            else:
                index = [self.names.get(slot, ":") for slot in slots]
                self.line(f"{array.name}[{', '.join(index)}] = {text}")


def kernel_of(nodes: Sequence[Node], name: str = "kernel") -> Kernel:
    """The kernel that computes `nodes`, which are in the order of their graph. Raises Refused."""
    inside = frozenset(nodes)
    totals = any(is_total(node, inside) for node in nodes)
    cuts = any(is_cut(each) for node in nodes for each in operands(node))
    ways = [
        Way(a, b)
        for b in ((True, False) if cuts else (True,))
        for a in ((True, False) if totals else (False,))
    ]
    for way in ways[:-1]:
        try:
            return Writer(Plan(nodes, way), name).kernel
        except Refused:
            continue
    return Writer(Plan(nodes, ways[-1]), name).kernel


def listed(values: list[int]) -> str:
    """One number, or a list of several."""
    return str(values[0]) if len(values) == 1 else literal(values)
