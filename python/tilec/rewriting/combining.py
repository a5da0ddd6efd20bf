"""What combines two values lane by lane, as a reduction combines lanes."""

from collections.abc import Callable, Mapping

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.dialects.tile.mixing import Combine

COMBINERS: Mapping[tuple[Combine, bool], Callable[[SSAValue, SSAValue], Operation]] = {
    (Combine.ADD, True): arith.AddfOp,
    (Combine.MUL, True): arith.MulfOp,
    (Combine.MAX, True): arith.MaximumfOp,
    (Combine.MIN, True): arith.MinimumfOp,
    (Combine.ADD, False): arith.AddiOp,
    (Combine.MUL, False): arith.MuliOp,
    (Combine.MAX, False): arith.MaxSIOp,
    (Combine.MIN, False): arith.MinSIOp,
    (Combine.AND, False): arith.AndIOp,
    (Combine.OR, False): arith.OrIOp,
    (Combine.XOR, False): arith.XOrIOp,
}
"""By kind, and whether it is of floats."""
