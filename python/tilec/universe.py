"""What plain xdsl-opt finds of ours, through the entry point group `xdsl.universe`."""

from xdsl.universe import Universe

from tilec.dialects import get_all_dialects
from tilec.emit import get_all_targets
from tilec.passes import get_all_passes

TILE_UNIVERSE = Universe(
    all_dialects=get_all_dialects(),
    all_passes=get_all_passes(),
    all_targets=get_all_targets(),
)
