"""Programs of the `tile` dialect from text, for tests that ask about values by name."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from tilec.diagnostics import verify
from tilec.parsing import LocatingParser, make_context

OpT = TypeVar("OpT", bound=Operation)

RANDOM_PROGRAMS = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking runs each pass hundreds of times
    suppress_health_check=[HealthCheck.too_slow],
)
"""How tests draw programs: always the same ones."""


def parse(text: str) -> ModuleOp:
    """The verified program in `text`, whose first line is line 1 of `f.mlir`."""
    module = LocatingParser(make_context(), text.lstrip("\n"), "f.mlir").parse_module()
    verify(module)
    return module


def named(module: ModuleOp, name: str) -> SSAValue:
    """The first value of this name: a result, or an argument of a block."""
    for op in module.walk():
        blocks = [block for region in op.regions for block in region.blocks]
        for value in (*op.results, *(argument for block in blocks for argument in block.args)):
            if value.name_hint == name:
                return value
    raise KeyError(name)


def every(module: ModuleOp, kind: type[OpT]) -> list[OpT]:
    """The operations of one kind, in order."""
    return [op for op in module.walk() if isinstance(op, kind)]
