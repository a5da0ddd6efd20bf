"""What the estimator says of a compiled function, and how far that can be relied on.

Exact, if nothing is guessed: how often loops run, bytes that pass to and from HBM, spills, VMEM, and what XLA
runs around kernels. Times are a filter: see `band`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tilec.analysis.cost.bundles import SLOTS
from tilec.analysis.cost.machine import Trace
from tilec.chips import Chip

ASSUMPTIONS = (
    "a bundle takes a cycle; fetching instructions and conflicts in memory banks take none",
    "DMAs share HBM's bandwidth in the order of issue, and nothing else uses it",
    "small arrays stay in HBM; operations of XLA run one after the other",
    "launching takes no time, and the clock is not throttled",
)


def assumptions(chip: Chip) -> tuple[str, ...]:
    """What is assumed of all that runs on a chip."""
    if chip.cores == 1:
        return (*ASSUMPTIONS, "only one core works")
    return (*ASSUMPTIONS, f"the {chip.cores} cores of a chip have equal parts of HBM's bandwidth")


TIE = 1.15
"""Times that differ by a smaller factor are not told apart."""

# Hardware over estimate, as measured: v5e, matrix products of 1024^3 to 8192^3, 0.94 to 1.05; tpu7x, 0.94 to
# 2.2 on eight kinds of kernels, and 5.6 on a norm. No hardware figure is known of other kernels on v5e, or of
# other chips.
_V5E_PRODUCTS = (0.90, 1.10)
_OTHERS = (0.90, 2.25)

GROUPS: Mapping[str, tuple[str, ...]] = {
    "MXU": ("MATMUL",),
    "vector": ("VALU", "EUP", "XLU", "VPOP"),
    "load/store": ("VLOAD", "VSTORE"),
    "scalar": ("SALU",),
}
"""The units whose use is told apart, and their slots in a bundle."""

_WORK = [SLOTS.index(slot) for slot in ("MATMUL", "XLU", "VALU", "EUP", "VSTORE")]
_SPILLS = ("VLOAD:FILL", "VSTORE:SPILL")


@dataclass(frozen=True)
class Operation:
    """An operation of a compiled module: a kernel, or something of XLA around it.

    `seconds` and `cycles` are of one run, `stalled` is the part of the cycles in waits for DMAs, and
    `bytes_read` and `bytes_written` are HBM's. `bound` is what takes longest: `MXU`, `vector`, `load/store`,
    `scalar`, `DMA` (HBM's bandwidth) or `latency`. `use` is by these names, less `latency`, what part of the
    cycles each is at work. `loops` is how often the bodies of loops run in all, in the order of their code,
    and `steps` how often the innermost loops run that copy, or without any how often the bundles do that have
    most of the vector units' work. `spills` counts registers
    stored to VMEM and loaded back as it runs. `vmem` is what the compiler says that it takes, in
    bytes; None for what is no kernel.
    """

    name: str
    opcode: str
    seconds: float
    cycles: float
    stalled: float
    bytes_read: int
    bytes_written: int
    bound: str
    use: Mapping[str, float]
    loops: tuple[int, ...]
    steps: int
    spills: int
    vmem: int | None


@dataclass(frozen=True)
class Estimate:
    """What one call of a compiled function takes on a chip.

    `seconds` is the sum over `operations`, and `band` is between what the hardware is expected to take.
    `doubts` are why the control flow is guessed, or something is not counted: then it is not `trusted`, and
    its times are worth nothing.
    """

    chip: str
    operations: tuple[Operation, ...]
    doubts: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether all control flow was computed, none of it guessed."""
        return not self.doubts

    @property
    def seconds(self) -> float:
        """The time of one call."""
        return sum(each.seconds for each in self.operations)

    @property
    def band(self) -> tuple[float, float]:
        """The least and the most seconds that the hardware is expected to take, launching aside."""
        product = sum(each.seconds for each in self.operations if each.use["MXU"] > 0.1)
        known = self.chip == "v5e" and product > 0.9 * self.seconds
        least, most = _V5E_PRODUCTS if known else _OTHERS
        return self.seconds * least, self.seconds * most


def plain(estimate: Estimate) -> Mapping[str, Any]:
    """An estimate as data that JSON has."""
    return asdict(estimate)


def from_plain(data: Mapping[str, Any]) -> Estimate:
    """What `plain` was given. Raises TypeError and LookupError for other data."""
    operations = (Operation(**each) for each in data["operations"])
    return Estimate(
        data["chip"],
        tuple(replace(each, loops=tuple(each.loops)) for each in operations),
        tuple(data["doubts"]),
        tuple(data["assumptions"]),
    )


def faster(one: Estimate, other: Estimate) -> bool | None:
    """Whether `one` is faster than `other`; None where that is not known.

    It is not known where one of them is not trusted, where they differ by a factor of less than `TIE`, and
    for different chips.
    """
    if not (one.trusted and other.trusted) or one.chip != other.chip:
        return None
    if max(one.seconds, other.seconds) < TIE * min(one.seconds, other.seconds):
        return None
    return one.seconds < other.seconds


def operation(
    name: str,
    opcode: str,
    trace: Trace,
    slots: tuple[Mapping[str, int], Sequence[Sequence[int]]],
    chip: Chip,
    vmem: int | None,
) -> Operation:
    """What a trace and the slots of its bundles, as `parse_utilization` gives them, say."""
    capacity, rows = slots
    used = [0] * len(SLOTS)
    for count, row in zip(trace.executed, rows, strict=True):
        if count:
            used = [sum_ + count * each for sum_, each in zip(used, row, strict=True)]
    totals = dict(zip(SLOTS, used, strict=True))
    use = {
        "DMA": trace.busy / trace.cycles,
        **{
            group: max(totals[slot] / max(capacity[slot], 1) for slot in members)
            / (trace.cycles * trace.cores)
            for group, members in GROUPS.items()
        },
    }
    return Operation(
        name=name,
        opcode=opcode,
        seconds=trace.cycles / (chip.clock_ghz * 1e9),
        cycles=trace.cycles,
        stalled=trace.stalled,
        bytes_read=trace.bytes_read,
        bytes_written=trace.bytes_written,
        bound=_bound(use, trace),
        use=use,
        loops=trace.loops,
        steps=trace.steps or _most_work(trace.executed, rows),
        spills=sum(totals[slot] for slot in _SPILLS),
        vmem=vmem,
    )


def _bound(use: Mapping[str, float], trace: Trace) -> str:
    """What is at work in more than half of the cycles, most of all; else it is waiting that takes longest."""
    most = max(use, key=lambda name: use[name])
    return most if use[most] > 0.5 else "latency"


def _most_work(executed: Sequence[int], rows: Sequence[Sequence[int]]) -> int:
    work: dict[int, int] = {}
    for count, row in zip(executed, rows, strict=True):
        work[count] = work.get(count, 0) + count * sum(row[slot] for slot in _WORK)
    if not any(work.values()):  # all is the scalar unit's
        work = {count: count * executed.count(count) for count in work}
    return max(work, key=lambda count: (work[count], count))
