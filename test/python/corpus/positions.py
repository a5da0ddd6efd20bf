"""Random programs that access arrays at positions of linear forms, some of which a mask keeps inside."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TILE = "tensor<?xi32, #tile.spans<m>>"


@dataclass(frozen=True)
class Drawn:
    """A program `@positions`, sizes of its blocks, and arguments that it accepts."""

    text: str
    blocks: dict[str, int]
    args: list[Array]


@dataclass
class Form:
    """Operations that make a tile `%m + constant + loaded * %start`, and its name."""

    lines: list[str] = field(default_factory=lambda: ["%p0 = tile.indices %m"])
    value: str = "%p0"
    constant: int = 0
    loaded: int = 0

    def add(self, text: str) -> str:
        name = f"%p{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def combine(self, random: Random, other: str, constant: int, loaded: int) -> None:
        """Add or subtract what all lanes share, on either side."""
        sign = random.choice((1, 1, -1))
        pair = (self.value, other) if sign < 0 or random.random() < 0.5 else (other, self.value)
        self.value = self.add(f"arith.{'addi' if sign > 0 else 'subi'} {pair[0]}, {pair[1]} : {TILE}")
        self.constant += sign * constant
        self.loaded += sign * loaded


def random_form(random: Random) -> Form:
    """A form in a random association."""
    form = Form()
    for _ in range(random.randrange(5)):
        match random.choice(("literal", "loaded", "twice", "cast")):
            case "literal":
                number = random.randrange(20)
                form.combine(random, form.add(f"tile.splat {number} : {TILE}"), number, 0)
            case "loaded":
                form.combine(random, form.add(f"tile.broadcast %start dims [] : {TILE}"), 0, 1)
            case "twice":
                double = form.add(f"arith.addi {form.value}, {form.value} : {TILE}")
                form.value = form.add(f"arith.subi {double}, {form.value} : {TILE}")
            case _:
                form.value = form.add(f"tile.cast {form.add(f'tile.cast {form.value} to i64')} to i32")
    return form


def random_positions(random: Random) -> Drawn:
    """A gather, scatter or sum at `rows` positions, for each of some cells from somewhere else on."""
    cells, rows, kind = random.randrange(1, 4), random.randrange(1, 60), random.choice(list(BODIES))
    starts = np.asarray([random.randrange(20) for _ in range(cells)], np.int32)
    form = random_form(random)
    shifts = form.constant + form.loaded * starts.astype(int)
    base, masked = max(0, -int(shifts.min())), random.random() < 0.4  # else no position is below 0
    extent = base + int(shifts.max()) + rows + random.choice((0, 0, 3, 40))
    if masked and random.random() < 0.5:
        extent = max(1, extent - random.randrange(1, rows + 40))  # the mask keeps lanes inside
    if masked and random.random() < 0.5:
        base -= random.randrange(1, rows + 40)
    lines, tail = list(form.lines), random.choice(("", ", :"))
    mask = ""
    if masked:
        lines += _mask(form.value, -base, extent - base, tail)
        mask = "mask %live"
    wide = "x128" if tail else ""
    values, table = (cells, rows), (cells, extent) if kind == "scatter" else (extent,)
    kinds = [f"memref<{'x'.join(map(str, shape))}{wide}xf32>" for shape in (values, table)]
    other = mask and f"{mask} other %zero"
    place = f"{form.value} {'-' if base < 0 else '+'} {abs(base)}"
    body = BODIES[kind].format(place=place, tail=tail, mask=mask, other=other)
    text = PROGRAM.format(cells=cells, rows=rows, lines="\n".join(lines), body=body, v=kinds[0], t=kinds[1])
    numbers = np.random.default_rng(random.randrange(2**32))
    shapes = [shape + ((128,) if tail else ()) for shape in (values, table)]
    arrays = [numbers.integers(-9, 9, shape).astype(np.float32) for shape in shapes]
    return Drawn(text, {"m": random.choice((8, 16, 32))}, [starts, *arrays])


def _mask(value: str, begin: int, end: int, tail: str) -> list[str]:
    """Whether the positions are `begin` at least and below `end`."""
    live = "tensor<?x128xi1, #tile.spans<m, _>>" if tail else "tensor<?xi1, #tile.spans<m>>"
    return [
        f"%begin = tile.splat {begin} : {TILE}",
        f"%end = tile.splat {end} : {TILE}",
        f"%above = tile.compare ge {value}, %begin",
        f"%below = tile.compare lt {value}, %end",
        "%within = arith.andi %above, %below : tensor<?xi1, #tile.spans<m>>",
        f"%live = tile.broadcast %within dims [0] : {live}",
    ]


PROGRAM = """
func.func @positions(%starts: memref<{cells}xi32>, %values: {v}, %table: {t}) -> ({v}, {t}) {{
  %zero = arith.constant 0.0 : f32
  tile.grid %g = 0 to {cells} {{
    %start = tile.load %starts[%g]
    tile.for %m = 0 to {rows} by m {{
      {lines}
      {body}
    }}
  }}
  return %values, %table : {v}, {t}
}}
"""

BODIES = {
    "gather": """%v = tile.gather %table[{place}{tail}] {other}
      tile.store %v, %values[%g, %m{tail}]""",
    "scatter": """%v = tile.load %values[%g, %m{tail}]
      tile.scatter %v, %table[%g, {place}{tail}] {mask}""",
    "add": """%v = tile.load %values[%g, %m{tail}]
      tile.atomic_rmw add %v, %table[{place}{tail}] {mask}""",
}
