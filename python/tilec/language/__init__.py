"""The language of tile programs in torch: loops over tiles, and what torch has no word for.

    import tilec
    import tilec.language as hl

    @tilec.kernel
    def add_one(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = x[rows, :] + 1
        return out

The names and their meaning are those of `helion.language`, so that a kernel moves over by its import. All of
them work only inside a function that `tilec.kernel` traces. What they refuse is a `TraceError` at the user's
line.
"""

from tilec import cdiv, next_power_of_2
from tilec.frontend.tiles import Tile
from tilec.language.accesses import (
    atomic_add,
    atomic_and,
    atomic_cas,
    atomic_max,
    atomic_min,
    atomic_or,
    atomic_xchg,
    atomic_xor,
    load,
    store,
)
from tilec.language.loops import (
    barrier,
    grid,
    jagged_tile,
    register_block_size,
    register_tunable,
    specialize,
    static_range,
    tile,
    tile_begin,
    tile_block_size,
    tile_end,
    tile_id,
    tile_index,
)
from tilec.language.random import rand, randint
from tilec.language.values import (
    arange,
    associative_scan,
    cumprod,
    cumsum,
    dot,
    full,
    join,
    reduce,
    split,
    zeros,
)

__all__ = [
    "Tile",
    "arange",
    "associative_scan",
    "atomic_add",
    "atomic_and",
    "atomic_cas",
    "atomic_max",
    "atomic_min",
    "atomic_or",
    "atomic_xchg",
    "atomic_xor",
    "barrier",
    "cdiv",
    "cumprod",
    "cumsum",
    "dot",
    "full",
    "grid",
    "jagged_tile",
    "join",
    "load",
    "next_power_of_2",
    "rand",
    "randint",
    "reduce",
    "register_block_size",
    "register_tunable",
    "specialize",
    "split",
    "static_range",
    "store",
    "tile",
    "tile_begin",
    "tile_block_size",
    "tile_end",
    "tile_id",
    "tile_index",
    "zeros",
]
