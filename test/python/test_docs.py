"""The reference page is up to date, and the example of each operation parses and verifies."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from xdsl.ir import Operation

from tilec.diagnostics import verify
from tilec.dialects.tile import PROGRAM, SCHEDULE, YieldOp
from tilec.docs import page, split_docstring
from tilec.parsing import LocatingParser, make_context

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tile.md"
OPERATIONS = {op.name: op for op in (*PROGRAM, *SCHEDULE) if op is not YieldOp}
"""All but `tile.yield`, whose examples are those of the loops that it ends."""

COMMON: Mapping[str, str] = {
    "a": "tensor<64x128xf32>",
    "acc": "tensor<?x256xf32, #tile.spans<m, _>>",
    "b": "index",
    "begins": "memref<8xi32>",
    "counts": "memref<8xi32>",
    "e": "index",
    "ends": "memref<8xi32>",
    "lens": "tensor<?xi32, #tile.spans<m>>",
    "lhs": "tensor<?x512xbf16, #tile.spans<m, _>>",
    "most": "index",
    "offsets": "memref<9xi32>",
    "out": "memref<?x256xf32>",
    "rhs": "tensor<512x256xbf16>",
    "row": "tensor<?xf32, #tile.spans<m>>",
    "t": "index",
    "v": "tensor<?x512xf32, #tile.spans<m, _>>",
    "w": "memref<8x512x256xbf16>",
    "x": "memref<?x512xf32>",
    "y": "memref<?x512xf32>",
    "zero": "tensor<?xf32, #tile.spans<m>>",
}
"""What the names in examples mean where an example does not say so itself. A `%g` is an index of a grid."""

SPECIAL: Mapping[str, Mapping[str, str]] = {
    "tile.associative_scan": {"v": "tensor<64x128xf32>", "w": "tensor<64x128xf32>"},
    "tile.atomic_rmw": {
        "e": "tensor<?xf32, #tile.spans<n>>",
        "ids": "tensor<?xi32, #tile.spans<m>>",
        "out": "memref<8x256xf32>",
        "p": "tensor<?xi1, #tile.spans<n>>",
        "rows": "tensor<?x256xf32, #tile.spans<m, _>>",
        "v": "tensor<?xf32, #tile.spans<n>>",
    },
    "tile.convert": {"flags": "memref<?x128xi1>"},
    "tile.compare": {"b": "tensor<64x128xf32>"},
    "tile.distinct": {"p": "index", "r": "index"},
    "tile.expect_sum": {"begins": "memref<9xi32>", "ends": "memref<9xi32>", "rows": "index"},
    "tile.concatenate": {"b": "tensor<64x128xf32>"},
    "tile.strided_slice": {"v": "tensor<64x128xf32>"},
    "tile.dot": {
        "heads": "tensor<?x8x16xbf16, #tile.spans<m, _, _>>",
        "k": "tensor<32x128xf32>",
        "q": "tensor<64x128xf32>",
        "values": "tensor<?x16x64xbf16, #tile.spans<m, _, _>>",
    },
    "tile.fill": {"v": "tensor<?x?xf32, #tile.spans<m, k>>", "zero": "f32"},
    "tile.gather": {
        "cache": "memref<64x8x128xf32>",
        "ids": "tensor<?xi32, #tile.spans<m>>",
        "p": "tensor<?x?xi1, #tile.spans<m, n>>",
        "zero": "f32",
    },
    "tile.get": {"window": "!tile.ref<tensor<128x512xf32, #tile.spans<m, _>>>"},
    "tile.interleave": {"b": "tensor<64x128xf32>"},
    "tile.load": {"p": "tensor<?x256xi1, #tile.spans<m, _>>", "zero": "bf16"},
    "tile.pipeline": {"x": "memref<512xf32>", "y": "memref<512xf32>"},
    "tile.reshape": {"v": "tensor<?x256xf32, #tile.spans<m, _>>"},
    "tile.runs": {"p": "index", "q": "index"},
    "tile.scan": {"v": "tensor<64x128xf32>"},
    "tile.scatter": {
        "ids": "tensor<?xi32, #tile.spans<m>>",
        "p": "tensor<?x256xi1, #tile.spans<m, _>>",
        "rows": "tensor<?x256xf32, #tile.spans<m, _>>",
    },
    "tile.select": {"p": "tensor<64x128xi1>", "b": "tensor<64x128xf32>"},
    "tile.set": {
        "v": "tensor<128x512xf32, #tile.spans<m, _>>",
        "window": "!tile.ref<tensor<128x512xbf16, #tile.spans<m, _>>>",
    },
    "tile.slice": {"v": "tensor<64x128xf32>"},
    "tile.store": {"p": "tensor<?xi1, #tile.spans<n>>", "row": "tensor<?xf32, #tile.spans<n>>"},
    "tile.update_rows": {"ids": "memref<512xi32>", "x": "memref<512x256xf32>"},
    "tile.view": {"a": "memref<8x128xf32>"},
    "tile.window": {"y": "memref<512xf32>"},
}
"""Names that mean something else in the example of one operation."""


def program(op: type[Operation], example: str) -> str:
    """A function around an example that defines what it uses: axes of a grid, and values of no origin."""
    special = SPECIAL.get(op.name, {})
    made = re.findall(r"%(\w+)(?=(?:, %\w+)* = |: \w+[,)])", example)
    free = set(re.findall(r"%(\w+)", example)) - set(made)
    around = (free | set(re.findall(r"spans<(\w)", example))) - special.keys() - set(made)
    axes = [f"%{name} = 0 to 8" + f" by {name}" * (name != "g") for name in "gmkn" if name in around]
    values = [
        f'%{name} = "test.op"() : () -> {special.get(name) or COMMON[name]}'
        for name in sorted(free)
        if name in special or name not in "gmkn"
    ]
    body = "\n".join([*values, example])
    inside = f"tile.grid {', '.join(axes)} {{\n{body}\n}}" if axes else body
    return f"func.func @example() {{\n{inside}\nreturn\n}}"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tilec.docs > docs/tile.md"


@pytest.mark.quick
@pytest.mark.parametrize("op", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_example_is_a_program(op: type[Operation]) -> None:
    summary, _, example = split_docstring(op.__doc__ or "")
    assert summary.endswith((".", "…`."))
    assert f"{op.name} " in example
    verify(LocatingParser(make_context(), program(op, example), "example.mlir").parse_module())
