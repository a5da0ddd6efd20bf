"""What flows between the operations of a compiled module, as far as integers are known.

XLA makes kernels of its own for some functions: `lax.ragged_dot` becomes one that lists tiles, from the sizes
of groups, and one that multiplies them. No traced function has their operands, but the module names these.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tilec.analysis.cost.scalars import UNKNOWN, Value
from tilec.runtime.known import MOST, Words

_LINE = re.compile(r"(?m)^ +(?:ROOT )?%(\S+) = (\([^=]*\)|\S+) ([\w-]+)\(([^()]*)(.*)$")
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")
_WORDS = ("s32", "u32")
_SAME = ("bitcast", "copy")
"""What keeps all elements, and their order if only one dimension has more than one."""


@dataclass(frozen=True)
class Line:
    """One operation of a module in XLA's text form: its opcode, the names of its operands (of a parameter its
    number), its results, each the extents of 32-bit integers or None, and what follows."""

    opcode: str
    operands: tuple[str, ...]
    results: tuple[tuple[int, ...] | None, ...]
    rest: str

    @property
    def index(self) -> int:
        """Which result of its operand a get-tuple-element is."""
        return int(re.findall(r"index=(\d+)", self.rest)[0])


def lines_of(hlo: str) -> Mapping[str, Line]:
    """What a module in XLA's text form does, in order, by name."""
    entry = re.sub(r"/\*.*?\*/", "", hlo[hlo.find("\nENTRY ") :].partition("\n}")[0])
    return {
        match[1]: Line(match[3], tuple(re.findall(r"[^%, ]+", match[4])), _results(match[2]), match[5])
        for match in _LINE.finditer(entry)
    }


def _results(text: str) -> tuple[tuple[int, ...] | None, ...]:
    arrays = ((dtype, [int(n) for n in extents.split(",") if n]) for dtype, extents in _ARRAY.findall(text))
    return tuple(tuple(shape) if dtype in _WORDS else None for dtype, shape in arrays)


class Flow:
    """The integers that a compiled module's operations make and get, in the order in which it runs them."""

    def __init__(self, hlo: str, arguments: Sequence[Words | None]) -> None:
        """`arguments` are those of the compiled function. None is known where it lacks some of them: jax
        leaves out what has no use."""
        self.lines = lines_of(hlo)
        parameters = [(name, line) for name, line in self.lines.items() if line.opcode == "parameter"]
        self._made: dict[str, list[Words | None]] = {}
        if len(parameters) == len(arguments):
            self._made = {name: [arguments[int(line.operands[0])]] for name, line in parameters}

    def given(self, name: str) -> tuple[list[Words | None], list[Words | None]]:
        """The operands of an operation, as far as they are known, and its results, which are not yet."""
        line = self.lines[name]
        results = [
            None if shape is None or prod(shape) > MOST else list[Value]([UNKNOWN] * prod(shape))
            for shape in line.results
        ]
        return [self._value(operand) for operand in line.operands], results

    def keep(self, name: str, results: list[Words | None]) -> None:
        """Lets the operations that follow know what one made."""
        self._made[name] = results

    def tells(self, name: str, operands: Sequence[Words | None]) -> bool | None:
        """Whether an operation gets these operands: False if one is another, None if nothing says, as of what
        the module runs in a loop."""
        found = None
        if name not in self.lines:
            return None
        for here, there in zip(self.given(name)[0], operands, strict=False):
            if here is None or there is None or UNKNOWN in here or UNKNOWN in there:
                continue
            if here != there:
                return False
            found = True
        return found

    def _value(self, name: str) -> Words | None:
        if name in self._made:
            (found,) = self._made[name]
            return found
        line = self.lines.get(name)
        if line is None:
            return None
        if line.opcode == "get-tuple-element":
            made = self._made.get(line.operands[0])
            return None if made is None else made[line.index]
        one = line.opcode in _SAME and all(_is_row(shape) for shape in line.results)
        return self._value(line.operands[0]) if one else None


def _is_row(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and sum(extent > 1 for extent in shape) <= 1
