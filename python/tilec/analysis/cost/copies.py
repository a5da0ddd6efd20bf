"""When DMAs are done.

A model with three numbers of a chip: a copy takes a latency, and its bytes pass at the rate of a stream; what
goes to HBM or comes from it passes through one channel besides, in the order of issue, at HBM's bandwidth.
Pieces of less than 512 bytes use a part of a transaction, so the rates shrink in proportion.
"""

from dataclasses import dataclass

from tilec.chips import Chip

_TRANSACTION = 512  # bytes


@dataclass
class Copies:
    """The DMAs of a kernel on a chip. Times are in cycles since the kernel began, sizes in bytes.

    `bytes_read` and `bytes_written` count what passed from HBM and to it, `busy` the cycles for which
    that occupied the channel, which is `free` from then on.
    """

    chip: Chip
    bytes_read: int = 0
    bytes_written: int = 0
    busy: float = 0.0
    free: float = 0.0

    def issue(self, now: float, way: str, size: int, piece: int) -> float:
        """When a copy of `size` bytes is done that is issued at `now`.

        `way` is such as `hbm-to-vmem`; `piece` is how many bytes lie together at both ends.
        """
        source, _, target = way.partition("-to-")
        pieces = size * max(1.0, _TRANSACTION / max(piece, 1))
        own = pieces / self.chip.stream_bytes_per_cycle
        if "hbm" not in (source, target):
            return now + own
        self.bytes_read += size if source == "hbm" else 0
        self.bytes_written += size if target == "hbm" else 0
        begin = max(now, self.free)
        shared = pieces / (self.chip.hbm_gb_per_s / self.chip.clock_ghz)
        self.free = begin + shared
        self.busy += shared
        latency = self.chip.read_latency if source == "hbm" else self.chip.write_latency
        return begin + max(own, shared) + latency
