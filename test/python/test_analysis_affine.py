"""Index values as linear forms: exact for every value of their leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import every, named, parse
from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import Linear, axis_bounds, extent, is_inside, linear, static_extent
from tilec.dialects.tile.loops import ForOp, GridOp


@dataclass(frozen=True)
class Node:
    """An operation of `arith` on two expressions."""

    kind: str
    left: "Expression"
    right: "Expression"


Expression: TypeAlias = str | int | Node
"""A leaf by its name, a literal, or an operation."""

EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from(("a", "b")) | st.integers(-9, 9),
    lambda inner: st.builds(Node, st.sampled_from(("addi", "subi", "muli")), inner, inner),
    max_leaves=8,
)


def write(expression: Expression, lines: list[str]) -> str:
    """Append the operations of an expression; its value's name."""
    match expression:
        case str():
            return f"%{expression}"
        case int():
            lines.append(f"%v{len(lines)} = arith.constant {expression} : index")
        case Node(kind, left, right):
            sides = write(left, lines), write(right, lines)
            lines.append(f"%v{len(lines)} = arith.{kind} {', '.join(sides)} : index")
    return f"%v{len(lines) - 1}"


def value_of(expression: Expression, leaves: Mapping[str, int]) -> int:
    match expression:
        case str():
            return leaves[expression]
        case int():
            return expression
        case Node("addi", left, right):
            return value_of(left, leaves) + value_of(right, leaves)
        case Node("subi", left, right):
            return value_of(left, leaves) - value_of(right, leaves)
        case Node(_, left, right):
            return value_of(left, leaves) * value_of(right, leaves)


def evaluate(form: Linear, leaves: Mapping[SSAValue, int]) -> int:
    """The value of a form; a product of two unknowns, a leaf of its own, is computed from its factors."""
    total = form.constant
    for leaf, factor in form.factors.items():
        assert isinstance(leaf, SSAValue)
        if leaf in leaves:
            total += factor * leaves[leaf]
        else:
            assert isinstance(leaf.owner, Operation)
            left, right = leaf.owner.operands
            total += factor * evaluate(linear(left), leaves) * evaluate(linear(right), leaves)
    return total


@given(expression=EXPRESSIONS, a=st.integers(-50, 50), b=st.integers(-50, 50))
def test_a_linear_form_has_the_value_of_its_expression(expression: Expression, a: int, b: int) -> None:
    lines: list[str] = []
    result = write(expression, lines)
    body = "\n".join(lines)
    module = parse(f"func.func @f(%a: index, %b: index) -> index {{\n{body}\nreturn {result} : index\n}}")
    form = linear(every(module, func.ReturnOp)[0].operands[0])
    assert evaluate(form, {named(module, "a"): a, named(module, "b"): b}) == value_of(
        expression, {"a": a, "b": b}
    )
    assert 0 not in form.factors.values()


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
  %sized = tile.empty(%n) : memref<?xf32>
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
    grid, loop = every(module, GridOp)[0], every(module, ForOp)[0]
    assert is_inside(named(module, "i"), grid)
    assert is_inside(named(module, "i"), loop)
    assert is_inside(named(module, "b"), grid)
    assert not is_inside(named(module, "b"), loop)
    assert not is_inside(named(module, "n"), grid)
