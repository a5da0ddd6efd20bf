"""Random programs whose iterations update arrays that they share, through windows of every kind.

A grid and loops in it walk some axes, one of them perhaps jagged. At each level there are updates of arrays
that are indexed by some of the axes around: what an update adds is summed over the others, so that it does
not matter how axes are cut into tiles.
"""

from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

import numpy as np

from .corpus import DTYPES
from .streams import Stream

Array = np.ndarray[Any, np.dtype[Any]]

ELEMENTS = ("f32", "bf16", "i32", "i8")
GROUPS = 4
ROWS = 30
"""Of arrays whose rows are the segments' elements."""
MOST_STEPS = 16
MOST_ELEMENTS = 20_000


@dataclass(frozen=True)
class _Axis:
    """An axis: `block` lanes a step, none of an index; `jagged` if it walks a segment of the grid's %g."""

    name: str
    extent: int
    block: int | None
    jagged: bool = False

    @property
    def steps(self) -> int:
        if self.jagged:
            return 2
        return self.extent if self.block is None else -(-self.extent // self.block)

    @property
    def head(self) -> str:
        bounds = "%begin to %end" if self.jagged else f"0 to {self.extent}"
        return f"%{self.name} = {bounds}{'' if self.block is None else f' by {self.name}'}"


@dataclass
class _Target:
    """An array that updates change: the axes that index its dimensions, shifted by up to `spare`."""

    name: str
    axes: list[_Axis]
    spare: list[int]
    element: str
    kind: str
    factor: int

    @property
    def shape(self) -> list[int]:
        return [
            axis.extent * (self.factor if axis.block is None else 1) + more
            for axis, more in zip(self.axes, self.spare, strict=True)
        ] or [2]

    def separate(self, grid: list[_Axis]) -> bool:
        """Whether no two cells of the grid touch one element."""
        return all(axis in self.axes or axis.steps == 1 for axis in grid) and not any(self.spare)


@dataclass
class _Writer:
    random: Random
    grid: list[_Axis]
    loops: list[_Axis]
    lines: list[str] = field(default_factory=list[str])
    parameters: dict[str, tuple[list[int], str]] = field(default_factory=dict[str, tuple[list[int], str]])
    filled: dict[str, tuple[list[int], str]] = field(default_factory=dict[str, tuple[list[int], str]])
    written: dict[str, tuple[list[int], str]] = field(default_factory=dict[str, tuple[list[int], str]])
    targets: list[_Target] = field(default_factory=list[_Target])
    depth: int = 1
    made: int = 0

    def add(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)

    def new(self, text: str) -> str:
        self.made += 1
        self.add(f"%v{self.made} = {text}")
        return f"%v{self.made}"

    def enter(self, line: str) -> None:
        self.add(f"{line} {{")
        self.depth += 1

    def leave(self) -> None:
        self.depth -= 1
        self.add("}")

    def nest(self) -> None:
        """The whole nest: at each level updates before and after the loop inside it."""
        self.enter(f"tile.grid {', '.join(axis.head for axis in self.grid)}")
        if any(axis.jagged for axis in self.loops):
            self.add("%begin, %end = tile.segment %offsets[%g]")
        around = list(self.grid)
        for axis in self.loops:
            if self.random.random() < 0.2:
                self.update(around)
            self.enter(f"tile.for {axis.head}")
            around.append(axis)
        for _ in range(self.random.randint(1, 3)):
            self.update(around)
        for axis in reversed(self.loops):
            self.leave()
            around.remove(axis)
            if self.random.random() < 0.2:
                self.update(around)
        self.leave()

    def target(self, around: list[_Axis]) -> _Target:
        """An array to update: one that there is, if it fits, or a new one."""
        old = [each for each in self.targets if all(axis in around for axis in each.axes)]
        if old and self.random.random() < 0.35:
            return self.random.choice(old)
        axes = [axis for axis in around if not axis.jagged and self.random.random() < 0.5]
        self.random.shuffle(axes)
        tiles = [axis for axis in axes if axis.block is not None][:2]
        axes = [axis for axis in axes if axis.block is None] + tiles
        spare = [self.random.choice((0, 0, 0, 3)) for _ in axes]
        # Single elements have 32 bits, and tiles of lanes are in the last dimension.
        element = self.random.choice(ELEMENTS if tiles else ("f32", "i32"))
        kinds = ["add", "add", "max", "min"] + (["xor", "or"] if element[0] == "i" else [])
        made = _Target(
            f"t{len(self.targets)}",
            axes,
            spare,
            element,
            self.random.choice(kinds),
            self.random.choice((1, 1, 2)),
        )
        self.targets.append(made)
        (self.filled if self.random.random() < 0.5 else self.parameters)[made.name] = (made.shape, element)
        return made

    def window(self, target: _Target) -> str:
        dims: list[str] = []
        for axis, more in zip(target.axes, target.spare, strict=True):
            index = f"%{axis.name}"
            if axis.block is None and target.factor > 1:
                index = self.new(f"arith.muli %{axis.name}, %factor : index")
            shift = self.random.randint(0, more)
            dims.append(f"{index} + {shift}" if shift else index)
        return ", ".join(dims) or str(self.random.randint(0, 1))

    def update(self, around: list[_Axis]) -> None:
        target = self.target(around)
        wide = "f32" if target.element in ("f32", "bf16") else "i32"
        around = sorted(around, key=lambda axis: (not axis.jagged, axis.block is not None))
        name, tiles = f"x{self.made}", [axis for axis in around if axis.block is not None]
        # The rows of a segment tell the segments apart.
        walked = [axis for axis in around if not (axis.name == "g" and any(each.jagged for each in around))]
        self.parameters[name] = (
            [-1 if axis.jagged else axis.extent for axis in walked] or [1],
            target.element,
        )
        places = ", ".join(f"%{axis.name}" for axis in walked) or "0"
        value = self.new(f"tile.cast {self.new(f'tile.load %{name}[{places}]')} to {wide}")
        kept = [axis for axis in tiles if axis in target.axes]
        gone = [i for i, axis in enumerate(tiles) if axis not in target.axes]
        if gone:
            value = self.new(f"tile.reduce {target.kind} {value} dims {gone}")
        order = [axis for axis in target.axes if axis.block is not None]
        if len(order) == 2 and order != kept:
            value, kept = self.new(f"tile.transpose {value} [1, 0]"), order
        shape = "?x" * len(kept)
        spans = ", ".join(axis.name for axis in kept)
        kind = f"tensor<{shape}{{}}, #tile.spans<{spans}>>" if kept else "{}"
        window = self.window(target)
        conditions = self.condition(around)
        self.change(target, window, value, kind.format(wide), around, len(kept) == len(tiles))
        for _ in range(conditions):
            self.leave()

    def condition(self, around: list[_Axis]) -> int:
        """Perhaps begin a condition about an index; returns how many were begun."""
        indices = [axis for axis in around if axis.block is None]
        if not indices or self.random.random() < 0.75:
            return 0
        axis = self.random.choice(indices)
        flag = self.new(
            f"arith.cmpi {self.random.choice(('slt', 'sge', 'ne'))}, %{axis.name}, %factor : index"
        )
        self.enter(f"scf.if {flag}")
        return 1

    def change(
        self, target: _Target, window: str, value: str, kind: str, around: list[_Axis], whole: bool
    ) -> None:
        """The atomic, perhaps with a mask; with its old value where that depends on no order or tile."""
        mask = ""
        tiles = [axis for axis in target.axes if axis.block is not None]
        if len(tiles) == 1 and self.random.random() < 0.25:
            places = self.new(f"tile.indices %{tiles[0].name}")
            limit = self.new(
                f"tile.splat {tiles[0].extent // 2} : tensor<?xi32, #tile.spans<{tiles[0].name}>>"
            )
            mask = f" mask {self.new(f'tile.compare lt {places}, {limit}')}"
        ordered = (
            whole and target.separate(self.grid) and not mask and not any(axis.jagged for axis in around)
        )
        alone = sum(f"%{target.name}[" in line for line in self.lines) == 0
        if not (ordered and alone and self.random.random() < 0.5):
            self.add(f"tile.atomic_rmw {target.kind} {value}, %{target.name}[{window}]{mask}")
            return
        old = self.new(f"tile.atomic_rmw {target.kind} {value}, %{target.name}[{window}] old")
        rest = [axis for axis in around if axis not in tiles]
        self.written[f"o{self.made}"] = (
            [axis.extent for axis in (*rest, *tiles)],
            "f32" if "f32" in kind else "i32",
        )
        places = ", ".join(f"%{axis.name}" for axis in (*rest, *tiles))
        self.add(f"tile.store {old}, %o{self.made}[{places}]")


def _axes(random: Random) -> tuple[list[_Axis], list[_Axis]]:
    """The axes of a grid and the loops in it, few enough steps and elements of them."""
    while True:
        jagged = random.random() < 0.25
        grid = [_Axis("g", GROUPS, None)] if jagged else []
        loops = [_Axis("j", ROWS, random.choice((4, 8, 16)), jagged=True)] if jagged else []
        for name in random.sample("abcd", random.randint(1, 3)):
            tiled = random.random() < 0.6
            extent = random.choice((1, 7, 8, 13, 40, 128, 200)) if tiled else random.randint(1, 4)
            block = random.choice((1, 4, 8, 16, 32, 128)) if tiled else None
            (grid if random.random() < 0.6 else loops).append(_Axis(name, extent, block))
        random.shuffle(grid)
        random.shuffle(loops)
        every = [*grid, *loops]
        small = prod(axis.extent for axis in every) <= MOST_ELEMENTS
        tiles = sum(axis.block is not None for axis in every)
        if grid and small and 1 <= tiles <= 3 and prod(axis.steps for axis in every) <= MOST_STEPS:
            return grid, loops


def _memref(shape: list[int], element: str) -> str:
    return f"memref<{'x'.join('?' if extent == -1 else str(extent) for extent in shape)}x{element}>"


def random_update(random: Random) -> Stream:
    """A random program @stream with blocks and arguments."""
    writer = _Writer(random, *_axes(random))
    writer.nest()
    jagged = any(axis.jagged for axis in writer.loops)
    parameters = [f"%{name}: {_memref(*kind)}" for name, kind in writer.parameters.items()]
    if jagged:
        parameters.append(f"%offsets: memref<{GROUPS + 1}xi32>")
    shapes = {**writer.parameters, **writer.filled, **writer.written}
    results = {name: _memref(*kind) for name, kind in shapes.items() if name[0] != "x"}
    fills = [f"  %{name} = tile.full 1 : {_memref(*kind)}" for name, kind in writer.filled.items()]
    fills += [f"  %{name} = tile.full 0 : {_memref(*kind)}" for name, kind in writer.written.items()]
    types = ", ".join(results.values())
    lines = [
        f"func.func @stream({', '.join(parameters)}) -> ({types}) {{",
        "  %factor = arith.constant 2 : index",
        *fills,
        *writer.lines,
        f"  return {', '.join(f'%{name}' for name in results)} : {types}",
        "}",
    ]
    blocks = {axis.name: axis.block for axis in (*writer.grid, *writer.loops) if axis.block is not None}
    rng = np.random.default_rng(random.randrange(2**32))
    args: list[Array] = []
    for shape, element in writer.parameters.values():
        sizes = [ROWS if extent == -1 else extent for extent in shape]
        drawn = rng.integers(0, 8, sizes) if element[0] == "i" else rng.standard_normal(sizes)
        args.append(drawn.astype(DTYPES[element]))
    if jagged:
        args.append(np.array([0, *np.sort(rng.integers(0, ROWS + 1, GROUPS - 1)), ROWS], np.int32))
    return Stream("\n".join(lines) + "\n", blocks, args)
