"""Arrays in on-chip memory."""

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect
from xdsl.utils.exceptions import VerifyException

from .types import UNBOUND, shape_of


@irdl_op_definition
class LocalOp(IRDLOperation):
    """An array in on-chip memory, of the iteration it stands in, or of all steps of a pipeline.

    It is accessed by windows as any array is, by that iteration alone, and undefined until it is stored.

    Example:
        %sums = tile.local : memref<1024xf32>
    """

    name = "tile.local"
    array = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, array: Attribute):
        super().__init__(result_types=[array])

    @classmethod
    def parse(cls, parser: Parser) -> "LocalOp":
        parser.parse_punctuation(":")
        return cls(parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" : ")
        printer.print_attribute(self.array.type)

    def verify_(self) -> None:
        if UNBOUND in shape_of(self.array.type):
            raise VerifyException(
                f"tile.local of {self.array.type}: on-chip memory has a size; give each dimension an extent"
            )


def is_local(array: SSAValue) -> bool:
    """Whether an array is on-chip memory."""
    return isinstance(array.owner, LocalOp)
