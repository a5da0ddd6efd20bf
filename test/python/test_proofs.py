"""The proofs notice what is wrong: each gets something broken, and must say what and where."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, UnitAttr, f32
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from corpus.choices import Choice, parse
from corpus.corpus import CASES, Array, Program
from corpus.segments import MIXED
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import Result, run
from tilec.dialects.tile import AxisOp, StoreOp
from tilec.dialects.tile.loops import Order, OrderAttr
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.materialize_masks import MaterializeMasks
from tilec.proof import (
    ProofFailed,
    difference,
    emit,
    prove,
    prove_compiles,
    prove_kernel,
    prove_passes,
    read_program,
)

SMALL = """\
func.func @double(%x: memref<?x24xf32>) -> memref<?x24xf32> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x24xf32>
  %out = tile.empty like(%x) : memref<?x24xf32>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %y = arith.addf %v, %v : tensor<?x24xf32, #tile.spans<m, _>>
    tile.store %y, %out[%m, :]
  }
  return %out : memref<?x24xf32>
}
"""


@dataclass(frozen=True)
class Change(ModulePass):
    """A pass that does anything to the operations of a kind."""

    name = "change"

    kind: type[Operation]
    change: Callable[[Any], None]

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = [inner for inner in op.walk() if isinstance(inner, self.kind)]
        assert found, "nothing to change"
        for inner in found:
            self.change(inner)


def multiply(op: arith.AddfOp) -> None:
    Rewriter.replace_op(op, arith.MulfOp(op.lhs, op.rhs))


def retype(op: arith.AddfOp) -> None:
    Rewriter.replace_value_with_new_type(op.result, f32)


def mark(op: StoreOp) -> None:
    op.attributes["mark"] = UnitAttr()


def make_parallel(op: AxisOp) -> None:
    op.order = OrderAttr(Order.PARALLEL)


def example(name: str) -> tuple[Program, list[Array]]:
    program = CASES[name].program(MIXED, "f32")
    return program, program.arguments(seed=1)


def kernel_of(name: str, grouping: str = "worklist") -> tuple[str, list[Array], list[Result]]:
    """The emitted text of an example, arguments, and what must come of them."""
    program, args = example(name)
    module = parse(program)
    text = emit(module, Choice(program.case, grouping, "grid").passes())
    return text, args, run(module, name, args)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change(arith.AddfOp, multiply), r"result 0: \S+ in place of \S+ at \[0, 0\]; \d+ of 720 defined"),
        (Change(StoreOp, Rewriter.erase_op), r"result 0: undefined in place of \S+ at \[0, 0\]; 720 of 720"),
        (Change(arith.AddfOp, retype), "<text>:7:5: error: change: "),
        (Change(StoreOp, mark), "its text parses as another module"),
    ],
    ids=["another_value", "undefined", "invalid", "text"],
)
def test_a_wrong_pass(change: Change, message: str) -> None:
    module, function = read_program(SMALL)
    args = [np.random.default_rng(0).standard_normal((30, 24)).astype(np.float32)]
    with pytest.raises(ProofFailed, match=message) as failure:
        prove_passes(module, function.sym_name.data, args, [ClassifyAxes(), change])
    assert failure.value.step == "change"
    assert failure.value.place.startswith("<text>:")


def test_a_program_that_depends_on_its_blocks() -> None:
    """The sum of a block's rows is another one for each size of block."""
    text = SMALL.replace(
        "%y = arith.addf %v, %v", "%s = tile.reduce add %v dims [0]\n%y = tile.broadcast %s dims [1]"
    )
    module, _ = read_program(text)
    with pytest.raises(ProofFailed, match="result 0: ") as failure:
        prove_passes(module, "double", [np.ones((100, 24), np.float32)], [], seeds=range(4))
    assert failure.value.step == "the program itself"


def test_an_axis_wrongly_called_parallel() -> None:
    """Proof 1 sees it in the schedule, proof 2 in the kernel."""
    program, args = example("grouped_matmul")
    module, name = parse(program), program.case.name
    *before, convert, drop = Choice(program.case, "overlaunch", "grid").passes()
    with pytest.raises(ProofFailed, match=r"grouped_matmul\.mlir:\d+:\d+: error: change: ") as failure:
        prove_passes(module, name, args, [*before, Change(AxisOp, make_parallel)])
    assert failure.value.step == "change"
    text = emit(module, [*before, Change(AxisOp, make_parallel), convert, drop])
    with pytest.raises(ProofFailed, match="Pallas interpret mode, seed "):
        prove_kernel(text, name, args, run(module, name, args), seeds=range(4))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jagged_row_sum", r"jagged_row_sum\.mlir:\d+:\d+: error: convert-tile-to-pallas: "),
        ("grouped_matmul", "Pallas interpret mode, seed 0: result 0: "),
    ],
)
def test_without_masks(name: str, message: str) -> None:
    """Lanes that mix are refused; a tile that two groups share comes out wrong."""
    program, args = example(name)
    module = parse(program)
    passes = Choice(program.case, "worklist", "grid").passes()
    kept = [each for each in passes if not isinstance(each, MaterializeMasks)]
    with pytest.raises(TileError, match=message):
        prove_kernel(emit(module, kept), name, args, run(module, name, args))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        # A row too many at the end of a group is no error: the next group comes after it and writes the row.
        ("grouped_matmul", ">=", ">"),
        ("jagged_row_sum", ">=", ">"),
        ("jagged_row_sum", "<", "<="),
        ("jagged_flash_attention", "<", "<="),
    ],
)
def test_a_mask_that_is_off_by_one(name: str, right: str, wrong: str) -> None:
    text, args, expected = kernel_of(name)
    changed, count = re.subn(rf"(_lanes\w*) {right} ", rf"\1 {wrong} ", text)
    assert count > 0
    with pytest.raises(ProofFailed, match=r"result 0: \S+ in place of \S+ at "):
        prove_kernel(changed, name, args, expected)
    prove_kernel(text, name, args, expected)


def test_a_race_in_a_kernel() -> None:
    """The steps that add to a sum, dealt to two cores."""
    text, args, expected = kernel_of("matmul")
    wrong, count = re.subn('"arbitrary"', '"parallel"', text)
    assert count == 1
    with pytest.raises(ProofFailed, match="Pallas interpret mode"):
        prove_kernel(wrong, "matmul", args, expected, seeds=range(4))


@pytest.mark.aot
def test_a_refused_kernel_leads_to_the_program() -> None:
    """A window read at a row that nobody proved to be a multiple of anything."""
    text, args, _ = kernel_of("softmax")
    wrong, count = re.subn(r"= x_window\[\.\.\.\]", "= x_window[pl.ds(pl.program_id(0), 16), :]", text)
    assert count == 1
    with pytest.raises(ProofFailed) as failure:
        prove_compiles(wrong, "softmax", args)
    program = CASES["softmax"].source.splitlines()
    file, line, _ = failure.value.place.split(":")
    assert file == "softmax.mlir"
    assert "tile.load %x[%m, :]" in program[int(line) - 1]
    assert failure.value.step == "v5e"
    assert re.search(r"is refused: .*multiple of", failure.value.difference)


@pytest.mark.parametrize(
    ("got", "want", "message"),
    [
        ([1, 2, 3], [1, 2, 4], r"3 in place of 4 at [2]; 1 of 3"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.001], "3.0 in place of 3.00"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.00001], None),
        ([1.0, 2.0, np.nan], [1.0, 2.0, 3.0], "nan in place of 3.0"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, np.nan], "3.0 in place of nan"),
        ([1.0, 2.0, np.inf], [1.0, 2.0, np.nan], None),
        ([0.0, 0.0, 1e-9], [0.0, 0.0, 0.0], "1e-09 in place of 0.0"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "float32[2] in place of float32[3]"),
    ],
)
def test_difference(got: list[float], want: list[float], message: str | None) -> None:
    dtype = np.int32 if isinstance(got[0], int) else np.float32
    left, right = (Result(np.array(each, dtype), np.ones(len(each), np.bool_)) for each in (got, want))
    assert (message or "None") in str(difference([left], [right]))


def test_only_defined_elements_count() -> None:
    some = np.array([True, False])
    want = Result(np.array([1, 2]), some)
    assert difference([Result(np.array([1, 7]), some)], [want]) is None
    assert difference([Result(np.array([1, 7]), ~some)], [want]) == (
        "result 0: undefined in place of 1 at [0]; 1 of 1 defined elements differ"
    )
    assert difference([], [want]) == "there are 0 results in place of 1"


def test_bf16_is_allowed_a_few_roundings() -> None:
    def result(value: float) -> list[Result]:
        return [Result(np.array([value], ml_dtypes.bfloat16), np.array([True]))]

    assert difference(result(1.0), result(1.0078125)) is None
    assert difference(result(1.0), result(1.0625)) is not None


def test_prove() -> None:
    """All three proofs of a program given as text, with arguments of its own and drawn ones."""
    x = np.random.default_rng(1).standard_normal((40, 24)).astype(np.float32)
    report = prove(SMALL, [[x], [x[:7]]], blocks={"m": 16}, chips=("v5e",))
    assert report.steps == (3, 1)
    assert "tile.pipeline grid" in report.folded
    assert "def double(" in report.kernel
    assert [each.chip.name for each in report.compiled] == ["v5e"]
    assert prove(SMALL, chips=("v6e",), loop="emit_pipeline").steps > (0,)
    assert prove(SMALL, chips=()).compiled == ()


@pytest.mark.parametrize("count", [0, 2])
def test_prove_needs_one_function(count: int) -> None:
    text = "builtin.module {" + "".join(SMALL.replace("@double", f"@f{i}") for i in range(count)) + "}"
    with pytest.raises(TileError, match="a program with one function is needed; the functions are "):
        prove(text)
