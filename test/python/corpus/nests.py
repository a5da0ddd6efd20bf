"""Random programs: nests of loops, dense and jagged, with a few statements at each level.

What a nest computes does not depend on how its axes are cut into tiles: a tile's lanes are brought to one row
by a reduction before they meet what a loop carries.
"""

from dataclasses import dataclass, field
from random import Random

MOST_LOOPS = 6
"""In one nest, so that it makes hundreds of steps and not many thousands."""

WIDTH = 128
GROUPS = 5
ROWS = 40

_HEAD = f"""
func.func @nest(%x: memref<?x{WIDTH}xf32>, %y: memref<{ROWS}x{WIDTH}xf32>, %w: memref<8x{WIDTH}xf32>,
                %flags: memref<{GROUPS}xi32>, %offsets: memref<{GROUPS + 1}xi32>)
    -> (memref<{GROUPS}x{WIDTH}xf32>, memref<?x{WIDTH}xf32>, memref<{GROUPS}x4x{WIDTH}xf32>) {{
  %sums = tile.full 0.5 : memref<{GROUPS}x{WIDTH}xf32>
  %rows = tile.full 0.25 like(%x) : memref<?x{WIDTH}xf32>
  %parts = tile.full 0.125 : memref<{GROUPS}x4x{WIDTH}xf32>
  %off = arith.constant 0 : i32
  %two = arith.constant 2 : index
  tile.grid %g = 0 to {GROUPS} {{
    %begin, %end = tile.segment %offsets[%g]
    %flag = tile.load %flags[%g]
    %on = arith.cmpi ne, %flag, %off : i32
    %late = arith.cmpi sge, %g, %two : index
""".lstrip()
_TAIL = f"""
  }}
  return %sums, %rows, %parts
    : memref<{GROUPS}x{WIDTH}xf32>, memref<?x{WIDTH}xf32>, memref<{GROUPS}x4x{WIDTH}xf32>
}}
""".lstrip("\n")


@dataclass(frozen=True)
class _Value:
    """A value of a row, or of a tile of rows along an axis."""

    text: str
    axis: str | None

    @property
    def kind(self) -> str:
        if self.axis is None:
            return f"tensor<{WIDTH}xf32>"
        return f"tensor<?x{WIDTH}xf32, #tile.spans<{self.axis}, _>>"


@dataclass
class _Nest:
    random: Random
    lines: list[str] = field(default_factory=list[str])
    made: int = 0
    loops: int = 0
    stored: set[str] = field(default_factory=set[str])

    def add(self, depth: int, line: str) -> None:
        self.lines.append("  " * (depth + 2) + line)

    def emit(self, depth: int, text: str, axis: str | None) -> _Value:
        self.made += 1
        self.add(depth, f"%v{self.made} = {text}")
        return _Value(f"%v{self.made}", axis)

    def widen(self, depth: int, value: _Value, to: _Value) -> _Value:
        """A row repeated as `to` needs it."""
        if to.axis is None:
            return value
        return self.emit(depth, f"tile.broadcast {value.text} dims [1] : {to.kind}", to.axis)

    def combine(self, depth: int, name: str, left: _Value, right: _Value) -> _Value:
        return self.emit(depth, f"arith.{name} {left.text}, {right.text} : {left.kind}", left.axis)

    def block(self, depth: int, value: _Value, indices: list[str], axes: list[str]) -> _Value:
        """Statements and loops at one level; `value` goes in and what it has become comes out."""
        for _ in range(self.random.randint(1, 3)):
            loops = depth < 3 and self.loops < MOST_LOOPS and self.random.random() < 0.6
            value = (self.loop if loops else self.statement)(depth, value, indices, axes)
        if value.axis is None and len(indices) == 2 and not axes and "parts" not in self.stored:
            self.stored.add("parts")
            self.add(depth, f"tile.store {value.text}, %parts[%g, {indices[1]}, :]")
        return value

    def statement(self, depth: int, value: _Value, indices: list[str], axes: list[str]) -> _Value:
        match self.random.randrange(4):
            case 0:
                row = self.emit(depth, f"tile.load %w[{self.random.choice(indices)}, :]", None)
                return self.combine(depth, "addf", value, self.widen(depth, row, value))
            case 1:
                half = self.emit(depth, f"tile.splat -0.5 : {value.kind}", value.axis)
                return self.combine(depth, "mulf", value, half)
            case 2:
                return self.condition(depth, value)
            case _:
                if value.axis == "m" and "rows" not in self.stored and axes == ["m"]:
                    self.stored.add("rows")
                    self.add(depth, f"tile.store {value.text}, %rows[%m, :]")
                low = self.emit(depth, f"tile.splat -1.0 : {value.kind}", value.axis)
                return self.combine(depth, "maximumf", value, low)

    def condition(self, depth: int, value: _Value) -> _Value:
        self.made += 1
        name = f"%v{self.made}"
        self.add(depth, f"{name} = scf.if {self.random.choice(['%on', '%late'])} -> ({value.kind}) {{")
        less = self.emit(depth + 1, f"arith.negf {value.text} : {value.kind}", value.axis)
        self.add(depth + 1, f"scf.yield {less.text} : {value.kind}")
        self.add(depth, "} else {")
        self.add(depth + 1, f"scf.yield {value.text} : {value.kind}")
        self.add(depth, "}")
        return _Value(name, value.axis)

    def loop(self, depth: int, value: _Value, indices: list[str], axes: list[str]) -> _Value:
        self.loops += 1
        kinds = ["index"] + [axis for axis in ("m", "d") if axis not in axes]
        kind = self.random.choice(kinds)
        self.made += 2
        result, carried = f"%v{self.made - 1}", _Value(f"%v{self.made}", value.axis)
        index = f"%j{len(indices)}"
        extent = {
            "index": f"{index} = 0 to {self.random.choice(['4', '1', '3', '%g'])}",
            "m": "%m = %begin to %end by m",
            "d": f"%d = {self.random.choice(['0 to 40', '0 to 21', '5 to 37', '9 to 11'])} by d",
        }[kind]
        self.add(depth, f"{result} = tile.for {extent} iter_args({carried.text} = {value.text}) {{")
        if kind == "index":
            after = self.block(depth + 1, carried, [*indices, index], axes)
        else:
            after = self.tiles(depth + 1, carried, indices, [*axes, kind])
        self.add(depth + 1, f"tile.yield {after.text}")
        self.add(depth, "}")
        return _Value(result, value.axis)

    def tiles(self, depth: int, carried: _Value, indices: list[str], axes: list[str]) -> _Value:
        name = self.random.choice(["add", "max"])
        value = self.rows(depth, carried, indices, axes, name)
        again = self.loops < MOST_LOOPS and self.random.random() < 0.4
        return self.parts(depth, value, indices, axes, name) if again else value

    def rows(self, depth: int, carried: _Value, indices: list[str], axes: list[str], name: str) -> _Value:
        """What is carried, combined with the rows of a tile."""
        axis = axes[-1]
        tile = self.emit(depth, f"tile.load %{'x' if axis[0] == 'm' else 'y'}[%{axis}, :]", axis)
        tile = self.block(depth, tile, indices, axes)
        row = self.emit(depth, f"tile.reduce {name} {tile.text} dims [0]", None)
        combine = {"add": "addf", "max": "maximumf"}[name]
        return self.combine(depth, combine, carried, self.widen(depth, row, carried))

    def parts(self, depth: int, value: _Value, indices: list[str], axes: list[str], name: str) -> _Value:
        """The rows of a tile once more, in smaller tiles, combined in the same way: however tiles are cut."""
        self.loops += 1
        self.made += 2
        result, carried = f"%v{self.made - 1}", _Value(f"%v{self.made}", value.axis)
        axis = axes[-1]
        part = f"{axis}_part"
        for side in ("begin", "end"):
            self.add(depth, f"%{axis}_{side} = tile.bound {side} %{axis}")
        bounds = f"%{part} = %{axis}_begin to %{axis}_end by {part}"
        self.add(depth, f"{result} = tile.for {bounds} iter_args({carried.text} = {value.text}) {{")
        after = self.rows(depth + 1, carried, indices, [*axes, part], name)
        self.add(depth + 1, f"tile.yield {after.text}")
        self.add(depth, "}")
        return _Value(result, value.axis)


def random_nest(random: Random) -> str:
    """A program @nest of (f32[?, 128], f32[40, 128], f32[8, 128], i32[5], i32[6])."""
    nest = _Nest(random)
    value = nest.emit(0, f"tile.splat 1.0 : tensor<{WIDTH}xf32>", None)
    value = nest.block(0, value, ["%g"], [])
    nest.add(0, f"tile.store {value.text}, %sums[%g, :]")
    return _HEAD + "\n".join(nest.lines) + _TAIL
