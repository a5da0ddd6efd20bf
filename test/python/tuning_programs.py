"""Programs that tests of the tuner tune, and an estimator that makes its answers up."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tilec.parsing import LocatingParser, make_context
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Operand, Program, text_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name: str, extents: Mapping[int, int], operands: Sequence[Operand]) -> Program:
    """An example's program with other extents."""
    text = (EXAMPLES / f"{name}.mlir").read_text()
    for old, new in extents.items():
        text = re.sub(rf"(?<!\d){old}(?!\d)", str(new), text)
    module = LocatingParser(make_context(), text, f"{name}.mlir").parse_module()
    return Program(name, text_of(module), tuple(operands))


def matmul(size: int) -> Program:
    """A product of two square matrices."""
    operands = [Operand(name, (size, size), "bfloat16") for name in ("x", "w")]
    return example("matmul", {300: size, 200: size, 260: size}, operands)


def jagged_row_sum(rows: int) -> Program:
    """The sums of 8 groups of so many rows together."""
    offsets = tuple(rows * each // 8 for each in range(9))
    operands = [Operand("x", (rows, 200), "bfloat16"), Operand("offsets", (9,), "int32", offsets)]
    return example("jagged_row_sum", {}, operands)


class Answers:
    """An estimator that computes its answers; `asked` are the choices it was asked about."""

    def __init__(self, answer: Callable[[Choice], Estimate], width: int = 2) -> None:
        self.answer = answer
        self.width = width
        self.asked: list[Choice] = []

    def estimate(self, choices: Sequence[Choice], until: Callable[[], float]) -> Iterator[Estimate]:
        for choice in choices:
            self.asked.append(choice)
            yield self.answer(choice)
