"""Random programs whose tiles fit memory badly: maps, sums and updates in place over awkward extents.

A program walks the dimensions of its arrays by grid axes and by loops inside each other, some of them jagged
or begun late, reads them also shifted, and may pass over them twice. What it computes does not depend on how
its axes are cut into tiles, and its integers fit eight bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

import numpy as np

from .corpus import DTYPES

Array = np.ndarray[Any, np.dtype[Any]]

ELEMENTS = ("f32", "bf16", "i8", "i32")
EXTENTS = (1, 7, 8, 9, 13, 100, 127, 128, 129, 1000)
BLOCKS = (1, 3, 4, 8, 16, 20, 32, 64, 100, 128, 256)
GROUPS = 5

MOST_ELEMENTS = 12_000
MOST_STEPS = 10
"""Of all loops together: the interpreter of kernels takes tens of milliseconds for each."""

MOST_REPEATED = 4
"""Steps of a pass that a loop makes several times over."""


@dataclass(frozen=True)
class Stream:
    """A program @stream, the sizes of its tile axes, and arguments for it."""

    text: str
    blocks: Mapping[str, int]
    args: list[Array]

    @property
    def jagged(self) -> bool:
        return "tile.segment" in self.text


@dataclass(frozen=True)
class _Axis:
    """How a dimension is walked: all at once, by an index, or in tiles, which may be jagged.

    `looped` is whether a loop inside the grid does it.
    """

    name: str
    kind: str
    begin: int
    extent: int
    block: int
    looped: bool

    @property
    def steps(self) -> int:
        match self.kind:
            case "jagged":
                return GROUPS + -(-self.extent // self.block)
            case "tile":
                return -(-(self.extent - self.begin) // self.block)
            case "index":
                return self.extent - self.begin
            case _:
                return 1

    @property
    def head(self) -> str:
        bounds = "%begin to %end" if self.kind == "jagged" else f"{self.begin} to {self.extent}"
        by = "" if self.kind == "index" else f" by {self.name}"
        return f"%{self.name} = {bounds}{by}"


def _random_axes(random: Random) -> list[_Axis]:
    rank = random.choice((1, 2, 2, 2, 3))
    jagged = random.random() < 0.25
    while True:
        axes = [_random_axis(random, rank, i, jagged and i == 0) for i in range(rank)]
        small = prod(axis.extent for axis in axes) <= MOST_ELEMENTS
        tiled = any(axis.kind in ("tile", "jagged") for axis in axes)
        if small and tiled and prod(axis.steps for axis in axes) <= MOST_STEPS:
            return axes


def _random_axis(random: Random, rank: int, position: int, jagged: bool) -> _Axis:
    extent, kinds = random.choice(EXTENTS), ["tile"] * 3
    if rank > 1:
        kinds.append("all")
    if position < rank - 2 or (position == rank - 2 and random.random() < 0.2):
        kinds.append("index")
    kind = random.choice(kinds)
    if jagged:
        kind, extent = "jagged", random.choice((13, 40, 100))
    begin = random.choice((0, 0, 0, 1, 5, 8, 128)) if kind in ("tile", "index") else 0
    fitting = [block for block in BLOCKS if block <= extent]
    block = random.choice(BLOCKS if random.random() < 0.1 else fitting)
    looped = jagged or random.random() < 0.5
    return _Axis("abc"[position], kind, min(begin, extent - 1), extent, block, looped)


@dataclass
class _Writer:
    """A program in the making.

    `arrays` are its parameters and `outputs` what it allocates, by name: each a shape
    (-1: rows that the call says) and an element type; outputs also have the line that makes them.
    """

    random: Random
    element: str
    axes: list[_Axis]
    repeats: int
    lines: list[str] = field(default_factory=list[str])
    depth: int = 1
    made: int = 0
    arrays: dict[str, tuple[list[int], str]] = field(default_factory=dict[str, tuple[list[int], str]])
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    scalars: list[str] = field(default_factory=list[str])
    """Indices that a condition can ask for here."""

    def __post_init__(self) -> None:
        walked = [axis for axis in self.axes if axis.kind != "all"]
        self.grid = [axis for axis in walked if not axis.looped]
        self.inner = [axis for axis in walked if axis.looped]
        self.random.shuffle(self.grid)
        self.random.shuffle(self.inner)
        self.jagged = any(axis.kind == "jagged" for axis in walked)
        self.partial = self.jagged or any(axis.begin for axis in walked)
        self.loops = [axis.head for axis in self.inner]
        if self.repeats:
            self.loops.insert(self.random.randint(0, len(self.loops)), f"%t = 0 to {self.repeats}")
        self.wide = "f32" if self.element in ("f32", "bf16") else "i32"
        self.tile = [axis for axis in self.axes if axis.kind != "index"]
        self.kept = [axis for axis in self.tile if axis not in self.inner]
        self.arrays["x"] = (self.shape(), self.element)

    # Text

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

    def kind(self, axes: list[_Axis]) -> str:
        """The type of a wide value over `axes`."""
        if not axes:
            return self.wide
        shape = "x".join(str(axis.extent) if axis.kind == "all" else "?" for axis in axes)
        if all(axis.kind == "all" for axis in axes):
            return f"tensor<{shape}x{self.wide}>"
        spans = ", ".join("_" if axis.kind == "all" else axis.name for axis in axes)
        return f"tensor<{shape}x{self.wide}, #tile.spans<{spans}>>"

    def combined(self, name: str, left: str, right: str, axes: list[_Axis]) -> str:
        floats = self.wide == "f32"
        op = ("maximumf" if floats else "maxsi") if name == "max" else f"{name}{'f' if floats else 'i'}"
        return self.new(f"arith.{op} {left}, {right} : {self.kind(axes)}")

    def shape(self, longer: int | None = None, by: int = 0) -> list[int]:
        """The shape of an array, `by` elements longer in one dimension."""
        return [
            -1 if axis.kind == "jagged" else axis.extent + (by if i == longer else 0)
            for i, axis in enumerate(self.axes)
        ]

    def placement(self) -> str:
        return self.random.choice(("", "", "", "", " resident", " stream"))

    def load(self, name: str, window: list[str], placement: str = "") -> str:
        value = self.new(f"tile.load %{name}[{', '.join(window)}]{placement}")
        return value if self.element == self.wide else self.new(f"tile.cast {value} to {self.wide}")

    def window(self, shifted: int | None = None, shift: str = "") -> list[str]:
        return [
            ":" if axis.kind == "all" else f"%{axis.name}{shift if i == shifted else ''}"
            for i, axis in enumerate(self.axes)
        ]

    # What a step computes

    def value(self, most: int, repeated: bool) -> str:
        """A tile of x, combined with up to `most` others."""
        value = self.load("x", self.window())
        for _ in range(self.random.randint(0, most)):
            choices = ["row"] if self.axes[-1].kind != "jagged" and self.tile else []
            choices += ["shifted"] * 2 if any(axis.kind == "tile" for axis in self.axes) else []
            if not choices:
                break
            other = self.random.choice(choices)
            made = self.row(repeated) if other == "row" else self.shifted(repeated)
            value = self.combined(self.random.choice(("add", "sub", "max")), value, made, self.tile)
        return value

    def shifted(self, repeated: bool) -> str:
        """A tile of an array of its own, begun some elements further on in one dimension."""
        at = self.random.choice([i for i, axis in enumerate(self.axes) if axis.kind == "tile"])
        name, by = f"s{self.made}", self.random.choice((1, 3, 8, 16, 128))
        shift = f" + {by}"
        if repeated and self.random.random() < 0.7:
            by, shift = self.repeats - 1, " + %t"
        self.arrays[name] = (self.shape(at, by), self.element)
        return self.load(name, self.window(at, shift), self.placement())

    def row(self, repeated: bool) -> str:
        """What lies along the last dimension, the same for all others."""
        name, last = f"r{self.made}", self.axes[-1]
        leading = repeated and self.random.random() < 0.5
        self.arrays[name] = ([self.repeats] * leading + [last.extent], self.element)
        value = self.load(name, ["%t"] * leading + self.window()[-1:], self.placement())
        return self.spread(value, [last])

    def spread(self, value: str, axes: list[_Axis]) -> str:
        """A value over some of a tile's axes, repeated along the others."""
        if axes == self.tile:
            return value
        dims = [i for i, axis in enumerate(self.tile) if axis in axes]
        return self.new(f"tile.broadcast {value} dims {dims} : {self.kind(self.tile)}")

    def store(self, value: str, name: str) -> None:
        """Store a tile, now and then in some iterations only."""
        guarded = bool(self.scalars) and self.random.random() < 0.15
        if guarded:
            asked = self.random.choice(self.scalars)
            self.made += 1
            self.add(f"%p{self.made} = arith.cmpi sge, {asked}, %one : index")
            self.enter(f"scf.if %p{self.made}")
        placement = "" if name == "io" else self.placement()  # that of the loads through this window
        self.add(f"tile.store {value}, %{name}[{', '.join(self.window())}]{placement}")
        if guarded:
            self.leave()

    def output(self, name: str, shape: list[int], element: str, filled: bool) -> None:
        like = " like(%x)" if -1 in shape else ""
        made = f"tile.full {'0.5' if element in ('f32', 'bf16') else '1'}" if filled else "tile.empty"
        kind = _memref(shape, element)
        self.outputs[name] = (kind, f"  %{name} = {made}{like} : {kind}")

    # The nest

    def nest(self) -> None:
        """The grid with the loops in it, and what is stored of a sum behind them."""
        sums = bool(self.loops) and self.random.random() < 0.6
        heads = [f"%g = 0 to {GROUPS}"] * self.jagged + [axis.head for axis in self.grid]
        self.scalars = ["%g"] * self.jagged + [f"%{axis.name}" for axis in self.grid if axis.kind == "index"]
        self.enter(f"tile.grid {', '.join(heads or ['%all = 0 to 1'])}")
        if self.jagged:
            self.add("%begin, %end = tile.segment %offsets[%g]")
        total = self.summed() if sums else self.walked()
        if total and not self.repeats and self.random.random() < 0.4:
            self.again(total)
        if total:
            self.store_total(total, "%all" if not heads else "0")
        self.leave()

    def walked(self) -> str:
        """A pass that stores something. Returns no sum."""
        for loop in self.loops:
            self.enter(f"tile.for {loop}")
        stored = not self.repeats and self.random.random() < 0.8
        self.effects(self.value(2, bool(self.repeats)), stored, not stored or self.random.random() < 0.5)
        for _ in self.loops:
            self.leave()
        return ""

    def summed(self) -> str:
        """A pass that sums over what its loops walk, and may store something. Returns the sum."""
        kind = self.kind(self.kept)
        zero = "0.0" if self.wide == "f32" else "0"
        carried = self.new(f"tile.splat {zero} : {kind}" if self.kept else f"arith.constant {zero} : {kind}")
        for n, loop in enumerate(self.loops):
            self.enter(f"%l{n} = tile.for {loop} iter_args(%c{n} = {carried})")
            carried = f"%c{n}"
        value = self.value(2, bool(self.repeats))
        stored = not self.repeats and self.random.random() < 0.5
        self.effects(value, stored, self.random.random() < 0.4)
        dims = [i for i, axis in enumerate(self.tile) if axis not in self.kept]
        part = self.new(f"tile.reduce add {value} dims {dims}") if dims else value
        carried = self.combined("add", carried, part, self.kept)
        for n in reversed(range(len(self.loops))):
            self.add(f"tile.yield {carried}")
            self.leave()
            carried = f"%l{n}"
        return carried

    def effects(self, value: str, stored: bool, updated: bool) -> None:
        """Store a tile in one or two arrays of its own, or add it to an argument."""
        if stored:
            self.output("out", self.shape(), self.element, self.partial or self.random.random() < 0.3)
            self.store(value, "out")
            if self.random.random() < 0.3:
                self.output("two", self.shape(), self.wide, True)
                self.store(self.combined("add", value, value, self.tile), "two")
        if updated:
            self.arrays["io"] = (self.shape(), self.element)
            self.store(self.combined("add", self.load("io", self.window()), value, self.tile), "io")

    def again(self, total: str) -> None:
        """A second pass over the same tiles, which wants what the first one summed."""
        for loop in self.loops:
            self.enter(f"tile.for {loop}")
        value = self.value(1, False)
        self.output("last", self.shape(), self.wide, self.partial)
        self.store(self.combined("max", value, self.spread(total, self.kept), self.tile), "last")
        for _ in self.loops:
            self.leave()

    def store_total(self, total: str, alone: str) -> None:
        held = [axis for axis in self.axes if axis in self.kept or axis in self.grid]
        window = ["%g"] * self.jagged + [":" if axis.kind == "all" else f"%{axis.name}" for axis in held]
        shape = [GROUPS] * self.jagged + [axis.extent for axis in held]
        self.output("sums", shape or [1], self.wide, self.partial)
        self.add(f"tile.store {total}, %sums[{', '.join(window or [alone])}]")


def _memref(shape: list[int], element: str) -> str:
    return f"memref<{'x'.join('?' if extent == -1 else str(extent) for extent in shape)}x{element}>"


def random_stream(random: Random) -> Stream:
    """A random program @stream with blocks and arguments."""
    axes = _random_axes(random)
    often = prod(axis.steps for axis in axes) > MOST_REPEATED
    writer = _Writer(random, random.choice(ELEMENTS), axes, 0 if often else random.choice((0, 2, 3)))
    writer.nest()
    parameters = [f"%{name}: {_memref(*kind)}" for name, kind in writer.arrays.items()]
    if writer.jagged:
        parameters.append(f"%offsets: memref<{GROUPS + 1}xi32>")
    results = {name: kind for name, (kind, _) in writer.outputs.items()}
    if "io" in writer.arrays:
        results["io"] = _memref(*writer.arrays["io"])
    types = ", ".join(results.values())
    lines = [
        f"func.func @stream({', '.join(parameters)}) -> ({types}) {{",
        "  %one = arith.constant 1 : index",
        *(line for _, line in writer.outputs.values()),
        *writer.lines,
        f"  return {', '.join(f'%{name}' for name in results)} : {types}",
        "}",
    ]
    blocks = {axis.name: axis.block for axis in axes if axis.kind in ("tile", "jagged")}
    return Stream("\n".join(lines) + "\n", blocks, _arguments(writer))


def _arguments(writer: _Writer) -> list[Array]:
    rng, rows = np.random.default_rng(writer.random.randrange(2**32)), writer.axes[0].extent
    args: list[Array] = []
    for shape, element in writer.arrays.values():
        sizes = [rows if extent == -1 else extent for extent in shape]
        drawn = rng.integers(0, 8, sizes) if element.startswith("i") else rng.standard_normal(sizes)
        args.append(drawn.astype(DTYPES[element]))
    if writer.jagged:
        cuts = np.sort(rng.integers(0, rows + 1, GROUPS - 1))
        if writer.random.random() < 0.5:
            cuts[1] = cuts[0]  # an empty group
        args.append(np.array([0, *cuts, rows], np.int32))
    return args
