"""What is tuned: a program as text, and the arguments that it is tuned for."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.printer import Printer

from tilec.analysis.flat import flat_axes
from tilec.analysis.known import Known
from tilec.analysis.reading import workloads
from tilec.analysis.workload import Workload
from tilec.diagnostics import TileError
from tilec.dialects.tile.loops import LoopOp, tile_axes
from tilec.dialects.tile.types import UNBOUND, span_of
from tilec.parsing import LocatingParser, make_context
from tilec.passes.carry_to_scratch import CarryToScratch
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.tuning.choice import Choice

USUAL = "v5e"
"""The chip of which extents and axes are read, which are the same on all."""


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
    """A program with one function, `name`, as `text` of the tile dialect; `fixed` are blocks that it says,
    `bounds` the least and the most that others may be.

    The text has locations, so that what is refused is refused at the user's line.
    """

    name: str
    text: str
    operands: tuple[Operand, ...]
    fixed: Mapping[str, int] = field(default_factory=dict[str, int])
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    _prepared: dict[str, ModuleOp] = field(
        default_factory=dict[str, ModuleOp], init=False, compare=False, repr=False
    )
    _read: dict[tuple[str, Choice], list[Workload]] = field(
        default_factory=dict[tuple[str, Choice], list[Workload]], init=False, compare=False, repr=False
    )

    @cached_property
    def module(self) -> ModuleOp:
        """The program; not to be changed."""
        return LocatingParser(make_context(), self.text, f"{self.name}.mlir").parse_module()

    def prepared(self, grouping: str) -> ModuleOp:
        """The program just before `--choose-blocks`, which has the axes that get sizes; not to be changed."""
        key = _kind(grouping)
        if key not in self._prepared:
            self._prepared[key] = self._until(ChooseBlocks, Choice(grouping=key), USUAL)
        return self._prepared[key]

    def workloads_for(self, structure: Choice, chip: str = USUAL) -> list[Workload]:
        """What each kernel does with a structure's grouping, gathers, updates and order, for the arguments.

        It hangs on the chip which gathers and updates are products. Where the passes refuse the structure, or
        its usual sizes, what the program itself says.
        """
        kind = Choice(
            grouping=_kind(structure.grouping),
            gathers=structure.gathers,
            shared=structure.shared,
            order=structure.order,
        )
        key = chip, kind
        if key not in self._read:
            prepared = self.prepared(structure.grouping)
            try:
                module = self._until(CarryToScratch, kind.with_sizes(self.fixed), chip)
            except TileError:
                module = prepared
            rows = {each.name: each.shape[0] for each in self.operands if each.shape}
            values = {each.name: each.values for each in self.operands if each.values is not None}
            known, chosen = Known(rows, values), self._chosen(prepared)
            self._read[key] = workloads(module, known, chosen, flat_axes(prepared))
        return self._read[key]

    def _chosen(self, prepared: ModuleOp) -> set[str]:
        """The axes that get sizes: not those that passes made, and gave sizes."""
        spans = [span_of(axis.value) for op in prepared.walk() if isinstance(op, LoopOp) for axis in op.axes]
        made = {span.axis for span in spans if span is not None and span.size != UNBOUND}
        return tile_axes(prepared) - (made - tile_axes(self.module))

    @property
    def workloads(self) -> list[Workload]:
        """What each kernel does with nothing said."""
        return self.workloads_for(Choice())

    def _until(self, last: type[ModulePass], structure: Choice, chip: str) -> ModuleOp:
        """The program before a pass of a structure's pipeline. Raises TileError."""
        module = self.module.clone()
        for each in structure.pipeline(chip).passes():
            if isinstance(each, last):
                break
            each.apply(make_context(), module)
        return module

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        operands = [[each.name, each.shape, each.dtype, each.values] for each in self.operands]
        sizes = {"fixed": dict(self.fixed), "bounds": dict(self.bounds)}
        return {"name": self.name, "text": self.text, "operands": operands, **sizes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Program":
        """What `to_json` wrote."""
        operands = [
            Operand(name, tuple(shape), dtype, None if values is None else tuple(values))
            for name, shape, dtype, values in data["operands"]
        ]
        bounds = {name: (least, most) for name, (least, most) in data["bounds"].items()}
        return cls(data["name"], data["text"], tuple(operands), data["fixed"], bounds)


def text_of(module: ModuleOp) -> str:
    """A program as text, with its locations."""
    printed = io.StringIO()
    Printer(printed, print_debuginfo=True).print_op(module)
    return printed.getvalue()


def _kind(grouping: str) -> str:
    """A grouping that makes the same of a program before its tiles have sizes."""
    return grouping if grouping in ("auto", "one_hot") else "worklist"
