"""What is known of tiles that go up by one in runs holds for every lane, by the reference interpreter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.runs import Rise, Rises, run_lengths
from tilec.dialects.interpreter import run
from tilec.dialects.tile import GridOp, StoreOp
from tilec.parsing import LocatingParser, make_context

LANES = 64
KIND = f"tensor<{LANES}xi32, #tile.spans<t>>"
DIVIDING = ("floordivsi", "remsi", "andi", "shrsi")


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Operations on values before them, of which the first are indices, a scalar and four literals."""
    made: list[tuple[str, int, int]] = []
    for before in range(6, draw(st.integers(7, 14))):
        name = draw(st.sampled_from(("gather", "addi", "subi", "muli", "maxsi", *DIVIDING)))
        places = st.integers(2, 5) if name in DIVIDING else st.integers(0, before - 1)
        made.append((name, draw(st.integers(0, before - 1)), draw(places)))
    return made


def program(made: list[tuple[str, int, int]], literals: list[int]) -> ModuleOp:
    lines = [
        "%last = tile.splat 15 : " + KIND,
        "%v0 = tile.indices %t",
        f"%v1 = tile.broadcast %g dims [] : {KIND}",
    ]
    lines += [f"%v{number} = tile.splat {each} : {KIND}" for number, each in enumerate(literals, 2)]
    for number, (name, a, b) in enumerate(made, 6):
        if name == "gather":
            lines += [
                f"%n{number} = arith.andi %v{a}, %last : {KIND}",
                f"%v{number} = tile.gather %table[%n{number}]",
            ]
        else:
            lines.append(f"%v{number} = arith.{name} %v{a}, %v{b} : {KIND}")
    body = "\n".join(lines)
    text = f"""func.func @f(%table: memref<16xi32>, %g: i32, %out: memref<256xi32>) -> memref<256xi32> {{
      tile.grid %t = 0 to 256 by t:{LANES} {{
        {body}
        tile.store %v{len(made) + 5}, %out[%t]
      }}
      return %out : memref<256xi32>
    }}"""
    return LocatingParser(make_context(), text, "runs.mlir").parse_module()


@settings(max_examples=100, deadline=None)
@given(made=steps(), literals=st.lists(st.sampled_from((1, 3, 4, 7, 8, 12, 16, 31)), min_size=4, max_size=4))
def test_rises_hold_for_every_run(made: list[tuple[str, int, int]], literals: list[int]) -> None:
    module = program(made, literals)
    table = np.arange(16, dtype=np.int32)[::-1] * 5
    (found,) = run(module, "f", (table, np.asarray(7, np.int32), np.zeros(256, np.int32)))
    span = next(op.body.block.args[0] for op in module.walk() if isinstance(op, GridOp))
    value = next(op.value for op in module.walk() if isinstance(op, StoreOp))
    for length in {4, 8, 16, *run_lengths(value, span)}:
        rise = Rises(span, length).of(value)
        if rise is None:
            continue
        runs = found.data.astype(np.int64).reshape(-1, length)
        assert ((np.diff(runs, axis=1) - rise.step) % 2**32 == 0).all()  # as i32 wraps around
        assert not rise.whole or (runs[:, 0] % length == 0).all()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([("floordivsi", 0, 4), ("muli", 6, 4), ("subi", 0, 7)], Rise(1, True)),
        ([("remsi", 0, 5)], Rise(1, True)),
        ([("andi", 0, 2)], Rise(1, True)),
        (
            [("floordivsi", 0, 4), ("gather", 6, 0), ("muli", 7, 4), ("andi", 0, 2), ("addi", 8, 9)],
            Rise(1, True),
        ),
        ([("muli", 1, 4), ("addi", 6, 0)], Rise(1, True)),
        ([("addi", 1, 0)], Rise(1)),
        ([("floordivsi", 0, 4), ("gather", 6, 0)], Rise(0)),
        ([("addi", 0, 0)], Rise(2, True)),
        ([("addi", 0, 3), ("floordivsi", 6, 4)], None),
        ([("floordivsi", 0, 3)], None),
        ([("gather", 0, 0)], None),
    ],
)
def test_rises(lines: list[tuple[str, int, int]], found: Rise | None) -> None:
    module = program(lines, [31, 3, 16, 32])
    span = next(op.body.block.args[0] for op in module.walk() if isinstance(op, GridOp))
    value = next(op.value for op in module.walk() if isinstance(op, StoreOp))
    assert Rises(span, 16).of(value) == found
