"""Index values as linear forms: exact for every value of their leaves."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import Linear, axis_bounds, extent, is_inside, linear, static_extent
from tilec.dialects.tile.arrays import EmptyOp, FullOp, SegmentOp
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.dialects.tile.schedule import AxisOp, SpanOp
from tilec.parsing import LocatingParser, make_context

LEAVES = ("a", "b")


def parse(text: str) -> ModuleOp:
    return LocatingParser(make_context(), text, "f.mlir").parse_module()


def named(module: ModuleOp, name: str) -> SSAValue:
    """The value of this name, a result or an argument of a block."""
    for op in module.walk():
        blocks = [block for region in op.regions for block in region.blocks]
        for value in (*op.results, *(argument for block in blocks for argument in block.args)):
            if value.name_hint == name:
                return value
    raise AssertionError(name)


def evaluate(form: Linear, leaves: Mapping[SSAValue, int]) -> int:
    total = form.constant
    for leaf, factor in form.factors.items():
        assert isinstance(leaf, SSAValue)
        total += factor * leaves[leaf]
    return total


# An expression is a leaf, a literal, or an operation on two expressions.
EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES) | st.integers(-9, 9),
    lambda inner: st.tuples(st.sampled_from(("addi", "subi", "muli")), inner, inner),
    max_leaves=8,
)


def write(expression: object, lines: list[str]) -> str:
    """Append the operations of an expression; its value's name."""
    if isinstance(expression, str):
        return f"%{expression}"
    if isinstance(expression, int):
        lines.append(f"%v{len(lines)} = arith.constant {expression} : index")
    elif isinstance(expression, tuple):
        kind, left, right = expression  # pyright: ignore[reportUnknownVariableType]
        sides = write(left, lines), write(right, lines)  # pyright: ignore[reportUnknownArgumentType]
        lines.append(f"%v{len(lines)} = arith.{kind} {', '.join(sides)} : index")
    return f"%v{len(lines) - 1}"


def value_of(expression: object, leaves: Mapping[str, int]) -> int:
    match expression:
        case str():
            return leaves[expression]
        case int():
            return expression
        case ("addi", left, right):
            return value_of(left, leaves) + value_of(right, leaves)
        case ("subi", left, right):
            return value_of(left, leaves) - value_of(right, leaves)
        case (_, left, right):
            return value_of(left, leaves) * value_of(right, leaves)
        case _:
            raise AssertionError(expression)


def is_linear(expression: object) -> bool:
    """Whether no product has two factors that depend on leaves."""
    match expression:
        case (kind, left, right):
            product = kind == "muli" and depends(left) and depends(right)
            return is_linear(left) and is_linear(right) and not product
        case _:
            return True


def depends(expression: object) -> bool:
    return isinstance(expression, str) or (isinstance(expression, tuple) and any(map(depends, expression[1:])))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


@given(expression=EXPRESSIONS, a=st.integers(-50, 50), b=st.integers(-50, 50))
def test_a_linear_form_has_the_value_of_its_expression(expression: object, a: int, b: int) -> None:
    if not is_linear(expression):
        return
    lines: list[str] = []
    result = write(expression, lines)
    body = "\n".join(lines)
    module = parse(f"func.func @f(%a: index, %b: index) -> index {{\n{body}\nreturn {result} : index\n}}")
    returned = [op for op in module.walk() if op.name == "func.return"][0].operands[0]
    form = linear(returned)
    leaves = {named(module, "a"): a, named(module, "b"): b}
    assert evaluate(form, leaves) == value_of(expression, {"a": a, "b": b})
    assert 0 not in form.factors.values()
    if form.literal is not None:
        assert form.literal == value_of(expression, {"a": a + 1, "b": b - 3})


def test_a_product_of_two_unknowns_is_a_leaf() -> None:
    module = parse("""
func.func @f(%a: index, %b: index) -> index {
  %p = arith.muli %a, %b : index
  %two = arith.constant 2 : index
  %q = arith.muli %p, %two : index
  return %q : index
}""")
    assert linear(named(module, "q")) == Linear(0, {named(module, "p"): 2})


ARRAYS = """
func.func @f(%x: memref<?x256xf32>, %n: index) {
  %like = tile.empty like(%x) : memref<?x128xf32>
  %again = tile.full 0.0 like(%like) : memref<?xf32>
  %sized = tile.empty extent(%n) : memref<?xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = memref.dim %again, %c0 : memref<?xf32>
  %columns = memref.dim %x, %c1 : memref<?x256xf32>
  return
}"""


def test_arrays_made_alike_have_one_extent() -> None:
    module = parse(ARRAYS)
    x = named(module, "x")
    assert extent(x, 1) == Linear(256)
    assert extent(named(module, "again"), 0) == extent(named(module, "like"), 0) == Linear(0, {(x, 0): 1})
    assert linear(named(module, "rows")) == extent(x, 0)
    assert linear(named(module, "columns")) == Linear(256)
    assert extent(named(module, "sized"), 0) == Linear(0, {named(module, "n"): 1})
    assert {type(op) for op in module.walk()} >= {EmptyOp, FullOp}


BOUNDS = """
func.func @f(%o: memref<9xi32>, %n: index) {
  tile.grid %g = 0 to 8, %m = 3 to 512 by m:128 {
    %b, %e = tile.segment %o[%g]
    tile.for %i = %b to %e max 64 {
    }
  }
  tile.pipeline grid {
    %a = tile.axis 2 to 7 parallel
    %s = tile.span %a of 0 to %n by s:8
  }
  return
}"""


@pytest.mark.parametrize(("name", "size"), [("g", 8), ("m", 509), ("a", 5), ("i", None), ("s", None)])
def test_extents_of_axes(name: str, size: int | None) -> None:
    bounds = axis_bounds(named(parse(BOUNDS), name))
    assert bounds is not None
    assert static_extent(bounds) == size


def test_bounds_are_those_of_the_axis() -> None:
    module = parse(BOUNDS)
    bounds = axis_bounds(named(module, "i"))
    assert bounds is not None
    assert (bounds.begin, bounds.end, bounds.limit) == (named(module, "b"), named(module, "e"), 64)
    assert axis_bounds(named(module, "b")) is None
    assert axis_bounds(named(module, "n")) is None


def test_what_is_inside() -> None:
    module = parse(BOUNDS)
    grid = first(module, GridOp)
    loop = first(module, ForOp)
    assert is_inside(named(module, "i"), grid)
    assert is_inside(named(module, "i"), loop)
    assert is_inside(first(module, SegmentOp).begin, grid)
    assert not is_inside(named(module, "b"), loop)
    assert not is_inside(named(module, "n"), grid)
    assert {type(op) for op in module.walk()} >= {AxisOp, SpanOp}


def first(module: ModuleOp, kind: type[Operation]):  # noqa: ANN201
    return next(op for op in module.walk() if isinstance(op, kind))
