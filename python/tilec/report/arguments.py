"""Arguments to cost a kernel with: shapes, and integers, on which its loops hang."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue
from xdsl.rewriter import Rewriter

from tilec.diagnostics import TileError
from tilec.dialects.interpreter.arguments import (
    MOST_INTEGER,
    MOST_ROWS,
    MOST_SEGMENTS,
    draw_segments,
    room,
    with_segments,
)
from tilec.dialects.tile import SegmentOp
from tilec.dialects.tile.types import element_type
from tilec.report.lengths import WORDS, Lengths
from tilec.runtime.arrays import check_array, check_range
from tilec.runtime.signature import Parameter, held_as

MOST_EXTENT = 2**31 - 1
"""What 32-bit integers count to."""

Source = Lengths | np.ndarray[Any, np.dtype[Any]]
"""Where integers come from: lengths of segments that are drawn, or an array."""


@dataclass(frozen=True)
class Arguments:
    """The arguments of a kernel, in order: names, shapes, numpy's names of dtypes, and the integers among
    them by position."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    contents: Mapping[int, np.ndarray[Any, np.dtype[Any]]]

    def arrays(self) -> list[Any]:
        """Integers as arrays, of other arguments shapes and dtypes only."""
        return [
            self.contents.get(position, jax.ShapeDtypeStruct(shape, dtype))
            for position, (shape, dtype) in enumerate(zip(self.shapes, self.dtypes, strict=True))
        ]

    def zeros(self) -> list[Any]:
        """Integers as arrays, and other arguments as arrays of one zero, which take no memory."""
        return [
            self.contents.get(position, np.broadcast_to(np.zeros((), dtype), shape))
            for position, (shape, dtype) in enumerate(zip(self.shapes, self.dtypes, strict=True))
        ]

    def described(self) -> tuple[str, ...]:
        """Each argument as `x: bfloat16[128, 64]`."""
        triples = zip(self.names, self.dtypes, self.shapes, strict=True)
        return tuple(f"{name}: {dtype}[{', '.join(map(str, shape))}]" for name, dtype, shape in triples)


def read_source(text: str, place: str) -> Source:
    """What `offsets=` is followed by: a .npy or .json file, or a word for lengths such as `lognormal:64`.

    Raises TileError for another word and a file without integers, OSError for one that cannot be read.
    """
    word, colon, mean = text.partition(":")
    if word in WORDS and colon and mean.isdecimal():
        return Lengths(word, int(mean))
    if not text.endswith((".npy", ".json")):
        accepted = ", ".join(WORDS)
        raise TileError(f"'{text}' gives no integers; a .npy or .json file, or WORD:MEAN, does, WORD of: "
                        f"{accepted}", place)  # fmt: skip
    try:
        made: Any = np.load(text) if text.endswith(".npy") else json.loads(Path(text).read_text())
        found: np.ndarray[Any, np.dtype[Any]] = np.asarray(made)
    except (ValueError, EOFError) as error:
        raise TileError("not a file of integers", text) from error
    if found.dtype.kind not in "iub":
        raise TileError(f"integers are needed; it holds {found.dtype}", text)
    return found


def arguments_for(
    function: func.FuncOp,
    parameters: Sequence[Parameter],
    given: Sequence[tuple[str, Sequence[int]]] = (),
    sources: Mapping[str, Source] | None = None,
) -> Arguments:
    """Arguments for a program: `given` are dtypes and shapes of the first of its `parameters`, `sources` say
    by name what integers hold.

    What is left is as `tile-run --random` has it: each `?` one number of up to 300, valid segments, other
    integers from 0 to 7. Raises ValueError or TypeError for what does not fit the parameters.
    """
    maker = _Maker(function, parameters, dict(sources or {}))
    maker.take(given)
    return maker.made()


class _Maker:
    """Shapes and integers of arguments, as far as they are known."""

    def __init__(
        self, function: func.FuncOp, parameters: Sequence[Parameter], sources: dict[str, Source]
    ) -> None:
        names = [each.name for each in parameters]
        unknown = [name for name in sources if name not in names]
        if unknown:
            raise ValueError(f"there is no argument {unknown[0]}; the arguments are {', '.join(names)}")
        self.function = with_segments(function)
        self.parameters = parameters
        self.sources = sources
        self.rng = np.random.default_rng(0)
        self.rows = int(self.rng.integers(1, MOST_ROWS + 1))
        self.segments = int(self.rng.integers(1, MOST_SEGMENTS + 1))
        self.shapes: list[tuple[int | None, ...]] = [each.shape for each in parameters]

    def take(self, given: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Take shapes that are given, and those of arrays."""
        if len(given) > len(self.parameters):
            raise ValueError(f"{len(given)} arrays are given; the kernel takes {len(self.parameters)}")
        for position, (dtype, shape) in enumerate(given):
            check_array(self.parameters[position], dtype, shape)
            self.shapes[position] = tuple(shape)
        for position, parameter in enumerate(self.parameters):
            source = self.sources.get(parameter.name)
            if isinstance(source, np.ndarray):
                check_array(parameter, parameter.dtype, source.shape)
                self.shapes[position] = source.shape

    def made(self) -> Arguments:
        drawn = self._segments()
        shapes, contents = self._filled(), dict[int, np.ndarray[Any, np.dtype[Any]]]()
        dtypes = [held_as(each.dtype) for each in self.parameters]
        for position, parameter in enumerate(self.parameters):
            if np.dtype(_plain(dtypes[position])).kind not in "iub":
                if parameter.name in self.sources:
                    raise ValueError(f"{parameter.name} is {dtypes[position]}; only integers are given so")
                continue
            source = self.sources.get(parameter.name)
            if isinstance(source, np.ndarray):
                found = source
            elif position in drawn:
                found = drawn[position]
            else:
                most = 2 if parameter.dtype == "bool" else MOST_INTEGER
                found = self.rng.integers(0, most, shapes[position])
            contents[position] = _integers(parameter, np.asarray(found), dtypes[position])
        names = tuple(each.name for each in self.parameters)
        return Arguments(names, shapes, tuple(dtypes), contents)

    def _filled(self) -> tuple[tuple[int, ...], ...]:
        """The shapes, all of them known. Raises ValueError for extents that no kernel has."""
        filled = tuple(tuple(self.rows if n is None else n for n in shape) for shape in self.shapes)
        for parameter, shape in zip(self.parameters, filled, strict=True):
            for extent in shape:
                if not 0 < extent <= MOST_EXTENT:
                    told = f"{parameter.name} is {parameter.dtype}{list(shape)}"
                    raise ValueError(f"{told}; extents from 1 to {MOST_EXTENT} are accepted")
        return filled

    def _segments(self) -> dict[int, np.ndarray[Any, np.dtype[Any]]]:
        """The arrays of segments by position: with lengths as they are asked for, or else random."""
        arguments: list[SSAValue] = list(self.function.body.block.args)
        ops = [op for op in self.function.walk() if isinstance(op, SegmentOp) and op.begins in arguments]
        asked = {op: self._asked(op, arguments) for op in ops}
        self.rows = max(
            self._given_rows({op.begins for op in ops} | {op.ends for op in ops}), default=self.rows
        )
        for op, lengths in asked.items():
            self._count(op, arguments, lengths)
        for value, shape in zip(arguments, self._filled(), strict=True):
            Rewriter.replace_value_with_new_type(value, MemRefType(element_type(value.type), shape))
        arguments = list(self.function.body.block.args)
        drawn: dict[SSAValue, np.ndarray[Any, np.dtype[Any]]] = {}
        for op in ops:
            if op.begins not in drawn:
                draw_segments(self.rng, op, self.rows, self.segments, drawn)
                lengths = asked[op]
                if lengths is not None:
                    self._draw(op, lengths, drawn)
        wrong = [name for name, each in self.sources.items() if isinstance(each, Lengths)]
        for name in wrong:
            if not any(arguments[i] in drawn and p.name == name for i, p in enumerate(self.parameters)):
                raise ValueError(f"{name} has no segments, so no lengths; give a .npy or .json file")
        return {arguments.index(value): array for value, array in drawn.items() if value in arguments}

    def _given_rows(self, segments: Collection[SSAValue | None]) -> Iterator[int]:
        """The extents that were given where the program has `?`, but for arrays of segments."""
        for value, parameter, shape in zip(
            self.function.body.block.args, self.parameters, self.shapes, strict=True
        ):
            if value not in segments and None in parameter.shape and shape[0] is not None:
                yield shape[0]

    def _asked(self, op: SegmentOp, arguments: Sequence[SSAValue]) -> Lengths | None:
        """The lengths that a source asks for."""
        for array in (op.begins, op.ends):
            source = None if array is None else self.sources.get(self._name(arguments, array))
            if isinstance(source, Lengths):
                return source
        return None

    def _name(self, arguments: Sequence[SSAValue], array: SSAValue) -> str:
        return self.parameters[arguments.index(array)].name

    def _count(self, op: SegmentOp, arguments: Sequence[SSAValue], lengths: Lengths | None) -> None:
        """Gives arrays of any number of segments a number, and those of rows as many as lengths ask for."""
        more = 1 if op.ends is None else 0
        for array in (op.begins, op.ends):
            place = -1 if array is None else arguments.index(array)
            if array is not None and self.shapes[place] == (None,):
                self.shapes[place] = (self.segments + more,)
        count = (self.shapes[arguments.index(op.begins)][0] or 0) - more
        if lengths is not None:
            self.rows = max(count * lengths.mean, 1)

    def _draw(
        self, op: SegmentOp, lengths: Lengths, drawn: dict[SSAValue, np.ndarray[Any, np.dtype[Any]]]
    ) -> None:
        """Puts segments of such lengths in place of random ones, from the first row on."""
        before, (rows, most) = drawn[op.begins], room(op, self.rows)
        count = len(before) - (op.ends is None)
        if count * lengths.mean > rows:
            name = op.begins.name_hint or "the array"
            raise ValueError(
                f"{count} segments of {lengths.mean} rows on average are {count * lengths.mean}, and "
                f"{name} indexes arrays of {rows}; a mean up to {rows // max(count, 1)} fits"
            )
        offsets = np.concatenate([[0], np.cumsum(lengths.draw(count, most))]).astype(before.dtype)
        drawn[op.begins] = offsets if op.ends is None else offsets[:-1]
        if op.ends is not None:
            drawn[op.ends] = offsets[1:]


def _integers(
    parameter: Parameter, found: np.ndarray[Any, np.dtype[Any]], dtype: str
) -> np.ndarray[Any, np.dtype[Any]]:
    """Integers as a kernel takes them. Raises TypeError for others than integers, ValueError for a range."""
    if found.dtype.kind not in "iub":
        raise TypeError(f"{parameter.name} holds {found.dtype}; integers are needed")
    if found.size and dtype != "bool":
        check_range(parameter, dtype, int(found.min()), int(found.max()))
    return found.astype(dtype)


def _plain(dtype: str) -> str:
    """A dtype that numpy alone knows, in place of one that it does not."""
    return "float32" if "float" in dtype else dtype
