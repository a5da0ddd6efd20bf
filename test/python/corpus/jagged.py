"""The matrix of jagged kernels: both styles, element and offset types, extents, segments, ways to run.

`matrix(proof)` has a case for each kernel and each list of segments. What else varies is drawn from the names
of these three, so that a case stays what it is. `sample(cases)` is few of them, with each value of each axis.
"""

import runpy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

import tilec
from tilec.dialects.interpreter import Result
from tilec.frontend.kernel import Bound, Kernel
from tilec.proof import CHIPS
from tilec.testing import as_numpy

from . import jagged_kernels as own
from .jagged_items import REFERENCES, Reference
from .segments import HOSTILE_OFFSETS, HOSTILE_RANGES, Segments, of_lengths

SIZES = (13, 64, 100, 128, 200, 256)
"""Columns, features of a head, and extents of matrices."""

WAYS = (
    *product(("worklist", "overlaunch", "one_hot"), ("grid", "emit_pipeline", "fori_loop")),
    ("stream", "fori_loop"),
    ("stream", "fori_loop"),
)
"""How steps are found and what runs them; the last as often as others."""

BLOCKS = (8, 16, 128)
"""Rows in a tile: fewer than a window of bf16 has, few, and more than most arrays have."""

_UNEVEN = of_lengths("eleven", [3, 0, 9, 1, 1, 17, 0, 0, 8, 2, 5])
_HUGE = of_lengths("one_huge_31_tiny", [300, *[1, 0, 2, 1] * 8][:32])
OFFSETS = (*HOSTILE_OFFSETS, _UNEVEN, _HUGE)
RANGES = tuple(each for each in HOSTILE_RANGES if not each.packed)


@dataclass(frozen=True)
class JaggedKernel:
    """A kernel, what it computes of an item, and whether it takes segments with gaps between them."""

    name: str
    kernel: Kernel[..., Any]
    reference: Reference
    heads: bool = False
    gaps: bool = False

    @property
    def parents(self) -> bool:
        return self.name.endswith("_parents")

    @property
    def computes(self) -> str:
        """Its name without its style and form."""
        return self.name.removesuffix("_parents").removesuffix("_heads").removesuffix("_rows")


def _from_examples() -> list[JaggedKernel]:
    folder, found = Path(__file__).resolve().parents[3] / "examples", list[JaggedKernel]()
    for name in ("jagged_sum", "jagged_mean", "jagged_softmax", "jagged_layer_norm", "jagged_dense_add"):
        module = runpy.run_path(str(folder / f"{name}.py"))
        short = name.removeprefix("jagged_")
        for suffix in ("", "_parents"):
            found.append(JaggedKernel(short + suffix, module[name + suffix], REFERENCES[short]))
    module = runpy.run_path(str(folder / "jagged_dense_bmm.py"))
    for suffix in ("", "_parents"):
        kernel = module["jagged_dense_bmm" + suffix]
        found.append(JaggedKernel("dense_bmm_bias" + suffix, kernel, REFERENCES["dense_bmm_bias"]))
    for name, short in (("hstu_attention", "hstu_heads"), ("jagged_flash_attention", "flash_heads")):
        module = runpy.run_path(str(folder / f"{name}.py"))
        found.append(JaggedKernel(short, module[name], REFERENCES[short], heads=True))
    return found


def _own() -> list[JaggedKernel]:
    found: list[JaggedKernel] = []
    kernels: dict[str, Any] = {name: each for name, each in vars(own).items() if isinstance(each, Kernel)}
    for name, kernel in kernels.items():
        reference = REFERENCES[name.removesuffix("_parents")]
        found.append(JaggedKernel(name, kernel, reference, "_heads" in name, "_gaps" in name))
    return found


KERNELS = (*_from_examples(), *_own())


class Draw:
    """Random arguments of one case, some items of them full of NaN and infinities if it is `poisoned`."""

    def __init__(self, case: "Case"):
        self.case = case
        self.rng = np.random.default_rng(len(case.name))
        self.poisoned = range(case.number % 2, case.segments.groups, 2) if case.poison else range(0)

    def integers(self, values: Iterable[int]) -> torch.Tensor:
        return torch.tensor(list(values), dtype=self.case.index)

    def floats(self, *shape: int) -> torch.Tensor:
        return torch.tensor(self.rng.standard_normal(shape), dtype=torch.float32)

    def rows(self, *shape: int) -> torch.Tensor:
        """[rows, *shape]; of a poisoned case, rows of no item hold NaN, too."""
        segments = self.case.segments
        made = self.floats(segments.rows, *shape)
        for g in self.poisoned:
            made[segments.begins[g] : segments.ends[g]] = (float("nan"), float("inf"), -float("inf"))[g % 3]
        if self.case.poison:
            made[~torch.tensor(segments.covered)] = float("nan")
        return made.to(self.case.dtype)

    def items(self, *shape: int) -> torch.Tensor:
        """[items, *shape]."""
        made = self.floats(self.case.segments.groups, *shape)
        for g in self.poisoned:
            made[g] = float("nan")
        return made.to(self.case.dtype)


@dataclass(frozen=True)
class Case:
    """A kernel, its segments, and one value of each other axis of the matrix.

    `size` is the extent of columns or features, `block` the rows of a tile. With `poison`, every other item
    holds values that are not finite, which must not reach the items beside it.
    """

    kernel: JaggedKernel
    segments: Segments
    size: int
    dtype: torch.dtype
    index: torch.dtype
    poison: bool
    grouping: str
    loop: str
    block: int
    chip: str

    @property
    def name(self) -> str:
        words = (
            self.kernel.name,
            self.segments.name,
            self.size,
            self.dtype,
            self.index,
            self.grouping,
            self.loop,
        )
        text = "-".join(str(word).removeprefix("torch.") for word in words)
        return f"{text}-{self.block}" + "-poison" * self.poison

    def __str__(self) -> str:
        return self.name

    @property
    def number(self) -> int:
        """A seed."""
        return sum(map(ord, self.name))

    @property
    def axes(self) -> set[tuple[str, object]]:
        """What the case has of each axis."""
        kernel = self.kernel
        return {
            ("kernel", kernel.name),
            ("computes", kernel.computes),
            ("style", (kernel.parents, kernel.heads)),
            ("segments", self.segments.name),
            ("size", self.size),
            ("types", (self.dtype, self.index)),
            ("poison", self.poison),
            ("way", (self.grouping, self.loop)),
            ("block", self.block),
            ("chip", self.chip),
        }

    @cached_property
    def arguments(self) -> tuple[Any, ...]:
        """Of the call."""
        return self.kernel.reference.arguments(Draw(self), self.segments, self.size)

    @cached_property
    def expected(self) -> Result:
        """What plain torch computes, item by item."""
        values, defined = self.kernel.reference.of_items(self.arguments, self.segments)
        return Result(as_numpy(values), defined.numpy())

    @cached_property
    def bound(self) -> Bound:
        traced = self.kernel.kernel.bind(*self.arguments).traced
        jagged = [name for name in traced.tiles if name.partition("_")[0] in ("rows", "g", "k", "r")]
        blocks = {name: self.block for name in jagged}
        return Bound(traced, tilec.Config(blocks=blocks, grouping=self.grouping, loop=self.loop))


def _clipped(segments: Segments, most: int) -> Segments:
    """The segments, each with no more rows than `most`, and as many rows after the last."""
    if max(segments.lengths, default=0) <= most:
        return segments
    return of_lengths(segments.name, [min(length, most) for length in segments.lengths])


def case(kernel: JaggedKernel, segments: Segments, seed: str) -> Case:
    """The case of a kernel and segments that `seed` stands for."""
    random = Random(f"{seed} {kernel.name} {segments.name}")
    size, (grouping, loop) = random.choice(SIZES), random.choice(WAYS)
    dtype = random.choice((torch.float32, torch.bfloat16))
    index = random.choice((torch.int32, torch.int64))
    return Case(
        kernel,
        _clipped(segments, size) if kernel.computes == "dense_add" else segments,
        size,
        dtype,
        index,
        poison=random.random() < 0.5,
        grouping=grouping,
        loop=loop,
        block=random.choice(BLOCKS),
        chip=random.choice(CHIPS),
    )


def matrix(proof: str, turns: int = 1) -> list[Case]:
    """A case for each kernel and each list of segments that it takes, and for each of a number of `turns`."""
    return [
        case(kernel, segments, f"{proof} {turn}")
        for turn in range(turns)
        for kernel in KERNELS
        for segments in (RANGES if kernel.gaps else OFFSETS)
    ]


def sample(cases: Sequence[Case], without: Sequence[str] = ()) -> list[Case]:
    """Cases that together have each value of each axis, picked one after the other by how many are new.

    Nothing is asked of the axes `without`.
    """
    values = {value for each in cases for value in each.axes}
    missing, picked = {value for value in values if value[0] not in without}, list[Case]()
    while missing:
        best = max(cases, key=lambda each: (len(each.axes & missing), each.number % 101))
        picked.append(best)
        missing -= best.axes
    return picked
