"""Segments that are out of order: what is wrong with them, and that a race comes from it."""

from collections.abc import Sequence
from typing import NoReturn

from xdsl.dialects import func
from xdsl.ir import BlockArgument

from tilec.dialects.tile import SegmentOp

from .errors import Race, fault
from .machine import name_of
from .values import Data


def disorder(
    name: str, ranges: Sequence[tuple[int, int]], first: int = 0, after: int | None = None
) -> str | None:
    """What is wrong with the segments of an array from number `first` on, if anything is; `after` is where
    the one after them begins."""
    for number, (begin, end) in enumerate(ranges, first):
        if not 0 <= begin <= end:
            return f"segment {number} of {name} is {begin} to {end}; 0 <= begin <= end is needed"
    begins = [*(begin for begin, _ in ranges[1:]), after]
    for number, ((begin, end), following) in enumerate(zip(ranges, begins, strict=True), first):
        if following is not None and following < end:
            return (
                f"segment {number} of {name} is {begin} to {end}, but segment {number + 1} begins at "
                f"{following}; segments must be ordered and disjoint"
            )
    return None


def blame(function: func.FuncOp, args: Sequence[Data], race: Race) -> NoReturn:
    """Raises InterpreterError at the segments that a race comes from, those that are out of order; the race
    itself where there are none."""
    from tilec.passes.raise_segments import raise_segments

    raised = function.clone()
    raise_segments(raised)
    for op in raised.walk():
        if not isinstance(op, SegmentOp):
            continue
        given = [array for array in (op.begins, op.ends) if array is not None]
        arrays = [args[array.index] for array in given if isinstance(array, BlockArgument)]
        if len(arrays) < len(given):
            continue
        begins, ends = arrays[0], arrays[0][1:] if op.ends is None else arrays[1]
        pairs = [(int(begin), int(end)) for begin, end in zip(begins, ends, strict=False)]
        wrong = disorder(name_of(op.begins), pairs)
        if wrong is not None:
            fault(op, f"{wrong}; two iterations meet: {race.place}: {race.message}")
    raise race
