"""What lines of a module take of a kernel: of a schedule written here, and of kernels compiled here."""

import json
from pathlib import Path
from typing import Any

import jax
import pytest

from tilec.analysis.cost.bundles import SLOTS, lines_of_stores, parse_schedule
from tilec.analysis.cost.machine import Trace
from tilec.analysis.cost.origins import COPIES, OTHERS, SPILLS, XLA, Origin, shares
from tilec.report.command import run
from tilec.report.measure import measure

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEADS = "bf16[1,1,256,64]"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


# A load and what reads it; a transposing unit, busy at 0x2 and 0x3, and another at 0x4; an exponential that
# has no line; a register spilled; a comparison of lanes, in a slot of loads; a store that has no line.
SCHEDULE = """
     0   :  { %v1_v0 = vld [vmem:[%s0_s1] sm:$0xff] /* loc("<tilec f 0123abcd>":7:4 to :9) */  ;;  %s2_s2 = smov 3 }
   0x1   :  { %5 = vadd.xlane.f32.xlu0 %v1_v0 /* loc("<tilec f 0123abcd>":8:4 to :9) :: loc("<tilec f 0123abcd>":9:4 to :9) */ }
   0x2   :  {}
   0x3   :  { %v6_v1 = vpop.xlane.xlu0 %5 /* loc("<tilec f 0123abcd>":8:4 to :9) :: combined */  ;;  %7 = vexp2.f32 %v1_v0  ;;  %20 = vmax.xlane.f32.xlu1 %v1_v0 /* loc("<tilec f 0123abcd>":12:4 to :9) */ }
   0x4   :  { %v8_v2 = vpop.erf %7 /* loc("<tilec f 0123abcd>":10:4 to :9) */  ;;  %9 = vst [vmem:[#allocation9_spill] sm:$0xff] /*vst_source=*/%v1_v0 /* loc("<tilec f 0123abcd>":7:4 to :9) */ }
   0x5   :  { %vm10_vm0 = vmand %vm1_vm1, %vm2_vm2 /* loc("<tilec f 0123abcd>":11:4 to :9) */  ;;  %11 = vst [vmem:[%s0_s1] sm:$0xff] /*vst_source=*/%v8_v2 }
   0x6   :  { %12 = vxor %v77_v7, %v78_v7 }
"""  # fmt: skip # noqa: E501
ROWS = (
    #    MM MP XL VA PO EU LD FI ST SP SA
    (0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0),
    (0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0),
    (0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0),
    (0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
)


def ran(*executed: int) -> Trace:
    return Trace(float(sum(executed)), 0.0, 0.0, 0, 0, executed, (), (), False, 1, 0)


def counted(text: str, *executed: int) -> dict[Origin, tuple[float, dict[str, float]]]:
    """By line, the bundles issued for it and the instructions in slots."""
    capacity = dict.fromkeys(SLOTS, 1)
    found = shares(parse_schedule(text), (capacity, ROWS), ran(*executed))
    cycles = sum(executed)
    return {
        origin: (
            round(share.issued * cycles, 9),
            {slot: round(part * cycles, 9) for slot, part in zip(SLOTS, share.use, strict=True) if part},
        )
        for origin, share in found.items()
    }


def test_instructions_are_of_their_lines() -> None:
    assert counted(SCHEDULE, 1, 1, 1, 1, 1, 1, 2) == {
        7: (0.5, {"VLOAD": 1}),
        COPIES: (0.5, {"SALU": 1}),
        8: (1.666666667, {"XLU": 2, "VPOP": 1}),  # the empty bundle waits for what comes at 0x3
        10: (1.666666667, {"VALU": 1, "VPOP": 1, "EUP": 1, "VSTORE": 1}),
        12: (0.666666667, {"XLU": 1}),
        SPILLS: (0.5, {"VSTORE": 1, "VSTORE:SPILL": 1}),
        11: (0.5, {"VLOAD": 1}),
        OTHERS: (2.0, {"VALU": 2}),
    }


def test_accesses_without_a_line_are_of_what_else_is_done_there() -> None:
    schedule = parse_schedule(
        """
     0   :  { %v1_v0 = vld [vmem:[%s2_s3 + $0x8] sm:$0xff] /* loc("<tilec f 0123abcd>":7:4 to :9) */ }
   0x1   :  { %v3_v1 = vld [vmem:[%s2_s3] sm:$0xf0]  ;;  %v4_v2 = vld [vmem:[%s5_s3] sm:$0xff] }
   0x2   :  { %6 = vst [vmem:[%s7_s4] sm:$0xff] /*vst_source=*/%v1_v0 /* Coalesced store. */ }
   0x3   :  { %8 = vst [vmem:[%s2_s3] sm:$0xff] /*vst_source=*/%v1_v0 }
        """,
        {"6": 12},
    )
    assert schedule.lines == ((7,), (7, None), (12,), (None,))


def test_stores_that_were_put_together_keep_their_line() -> None:
    before = """
        %30 = vst [vmem:[%s9 + $0x4] sm:$0xf] /*vst_source=*/%v21 /* loc("<tilec f 0123abcd>":12:4 to :9) */
        %31 = vst [vmem:[%s9] sm:$0xf] /*vst_source=*/%v20 /* loc("<tilec f 0123abcd>":12:4 to :9) */
        %32 = vst [vmem:[%s8] sm:$0xf] /*vst_source=*/%v20 /* loc("<tilec f 0123abcd>":14:4 to :9) */
        %33 = vst [vmem:[%s8] sm:$0xf] /*vst_source=*/%v20 /* loc("<tilec f 0123abcd>":15:4 to :9) */
    """
    after = """
        %34 = vst [vmem:[%s9] sm:$0xff] /*vst_source=*/%v22 /* Coalesced store. */
        %35 = vst [vmem:[%s8] sm:$0xff] /*vst_source=*/%v22 /* Coalesced store. */
        %36 = vst [vmem:[%s9] sm:$0xff] /*vst_source=*/%v22
    """
    assert lines_of_stores(before, after) == {"34": 12}


def test_bundles_count_as_often_as_they_run() -> None:
    found = counted(SCHEDULE, 3, 3, 5, 7, 7, 7, 0)
    assert found[7] == (1.5, {"VLOAD": 3})
    assert found[8] == (10.333333333, {"XLU": 12, "VPOP": 7})  # the empty one goes with what is before it
    assert found[12] == (2.333333333, {"XLU": 7})


def test_a_schedule_without_lines_is_xlas() -> None:
    bare = "\n".join(line.partition("/* loc")[0] + "}" for line in SCHEDULE.splitlines() if "vld" in line)
    found = shares(parse_schedule(bare), (dict.fromkeys(SLOTS, 1), ROWS[:1]), ran(4))
    assert {origin: share.issued for origin, share in found.items()} == {XLA: 1.0}


# For each of these slots the operations that use it, in any of the kernels below.
USERS = {
    "MATMUL": {"tile.dot"},
    "MATPUSH": {"tile.dot"},
    "XLU": {"tile.reduce"},
    "EUP": {"math.exp", "math.exp2", "arith.divf"},
}


@pytest.mark.aot
@pytest.mark.parametrize(
    ("kernel", "arguments", "chip", "expected"),
    [
        ("matmul.mlir", "", "v5e", "MATMUL MATPUSH"),
        ("softmax.py:softmax", "f32[256,256]", "v6e", "XLU EUP"),
        ("attention.py:attention", f"{HEADS}, {HEADS}, {HEADS}, False", "tpu7x", "MATMUL MATPUSH XLU EUP"),
        ("jagged_sum.py:jagged_sum", "f32[500,128], i32[5]", "v5e", ""),
        ("grouped_matmul.mlir", "bf16[256,512], offsets=equal:32", "v4", "MATMUL MATPUSH"),
    ],
)
def test_units_work_for_the_operations_that_need_them(
    kernel: str, arguments: str, chip: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    choices = "loop=grid" if chip == "v4" else ""  # streams are not trusted there
    assert run(str(EXAMPLES / kernel), [chip], arguments, choices, as_json=True, html="") == 0
    cost = json.loads(capsys.readouterr().out)[0]["cost"]
    parts: list[dict[str, Any]] = cost["parts"]
    assert cost["doubts"] == []
    assert sum(part["seconds"] for part in parts) == pytest.approx(cost["seconds"])
    assert sum(part["use"]["MATMUL"] for part in parts) == pytest.approx(cost["use"]["MXU"])
    assert sum(part["use"]["SALU"] for part in parts) == pytest.approx(cost["use"]["scalar"])
    used = {slot: {part["name"] for part in parts if part["use"][slot] > 0} for slot in USERS}
    assert {slot for slot, by in used.items() if by} == set(expected.split())
    assert all(by <= USERS[slot] for slot, by in used.items())
    assert {part["name"] for part in parts if part["use"]["VSTORE"] > 0} <= {"pallas.store", SPILLS, XLA}
    assert all(part["place"] for part in parts if part["lines"])
    unknown = sum(part["seconds"] for part in parts if part["name"] == OTHERS)
    assert unknown < 0.01 * cost["seconds"]


EQUAL = """
import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

def body(x, y):
    a = x[...]
    e, f = a > 0.5, a > 0.7
    b = jnp.where(e, a, 1.0)
    c = jnp.sum(b, axis=(1,), keepdims=True)
    d = jnp.where(f, c, 2.0)
    y[...] = jnp.sum(d, axis=(1,), keepdims=True) + a

def twice(x):
    return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct((64, 128), jnp.float32), name="body")(x)
"""


@pytest.mark.aot
def test_equal_operations_keep_lines_of_their_own() -> None:
    """jax lowers equal ones once, and functions such as `where` in a function of its own."""
    found = measure(EQUAL, "twice", [jax.ShapeDtypeStruct((64, 128), "float32")], "v5e")
    assert measure(EQUAL, "twice", [jax.ShapeDtypeStruct((64, 128), "float32")], "v5e") == found
    xlu, valu = SLOTS.index("XLU"), SLOTS.index("VALU")
    use = {origin: share.use for origin, share in found.shares["body.1"].items()}
    assert {line for line in use if use[line][xlu]} == {10, 12}
    assert use[10][xlu] == pytest.approx(use[12][xlu], rel=0.2)
    assert use[9][valu] == pytest.approx(use[11][valu])
    assert use[9][valu] > 0
