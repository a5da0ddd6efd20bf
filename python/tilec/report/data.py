"""What a report says, as plain data: sizes in bytes, times in seconds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tilec.report.arguments import Arguments
    from tilec.runtime.executable import Executable


@dataclass(frozen=True)
class Refusal:
    """Why a kernel has no figures: `place` is `file:line:col` of the operation, or the chip if none is known,
    and `message` says what would be accepted, where that is known."""

    place: str
    message: str


@dataclass(frozen=True)
class Owner:
    """What one operation of the program takes of VMEM, by the ledger of `--plan-memory`: with all buffers and
    `padding_bytes`, those that hold no element."""

    name: str
    place: str
    bytes: int
    padding_bytes: int


@dataclass(frozen=True)
class Memory:
    """VMEM of the kernel that takes most of it: by the ledger, by its owners, by the compiler, and what there
    is. The compiler's, of a refusal rounded as it says it, is None where it refused for another reason."""

    ledger_bytes: int
    owners: tuple[Owner, ...]
    compiler_bytes: int | None
    chip_bytes: int


@dataclass(frozen=True)
class Need:
    """The least that the program can do: operations of matrix products, of which those with whole 32-bit
    floats count six times in `passes`, and those of int8 half where they take half the time; bytes of what
    its accesses reach, once each; tiles that cover each range of a loop alone. It takes the chip at least
    `seconds`."""

    flops: int
    passes: int
    bytes_read: int
    bytes_written: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Step:
    """A kernel of the call, an operation of XLA around it, or what calls them: its part of the time, of it
    `stalled_seconds` in waits for copies, and what bounds it."""

    name: str
    opcode: str
    seconds: float
    stalled_seconds: float
    bound: str
    bytes_read: int
    bytes_written: int
    spills: int
    vmem_bytes: int | None


@dataclass(frozen=True)
class Part:
    """What an operation of the program takes of the call, `name` at `place`, `file:line:col`. It became the
    `lines` of the Pallas text.

    `use` is, by slot of a bundle as libtpu names them, in what part of the cycles of the call it is at work
    for this. That is counted: the compiler keeps the lines of instructions, and what it adds goes with what
    uses it. `seconds` is in which bundles are issued for it, and about, as operations share bundles. Parts
    without a place are none of the program's operations: copies and loops of the pipeline, registers
    spilled, XLA around kernels, waits for copies, and what is not attributed.
    """

    name: str
    place: str | None
    lines: tuple[int, ...]
    seconds: float
    use: Mapping[str, float]


@dataclass(frozen=True)
class Cost:
    """What the compiled kernels take.

    `seconds` is estimated, and the hardware expected between `least_seconds` and `most_seconds`; `doubts` say
    why that is worth nothing, if it is. `use` is, by unit, in what part of the cycles it is at work.
    `steps` are those of the loops that copy, idle ones too, `spills` how many registers they
    store and load back. `roofline` is `Need.seconds` over `seconds`, None where the need is not known.
    `parts` divide the call by operations of the program; they add up to it.
    `compile_seconds` and `code_bytes` are of a compile that keeps small arrays in HBM, as the estimate has
    them, and writes the schedule down; another has a little more or less code.
    """

    seconds: float
    least_seconds: float
    most_seconds: float
    bound: str
    doubts: tuple[str, ...]
    roofline: float | None
    use: Mapping[str, float]
    bytes_read: int
    bytes_written: int
    steps: int
    spills: int
    operations: tuple[Step, ...]
    parts: tuple[Part, ...]
    assumptions: tuple[str, ...]
    compile_seconds: float
    code_bytes: int


@dataclass(frozen=True)
class Origin:
    """What a report is of: a program ready to be compiled, and the arguments of the call."""

    executable: "Executable"
    arguments: "Arguments"


@dataclass(frozen=True)
class Report:
    """A kernel on a chip. `arguments` are its arrays as text, `choices` what it was compiled with, as options
    of `--tile-to-pallas` but for the chip; they are `modelled` where the analytic model made them.

    One that is refused has no `cost`. `need` is None where loops hang on more than integers of arguments, and
    `need_unknown` then says on what. `memory` is None where a pass refused before it was counted. A page also
    shows what is made of the `origin`, if that is there.
    """

    kernel: str
    chip: str
    arguments: tuple[str, ...]
    choices: str
    modelled: bool
    refused: Refusal | None
    cost: Cost | None
    need: Need | None
    need_unknown: str | None
    memory: Memory | None
    origin: Origin | None = field(default=None, repr=False, compare=False)

    def plain(self) -> Mapping[str, Any]:
        """The report as data that JSON has, without its origin."""
        found = asdict(replace(self, origin=None))
        del found["origin"]
        return found

    def html(self) -> str:
        """The report as a page that stands alone, with figures, a timeline, and the program after each pass.

        The first use compiles once more, in a process of its own.
        """
        from tilec.report.page.make import page

        return page([self])

    def __str__(self) -> str:
        from tilec.report.text import as_text

        return as_text([self])
