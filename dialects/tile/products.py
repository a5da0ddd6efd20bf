"""Matrix products, which mix the lanes that they sum over: a dead one counts as 0."""

from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, TensorType, f32, i32, i64
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .syntax import dense_i64, ints_of, parse_int_list, parse_known_operand
from .types import element_type, shape_of, span_names, value_type


class Precision(StrEnum):
    """How 32-bit floats are multiplied: `default` may round operands to bf16, `highest` is full f32."""

    DEFAULT = "default"
    HIGHEST = "highest"


@irdl_attr_definition
class PrecisionAttr(EnumAttribute[Precision], SpacedOpaqueSyntaxAttribute):
    """Precision of a dot."""

    name = "tile.precision"


@irdl_op_definition
class DotOp(IRDLOperation):
    """Matrix product of two tiles, or of two batches of them, added to `acc` if it is given.

    `contract [i] x [j]` names the dimension of each operand that is summed over (`[1] x [0]` if it is not
    written); both must be of the same extent and span. The result has the left's other dimension, then the
    right's. It is f32 for floats and i32 for integers. Of rank 3, the operands are batches, and the result is
    the batch of their products: the first dimensions must be of the same extent and span, too, and one of the
    last two of each is summed over.

    16-bit floats are multiplied exactly and summed in f32. `precision highest` keeps 32-bit operands whole on
    the matrix unit.

    Example:
        %s = tile.dot %lhs, %rhs, %acc
        %t = tile.dot %q, %k contract [1] x [1] precision highest
        %u = tile.dot %heads, %values contract [2] x [1]
    """

    name = "tile.dot"
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    acc = opt_operand_def(TensorType)
    contract = prop_def(DenseArrayBase.constr(i64))
    precision = prop_def(PrecisionAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(
        self,
        lhs: SSAValue,
        rhs: SSAValue,
        acc: SSAValue | None = None,
        contract: tuple[int, int] = (1, 0),
        precision: Precision = Precision.DEFAULT,
    ):
        super().__init__(
            operands=[lhs, rhs, acc],
            properties={"contract": dense_i64(contract), "precision": PrecisionAttr(precision)},
            result_types=[_dot_type(lhs.type, rhs.type, contract) if acc is None else acc.type],
        )

    @property
    def contracted(self) -> tuple[int, int]:
        """The contracted dimension of the left and of the right operand."""
        left, right = ints_of(self.contract)
        return left, right

    @property
    def kept(self) -> tuple[int, int]:
        """The dimension of the left and of the right operand that is neither the batch nor contracted."""
        return _kept(len(shape_of(self.lhs.type)), self.contracted)

    @property
    def is_batch(self) -> bool:
        """Whether the first dimension of both operands and of the result is a batch of products."""
        return len(shape_of(self.lhs.type)) == 3

    @classmethod
    def parse(cls, parser: Parser) -> "DotOp":
        pos = parser.pos
        operands = [parse_known_operand(parser)]
        while parser.parse_optional_punctuation(","):
            operands.append(parse_known_operand(parser))
        contract = (1, 0)
        if parser.parse_optional_keyword("contract"):
            left = ints_of(parse_int_list(parser))
            parser.parse_keyword("x")
            right = ints_of(parse_int_list(parser))
            if len(left) != 1 or len(right) != 1:
                parser.raise_error("tile.dot contracts one dimension of each operand", pos)
            contract = (left[0], right[0])
        precision = Precision.DEFAULT
        if parser.parse_optional_keyword("precision"):
            precision = parser.parse_str_enum(Precision)
        if len(operands) not in (2, 3):
            parser.raise_error(
                f"tile.dot has {len(operands)} operands; it takes lhs, rhs and an optional acc", pos
            )
        try:
            return cls(
                operands[0], operands[1], operands[2] if len(operands) == 3 else None, contract, precision
            )
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        if self.contracted != (1, 0):
            printer.print_string(f" contract [{self.contracted[0]}] x [{self.contracted[1]}]")
        if self.precision.data != Precision.DEFAULT:
            printer.print_string(f" precision {self.precision.data}")

    def verify_(self) -> None:
        natural = _dot_type(self.lhs.type, self.rhs.type, self.contracted)
        if self.acc is not None and self.acc.type != natural:
            raise VerifyException(
                f"tile.dot adds a product of type {natural} to an acc of type {self.acc.type}; "
                "make them equal"
            )
        if self.result.type != natural:
            raise VerifyException(f"tile.dot results in {natural}, not {self.result.type}")


def _kept(rank: int, contract: tuple[int, int]) -> tuple[int, int]:
    last_two = 2 * rank - 3
    return last_two - contract[0], last_two - contract[1]


def _dot_type(lhs: Attribute, rhs: Attribute, contract: tuple[int, int]) -> Attribute:
    rank = _dot_rank(lhs, rhs, contract)
    left, right = (list(zip(shape_of(kind), span_names(kind), strict=True)) for kind in (lhs, rhs))
    if left[contract[0]] != right[contract[1]]:
        raise VerifyException(
            f"tile.dot sums over dimension {contract[0]} of {lhs} and {contract[1]} of {rhs}; "
            "their extents and spans must be the same"
        )
    batch = left[: rank - 2]
    if batch != right[: rank - 2]:
        raise VerifyException(
            f"tile.dot multiplies batches {lhs} and {rhs}; "
            "the extents and spans of their first dimensions must be the same"
        )
    if element_type(lhs) != element_type(rhs):
        raise VerifyException(
            f"tile.dot multiplies {element_type(lhs)} by {element_type(rhs)}; cast one of them"
        )
    kept = _kept(rank, contract)
    dims = [*batch, left[kept[0]], right[kept[1]]]
    element = f32 if isinstance(element_type(lhs), AnyFloat) else i32
    return value_type(element, [size for size, _ in dims], [name for _, name in dims])


def _dot_rank(lhs: Attribute, rhs: Attribute, contract: tuple[int, int]) -> int:
    """The rank of both operands, 2 or 3. Raises VerifyException for another, or a dimension that has none."""
    rank = len(shape_of(lhs))
    if rank not in (2, 3) or len(shape_of(rhs)) != rank:
        raise VerifyException(
            f"tile.dot multiplies {lhs} by {rhs}; two of rank 2, or two of rank 3 whose first dimension is "
            "a batch, are needed"
        )
    for kind, dim in zip((lhs, rhs), contract, strict=True):
        if dim not in (rank - 2, rank - 1):
            raise VerifyException(
                f"tile.dot contracts dimension {dim} of {kind}; one of its last two, {rank - 2} or "
                f"{rank - 1}, is needed"
            )
    return rank
