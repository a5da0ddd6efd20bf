"""What is tuned: a program as text, and the arguments that it is tuned for."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

from tilec.analysis.workload import Workload, workloads
from tilec.parsing import LocatingParser, make_context
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.tile_to_pallas import TileToPallas


@dataclass(frozen=True)
class Operand:
    """An argument: its dtype by numpy's name, and its elements in order where kernels depend on them.

    They do on integers: on where segments begin, and on where positions lead.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Program:
    """A program with one function, `name`, as `text` of the tile dialect; `fixed` are blocks that it says.

    The text has locations, so that what is refused is refused at the user's line.
    """

    name: str
    text: str
    operands: tuple[Operand, ...]
    fixed: Mapping[str, int] = field(default_factory=dict[str, int])

    @cached_property
    def module(self) -> ModuleOp:
        """The program; not to be changed."""
        return LocatingParser(make_context(), self.text, f"{self.name}.mlir").parse_module()

    @cached_property
    def prepared(self) -> ModuleOp:
        """The program just before `--choose-blocks`, which has the axes that get sizes."""
        module = self.module.clone()
        for each in TileToPallas(grouping="worklist").passes():
            if isinstance(each, ChooseBlocks):
                break
            each.apply(make_context(), module)
        return module

    @cached_property
    def workloads(self) -> list[Workload]:
        """What each kernel does, with the rows of the arguments."""
        return workloads(self.prepared, {each.name: each.shape[0] for each in self.operands if each.shape})

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        operands = [[each.name, each.shape, each.dtype, each.values] for each in self.operands]
        return {"name": self.name, "text": self.text, "operands": operands, "fixed": dict(self.fixed)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Program":
        """What `to_json` wrote."""
        operands = [
            Operand(name, tuple(shape), dtype, None if values is None else tuple(values))
            for name, shape, dtype, values in data["operands"]
        ]
        return cls(data["name"], data["text"], tuple(operands), data["fixed"])


def text_of(module: ModuleOp) -> str:
    """A program as text, with its locations."""
    printed = io.StringIO()
    Printer(printed, print_debuginfo=True).print_op(module)
    return printed.getvalue()
