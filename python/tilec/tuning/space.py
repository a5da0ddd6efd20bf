"""What may be chosen for a program: sizes for each axis by where it indexes, loops, groupings, buffers.

Sizes are powers of two, and the whole extent. Where an axis indexes the last dimension of an array they are
multiples of 128 lanes, in the last but one of the rows of a tile of memory: 8, 16 or 32 by the width of an
element; where `--fold-lanes` makes rows of tiles, multiples of 8 rows. Other sizes can be copied too, but
only together with neighbours, so none of them wins.

An axis that goes through tiles of another one, whose size the program says, has the sizes that divide it, so
that the tiles of both end together: no tile is gone through twice, and none needs a mask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod

from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.affine import static_extent
from tilec.analysis.flat import flat_axes
from tilec.analysis.vmem import LANES, SUBLANES, packed_rows, round_up
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of, span_of
from tilec.passes.choose_blocks import divided_tiles, row_blocks
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program

FEW_LANES = 32
"""All lanes of an array are a block, also where they are fewer than a register has: multiples of this, which
is a number of whole tiles of rows as well."""
LARGEST = 2048
"""No block of rows or lanes is larger, but for one that is a whole dimension of up to 4 times that."""
LARGEST_FLAT = 1 << 17
"""No block of an array of rank 1 is larger."""
LARGEST_LEADING = 64
"""No block of matrices is larger."""
ROWS = ("auto", "rows")
"""The choices of `gathers` with which rows may be updated one by one."""
MOST_UNROLLED = 8
"""Steps of inner loops that are written out. `--unroll-loops` takes 64, which take the compiler minutes."""


@dataclass(frozen=True)
class Sizes:
    """The sizes that an axis may have, in ascending order."""

    axis: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """All choices: every combination of sizes with every one of `structures`, which have no sizes.

    The first structure is the plainest. `inner` are the extents of loops that can be written out, by axis.
    `others` has the axes of groupings that make tiles of their own. `rows` has those along rows that are
    updated one by one, and whole rows: other sizes come with the `gathers` that cost the same then.
    """

    axes: tuple[Sizes, ...]
    structures: tuple[Choice, ...]
    inner: tuple[tuple[str, int], ...] = ()
    others: tuple[tuple[str, tuple[Sizes, ...]], ...] = ()
    rows: tuple[tuple[str, int], ...] = ()

    @property
    def count(self) -> int:
        """How many choices there are."""
        return sum(self.combinations(each) for each in self.structures)

    def axes_of(self, structure: Choice) -> tuple[Sizes, ...]:
        """The axes that get sizes with a structure."""
        return dict(self.others).get(structure.grouping, self.axes)

    def combinations(self, structure: Choice) -> int:
        """How many combinations of sizes a structure has."""
        return prod(len(each.sizes) for each in self.axes_of(structure))

    def all_of(self, structure: Choice) -> Iterator[Choice]:
        """All choices with a structure, those that are not worth a thought too."""
        axes = self.axes_of(structure)
        for sizes in product(*(each.sizes for each in axes)):
            yield structure.with_sizes({each.axis: size for each, size in zip(axes, sizes, strict=True)})

    def has(self, choice: Choice) -> bool:
        """Whether the space has a choice."""
        axes = {each.axis: each.sizes for each in self.axes_of(choice)}
        sizes = choice.sizes
        return choice.with_sizes({}) in self.structures and (
            sizes.keys() == axes.keys() and all(size in axes[axis] for axis, size in sizes.items())
        )

    def legal(self, choice: Choice) -> bool:
        """Whether a combination is worth a thought: written out, loops must stay short."""
        if choice.gathers in ROWS and any(
            choice.sizes.get(axis, whole) != whole for axis, whole in self.rows
        ):
            return False
        if choice.loop != "unroll":
            return True
        sizes = choice.sizes
        return 1 < prod(ceil(extent / sizes.get(axis, 1)) for axis, extent in self.inner) <= MOST_UNROLLED

    def moved(self, choice: Choice, structure: Choice) -> Choice:
        """A structure with the sizes of a choice; an axis that this does not have gets one in the middle."""
        middle = {each.axis: each.sizes[len(each.sizes) // 2] for each in self.axes_of(structure)}
        return structure.with_sizes({axis: choice.sizes.get(axis, size) for axis, size in middle.items()})

    def neighbours(self, choice: Choice) -> list[Choice]:
        """The choices that differ by a step of one axis, by opposite steps of two, or by the structure."""
        sizes = choice.sizes
        up, down = self._steps(choice, 1), self._steps(choice, -1)
        moved = [{**sizes, **step} for step in (*up, *down)]
        moved += [{**sizes, **one, **other} for one in up for other in down if one.keys() != other.keys()]
        found = [choice.with_sizes(each) for each in moved]
        found += [self.moved(choice, structure) for structure in self.structures]
        return [each for each in dict.fromkeys(found) if each != choice and self.legal(each)]

    def smaller(self, choice: Choice) -> Choice | None:
        """The choice with its largest size that can be any smaller a step down, if there is one."""
        sizes = choice.sizes
        down = self._steps(choice, -1)
        if not down:
            return None
        return choice.with_sizes({**sizes, **max(down, key=lambda step: max(sizes[axis] for axis in step))})

    def _steps(self, choice: Choice, direction: int) -> list[dict[str, int]]:
        steps: list[dict[str, int]] = []
        for each in self.axes_of(choice):
            at = each.sizes.index(choice.sizes[each.axis]) + direction
            if 0 <= at < len(each.sizes):
                steps.append({each.axis: each.sizes[at]})
        return steps

    def distance(self, one: Choice, other: Choice) -> int:
        """Steps of sizes between two choices with the same axes."""
        return sum(
            abs(each.sizes.index(one.sizes[each.axis]) - each.sizes.index(other.sizes[each.axis]))
            for each in self.axes_of(one)
        )


def space_with(program: Program, structures: Sequence[Choice]) -> Space:
    """The choices with given structures, the plainest first."""
    groupings = dict.fromkeys(each.grouping for each in structures)
    axes = {each: axes_for(program, Choice(grouping=each)) for each in groupings}
    plain = axes[structures[0].grouping]
    others = tuple((each, own) for each, own in axes.items() if own != plain)
    prepared = program.prepared(structures[0].grouping)
    rows = tuple(row_blocks(prepared).items())
    chosen, bound = {each.axis for each in plain}, _bound_sizes(prepared)
    inner = tuple(
        (axis, extent if axis in chosen else ceil(extent / bound.get(axis, 1)))
        for axis, extent in inner_loops(prepared)
    )
    return Space(plain, tuple(structures), inner, others, rows)


def axes_for(program: Program, structure: Choice) -> tuple[Sizes, ...]:
    """The axes that get sizes with a structure, and which."""
    module = program.prepared(structure.grouping)
    granules = _granules(module)
    bound, divided = _bound_sizes(module) | dict(program.fixed), divided_tiles(module)
    levels = [level for work in program.workloads_for(structure) for level in work.levels]
    extents: dict[str, tuple[float, bool]] = {}
    for level in levels:
        if level.axis is not None and level.size is None:
            extent, ragged = extents.get(level.axis, (0.0, False))
            longest = level.extent if level.follows is None or level.ragged else level.most
            extents[level.axis] = max(extent, longest), ragged or level.ragged
    found: list[Sizes] = []
    for name, extent in sorted(extents.items()):
        own = granules.get(name, (LANES, LARGEST))
        sizes = divisors_of(*own, divided[name]) if name in divided else sizes_of(*own, *extent)
        sizes = _within(sizes, *program.bounds[name]) if name in program.bounds else sizes
        found.append(Sizes(name, (bound[name],) if name in bound else sizes))
    return tuple(found)


def _within(sizes: tuple[int, ...], least: int, most: int) -> tuple[int, ...]:
    """The sizes within bounds; where none is, the bound that is nearest."""
    return tuple(size for size in sizes if least <= size <= most) or (min(max(sizes[0], least), most),)


def sizes_of(granule: int, largest: int, extent: float, ragged: bool) -> tuple[int, ...]:
    """Powers of two from `granule` up, and the whole extent; none is larger than what it has to hold.

    A ragged axis may be longer than it is on average, so it has sizes up to twice that.
    """
    reach = round_up(max(ceil(extent * (2 if ragged else 1)), 1), granule)
    sizes: list[int] = []
    size = granule
    while size < reach and size <= largest:
        sizes.append(size)
        size *= 2
    whole = round_up(reach, granule)
    if ragged:
        return tuple([*sizes, size] if size <= largest else sizes)
    return tuple([*sizes, whole] if whole <= 4 * largest or not sizes else sizes)


def divisors_of(granule: int, largest: int, tile: int) -> tuple[int, ...]:
    """Sizes of an axis that goes through tiles of another one: those that divide such a tile, and all of it.

    Of a tile that is no whole number of granules smaller ones do, whose last one has a mask.
    """
    sizes = sizes_of(granule, largest, tile, False)
    whole = (tile,) if tile <= 4 * largest and (tile < granule or tile % SUBLANES == 0) else ()
    divisors = tuple(size for size in sizes if size < tile and (tile % size == 0 or tile % granule))
    return divisors + whole or sizes


def _granules(module: ModuleOp) -> dict[str, tuple[int, int]]:
    """The least size of each axis and the largest: those of the last dimension that it indexes.

    The least in lanes is a register's, or all of an array that has fewer. An axis that is shorter than that
    is one block if it is all of each last and last but one dimension that it indexes, and leads others: there
    it would be as many matrices.
    """
    found: dict[str, tuple[int, int]] = {}
    matrices, parts = set[str](), set[str]()
    lengths = {
        axis.name: static_extent(axis.bounds)
        for loop in module.walk()
        if isinstance(loop, LoopOp)
        for axis in loop.axes
    }
    for access in module.walk():
        if not isinstance(access, AccessOp):
            continue
        width = byte_width(element_type(access.array.type))
        for place, dim in enumerate(reversed(access.window)):
            if dim.span is None:
                continue
            rows = packed_rows(width)
            inner = sum(each.kept for each in access.window[len(access.window) - place :])
            leading = place > 1 and inner > 1  # not where an index, such as of a head, is all between
            whole = shape_of(access.array.type)[-1]
            few = 0 < whole < LANES and whole % FEW_LANES == 0 and lengths[dim.span.axis] == whole
            lanes = (whole if few else LANES, LARGEST_FLAT if len(access.window) == 1 else LARGEST)
            own = lanes if place == 0 else (1, LARGEST_LEADING) if leading else (rows, LARGEST)
            least, most = found.get(dim.span.axis, (1, 0))
            found[dim.span.axis] = max(least, own[0]), max(most, own[1])
            if leading:
                matrices.add(dim.span.axis)
            elif place < 2 and shape_of(access.array.type)[-1 - place] != lengths[dim.span.axis]:
                parts.add(dim.span.axis)
    for axis in matrices - parts:
        length, (least, most) = lengths[axis], found[axis]
        if length is not None and 0 < length < least:
            found[axis] = length, most
    return found | {
        axis: (SUBLANES * each.widths[0], LARGEST_FLAT) for axis, each in flat_axes(module).items()
    }


def _bound_sizes(module: ModuleOp) -> dict[str, int]:
    """The axes to which the program itself gives sizes."""
    spans = [
        span
        for loop in module.walk()
        if isinstance(loop, LoopOp)
        for axis in loop.axes
        if (span := span_of(axis.value)) is not None
    ]
    return {span.axis: span.size for span in spans if span.size != UNBOUND}


def inner_loops(module: ModuleOp) -> tuple[tuple[str, int], ...]:
    """The extents of the tile axes of inner loops; none where one is known only at run time."""
    found: dict[str, int] = {}
    for loop in module.walk():
        if isinstance(loop, ForOp):
            for axis in loop.axes:
                extent = static_extent(axis.bounds)
                if extent is None or span_of(axis.value) is None:
                    return ()
                found[axis.name] = max(found.get(axis.name, 0), extent)
    return tuple(found.items())
