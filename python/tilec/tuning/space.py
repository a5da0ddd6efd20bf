"""What may be chosen for a program: sizes for each axis by where it indexes, loops, groupings, buffers.

Sizes are powers of two, and the whole extent. Where an axis indexes the last dimension of an array they are
multiples of 128 lanes, in the last but one of the rows of a tile of memory: 8, 16 or 32 by the width of an
element. Other sizes can be copied too, but only together with neighbours, so none of them wins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, prod

from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.affine import static_extent
from tilec.analysis.vmem import LANES, SUBLANES, WORD, round_up
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, span_of
from tilec.passes.tile_to_pallas import GROUPINGS, LOOPS
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program

LARGEST = 2048
"""No block of rows or lanes is larger, but for one that is a whole dimension of up to 4 times that."""
LARGEST_LEADING = 64
"""No block of matrices is larger."""
MOST_UNROLLED = 8
"""Steps of inner loops that are written out. `--unroll-loops` takes 64, which take the compiler minutes."""
DEPTHS = (2, 4)
"""Buffers of a window that are tried: one is no overlap at all, and three take a division in each step."""


@dataclass(frozen=True)
class Sizes:
    """The sizes that an axis may have, in ascending order."""

    axis: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """All choices: every combination of sizes with every one of `structures`, which have no sizes.

    The first structure is the plainest. `inner` are the extents of loops that can be written out, by axis.
    """

    axes: tuple[Sizes, ...]
    structures: tuple[Choice, ...]
    inner: tuple[tuple[str, int], ...] = ()

    @property
    def count(self) -> int:
        """How many choices there are."""
        return prod(len(each.sizes) for each in self.axes) * len(self.structures)

    def legal(self, choice: Choice) -> bool:
        """Whether a combination is worth a thought: written out, loops must stay short."""
        steps = prod(ceil(extent / choice.sizes[axis]) for axis, extent in self.inner)
        return choice.loop != "unroll" or 1 < steps <= MOST_UNROLLED

    def neighbours(self, choice: Choice) -> list[Choice]:
        """The choices that differ by a step of one axis, by opposite steps of two, or by the structure."""
        sizes = choice.sizes
        up, down = self._steps(sizes, 1), self._steps(sizes, -1)
        moved = [{**sizes, **step} for step in (*up, *down)]
        moved += [{**sizes, **one, **other} for one in up for other in down if one.keys() != other.keys()]
        found = [choice.with_sizes(each) for each in moved]
        found += [structure.with_sizes(sizes) for structure in self.structures]
        return [each for each in dict.fromkeys(found) if each != choice and self.legal(each)]

    def smaller(self, choice: Choice) -> Choice | None:
        """The choice with its largest size that can be any smaller a step down, if there is one."""
        sizes = choice.sizes
        down = self._steps(sizes, -1)
        if not down:
            return None
        return choice.with_sizes({**sizes, **max(down, key=lambda step: max(sizes[axis] for axis in step))})

    def _steps(self, sizes: dict[str, int], direction: int) -> list[dict[str, int]]:
        steps: list[dict[str, int]] = []
        for each in self.axes:
            at = each.sizes.index(sizes[each.axis]) + direction
            if 0 <= at < len(each.sizes):
                steps.append({each.axis: each.sizes[at]})
        return steps

    def distance(self, one: Choice, other: Choice) -> int:
        """Steps of sizes between two choices."""
        return sum(
            abs(each.sizes.index(one.sizes[each.axis]) - each.sizes.index(other.sizes[each.axis]))
            for each in self.axes
        )


def space_of(program: Program) -> Space:
    """The choices for a program."""
    module = program.prepared
    granules = _granules(module)
    bound = _bound_sizes(module) | dict(program.fixed)
    levels = [level for work in program.workloads for level in work.levels]
    extents: dict[str, tuple[float, bool]] = {}
    for level in levels:
        if level.axis is not None:
            extent, ragged = extents.get(level.axis, (0.0, False))
            extents[level.axis] = max(extent, level.extent), ragged or level.ragged
    axes = [
        Sizes(
            name,
            (bound[name],) if name in bound else sizes_of(*granules.get(name, (LANES, LARGEST)), *extent),
        )
        for name, extent in sorted(extents.items())
    ]
    inner = _inner(module)
    jagged = any(each.jagged for each in levels)
    resident = any(each.whole is not None for work in program.workloads for each in work.traffic)
    return Space(tuple(axes), tuple(_structures(jagged, bool(inner), resident)), inner)


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


def _granules(module: ModuleOp) -> dict[str, tuple[int, int]]:
    """The least size of each axis and the largest: those of the last dimension that it indexes."""
    found: dict[str, tuple[int, int]] = {}
    for access in module.walk():
        if not isinstance(access, AccessOp):
            continue
        width = byte_width(element_type(access.array.type))
        for place, dim in enumerate(reversed(access.window)):
            if dim.span is None:
                continue
            rows = SUBLANES * max(1, WORD // max(width, 1))
            inner = sum(each.kept for each in access.window[len(access.window) - place :])
            leading = place > 1 and inner > 1  # not where an index, such as of a head, is all between
            own = (LANES, LARGEST) if place == 0 else (1, LARGEST_LEADING) if leading else (rows, LARGEST)
            least, most = found.get(dim.span.axis, (1, 0))
            found[dim.span.axis] = max(least, own[0]), max(most, own[1])
    return found


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


def _inner(module: ModuleOp) -> tuple[tuple[str, int], ...]:
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


def _structures(jagged: bool, inner: bool, resident: bool) -> Iterator[Choice]:
    """What may be chosen besides sizes, the plainest first.

    A pass may still refuse some for a program; that takes it milliseconds.
    """
    plain = Choice()
    # `auto`, which is first, is a worklist where nothing is known.
    left_out = ("worklist", "none")
    groupings = [each for each in GROUPINGS if each not in left_out] if jagged else [plain.grouping]
    for grouping in groupings:
        for loop in LOOPS:
            if loop == "unroll" and not inner:
                continue
            depths = DEPTHS if loop in ("emit_pipeline", "fori_loop") else (plain.depth,)
            placements = ("auto", "resident") if resident else ("auto",)
            for depth in depths:
                for operands in placements:
                    choice = Choice((), grouping, loop, operands, depth)
                    if _accepted(choice):
                        yield choice


def _accepted(choice: Choice) -> bool:
    """Whether the pipeline has that combination at all."""
    try:
        choice.pipeline("v5e").passes()
    except ValueError:
        return False
    return True
