"""The programs of `examples/` and `corpus/kernels/`, with arguments, references and block sizes for each.

A file is written for bf16, i32 offsets, 8 groups and a width of 200; `Case.program` writes other variants:

    program = CASES["grouped_matmul"].program(segments, dtype="f32")
    args = program.arguments(seed=0)
    problem = program.mismatch(run(program.text, args), program.expected(args))
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import ml_dtypes
import numpy as np

from . import references
from .segments import HOSTILE_OFFSETS, HOSTILE_RANGES, MIXED, ROWS, Segments

Array = np.ndarray[Any, np.dtype[Any]]
Dtype = Literal["f32", "bf16"]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "f32": np.dtype(np.float32),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "i16": np.dtype(np.int16),
    "i8": np.dtype(np.int8),
}
TOLERANCE: Mapping[str, float] = {"f32": 5e-5, "bf16": 2e-2}
"""Error allowed, relative to an element plus the root mean square of its array: that of sums of a few hundred
terms in f32, and of a few roundings to bf16."""

_ROOT = Path(__file__).resolve().parents[3]
_EXAMPLES = _ROOT / "examples"
_KERNELS = Path(__file__).resolve().parent / "kernels"
_SIGNATURE = re.compile(r"func\.func @\w+\((?P<arguments>.*?)\)\s*->\s*(?P<results>.*?)\s*\{", re.DOTALL)
_ARRAY = re.compile(r"(?:%(?P<name>\w+): )?memref<(?P<shape>(?:[?\d]+x)+)(?P<element>\w+)>")


@dataclass(frozen=True)
class ArrayType:
    """One argument or result of a program; an extent of -1 is `?`."""

    name: str
    shape: tuple[int, ...]
    element: str


@dataclass(frozen=True)
class Case:
    """A program file and what is needed to run it.

    `blocks` are good sizes for a chip; `small_blocks` make several steps of most axes, at most about 30.
    `scales` multiply random arguments by name: so that results are of the order of one, that a softmax would
    overflow without its maximum, that the epsilon of a norm matters.
    """

    path: Path
    reference: Callable[..., list[Array]]
    blocks: Mapping[str, int]
    small_blocks: Mapping[str, int]
    scales: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def name(self) -> str:
        """Name of the file and of its one function."""
        return self.path.stem

    @cached_property
    def source(self) -> str:
        return self.path.read_text()

    @property
    def jagged(self) -> bool:
        return "tile.segment" in self.source

    def sizes(self) -> Sequence[Segments]:
        """The segments or numbers of rows that the program must get right; one if its shapes are fixed."""
        if self.jagged:
            return HOSTILE_RANGES if "%begins" in self.source else HOSTILE_OFFSETS
        return ROWS if "memref<?x" in self.source else ROWS[-1:]

    def program(
        self, segments: Segments = MIXED, dtype: Dtype = "bf16", *, index: str = "i32", width: int = 200
    ) -> "Program":
        """The program for these groups, an element type, a type of offsets, and a width in place of 200."""
        text = self.source.replace("bf16", dtype)
        text = re.sub(r"(%\w*(?:offsets|begins|ends): memref<\d+x)i32", rf"\g<1>{index}", text)
        text = re.sub(r"(?<!\d)200(?!\d)", str(width), text)
        if self.jagged:
            text = re.sub(r"(?<=memref<)8(?=x)|(?<=0 to )8(?= )|(?<=0 to )8(?=,)", str(segments.groups), text)
            text = re.sub(r"(?<=memref<)9(?=xi)", str(segments.groups + 1), text)
        return Program(self, text, segments)


@dataclass(frozen=True)
class Program:
    """One variant of a case's program, and the segments it is called with."""

    case: Case
    text: str
    segments: Segments

    @property
    def parameters(self) -> list[ArrayType]:
        return self._arrays("arguments")

    @property
    def results(self) -> list[ArrayType]:
        return self._arrays("results")

    def _arrays(self, part: str) -> list[ArrayType]:
        signature = _SIGNATURE.search(self.text)
        if signature is None:
            raise ValueError(f"{self.case.path} has no function with arguments and results")
        return [_array_type(match) for match in _ARRAY.finditer(signature[part])]

    def segments_of(self, name: str) -> Segments:
        """The segments of an argument's rows: keys and values of attention have others than queries."""
        return self.segments.reversed() if name in ("k", "v", "kv_offsets") else self.segments

    def arguments(self, seed: int) -> list[Array]:
        """Random arguments, the same for the same seed, in the element types of the program."""
        rng = np.random.default_rng(seed)
        return [self._argument(rng, kind) for kind in self.parameters]

    def _argument(self, rng: np.random.Generator, kind: ArrayType) -> Array:
        segments, dtype = self.segments_of(kind.name), DTYPES[kind.element]
        if kind.name.endswith("offsets"):
            return np.array(segments.offsets, dtype)
        if kind.name in ("begins", "ends"):
            return np.array(getattr(segments, kind.name), dtype)
        if kind.name == "ids":
            extent = segments.rows if kind.shape[0] == -1 else kind.shape[0]
            return (rng.integers(0, 40, extent) // np.where(rng.random(extent) < 0.9, 10, 1)).astype(dtype)
        if kind.name == "flags":
            return rng.integers(0, 2, kind.shape).astype(dtype)
        shape = tuple(segments.rows if extent == -1 else extent for extent in kind.shape)
        if kind.element.startswith("i"):
            return rng.integers(-1000, 1000, shape).astype(dtype)
        return (rng.standard_normal(shape) * self.case.scales.get(kind.name, 1.0)).astype(dtype)

    def poisoned(self, seed: int, group: int) -> list[Array]:
        """Arguments with NaN and infinities in the rows of one group and in those of none.

        What `expected` claims about them is what must come out: the results of all other groups are finite.
        """
        arguments = self.arguments(seed)
        for kind, array in zip(self.parameters, arguments, strict=True):
            if kind.shape[0] != -1:
                continue
            segments = self.segments_of(kind.name)
            rows = ~segments.covered
            rows[segments.begins[group] : segments.ends[group]] = True
            array[rows] = np.nan
            array[np.flatnonzero(rows)[::2]] = np.inf
        return arguments

    def expected(self, arguments: Sequence[Array]) -> list[Array]:
        """The results in float64 or integers; where one is not finite, nothing is claimed of the element."""
        wide = [array if array.dtype.kind == "i" else array.astype(np.float64) for array in arguments]
        with np.errstate(invalid="ignore", over="ignore"):
            return self.case.reference(*wide)

    def mismatch(self, results: Sequence[Array], expected: Sequence[Array]) -> str | None:
        """Where and by how much results differ from what is expected; `None` within the tolerance."""
        if len(results) != len(expected):
            return f"{self.case.name} gives {len(results)} results, not {len(expected)}"
        for position, (got, want, kind) in enumerate(zip(results, expected, self.results, strict=True)):
            problem = _difference(got, want, kind)
            if problem is not None:
                return f"{self.case.name} on {self.segments.name}, result {position}: {problem}"
        return None


def _array_type(match: re.Match[str]) -> ArrayType:
    extents = match["shape"].rstrip("x").split("x")
    shape = tuple(-1 if extent == "?" else int(extent) for extent in extents)
    return ArrayType(match["name"] or "", shape, match["element"])


def _difference(got: Array, want: Array, kind: ArrayType) -> str | None:
    if got.shape != want.shape or got.dtype != DTYPES[kind.element]:
        return f"{got.dtype}{list(got.shape)} in place of {kind.element}{list(want.shape)}"
    claimed = np.isfinite(want)
    wanted = np.where(claimed, want, 0).astype(np.float64)
    error = np.abs(np.where(claimed, got.astype(np.float64), 0) - wanted)
    scale = np.abs(wanted) + np.sqrt(np.mean(wanted * wanted))
    bad = ~(error <= TOLERANCE.get(kind.element, 0.0) * scale)  # a NaN in `got` is no agreement
    if not bad.any():
        return None
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{got[place]} in place of {want[place]} at {list(place)}; {int(bad.sum())} of {bad.size} differ"


def _example(name: str, blocks: Mapping[str, int], small: Mapping[str, int], **scales: float) -> Case:
    return Case(_EXAMPLES / f"{name}.mlir", _reference(name), blocks, small, scales)


def _kernel(name: str, blocks: Mapping[str, int], small: Mapping[str, int], **scales: float) -> Case:
    return Case(_KERNELS / f"{name}.mlir", _reference(name), blocks, small, scales)


_SHARED = {
    "batched_matmul": "matmul",
    "batches": "matmul",
    "softmax_two_pass": "softmax",
    "split_k_matmul": "matmul",
    "if_around_loop": "if_store",
    "jagged_row_sum_gaps": "jagged_row_sum",
}


def _reference(name: str) -> Callable[..., list[Array]]:
    return getattr(references, _SHARED.get(name, name))


EXAMPLES = (
    _example("matmul", {"m": 128, "n": 256, "k": 128}, {"m": 112, "n": 128, "k": 128}, w=0.07),
    _example("batched_matmul", {"m": 128, "n": 128, "k": 128}, {"m": 64, "n": 128, "k": 128}, w=0.07),
    _example("softmax", {"m": 128}, {"m": 16}, x=30.0),
    _example("softmax_two_pass", {"m": 128, "n": 256}, {"m": 32, "n": 256}, x=30.0),
    _example("layer_norm", {"m": 128}, {"m": 16}, x=0.003),
    _example("residual_rms_norm", {"m": 128}, {"m": 16}, x=0.001, residual=0.001),
    _example("grouped_matmul", {"m": 128, "k": 256}, {"m": 16, "k": 256}, w=0.04),
    # A block of 256 columns is larger than the array.
    _example(
        "grouped_matmul_transposed", {"m": 128, "k": 128, "n": 128}, {"m": 32, "k": 128, "n": 256}, dy=0.2
    ),
    _example("jagged_row_sum", {"m": 128}, {"m": 16, "g": 8}, x=0.2),
    _example("gdpa", {"m": 128, "n": 256}, {"m": 16, "n": 128}, q=0.09, v=0.06),
    _example("jagged_flash_attention", {"m": 128, "n": 128}, {"m": 32, "n": 32}, q=8.0),
    _example("jagged_bias_lhd", {"m": 64}, {"m": 8}),
    _example("shifted_sum", {"m": 64, "n": 128}, {"m": 64, "n": 96}),
    _example("split_k_matmul", {"m": 128, "n": 256, "k": 128}, {"m": 160, "n": 128, "k": 128}, w=0.07),
    _example("row_and_column_sums", {"m": 128, "n": 128}, {"m": 112, "n": 128}, x=0.2),
    _example("embedding_gradient", {"m": 128}, {"m": 16}, dy=0.2),
    _example("histogram", {"m": 256}, {"m": 256}),
)
"""The programs of `examples/`."""

KERNELS = (
    _kernel("batches", {"m": 128, "n": 128, "k": 128}, {"m": 64, "n": 128, "k": 128}, w=0.07),
    _kernel("transpose", {"m": 128, "n": 128}, {"m": 128, "n": 128}),
    _kernel("reshape", {"m": 64}, {"m": 16}, x=0.1),
    _kernel("rotate_half", {"m": 128}, {"m": 16}),
    _kernel("row_cumsum", {"m": 64, "n": 128}, {"m": 16, "n": 128}, x=0.2),
    _kernel("jagged_cummax", {"m": 64}, {"m": 16}),
    _kernel("masked_load", {"m": 64, "n": 128}, {"m": 64, "n": 128}),
    _kernel("masked_store", {"m": 64, "n": 128}, {"m": 64, "n": 128}),
    _kernel("causal_softmax", {"m": 128}, {"m": 32}, x=30.0),
    _kernel("shifted_rows", {"m": 32}, {"m": 8}),
    _kernel("window_sum", {"m": 32}, {"m": 8}),
    _kernel("two_grids", {"m": 64, "n": 128, "r": 256}, {"m": 32, "n": 128, "r": 256}, x=0.3),
    _kernel("if_store", {"m": 128}, {"m": 16}),
    _kernel("if_around_loop", {"m": 128}, {"m": 16}),
    _kernel("if_value", {"m": 128}, {"m": 16}),
    _kernel("in_place", {"m": 128}, {"m": 16}),
    _kernel("extremes", {"m": 256}, {"m": 256}),
    _kernel("integers", {"m": 128}, {"m": 128}),
    _kernel("rows_of_one_result", {"m": 128}, {"m": 128}),
    _kernel("grouped_matmul_gaps", {"m": 128, "k": 128}, {"m": 16, "k": 128}, w=0.07),
    _kernel("jagged_row_sum_gaps", {"m": 128}, {"m": 16, "g": 8}, x=0.2),
)
"""Small programs, one for an operation or a shape of program that no example has."""

CASES: Mapping[str, Case] = {case.name: case for case in (*EXAMPLES, *KERNELS)}
