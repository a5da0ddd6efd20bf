"""Running sums, products, extremes and logarithms of sums."""

from typing import TypeAlias

import torch
from xdsl.dialects.builtin import IntegerType

from tilec.dialects.tile import ScanOp
from tilec.dialects.tile.mixing import Combine
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import PLACES, Range, Value
from tilec.frontend.lanes import broadcast, computed_in, convert
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scans import scanned_by

Pair: TypeAlias = tuple[torch.Tensor, torch.Tensor]


@handles("cumsum")
def _cumsum(call: Call) -> torch.Tensor:
    return _scan(call, Combine.ADD)


@handles("cumprod")
def _cumprod(call: Call) -> torch.Tensor:
    return _scan(call, Combine.MUL)


def _scan(call: Call, kind: Combine) -> torch.Tensor:
    trace, given = call.trace, call["self"]
    dtype = computed_in(call.out.dtype)
    value = convert(trace, trace.value(given), given.dtype, dtype)
    known = Range(0, 2**31 - 1) if given.dtype is torch.bool and kind is Combine.ADD else None
    return call.result(trace.put(ScanOp(kind, value.ssa, call["dim"] % given.dim())), known)


@handles("cummax", "cummin")
def _extremes(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    """The extreme so far and the last lane that holds it. A NaN counts as the extreme."""
    trace, given, dim = call.trace, call["self"], call["dim"] % call["self"].dim()
    floats = given.is_floating_point()

    def later(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
        reaches = two >= one if call.name == "cummax" else two <= one
        return reaches | torch.isnan(two) if floats else reaches

    def combine(one: Pair, two: Pair) -> Pair:
        taken = later(one[0], two[0])
        return torch.where(taken, two[0], one[0]), torch.where(taken, two[1], one[1])

    lanes = lane_numbers(trace, given.shape[dim])
    wide = broadcast(trace, lanes, trace.kind(given.shape, IntegerType(32)), [dim])
    numbers = trace.tensor(given.shape, torch.int64, Value(wide, PLACES))
    extreme, where = scanned_by(trace, combine, [given, numbers], dim, reverse=False)
    return extreme, where


@handles("logcumsumexp")
def _logcumsumexp(call: Call) -> torch.Tensor:
    return scanned_by(call.trace, torch.logaddexp, [call["self"]], call["dim"], reverse=False)[0]
