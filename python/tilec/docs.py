"""Reference page of the `tile` dialect, made from its definitions: `python -m tilec.docs > docs/tile.md`."""

import inspect
from collections.abc import Iterator, Mapping
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    StringAttr,
    UnitAttr,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Operation, TypeAttribute
from xdsl.irdl import (
    AttrConstraint,
    IRDLOperation,
    OptOperandDef,
    OptPropertyDef,
    OptResultDef,
    RangeConstraint,
    RangeLengthConstraint,
    RangeOf,
    VarOperandDef,
    VarResultDef,
)
from xdsl.traits import (
    MemoryAllocEffect,
    MemoryReadEffect,
    MemoryWriteEffect,
    OpTrait,
    Pure,
    RecursiveMemoryEffect,
)
from xdsl.utils.str_enum import StrEnum

from tilec.dialects.tile import PROGRAM, SCHEDULE, Tile, access, schedule, types

EFFECTS: Mapping[type[OpTrait], str] = {
    Pure: "none",
    MemoryAllocEffect: "allocates",
    MemoryReadEffect: "reads",
    MemoryWriteEffect: "writes",
    RecursiveMemoryEffect: "those of its body",
}

KINDS: Mapping[type[Attribute], str] = {
    ArrayAttr: "list",
    DenseArrayBase: "integers",
    FloatAttr: "float",
    IndexType: "`index`",
    IntegerAttr: "integer",
    StringAttr: "string",
    UnitAttr: "flag",
}
"""How the page calls attributes whose own name would not help."""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [
        "# The `tile` dialect",
        "Made by `python -m tilec.docs > docs/tile.md` from the definitions in `dialects/tile`.",
        *_section("Types and attributes", types.__doc__),
        *(part for attribute in Tile.attributes for part in _attribute(attribute)),
        *_section("Windows", access.__doc__),
        *_section("Program level", "What a kernel computes."),
        *(part for op in PROGRAM for part in _operation(op)),
        *_section("Schedule level", schedule.__doc__),
        *(part for op in SCHEDULE for part in _operation(op)),
    ]
    return "\n\n".join(parts) + "\n"


def split_docstring(doc: str) -> tuple[str, str, str]:
    """The first line of a docstring, what follows it, and its example; empty where there is none."""
    text, _, example = inspect.cleandoc(doc).partition("Example:\n")
    summary, _, rest = text.strip().partition("\n\n")
    return " ".join(summary.split()), rest.strip(), inspect.cleandoc(example)


def _section(title: str, doc: str | None) -> Iterator[str]:
    yield f"## {title}"
    # The first line of a module's docstring names what is in it, which the title does already.
    summary, rest, _ = split_docstring(doc or "")
    yield rest or summary


def _attribute(attribute: type[Attribute]) -> Iterator[str]:
    sign = "!" if issubclass(attribute, TypeAttribute) else "#"
    yield f"### `{sign}{attribute.name}`"
    summary, rest, _ = split_docstring(attribute.__doc__ or "")
    yield summary
    if rest:
        yield rest
    values = _values(attribute)
    if values:
        yield f"One of {values}."


def _operation(op: type[Operation]) -> Iterator[str]:
    if not issubclass(op, IRDLOperation):
        raise TypeError(f"{op.name} is not defined in IRDL, from which its page is made")
    yield f"### `{op.name}`"
    summary, rest, example = split_docstring(op.__doc__ or "")
    yield summary
    if example:
        yield f"```mlir\n{example}\n```"
    if rest:
        yield rest
    yield "\n".join(_table(op))
    yield f"Effects: {_effects(op)}."


def _table(op: type[IRDLOperation]) -> Iterator[str]:
    definition = op.get_irdl_definition()
    yield "| | name | kind | how many |"
    yield "|---|---|---|---|"
    for name, operand in definition.operands:
        yield f"| operand | `{name}` | {_range(operand.constr)} | {_count(operand)} |"
    for name, prop in definition.properties.items():
        if name != "operandSegmentSizes":
            yield f"| property | `{name}` | {_kind(prop.constr)} | {_count(prop)} |"
    for name, result in definition.results:
        yield f"| result | `{name.rstrip('_')}` | {_range(result.constr)} | {_count(result)} |"
    for name, _ in definition.regions:
        yield f"| region | `{name}` | body | one |"


def _count(definition: object) -> str:
    if isinstance(definition, OptOperandDef | OptResultDef | OptPropertyDef):
        return "optional"
    return "any number" if isinstance(definition, VarOperandDef | VarResultDef) else "one"


def _range(constraint: RangeConstraint) -> str:
    if isinstance(constraint, RangeLengthConstraint):
        return _range(constraint.constraint)
    return _kind(constraint.constr) if isinstance(constraint, RangeOf) else "any"


def _kind(constraint: AttrConstraint) -> str:
    bases = constraint.get_bases()
    if bases is None:
        return "any"
    return " or ".join(sorted({_name(base) for base in bases}))


def _name(base: type[Attribute]) -> str:
    sign = "!" if base.name.startswith("tile.") else ""
    return _values(base) or KINDS.get(base) or f"`{sign}{base.name}`"


def _values(attribute: type[Attribute]) -> str:
    """The values of an enumeration; empty for any other attribute."""
    if not issubclass(attribute, EnumAttribute):
        return ""
    return ", ".join(f"`{value}`" for value in cast("type[EnumAttribute[StrEnum]]", attribute).enum_type)


def _effects(op: type[IRDLOperation]) -> str:
    known = [EFFECTS[type(trait)] for trait in op.get_irdl_definition().traits if type(trait) in EFFECTS]
    return " and ".join(sorted(known)) or "only on the pipeline around it"


if __name__ == "__main__":
    print(page(), end="")
