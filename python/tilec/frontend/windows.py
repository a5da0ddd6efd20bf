"""Windows of host tensors: what `x[tile, i, :]` accesses, and how that lies in the array of the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from tilec.analysis.positions import Positions, positions
from tilec.dialects.tile import ViewOp
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.frontend.known import Array, Part, Value
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scalars import dim_at
from tilec.frontend.tiles import Tile, scalar_index
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Size, Trace
from tilec.frontend.views import at_entry


@dataclass(frozen=True)
class Piece:
    """One dimension of what an index selects. `array` is the dimension of the array it lies along, `None`
    for one that is repeated or new; `cut` is the part of it that is wanted, as begin and size, of a dimension
    that is read whole.
    """

    size: Size
    array: int | None = None
    cut: tuple[int, int] | None = None


@dataclass(frozen=True)
class Window:
    """What an index selects: a window of an array, and the dimensions of the result."""

    ssa: SSAValue
    dims: tuple[Dim, ...]
    pieces: tuple[Piece, ...]
    gathers: bool

    @property
    def shape(self) -> list[Size]:
        """The shape of the result as the user sees it."""
        return [piece.size for piece in self.pieces]

    @property
    def is_plain(self) -> bool:
        """Whether the window's value has the result's dimensions, in their order, and no others."""
        order = [piece.array for piece in self.pieces]
        return (
            None not in order
            and order == sorted(order, key=lambda dim: dim or 0)
            and not any(piece.cut for piece in self.pieces)
        )


@dataclass(frozen=True)
class Run:
    """An index of so many places one after the other: those of a tile, and what is added to each."""

    size: Size
    span: SSAValue
    shift: int


def is_index(given: Any) -> bool:
    """Whether an index is something that only the device knows."""
    return isinstance(given, torch.SymInt | torch.Tensor)


def normalized(trace: Trace, tensor: torch.Tensor, indices: Any) -> list[Any]:
    """The indices as a list with one for each dimension, `None` between them for new ones."""
    given = list(indices) if isinstance(indices, tuple | list) else [indices]
    used = sum(1 for each in given if each is not None and each is not Ellipsis)
    if used > tensor.dim():
        trace.fail(f"{used} indices for a tensor of {tensor.dim()} dimensions, {trace.describe(tensor)}")
    rest = [slice(None)] * (tensor.dim() - used)
    dots = [position for position, each in enumerate(given) if each is Ellipsis]
    at = dots[0] if dots else len(given)
    return [*given[:at], *rest, *given[at + (1 if dots else 0) :]]


class Selection:
    """Builds a window from the indices of a host tensor."""

    def __init__(self, trace: Trace, tensor: torch.Tensor, array: Array):
        self.trace = trace
        self.tensor = tensor
        self.array = array
        self.dims: dict[int, Dim] = {
            part.dim: Dim(shift=part.begin) for part in array.fixed if part.dim is not None
        }
        self.pieces: list[Piece] = []
        self.gathers = False

    def window(self, indices: Sequence[Any]) -> Window:
        """The window that normalized indices select."""
        indices = self._flattened(list(indices))
        dim = 0
        for each in indices:
            if each is None:
                self.pieces.append(Piece(1))
                continue
            self._add(each, self.array.free[dim], self.tensor.shape[dim], dim)
            dim += 1
        rank = len(shape_of(self.array.ssa.type))
        return Window(
            self.array.ssa, tuple(self.dims[dim] for dim in range(rank)), tuple(self.pieces), self.gathers
        )

    def _add(self, index: Any, part: Part, size: int | torch.SymInt, position: int) -> None:
        trace = self.trace
        if isinstance(index, slice):
            self._slice(index, part, size)
        elif isinstance(index, bool):
            trace.fail(f"{self.array.name}[{index}]: a truth value is no index")
        elif isinstance(index, Tile):
            self.pieces.append(Piece(index.axis.size, part.dim))
            self._put(part, Dim(index.span, part.begin))
        elif isinstance(index, Run):
            self.pieces.append(Piece(index.size, part.dim))
            self._put(part, Dim(index.span, index.shift + part.begin))
        elif isinstance(index, int):
            self._put(part, self._literal(index, part, size, position))
        elif isinstance(index, torch.SymInt):
            self._put(part, dim_at(trace, index, part.begin))
        elif isinstance(index, torch.Tensor):
            self._tensor(index, part)
        else:
            trace.fail(
                f"{self.array.name} is indexed by {index!r}; tiles, integers, tensors of integers, "
                "slices and None are accepted"
            )

    def _literal(self, index: int, part: Part, size: int | torch.SymInt, position: int) -> Dim:
        if isinstance(size, torch.SymInt):  # a call tells whether the element is there
            return (
                Dim(shift=part.begin + index) if index >= 0 else dim_at(self.trace, size + index, part.begin)
            )
        if not -size <= index < size:
            self.trace.fail(
                f"index {index} of {self.array.name}, whose dimension {position} has {size} elements"
            )
        return Dim(shift=part.begin + index % size)

    def _put(self, part: Part, dim: Dim) -> None:
        if part.dim is not None:
            self.dims[part.dim] = dim

    def _shifted(self, index: slice, part: Part) -> None:
        """A slice that begins at a number that the device knows, as long as a tile or a known number is."""
        trace, length = self.trace, index.stop - index.start
        known = expression(length)
        if index.step not in (None, 1) or not (known.is_Integer or known in trace.axes):
            trace.fail(
                f"a slice of {self.array.name} with {trace.words(length)} elements from where only the "
                "device knows; loop over it with tilec.language.tile(begin, end), or take as many as "
                "a tile has"
            )
        count = int(known) if known.is_Integer else length
        lanes = trace.tensor([count], torch.int32, Value(lane_numbers(trace, count)))
        self._tensor(lanes + index.start, part)

    def _slice(self, index: slice, part: Part, size: int | torch.SymInt) -> None:
        trace = self.trace
        if isinstance(index.start, torch.SymInt) and isinstance(index.stop, int | torch.SymInt):
            self._shifted(index, part)
            return
        if any(isinstance(each, torch.SymInt | torch.Tensor) for each in (index.start, index.stop)):
            trace.fail(
                f"a slice of {self.array.name} between numbers that only the device knows; "
                "loop over it with tilec.language.tile(begin, end)"
            )
        trace.dimension(size)  # that of all of it has to be known
        start, stop, step = index.indices(size)
        if step != 1:
            trace.fail(f"a slice of {self.array.name} with step {step}; only step 1 is accepted")
        count = max(0, stop - start)
        begin = part.begin + start
        whole = part.whole and count == size
        self.pieces.append(Piece(count, part.dim, None if whole or part.dim is None else (begin, count)))
        self._put(part, Dim(full=True))

    def _tensor(self, index: torch.Tensor, part: Part) -> None:
        trace = self.trace
        if index.dtype is torch.bool or index.is_floating_point():
            trace.fail(
                f"{self.array.name} is indexed by {trace.describe(index)}; tensors of integers are accepted, "
                "a mask goes into torch.where or the extra_mask of load and store"
            )
        if index.dim() == 0:
            base = scalar_index(trace, index)
            self._put(part, Dim(base, part.begin))
            return
        if self.gathers:
            trace.fail(f"{self.array.name} is indexed by several tensors that are not next to each other")
        self.gathers = True
        positions = index + part.begin if part.begin else index
        self.pieces += [Piece(size, part.dim) for size in index.shape]
        self._put(part, Dim(trace.value(positions.to(torch.int32)).ssa))

    def _flattened(self, indices: list[Any]) -> list[Any]:
        """Adjacent dimensions that tensors index together become one, as torch pairs their positions."""
        real = [each for each in indices if each is not None]
        found = [dim for dim, each in enumerate(real) if isinstance(each, torch.Tensor) and each.dim()]
        if len(found) < 2:
            return indices
        trace, array = self.trace, self.array
        first, last = found[0], found[-1]
        if last - first + 1 == len(found) and len(real) == len(indices):
            apart = self._apart(real[first : last + 1])
            if apart is not None:
                return [*real[:first], *apart, *real[last + 1 :]]
        parts = array.free[first : last + 1]
        lying = [part.dim for part in parts]
        wanted = list(range(lying[0] or 0, (lying[0] or 0) + len(parts)))
        between = any(isinstance(each, slice | Tile) for each in real[first : last + 1])
        if between or lying != wanted or not all(part.whole for part in parts) or len(real) != len(indices):
            trace.fail(
                f"{array.name} is indexed by several tensors along dimensions that do not lie together; "
                "index one dimension by a tensor, or view the others as one"
            )
        position = real[first]
        for dim in range(first + 1, last + 1):
            position = position * self.tensor.shape[dim] + real[dim]
        self._merge(first, last)
        return [*real[:first], position, *real[last + 1 :]]

    def _apart(self, indices: Sequence[torch.Tensor]) -> list[torch.Tensor | Run] | None:
        """Tensors of which each has a dimension of the result for itself, in their order, of which all but
        one are runs. `None` for others, which are paired."""
        rank, made = max(index.dim() for index in indices), list[torch.Tensor | Run]()
        for place, index in enumerate(indices):
            long = [dim for dim, size in enumerate(index.shape, rank - index.dim()) if _is_long(size)]
            if rank != len(indices) or long != [place]:
                return None
            size = index.shape[place - rank + index.dim()]
            run = self._run(index, size)
            made.append(index.reshape([size]) if run is None else run)
        if sum(isinstance(each, torch.Tensor) for each in made) > 1:
            return None
        return made

    def _run(self, index: torch.Tensor, size: Size) -> Run | None:
        """The places of a tile and a number, if that is what a tensor holds."""
        form = positions(self.trace.value(index).ssa)
        if not isinstance(form, Positions) or form.lanes or len(form.spans) != 1:
            return None
        (span, factor), shift = next(iter(form.spans.values())), form.scalar.literal
        return Run(size, span, shift) if factor == 1 and shift is not None else None

    def _merge(self, first: int, last: int) -> None:
        """View dimensions `first` to `last` of the tensor as one."""
        array, shape = self.array, list(shape_of(self.array.ssa.type))
        start = array.free[first].dim or 0
        count = last - first + 1
        joined = prod(shape[start : start + count])
        if UNBOUND in shape[start : start + count]:
            self.trace.fail(
                f"{array.name} is indexed by several tensors, and how long it is only a call knows; "
                "static_shapes=True compiles it for what is given, and a loop over one of them takes any"
            )
        kind = MemRefType(element_type(array.ssa.type), [*shape[:start], joined, *shape[start + count :]])
        ssa = at_entry(self.trace, lambda: self.trace.put(ViewOp(array.ssa, kind)))

        def moved(part: Part) -> Part:
            if part.dim is None or part.dim <= start:
                return part
            return Part(part.dim - count + 1, part.begin, part.whole, part.fixed)

        free = [*array.free[:first], Part(start), *array.free[last + 1 :]]
        self.array = Array(ssa, array.name, tuple(moved(part) for part in (*free, *array.fixed)))
        self.dims = {part.dim: Dim(shift=part.begin) for part in self.array.fixed if part.dim is not None}
        sizes = list(self.tensor.shape)
        with self.trace.shapes_only():
            self.tensor = torch.empty([*sizes[:first], joined, *sizes[last + 1 :]], dtype=self.tensor.dtype)


def _is_long(size: Size) -> bool:
    """Whether a dimension of an index may have more than one place."""
    return not isinstance(size, int) or size != 1
