"""Kernels of clusters, as text in the language of tiles.

def softmax(x):
    out = torch.empty([24, 8], dtype=torch.float32)
    for r in hl.tile(24, block_size=24):
        x_1 = x[r, :]
        amax = torch.amax(x_1, [-1], keepdim=True)
        …
        out[r, :] = div
    return out
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from math import prod

import torch
from torch.fx import Node

from tilec.frontend.whole.arguments import factors
from tilec.frontend.whole.graph import CREATIONS, JOINS, PRODUCTS, REDUCTIONS, VIEWS, aten, operands, packet
from tilec.frontend.whole.plan import Plan, Slot
from tilec.frontend.whole.regions import Product, Region
from tilec.frontend.whole.statements import Code, Statements, common, literal


@dataclass(frozen=True)
class Array:
    """An argument or a result of a kernel: a node, in the shape in which the kernel sees it."""

    node: Node
    shape: tuple[int, ...]
    name: str


@dataclass(frozen=True)
class Kernel:
    """A kernel as text. Its arguments and results are the nodes of `Array`, viewed in other shapes."""

    name: str
    text: str
    arguments: tuple[Array, ...]
    results: tuple[Array, ...]


class Writer:
    """Writes the kernel of a plan. `kernel` is the result. Raises Refused."""

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self._taken = {"hl", "torch", name}
        self._names: dict[Slot, str] = {}
        self._arguments: dict[tuple[Node, tuple[int, ...]], Array] = {}
        self._lines: list[str] = []
        self._depth = 1
        self._sums: dict[Node, str] = {}
        self._codes: dict[int, dict[Node, Code]] = {id(r): {} for r in plan.cluster.regions}
        self._results = [self._result(node) for node in plan.cluster.outputs]
        self._heads()
        self._region(plan.cluster.main)
        self._stores()
        names = [each.name for each in self._arguments.values()]
        returned = ", ".join(each.name for each in self._results)
        lines = [f"def {name}({', '.join(names)}):", *self._lines, f"    return {returned}", ""]
        self.kernel = Kernel(name, "\n".join(lines), tuple(self._arguments.values()), tuple(self._results))

    def _name(self, wanted: str) -> str:
        """`wanted`, or that with a number, as a name that nothing has yet."""
        names = (wanted if not i else f"{wanted}_{i}" for i in count())
        name = next(name for name in names if name not in self._taken and not iskeyword(name))
        self._taken.add(name)
        return name

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def _result(self, node: Node) -> Array:
        shape = self._plan.extents(self._plan.cluster.main.shapes[node])
        return Array(node, shape, self._name("out"))

    def _heads(self) -> None:
        for array in self._results:
            dtype = array.node.meta["val"].dtype
            self._line(f"{array.name} = torch.empty({literal(array.shape)}, dtype={dtype})")
        letters = iter("mn" if self._plan.cluster.products else "rc")
        grid = [slot for slot in self._plan.loops if slot.role == "grid"]
        tiles = [slot for slot in self._plan.loops if slot.role == "tile"]
        self._names.update({slot: self._name("g") for slot in grid})
        self._names.update({slot: self._name(next(letters)) for slot in tiles})
        if grid:
            self._loop("grid", grid, "")
        self._loop("tile", tiles, ", block_size=" + listed([self._block(slot) for slot in tiles]))

    def _loop(self, kind: str, slots: list[Slot], more: str) -> None:
        names = ", ".join(self._names[slot] for slot in slots)
        self._line(f"for {names} in hl.{kind}({listed([slot.size for slot in slots])}{more}):")
        self._depth += 1

    def _block(self, slot: Slot) -> int:
        """How many places of a slot a step has: at most 256 in products, else values of 256 KiB in f32."""
        most = 1 << (slot.size - 1).bit_length()
        if slot.role == "inner" or self._plan.cluster.products:
            return max(8, min(most, 512 if slot.role == "inner" else 256))
        tiles = [each for each in self._plan.loops if each.role == "tile"]
        if slot is not tiles[0]:
            return min(most, 512)
        row = self._plan.row * prod(min(512, each.size) for each in tiles[1:])
        return max(8, min(most, 1 << (65536 // row).bit_length() - 1))

    def _region(self, region: Region) -> None:
        """Write the values of a region."""
        statements = Statements(self._plan, self._plan.order(region), region.shapes, self._names)
        codes = self._codes[id(region)]
        for node in region.shapes:
            codes[node] = self._code(region, statements, node)

    def _code(self, region: Region, statements: Statements, node: Node) -> Code:
        codes, kind = self._codes[id(region)], packet(node)
        if node in region.loads:
            return self._assigned(node, self._load(region, node))
        if kind in CREATIONS:
            return statements.creation(node)
        if kind in VIEWS:
            return statements.view(node, codes[operands(node)[0]])
        if kind in PRODUCTS:
            return self._product(node, statements)
        if kind in REDUCTIONS:
            return self._assigned(node, statements.reduction(node, codes[operands(node)[0]]))
        if kind in JOINS:
            return self._assigned(node, statements.join(node, codes))
        return self._assigned(node, statements.pointwise(node, codes.__getitem__))

    def _assigned(self, node: Node, code: Code) -> Code:
        if code.text in self._taken:
            return code
        name = self._name(node.name)
        self._line(f"{name} = {code.text}")
        return Code(name, code.dims)

    def _load(self, region: Region, node: Node) -> Code:
        shape, order = region.shapes[node], self._plan.order(region)
        slots, extents = self._plan.slots(shape), self._plan.extents(shape) or (1,)
        array = self._arguments.get((node, extents))
        if array is None:
            array = Array(node, extents, self._name(node.name))
            self._arguments[node, extents] = array
        index = [self._names.get(slot, ":") for slot in slots] or ["0"]
        text = f"{array.name}[{', '.join(index)}]"
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

    def _product(self, node: Node, statements: Statements) -> Code:
        """A product's value, rounded once. The loop is written before the first of those that share it."""
        product = next(each for each in self._plan.cluster.products if node in each.rights)
        if node not in self._sums:
            self._sum(product)
        rows, columns = self._plan.order(product.left)[0], self._plan.order(product.rights[node])[1]
        order = self._plan.order(self._plan.cluster.main)
        text = self._sums[node]
        if order.index(rows) > order.index(columns):
            rows, columns, text = columns, rows, f"{text}.T"
        dims = (rows, columns)
        alpha, beta = node.kwargs.get("alpha", 1), node.kwargs.get("beta", 1)
        text = text if alpha == 1 else f"{text} * {alpha}"
        dtype = node.meta["val"].dtype
        if packet(node) in (aten.addmm, aten.baddbmm):
            bias = self._codes[id(self._plan.cluster.main)][operands(node)[0]]
            bias = statements.converted(bias, dtype, torch.float32)
            dims = common([bias.dims, dims])
            text += f" + {bias.text}" if beta == 1 else f" + {bias.text} * {beta}"
        return self._assigned(node, statements.converted(Code(text, dims), torch.float32, dtype))

    def _sum(self, product: Product) -> None:
        """The loop of products of one left operand."""
        slot = self._plan.inner(product)
        rows = self._plan.order(product.left)[0]
        for node, region in product.rights.items():
            self._sums[node] = self._name("acc")
            sizes = [self._extent(each) for each in (rows, self._plan.order(region)[1])]
            self._line(f"{self._sums[node]} = hl.zeros([{', '.join(sizes)}], dtype=torch.float32)")
        self._names[slot] = self._name("k")
        self._loop("tile", [slot], f", block_size={self._block(slot)}")
        self._region(product.left)
        lhs = self._codes[id(product.left)][product.lhs].text
        for node, region in product.rights.items():
            self._region(region)
            rhs, total = self._codes[id(region)][factors(node)[-1]].text, self._sums[node]
            self._line(f"{total} = hl.dot({lhs}, {rhs}, acc={total})")
        self._depth -= 1

    def _extent(self, slot: Slot) -> str:
        return self._names.get(slot, str(slot.size))

    def _stores(self) -> None:
        main = self._plan.cluster.main
        statements = Statements(self._plan, self._plan.order(main), main.shapes, self._names)
        for array in self._results:
            shape = main.shapes[array.node]
            slots = self._plan.slots(shape)
            dims = [slot for slot in slots if slot.role != "grid"]
            code = statements.widened(self._codes[id(main)][array.node], dims, shape)
            text = code.text
            if None in code.dims:
                text += f"[{', '.join('0' if slot is None else ':' for slot in code.dims)}]"
            there = [slot for slot in code.dims if slot is not None]
            if dims != there:
                text += (
                    ".T" if len(dims) == 2 else f".permute({literal([there.index(slot) for slot in dims])})"
                )
            index = [self._names.get(slot, ":") for slot in slots]
            self._line(f"{array.name}[{', '.join(index)}] = {text}")


def kernel_of(nodes: Sequence[Node], name: str = "kernel") -> Kernel:
    """The kernel that computes `nodes`, which are in the order of their graph. Raises Refused."""
    return Writer(Plan(nodes), name).kernel


def listed(values: list[int]) -> str:
    """One number, or a list of several."""
    return str(values[0]) if len(values) == 1 else literal(values)
