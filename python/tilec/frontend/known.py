"""What a tensor of a trace stands for: a value of a tile, or an array of the program or a part of one."""

from dataclasses import dataclass

import torch
from xdsl.ir import SSAValue

from tilec.dialects.tile.types import shape_of


@dataclass(frozen=True)
class Range:
    """What an integer can be, of 64 bits in torch: from `low` to `high`."""

    low: int
    high: int

    @property
    def fits(self) -> bool:
        """Whether 32 bits hold it."""
        return -(2**31) <= self.low and self.high < 2**31


PLACES = Range(0, 2**30)
"""What the number of a lane in a tile can be: no chip has memory for more of them."""


@dataclass(eq=False)
class Value:
    """A value inside a tile program. `range` is that of its 64-bit integers, `None` if they may have passed
    32 bits: then only the last 32 of each are right.
    """

    ssa: SSAValue
    range: Range | None = None


@dataclass(frozen=True)
class Part:
    """How a dimension of a host tensor lies in its array: from `begin` on, all of it where `whole`; at one
    index where `fixed`; or repeated, with no dimension of the array, where `dim` is `None`.
    """

    dim: int | None
    begin: int = 0
    whole: bool = True
    fixed: bool = False


@dataclass(eq=False)
class Array:
    """A host tensor: an array of the program, or a part of one."""

    ssa: SSAValue
    name: str
    parts: tuple[Part, ...]

    @classmethod
    def whole(cls, ssa: SSAValue, name: str, rank: int) -> "Array":
        """All of the array, which has one element for a tensor of rank 0."""
        free = tuple(Part(dim) for dim in range(rank))
        return cls(ssa, name, free or (Part(0, whole=False, fixed=True),))

    def is_whole_of(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor is the array itself, in its own shape."""
        return self.parts == Array.whole(self.ssa, self.name, tensor.dim()).parts

    def without_fixed(self) -> "Array":
        """The array of one element that a tensor of rank 0 is, whole; any other as it is."""
        if shape_of(self.ssa.type) == (1,) and not self.free:
            return Array.whole(self.ssa, self.name, 1)
        return self

    @property
    def free(self) -> tuple[Part, ...]:
        """The parts that are dimensions of the tensor, in its order."""
        return tuple(part for part in self.parts if not part.fixed)

    @property
    def fixed(self) -> tuple[Part, ...]:
        """The dimensions of the array of which the tensor has one index."""
        return tuple(part for part in self.parts if part.fixed)


UNNAMED = "a host tensor"
"""What an array is called until a variable of the user's is seen to hold it."""
