"""The scalar unit run from text: kernels that libtpu 0.0.51 scheduled, and bundles written here."""

import gzip
from collections.abc import Sequence
from itertools import compress, pairwise
from pathlib import Path

import pytest

from tilec.analysis.cost.bundles import SLOTS, Schedule, UnknownText, parse_schedule, parse_utilization
from tilec.analysis.cost.copies import Copies
from tilec.analysis.cost.machine import Trace, run
from tilec.analysis.cost.scalars import UNKNOWN, Assumed, Value
from tilec.analysis.cost.state import Stuck
from tilec.chips import CHIPS

RECORDED = Path(__file__).parent / "data" / "schedules"
GROUPS, ROWS, BLOCK = 256, 65536, 256


def recorded(name: str, chip: str, part: str = "bundles") -> str:
    """A text of a kernel of `sum of the rows of each segment`, as libtpu wrote it."""
    return gzip.decompress((RECORDED / f"{name}.{chip}.{part}.gz").read_bytes()).decode()


def written(*bundles: str) -> Schedule:
    """Bundles of instructions, which are between semicolons."""
    lines = [
        f" {index:#5x} :  {{ {' ;;  '.join(map(str.strip, bundle.split(';')))} }}"
        for index, bundle in enumerate(bundles)
    ]
    return parse_schedule("\n".join(lines).replace("  0x0", "    0"))


def ran(
    *bundles: str, chip: str = "v5e", operands: Sequence[list[Value] | None] = (), moved: Value = UNKNOWN
) -> Trace:
    return run(written(*bundles), CHIPS[chip], operands, moved)


def segments() -> list[int]:
    """Offsets of segments of 0 to 1080 rows."""
    lengths = [(index * 37) % 541 * (index % 3) for index in range(GROUPS)]
    ends = [sum(lengths[:index]) for index in range(GROUPS + 1)]
    assert ends[-1] > ROWS - BLOCK
    return [min(end, ROWS) for end in ends]


def tiles(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """The entries of the worklist: a segment, and a tile of it; a segment without rows has one too."""
    found: list[tuple[int, int]] = []
    for group, (begin, end) in enumerate(pairwise(offsets)):
        first = begin // BLOCK
        last = max(-(-end // BLOCK), first + 1) if begin < end else first + 1
        found += [(group, tile) for tile in range(first, last)]
    return found


@pytest.mark.parametrize("chip", ["v5e", "tpu7x"])
def test_a_worklist_is_the_right_one(chip: str) -> None:
    offsets = segments()
    entries = tiles(offsets)
    groups, rows, count = (list[Value](range(size)) for size in (512, 512, 1))
    trace = run(
        parse_schedule(recorded("jagged_sum_worklist", chip)), CHIPS[chip], [[*offsets], groups, rows, count]
    )
    assert count == [len(entries)]
    assert list(zip(groups, rows, strict=True))[: len(entries)] == entries
    assert trace.doubts == ()
    assert max(trace.executed) == len(entries)


@pytest.mark.parametrize("chip", ["v5e", "tpu7x"])
def test_a_kernel_copies_and_steps_as_its_worklist_says(chip: str) -> None:
    offsets = segments()
    entries = tiles(offsets)
    groups, rows = ([*column, *[0] * (512 - len(entries))] for column in zip(*entries, strict=True))
    schedule = parse_schedule(recorded("jagged_sum", chip))
    trace = run(schedule, CHIPS[chip], [[len(entries)], groups, [*offsets], rows, None, None])
    assert trace.doubts == ()
    # A tile comes once if the one before was the same, and one behind the rows is the last of them.
    fetched = [min(tile, ROWS // BLOCK - 1) for _, tile in entries]
    windows = 1 + sum(before != tile for before, tile in pairwise(fetched))
    tables = 4 * (2 * 512 + 384)
    assert trace.bytes_read == windows * BLOCK * 256 * 4 + tables
    assert trace.bytes_written == 256 * 256 * 4
    # What keeps the vector unit busy is the sum of a tile, and on tpu7x something that each step has.
    capacity, rows_of_slots = parse_utilization(recorded("jagged_sum", chip, "slots"))
    full = [row[SLOTS.index("VALU")] == capacity["VALU"] for row in rows_of_slots]
    steps = sum(offsets[group] < offsets[group + 1] for group, _ in entries)
    assert {steps} <= set(compress(trace.executed, full)) <= {steps, len(entries)}
    assert steps < len(entries)


@pytest.mark.parametrize("chip", ["v5e", "tpu7x"])
def test_each_bundle_has_a_row_of_slots(chip: str) -> None:
    capacity, rows = parse_utilization(recorded("jagged_sum", chip, "slots"))
    assert len(rows) == len(parse_schedule(recorded("jagged_sum", chip)).bundles)
    assert capacity["MATMUL"] > 0
    assert all(count <= most for row in rows for count, most in zip(row, capacity.values(), strict=True))


def test_a_bundle_reads_before_it_writes() -> None:
    swapped = "%s2_s2 = smov.u32 %s1_s1 ;%s3_s1 = smov.u32 %s0_s2"
    check = "%p1_p1 = scmp.ne.s32.totalorder %s3_s1, 7"
    trace = ran("%s1_s1 = smov.u32 3 ; %s0_s2 = smov.u32 7", swapped, check, "%5 = shalt.err (%p1_p1)")
    assert trace.cycles == 4


@pytest.mark.parametrize(("chip", "cycles"), [("v5e", 1 + 1 + 4 + 1), ("tpu7x", 1 + 1 + 6 + 1)])
def test_a_branch_runs_the_bundles_of_its_delay(chip: str, cycles: int) -> None:
    begin = ["%s1_s1 = smov.u32 0", "%9 = sbr.rel target bundleno = 11 (0xb), region = 3"]
    trace = ran(*begin, *[""] * 9, "%s1_s1 = smov.u32 1", chip=chip)
    assert trace.cycles == cycles
    assert trace.executed == tuple([1] * (cycles - 1) + [0] * (11 - cycles + 1) + [1])


def test_a_loop_runs_as_often_as_its_counter_says() -> None:
    loop = "%s1_s1 = sadd.s32 1, %s1_s1 ; %p1_p1 = scmp.lt.s32.totalorder %s1_s1, 4"
    back = "%9 = sbr.rel (%p1_p1) target bundleno = 1 (0x1), region = 3"
    trace = ran("%s1_s1 = smov.u32 4294967293", loop, back, "", "", "", "", "%s1_s1 = smov.u32 0")
    assert trace.executed == (1, *[8] * 6, 1)


def test_a_predicated_move_keeps_what_was_there() -> None:
    trace = ran(
        "%p1_p1 = scmp.lt.s32.totalorder 4294967295, 0 ; %s1_s1 = smov.u32 3",
        "%s2_s1 = smov.u32 (!%p1_p1, %s1_s1), 4",
        "%p2_p2 = scmp.ne.s32.totalorder %s2_s1, 3",
        "%9 = shalt.err (%p2_p2)",
    )
    assert trace.doubts == ()


COPY = "%9 = dma.hbm_to_vmem /*hbm=*/%s1_s1, /*size_in_granules=*/{}, /*vmem=*/0, /*dst_syncflagno=*/3"


def test_waits_take_as_long_as_copies() -> None:
    chip = CHIPS["v5e"]
    trace = ran("%s1_s1 = smov.u32 0", COPY.format(1024), COPY.format(1024), "%8 = dma.done.wait 3, 2048")
    channel = 2 * 1024 * 32 / (chip.hbm_gb_per_s / chip.clock_ghz)
    second = 1 + channel / 2 + 1024 * 32 / chip.stream_bytes_per_cycle + chip.read_latency
    assert trace.cycles == pytest.approx(second + 1)
    assert trace.stalled == pytest.approx(second - 3)
    assert (trace.busy, trace.bytes_read, trace.bytes_written) == (pytest.approx(channel), 2 * 1024 * 32, 0)


def test_divisions_and_semaphores_queue_what_they_give() -> None:
    trace = ran(
        "%1 = sdivrem.u32 23, 5 /* kRem */ ; %2 = vsyncadd 7, 9",
        "%3 = sdivrem.u32 23, 5 /* kDiv */ ; %4 = vsyncmov 7",
        "%s1_s1 = spop.drf %1 ; %s2_s2 = spop.sfrf %4",
        "%s3_s3 = spop.drf %3 ; %s4_s4 = smulhi.u32 2147483648, %s2_s2",
        "%p1_p1 = scmp.ne.s32.totalorder %s1_s1, 3 ; %p2_p2 = scmp.ne.s32.totalorder %s3_s3, 4",
        "%9 = shalt.err (%p1_p1) ; %8 = shalt.err (%p2_p2)",
        "%p3_p3 = scmp.ne.s32.totalorder %s2_s2, 9 ; %p4_p4 = scmp.ne.s32.totalorder %s4_s4, 4",
        "%9 = shalt.err (%p3_p3) ; %8 = shalt.err (%p4_p4)",
        "%7 = dma.done.wait (%p1_p1), 3, 64",
    )
    assert trace.doubts == ()


@pytest.mark.parametrize("line", ["", 'loc("<tilec f 0123>":61:25 to :38) :: '])
def test_a_division_can_give_both(line: str) -> None:
    trace = ran(
        f"%1 = sdivrem.u32 23, 5 /* {line}kDivAndRem */ ; %2 = sdivrem.u32 9, 4 /* kRem */",
        "%s1_s1 = spop.drf %1",
        "%s2_s2 = spop.drf %1 ; %s4_s4 = sadd.s32 4294967295, 0",
        "%s3_s3 = spop.drf %2 ; %p4_p4 = sc.u32 %s4_s4, 1",
        "%p1_p1 = scmp.ne.s32.totalorder %s1_s1, 4 ; %p2_p2 = scmp.ne.s32.totalorder %s2_s2, 3",
        "%9 = shalt.err (%p1_p1) ; %8 = shalt.err (%p2_p2)",
        "%p3_p3 = scmp.ne.s32.totalorder %s3_s3, 1",
        "%9 = shalt.err (%p3_p3) ; %8 = shalt.err (!%p4_p4)",
    )
    assert trace.doubts == ()


HIGH, MINUS = 2**31, 2**32 - 1


@pytest.mark.parametrize(
    ("opcode", "a", "b", "result"),
    [
        ("sadd.s32", MINUS, 3, 2),
        ("ssub.s32", 1, 3, MINUS - 1),
        ("smul.u32", MINUS, 3, MINUS - 2),
        ("smulhi.u32", MINUS, 3, 2),
        ("sand.u32", 12, 10, 8),
        ("sor.u32", 12, 10, 14),
        ("sxor.u32", 12, 10, 6),
        ("smin.u32", MINUS, 3, 3),
        ("smax.u32", MINUS, 3, MINUS),
        ("sshll.u32", HIGH + 3, 2, 12),
        ("sshll.u32", 3, 32, 0),
        ("sshrl.u32", MINUS, 30, 3),
        ("sshra.s32", HIGH, 31, MINUS),
        ("sshra.s32", HIGH, 40, MINUS),
        ("scalar_lea.hbm", 5, 6, 11),
        ("scalar_lea.sflag", 5, 6, 11),
        ("scalar_lea.smem", 5, 6, 11),
        ("scalar_lea.vmem", 5, 6, 11),
    ],
)
def test_words_are_computed(opcode: str, a: int, b: int, result: int) -> None:
    """Each opcode of two words that is in the schedules of all examples, for all chips."""
    compute = f"%s3_s3 = {opcode} %s1_s1, %s2_s2"
    check = (
        f"%p1_p1 = scmp.ne.s32.totalorder %s3_s3, {result} ; %p2_p2 = scmp.eq.s32.totalorder %s3_s3, {result}"
    )
    ran(f"%s1_s1 = smov.u32 {a} ; %s2_s2 = smov.u32 {b}", compute, check, "%9 = shalt.err (%p1_p1)")
    with pytest.raises(Stuck):
        ran(f"%s1_s1 = smov.u32 {a} ; %s2_s2 = smov.u32 {b}", compute, check, "%9 = shalt.err (%p2_p2)")


@pytest.mark.parametrize(
    ("opcode", "a", "b", "holds"),
    [
        ("scmp.eq.s32.totalorder", 3, 3, True),
        ("scmp.ne.s32.totalorder", 3, 3, False),
        ("scmp.lt.s32.totalorder", MINUS, 3, True),
        ("scmp.le.s32.totalorder", 3, MINUS, False),
        ("scmp.gt.s32.totalorder", MINUS, 3, False),
        ("scmp.ge.s32.totalorder", 3, 3, True),
        ("scmp.lt.u32.totalorder", MINUS, 3, False),
        ("scmp.gt.u32.totalorder", MINUS, 3, True),
        ("scmp.le.u32.totalorder", 3, 3, True),
        ("scmp.ge.u32.totalorder", 3, MINUS, False),
        ("sc.u32", MINUS, 1, True),
        ("sc.u32", MINUS, 0, False),
        ("por", 0, 1, True),
        ("pand", 0, 1, False),
        ("pnand", 1, 1, False),
        ("pnor", 0, 0, True),
        ("pxor", 1, 1, False),
    ],
)
def test_predicates_are_computed(opcode: str, a: int, b: int, holds: bool) -> None:
    """Each opcode that gives a predicate, as above."""
    compute = f"%p1_p1 = {opcode} {a}, {b}"
    for predicate, halts in (("%p1_p1", holds), ("!%p1_p1", not holds)):
        if halts:
            with pytest.raises(Stuck):
                ran(compute, f"%9 = shalt.err ({predicate})")
        else:
            ran(compute, f"%9 = shalt.err ({predicate})")


@pytest.mark.parametrize(
    "opcode", ["sadd.f32", "smul.f32", "scvt.s32.f32", "reloc", "scalar_parameter_address"]
)
def test_what_is_not_followed_is_doubted_where_it_matters(opcode: str) -> None:
    value, copy = f"%s1_s1 = {opcode} 0, 1", COPY.replace("=/*", "= /*").format("%s1_s1")
    assert ran(value, "%s1_s1 = smov.u32 1", copy.replace("%s1_s1, /*size", "0, /*size")).doubts == ()
    assert ran(value, copy.replace("%s1_s1, /*size", "0, /*size")).doubts == ("the size of a DMA",)


@pytest.mark.parametrize("opcode", ["sfence", "cfence", "vtrace", "compiler-scheduling-barrier", "vsettm"])
def test_what_has_no_part_in_control_takes_its_cycle(opcode: str) -> None:
    assert ran("%s1_s1 = smov.u32 3", f"%2 = {opcode} %s1_s1").cycles == 2


@pytest.mark.parametrize("number", ["-1e+30", "1e-06", "0.5", "2.5e-07", "-inf", "nan"])
def test_floats_are_no_part_of_control(number: str) -> None:
    assert ran(f"%s1_s1 = smov.f32 {number}", "%s2_s2 = smov.u32 1").cycles == 2


@pytest.mark.parametrize(("predicate", "size"), [("(0)", 0), ("(!1)", 0), ("(1)", 32), ("(!0)", 32)])
def test_a_predicate_can_be_known(predicate: str, size: int) -> None:
    copy = f"{predicate}, /*hbm=*/0, /*size_in_granules=*/1, /*vmem=*/0, /*dst_syncflagno=*/3"
    assert ran(f"%9 = dma.hbm_to_vmem [thread:$0]  {copy}").bytes_read == size


STRIDED = (
    "%s3_s3 = smov.u32 0 ; %9 = dma.general /*src=*/%s1_s1, /*size_in_granules=*/4, /*dst=*/%s2_s2, "
    "/*dst_syncflagno=*/3, /*src_syncflagno=*/4, /*stridedescaddr=*/0, /*overrides=*/0 /*\nstrides: (8)\n*/"
)


def test_a_copy_is_between_the_memories_of_its_addresses() -> None:
    hbm = "%s1_s1 = int_to_ptr.hbm [resolvable:$true] %s4_s1"
    vmem = "%s2_s2 = scalar_lea.vmem [#allocation3], 8"
    assert ran("%s4_s1 = smov.u32 0", f"{hbm} ; {vmem}", STRIDED).bytes_read == 128
    back = STRIDED.replace("%s1_s1", "%s5_s5").replace("%s2_s2", "%s1_s1").replace("%s5_s5", "%s2_s2")
    assert ran("%s4_s1 = smov.u32 0", f"{hbm} ; {vmem}", back).bytes_written == 128
    with pytest.raises(UnknownText, match="memory that is not known: %s2"):
        ran("%s4_s1 = smov.u32 0", f"{hbm} ; {vmem}", "%s7_s2 = smov.u32 8", STRIDED)


def test_on_v4_a_copy_may_be_between_an_operand_and_an_allocation() -> None:
    given = "%s1_s1 = inlined_call_operand.hbm [shape: f32[8,128], index: 0, kind: input, shape index: {}]"
    kept = "%s2_s2 = smov.u32 [#allocation7]"
    assert ran(given, kept, STRIDED, chip="v4", operands=[None]).bytes_read == 4 * 512
    back = STRIDED.replace("%s1_s1", "%s5_s5").replace("%s2_s2", "%s1_s1").replace("%s5_s5", "%s2_s2")
    assert ran(given, kept, back, chip="v4", operands=[None]).bytes_written == 4 * 512


def test_cores_that_share_a_kernel_each_run_their_part() -> None:
    """Each core reads as many granules as its number says, and 80 more."""
    core = "%s1_s1 = sld [smem:[#allocation0]] /* {}core id */"
    rest = ["%s2_s2 = sadd.s32 80, %s1_s1", COPY.replace("%s1_s1", "0").format("%s2_s2"), *[""] * 7]
    wait = "%8 = dma.done.wait 3, %s2_s2"
    shared = ran(core.format("megacore core id :: "), *rest, wait, chip="v5p")
    assert (shared.cores, shared.bytes_read, shared.doubts) == (2, (80 + 81) * 32, ())
    assert shared.executed == (2,) * 11
    alone = ran(core.format(""), *rest, wait, chip="v5p")
    assert (alone.cores, alone.bytes_read, alone.executed) == (1, 80 * 32, (1,) * 11)
    assert shared.cycles == pytest.approx(alone.cycles + 32 / CHIPS["v5p"].stream_bytes_per_cycle)


def test_what_a_check_asks_is_taken_to_hold() -> None:
    """What runs has passed its checks, so what happens where they fail does not."""
    pop = "%s1_s1 = spop %v4_v4"
    compare = "%p{0}_p1 = scmp.ne.s32.totalorder %s1_s1, 77"
    store = "%9 = dma.done.wait (%p{0}_p1), 3, 64"
    halt = "%8 = shalt.err (%p{0}_p1)"
    assert ran(pop, compare.format(5), store.format(5), halt.format(5)).doubts == ()
    trace = ran(
        pop,
        compare.format(5),
        halt.format(5),
        compare.format(6),
        "%9 = sbr.rel (%p6_p1) target bundleno = 5 (0x5), region = 1",
    )
    assert trace.doubts == ("whether sbr.rel runs",)


@pytest.mark.parametrize("pop", ["spop", "spop.sfrf"])
def test_semaphores_are_looked_at_when_a_kernel_ends(pop: str) -> None:
    """On v4 the scalar unit takes their values as it does those of the vector unit."""
    ends = (
        "%4 = vsyncmov 7",
        f"%s1_s1 = {pop} %4",
        "%p1_p1 = scmp.ne.s32.totalorder %s1_s1, 0",
        "%9 = shalt.err (%p1_p1)",
    )
    assert ran(*ends, moved=Assumed(1)).doubts == ()
    pushed = ran("%4 = vpush %v1_v1", *ends[1:-1], "%9 = dma.done.wait (%p1_p1), 3, 0", moved=Assumed(1))
    assert pushed.assumed == (pop == "spop")
    with pytest.raises(Stuck, match="for semaphores, failed"):
        ran("%1 = vsyncadd 7, 9", *ends, moved=Assumed(0))


def test_what_is_assumed_of_the_vector_unit_is_only_compared_with_zero() -> None:
    pop = "%s1_s1 = spop %v4_v4 ; %s2_s2 = smov.u32 1"
    branch = (
        "%9 = dma.hbm_to_vmem (%p1_p1), /*hbm=*/0, /*size_in_granules=*/1, /*vmem=*/0, /*dst_syncflagno=*/3"
    )
    test = "%p1_p1 = scmp.ne.s32.totalorder %s1_s1, {}"
    for word in (0, 1):
        trace = ran(pop, test.format("0"), branch, moved=Assumed(word))
        assert (trace.bytes_read, trace.doubts, trace.assumed) == (32 * word, (), True)
        floats = test.replace("s32.total", "f32.partial").format("0.0")
        assert ran(pop, floats, branch, moved=Assumed(word)).bytes_read == 32 * word
    for other in (
        test.format("1"),
        test.format("%s2_s2"),
        "%s1_s1 = sadd.s32 1, %s1_s1 ; " + test.format("0"),
    ):
        trace = ran(pop, *other.split(" ; "), branch, moved=Assumed(0))
        assert (trace.doubts, trace.assumed) == (("whether dma.hbm_to_vmem runs",), False)


@pytest.mark.parametrize(
    ("shape", "doubts"),
    [("s32[512]", 0), ("s32[4,128]", 0), ("s32[4,256]", 1), ("s32[2,4,128]", 0), ("s8[512]", 1)],
)
def test_only_rows_of_words_are_read(shape: str, doubts: int) -> None:
    trace = ran(
        f"%s1_s1 = inlined_call_operand.hbm [shape: {shape}, index: 0, kind: input, shape index: {{}}]",
        "%s2_s2 = sshll.u32 %s1_s1, 4",
        "%9 = dma.hbm_to_smem /*hbm=*/%s2_s2, /*size_in_granules=*/64, /*smem=*/[#allocation2], "
        "/*dst_syncflagno=*/[#allocation3]",
        "%8 = dma.done.wait [#allocation3], 64",
        "%s3_s3 = sld [smem:[#allocation2 + $0x7]]",
        "%p1_p1 = scmp.eq.s32.totalorder %s3_s3, 5",
        "%7 = dma.done.wait (!%p1_p1), [#allocation3], 64",
        operands=[[0, 0, 0, 0, 0, 0, 0, 5]],
    )
    assert len(trace.doubts) == doubts


def test_small_pieces_take_whole_transactions() -> None:
    whole, parts = Copies(CHIPS["v6e"]), Copies(CHIPS["v6e"])
    latency = CHIPS["v6e"].read_latency
    done = whole.issue(0, "hbm-to-vmem", 1 << 20, 512) - latency
    assert parts.issue(0, "hbm-to-vmem", 1 << 20, 128) - latency == pytest.approx(4 * done)
    assert parts.bytes_read == whole.bytes_read == 1 << 20


def test_what_the_vector_unit_says_is_doubted_only_where_it_matters() -> None:
    pop = "%s1_s1 = spop %v4_v4"
    used = ran(pop, "%s2_s2 = sadd.s32 1, %s1_s1", "%9 = sst [smem:[#allocation3]] %s2_s2")
    assert used.doubts == ()
    decided = "%p2_p2 = por %p1_p1, %p3_p3 ; %p4_p4 = pnand %p1_p1, %p1_p1"
    compare = "%p1_p1 = scmp.lt.s32.totalorder %s1_s1, 4 ; %p3_p3 = scmp.eq.s32.totalorder 0, 0"
    fence = "%9 = dma.done.wait (!%p{0}_p{0}), 3, 0"
    assert ran(pop, compare, decided, fence.format(2)).doubts == ()
    assert ran(pop, compare, decided, fence.format(4)).doubts == ("whether dma.done.wait runs",)
    assert ran(pop, compare, decided, "%9 = shalt.err (%p4_p4)").doubts == ()
    assert ran("%s1_s1 = smov.f32 -0.0", "%9 = sst [smem:[#allocation3]] %s1_s1").doubts == ()


@pytest.mark.parametrize(
    ("bundles", "error", "message"),
    [
        (["%9 = shalt.err"], Stuck, "a check of its own"),
        (["%9 = dma.done.wait 3, 4"], Stuck, "4 more granules"),
        (["%s1_s1 = sfoo.u32 1, 2"], UnknownText, "sfoo.u32"),
        (["%s1_s1 = smov.u32 (%p1_p1, %s2_s2), 2"], UnknownText, "elsewhere"),
        (["%9 = sbr.rel target bundleno = 0 (0x0), region = 1"] * 9, Stuck, "where a branch is about"),
    ],
)
def test_what_cannot_be_is_refused(bundles: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ran(*bundles)


def test_texts_of_another_form_are_refused() -> None:
    with pytest.raises(UnknownText, match="no bundles"):
        parse_schedule("nothing")
    with pytest.raises(UnknownText, match="slots"):
        parse_utilization("CAPACITY:\nMATMUL, SALU\n 1 2")
