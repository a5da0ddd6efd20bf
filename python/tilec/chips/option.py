"""The chip as an option of a pass."""

from xdsl.ir import Operation

from tilec.chips import CHIPS, Chip
from tilec.diagnostics import fail


def chip_option(op: Operation, flag: str, name: str) -> Chip:
    """The chip of that name. Refuses, on behalf of a pass, one that there is not."""
    if name not in CHIPS:
        fail(op, f"{flag}: there is no chip {name}; the chips are {', '.join(CHIPS)}")
    return CHIPS[name]
