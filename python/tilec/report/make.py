"""Makes reports: lowers a program for a chip, compiles and estimates it, and counts what it needs."""

from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tilec.analysis.cost.estimate import Operation
from tilec.analysis.vmem import MEBIBYTE, Ledger, Space, amount
from tilec.chips import Chip, chip_named
from tilec.diagnostics import TileError, where
from tilec.dialects.pallas.host import RequireOp
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.plan_memory import PlanMemory, advice, ledger_of
from tilec.passes.raise_gathers import RaiseGathers
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.report.arguments import Arguments
from tilec.report.data import Cost, Memory, Need, Origin, Owner, Refusal, Report, Step
from tilec.report.least import least
from tilec.report.measure import Measured, measure
from tilec.report.parts import parts
from tilec.report.scalars import NotKnown
from tilec.runtime.aot import CompileRefused, CompilerFailed
from tilec.runtime.executable import Executable
from tilec.runtime.memory import allowed_vmem, needed_vmem
from tilec.runtime.signature import only_function

UNITS = ("MXU", "vector", "scalar", "load/store", "DMA")
"""The units whose use is reported."""


def report(executable: Executable, arguments: Arguments, chip: str) -> Report:
    """What a program costs on a chip for such arguments.

    What a pass or the TPU compiler refuses is in the report. Raises ValueError for an unknown chip, and for
    integers that the kernel does not take, such as offsets that are not in order.
    """
    target = chip_named(chip)
    choices = replace(executable.choices, chip=chip)
    empty = Report(
        kernel=executable.signature.name,
        chip=chip,
        arguments=arguments.described(),
        choices=choices.told(),
        modelled=executable.modelled,
        refused=None,
        cost=None,
        need=None,
        need_unknown=None,
        memory=None,
        origin=Origin(executable, arguments),
    )
    kernels: list[_Planned] = []
    try:
        kernels, error = _planned(executable.module, choices, target)
        if error is not None:
            raise error
        lowered = executable.for_chip(chip)
        lowered.check(*arguments.zeros())
        measured = measure(lowered.text, executable.signature.name, arguments.arrays(), chip)
    except TileError as error:
        return replace(empty, refused=Refusal(error.place, error.message), memory=_memory(kernels, target))
    except CompileRefused as refused:
        told, needed = _in_our_words(refused, kernels, target), needed_vmem(refused.message)
        return replace(empty, refused=told, memory=_memory(kernels, target, needed))
    need, unknown = _need(executable.module, choices, arguments, target)
    divided = parts(measured, lowered.text, executable.signature.name)
    cost = replace(_cost(measured, need), parts=divided)
    taken = max((each.vmem_bytes or 0 for each in cost.operations), default=0)
    return replace(empty, cost=cost, need=need, need_unknown=unknown, memory=_memory(kernels, target, taken))


class _Planned:
    """A pipeline with its ledger."""

    def __init__(self, pipeline: PipelineOp, chip: Chip) -> None:
        self.pipeline = pipeline
        self.ledger: Ledger = ledger_of(pipeline, chip)

    @property
    def bytes(self) -> int:
        return self.ledger.total(Space.VMEM)


def _planned(module: ModuleOp, choices: TileToPallas, chip: Chip) -> tuple[list[_Planned], TileError | None]:
    """The pipelines that a program becomes, the one that takes most of VMEM first, as far as it is lowered;
    and what a pass refuses. Raises TileError for choices that there are not."""
    changed, context = module.clone(), make_context()
    error = None
    for each in _passes(choices):
        try:
            each.apply(context, changed)
        except TileError as refusal:
            error = refusal
        if error is not None or isinstance(each, PlanMemory):
            break
    pipelines = [op for op in changed.walk() if isinstance(op, PipelineOp)]
    planned = [op for op in pipelines if all(window.buffers is not None for window in op.windows)]
    return sorted((_Planned(op, chip) for op in planned), key=lambda each: each.bytes, reverse=True), error


def _passes(choices: TileToPallas) -> Sequence[ModulePass]:
    try:
        return choices.passes()
    except ValueError as error:
        raise TileError(f"tile-to-pallas: {error}", "tile-to-pallas") from error


def _memory(kernels: Sequence[_Planned], chip: Chip, taken: int | None = None) -> Memory | None:
    if not kernels:
        return None
    owners = tuple(
        Owner(each.owner, each.place, each.size, each.padding)
        for each in kernels[0].ledger.largest(Space.VMEM)
    )
    return Memory(kernels[0].bytes, owners, taken, int(chip.vmem_mib * MEBIBYTE))


def _in_our_words(refused: CompileRefused, kernels: Sequence[_Planned], chip: Chip) -> Refusal:
    """A refusal of the compiler at the tile operation, with what would fit where it is memory that lacks."""
    place, _, op = (refused.tile_location or chip.name).partition(" ")
    if op == RequireOp.name or isinstance(refused, CompilerFailed):
        return Refusal(place, refused.message)
    told = _of_vmem(refused.message, kernels, chip)
    if told is None:
        return Refusal(place, f"the TPU compiler refuses {op or 'the kernel'}: {refused.message}")
    return Refusal(place if refused.tile_location else where(kernels[0].pipeline), told)


def with_what_would_fit(
    refused: CompileRefused, module: ModuleOp, choices: TileToPallas, chip: str
) -> CompileRefused:
    """A refusal for want of VMEM at the kernel, with what would fit; others as they are."""
    target = chip_named(chip)
    kernels, _ = _planned(module, replace(choices, chip=chip), target)
    told = _of_vmem(refused.message, kernels, target)
    if told is None:
        return refused
    return CompileRefused(told, refused.module_line, refused.tile_location or where(kernels[0].pipeline))


def _of_vmem(message: str, kernels: Sequence[_Planned], chip: Chip) -> str | None:
    """What is said where the compiler says that a kernel wants more VMEM than it gets; None of others."""
    needed, limit = needed_vmem(message), allowed_vmem(message)
    if needed is None or not kernels:
        return None
    has = int(chip.vmem_mib * MEBIBYTE)
    limit = has if limit is None else min(limit, has)
    first, told = kernels[0], f"{chip.name} has {chip.vmem_mib:g} MiB"
    if needed <= has:
        told = f"gives the kernel {amount(limit)} of those of {chip.name}"
    largest = ", ".join(map(str, first.ledger.largest(Space.VMEM)[:3]))
    scaled = limit * first.bytes // max(needed, 1)  # the ledger of what the compiler would take
    return (
        f"the TPU compiler needs {amount(needed)} of VMEM, and {told}; the largest are {largest}; "
        f"{advice(first.pipeline, chip, first.ledger, scaled)}"
    )


def _need(
    module: ModuleOp, choices: TileToPallas, arguments: Arguments, chip: Chip
) -> tuple[Need | None, str | None]:
    """The least that a program can do, or why that is not known."""
    changed, context = module.clone(), make_context()
    for each in (*_before_blocks(choices), ChooseBlocks(choices.blocks), RaiseGathers()):
        each.apply(context, changed)
    function = only_function(changed)
    values = function.body.block.args
    try:
        found = least(
            function,
            dict(zip(values, arguments.shapes, strict=True)),
            {values[position]: array for position, array in arguments.contents.items()},
            chip.bf16_tflop_per_s / chip.int8_top_per_s,
        )
    except NotKnown as why:
        return None, str(why)
    products = found.passes / (chip.cores * chip.bf16_tflop_per_s * 1e12)
    copies = (found.bytes_read + found.bytes_written) / (chip.cores * chip.hbm_gb_per_s * 1e9)
    return Need(
        found.flops, found.passes, found.bytes_read, found.bytes_written, found.steps, max(products, copies)
    ), None


def _before_blocks(choices: TileToPallas) -> list[ModulePass]:
    """The passes up to the sizes of tiles that leave the work of a program as it is."""
    kept = ("scalarize-jagged", "raise-segments", "rebase-axes", "bound-axes")
    return [each for each in choices.passes() if each.name in kept]


def _cost(measured: Measured, need: Need | None) -> Cost:
    found = measured.estimate
    cycles = sum(each.cycles for each in found.operations)
    least_seconds, most_seconds = found.band
    seconds = found.seconds
    longest = max(found.operations, key=lambda each: each.seconds)
    return Cost(
        seconds=seconds,
        least_seconds=least_seconds,
        most_seconds=most_seconds,
        bound=longest.bound,
        doubts=found.doubts,
        roofline=None if need is None else need.seconds / seconds,
        use={unit: sum(each.use[unit] * each.cycles for each in found.operations) / cycles for unit in UNITS},
        bytes_read=sum(each.bytes_read for each in found.operations),
        bytes_written=sum(each.bytes_written for each in found.operations),
        steps=sum(each.steps for each in found.operations if _computes(each)),
        spills=sum(each.spills for each in found.operations),
        operations=tuple(_step(each) for each in found.operations),
        parts=(),
        assumptions=found.assumptions,
        compile_seconds=measured.compile_seconds,
        code_bytes=measured.code_bytes,
    )


def _computes(operation: Operation) -> bool:
    """Whether an operation is a kernel on tiles, not one in which the scalar unit makes a list of them."""
    return operation.opcode == "custom-call" and bool(operation.vmem)


def _step(operation: Operation) -> Step:
    stalled = operation.seconds * operation.stalled / operation.cycles if operation.cycles else 0.0
    return Step(
        operation.name,
        operation.opcode,
        operation.seconds,
        stalled,
        operation.bound,
        operation.bytes_read,
        operation.bytes_written,
        operation.spills,
        operation.vmem,
    )
