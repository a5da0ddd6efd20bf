"""Numbers of lanes, as tensors of integers."""

from typing import Any

import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from tilec.dialects.tile import IndicesOp, ScanOp
from tilec.dialects.tile.mixing import Combine
from tilec.frontend.lanes import broadcast, splat
from tilec.frontend.scalars import bound, i32_of
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace


def lane_numbers(trace: Trace, size: Any) -> SSAValue:
    """0, 1, … along a dimension of a size: `tensor<size x i32>`."""
    kind = trace.kind([size], IntegerType(32))
    if isinstance(size, torch.SymInt) and not expression(size).is_Integer:
        axis = trace.axes[expression(size)]
        begin = broadcast(trace, i32_of(trace, bound(trace, "begin", axis.span)), kind)
        return trace.put(arith.SubiOp(trace.put(IndicesOp(axis.span)), begin))
    ones = splat(trace, 1, kind)
    return trace.put(arith.SubiOp(trace.put(ScanOp(Combine.ADD, ones, 0)), ones))
