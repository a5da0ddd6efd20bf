"""What is recorded of a run: its middle, and the timeline of some steps there."""

import json
from itertools import pairwise

import pytest
from test_cost_machine import BLOCK, COPY, recorded, segments, tiles, written

from tilec.analysis.cost.bundles import SLOTS, parse_schedule, parse_utilization
from tilec.analysis.cost.estimate import operation
from tilec.analysis.cost.machine import Trace, heads, run
from tilec.analysis.cost.recorder import Ran, Recorder
from tilec.analysis.cost.scalars import Value
from tilec.analysis.cost.timeline import BINS, Timeline, from_plain, named_arrays, plain, timeline
from tilec.chips import CHIPS

V5E = CHIPS["v5e"]


@pytest.mark.parametrize("count", [1, 4096, 10_000, 300_000])
def test_a_recorder_keeps_the_middle(count: int) -> None:
    recorder = Recorder()
    for number in range(count):
        recorder.add(Ran(number, number, number, number))
    kept = [each.first for each in recorder.middle() if isinstance(each, Ran)]
    assert kept == list(range(kept[0], kept[0] + len(kept)))
    assert count / 3 - 4096 <= kept[0] <= count / 2
    assert len(kept) == min(4096, count - kept[0])


def loop(times: int) -> Timeline:
    """A loop that copies 32 KiB, waits for them, and has a product in its last bundle but one."""
    back = "%9 = sbr.rel (%p1_p1) target bundleno = 1 (0x1), region = 3"
    schedule = written(
        "%s2_s2 = smov.u32 0",
        "%s2_s2 = sadd.s32 1, %s2_s2 ; " + COPY.format(1024).replace("%s1_s1", "100"),
        f"%p1_p1 = scmp.lt.s32.totalorder %s2_s2, {times} ; %8 = dma.done.wait 3, 1024",
        "%7 = vsyncadd 3, 4294966272",
        back,
        "",
        "",
        "%6 = vmatmul.bf16 %v1",
        "",
    )
    rows = [[0] * len(SLOTS) for _ in schedule.bundles]
    rows[7][SLOTS.index("MATMUL")] = 1
    slots = (dict.fromkeys(SLOTS, 4), rows)
    recorder = Recorder()
    trace = run(schedule, V5E, [], recorder=recorder)
    done = operation("looped", "custom-call", trace, slots, V5E, None)
    return timeline(done, recorder, trace, heads(schedule), slots, [])


def test_steps_of_a_loop() -> None:
    found = loop(40)
    waiting = 1024 * 32 / V5E.stream_bytes_per_cycle + V5E.read_latency - 1
    lengths = [after - before for before, after in pairwise(found.steps)]
    assert lengths == pytest.approx([8 + waiting] * len(lengths))
    assert len(lengths) == 5  # about 4000 cycles
    assert found.begin < found.cycles / 2 < found.end
    assert [end - begin for begin, end in found.waits] == pytest.approx([waiting] * len(lengths))
    width = (found.end - found.begin) / BINS
    assert sum(found.use["MXU"]) * width == pytest.approx(len(lengths) / 4, rel=1e-3)
    assert sum(found.use["vector"]) == 0


def test_a_copy_in_no_array_is_called_by_its_bundle() -> None:
    found = loop(40)
    assert {(each.name, each.way, each.bytes) for each in found.transfers} == {
        ("bundle 0x1", "hbm-to-vmem", 1024 * 32)
    }
    ends = [end for _, end in found.waits]
    for each in found.transfers:
        assert each.issued == each.begin < each.end < each.done
        assert any(end == pytest.approx(each.done) for end in ends)


@pytest.mark.parametrize("times", [1, 2])
def test_without_steps_all_is_shown(times: int) -> None:
    found = loop(times)
    assert found.steps == ()
    assert (found.begin, found.end) == (0, found.cycles)


def test_a_timeline_is_data() -> None:
    found = loop(40)
    assert from_plain(json.loads(json.dumps(plain(found)))) == found


@pytest.mark.parametrize("chip", ["v5e", "tpu7x"])
def test_a_kernel_that_was_recorded(chip: str) -> None:
    schedule = parse_schedule(recorded("jagged_sum", chip))
    slots = parse_utilization(recorded("jagged_sum", chip, "slots"))
    offsets = segments()
    entries = tiles(offsets)
    groups, rows = ([*column, *[0] * (512 - len(entries))] for column in zip(*entries, strict=True))

    def ran(recorder: Recorder | None) -> Trace:
        operands: list[list[Value] | None] = [[len(entries)], [*groups], [*offsets], [*rows], None, None]
        return run(schedule, CHIPS[chip], operands, recorder=recorder)

    recorder = Recorder()
    trace = ran(recorder)
    assert trace == ran(None)
    names = named_arrays(schedule, ["groups", "offsets", "rows", "x_window", "out_window", "acc"])
    assert names == ["groups", "offsets", "rows", "x_window", "out_window"]  # behind the extent of the grid
    done = operation("jagged_sum", "custom-call", trace, slots, CHIPS[chip], None)
    found = timeline(done, recorder, trace, heads(schedule), slots, names)
    assert 4 <= len(found.steps) - 1 <= 12
    assert {each.name for each in found.transfers if each.way == "hbm-to-vmem"} == {"x_window"}
    assert {each.bytes for each in found.transfers if each.name == "x_window"} == {BLOCK * 256 * 4}
    # Copies are one after the other in the channel, and no wait ends but with a copy.
    spans = sorted((each.begin, each.end) for each in found.transfers)
    assert all(before <= begin + 1e-6 for (_, before), (begin, _) in pairwise(spans))
    assert all(0 <= part <= 1 for parts in found.use.values() for part in parts)
    assert max(found.use["vector"]) > 0.5
