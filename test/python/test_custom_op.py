"""Programs as operations of torch: what torch checks of them, compiled, exported and differentiated."""

from importlib import import_module
from itertools import count
from typing import Any

import pytest
import torch
from programs import parse
from torch._subclasses.fake_tensor import FakeTensorMode

from tilec.runtime.custom_op import Family, as_custom_op
from tilec.runtime.executable import Executable
from tilec.runtime.signature import signature_of

ROWS = "tensor<?x200xf32, #tile.spans<m, _>>"
ARRAY = "memref<?x200xf32>"

# y = x * w for rows x and their gradients; both results of the forward program have a gradient.
SCALE = f"""
func.func @scale(%x: {ARRAY}, %w: memref<200xf32>, %unused: memref<3xi32>) -> ({ARRAY}, {ARRAY}) {{
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : {ARRAY}
  %y = tile.empty like(%x) : {ARRAY}
  %square = tile.empty like(%x) : {ARRAY}
  tile.grid %m = 0 to %rows by m {{
    %v = tile.load %x[%m, :]
    %g = tile.load %w[:]
    %gw = tile.broadcast %g dims [1] : {ROWS}
    %p = arith.mulf %v, %gw : {ROWS}
    tile.store %p, %y[%m, :]
    %s = arith.mulf %v, %v : {ROWS}
    tile.store %s, %square[%m, :]
  }}
  return %y, %square : {ARRAY}, {ARRAY}
}}
"""
# dx = dy * w + ds * 2 x, dw = the sum over rows of dy * x, for which x is taken as y / w.
SCALE_BACKWARD = f"""
func.func @scale_backward(%dy: {ARRAY}, %ds: {ARRAY}, %x: {ARRAY}, %w: memref<200xf32>, %out0: {ARRAY})
    -> ({ARRAY}, memref<200xf32>) {{
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : {ARRAY}
  %dx = tile.empty like(%x) : {ARRAY}
  %dw = tile.full 0.0 : memref<200xf32>
  tile.grid %m = 0 to %rows by m {{
    %v = tile.load %x[%m, :]
    %g = tile.load %w[:]
    %gw = tile.broadcast %g dims [1] : {ROWS}
    %d = tile.load %dy[%m, :]
    %s = tile.load %ds[%m, :]
    %dg = arith.mulf %d, %gw : {ROWS}
    %sv = arith.mulf %s, %v : {ROWS}
    %one = arith.addf %dg, %sv : {ROWS}
    %two = arith.addf %one, %sv : {ROWS}
    tile.store %two, %dx[%m, :]
    %y = tile.load %out0[%m, :]
    %same = arith.divf %y, %gw : {ROWS}
    %dv = arith.mulf %d, %same : {ROWS}
    %sum = tile.reduce add %dv dims [0]
    tile.atomic_rmw add %sum, %dw[:]
  }}
  return %dx, %dw : {ARRAY}, memref<200xf32>
}}
"""
# Adds y to x, in place, and returns what x was.
ADD_TO = f"""
func.func @add_to(%x: {ARRAY}, %y: {ARRAY}) -> ({ARRAY}, {ARRAY}) {{
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : {ARRAY}
  %old = tile.empty like(%x) : {ARRAY}
  tile.grid %m = 0 to %rows by m {{
    %v = tile.load %x[%m, :]
    %w = tile.load %y[%m, :]
    %s = arith.addf %v, %w : {ROWS}
    tile.store %v, %old[%m, :]
    tile.store %s, %x[%m, :]
  }}
  return %x, %old : {ARRAY}, {ARRAY}
}}
"""
NAMES = count()

untyped: Any = import_module("torch")  # some of its functions have no complete types


def operation(text: str, backward: str | None = None) -> Any:
    """A new operation of a program in `text`."""
    derived = None if backward is None else Executable(parse(backward))
    return as_custom_op(Executable(parse(text)), f"tilec_test::op{next(NAMES)}", backward=derived)


def inputs(rows: int, *, grad: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, w = torch.randn(rows, 200), torch.rand(200) + 0.5
    return x.requires_grad_(grad), w.requires_grad_(grad), torch.arange(3, dtype=torch.int32)


@pytest.mark.parametrize("rows", [5, 0])
def test_gradients_of_all_results(rows: int):
    op, (x, w, unused) = operation(SCALE, SCALE_BACKWARD), inputs(rows)
    y, square = op(x, w, unused)
    (y.sum() + (square * x.detach()).sum()).backward()
    assert torch.equal(square, x * x)
    assert torch.equal(y, x * w)
    torch.testing.assert_close(x.grad, (w + 2 * x * x).detach().expand(rows, 200))
    torch.testing.assert_close(w.grad, x.detach().sum(0))


def test_a_result_without_gradient_counts_as_zeros():
    op, (x, w, unused) = operation(SCALE, SCALE_BACKWARD), inputs(5)
    op(x, w, unused)[1].sum().backward()
    torch.testing.assert_close(x.grad, 2 * x.detach())
    torch.testing.assert_close(w.grad, torch.zeros(200))


def test_torch_finds_nothing_wrong():
    untyped.library.opcheck(operation(SCALE, SCALE_BACKWARD), inputs(5))
    untyped.library.opcheck(operation(SCALE), inputs(5, grad=False))
    untyped.library.opcheck(operation(ADD_TO), (torch.randn(5, 200), torch.randn(5, 200)))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled_forward_and_backward(dynamic: bool):
    op = operation(SCALE, SCALE_BACKWARD)

    def loss(x: torch.Tensor, w: torch.Tensor, unused: torch.Tensor) -> torch.Tensor:
        y, square = op(x + 1, w, unused)
        return (y * square).sum()

    compiled = untyped.compile(loss, backend="aot_eager", fullgraph=True, dynamic=dynamic)
    for rows in (5, 9):
        x, w, unused = inputs(rows)
        compiled(x, w, unused).backward()
        grads = torch.autograd.grad(((x + 1) ** 3 * w).sum(), (x, w))
        torch.testing.assert_close((x.grad, w.grad), grads, rtol=1e-4, atol=1e-3)


def test_exported_with_any_number_of_rows():
    op = operation(SCALE)

    class Scale(torch.nn.Module):
        def forward(self, x: torch.Tensor, w: torch.Tensor, unused: torch.Tensor) -> torch.Tensor:
            return op(x + 1, w, unused)[0] * 2

    rows = torch.export.Dim("rows")
    exported = torch.export.export(Scale(), inputs(5, grad=False), dynamic_shapes=({0: rows}, None, None))
    x, w, unused = inputs(8, grad=False)
    torch.testing.assert_close(exported.module()(x, w, unused), 2 * (x + 1) * w)


def test_changed_arguments_compiled():
    op = operation(ADD_TO)

    def twice(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = x * 2
        old = op(x, y)
        op(x, y)
        return x + old

    x, y = torch.randn(5, 200), torch.randn(5, 200)
    torch.testing.assert_close(twice(x, y), 4 * x + 2 * y)
    compiled = untyped.compile(twice, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, y), 4 * x + 2 * y)


def test_shapes_that_do_not_fit_are_refused_before_the_call():
    op = operation(SCALE)
    x, w, unused = inputs(5, grad=False)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = mode.from_tensor(x)
        assert op(fake, w, unused)[1].shape == (5, 200)
        with pytest.raises(ValueError, match=r"x is float32\[5, 199\]; float32\[\?, 200\] is needed"):
            op(fake[:, 1:], w, unused)
    with pytest.raises(TypeError, match=r"x is float64\[5, 200\]; float32\[\?, 200\] is needed"):
        op(x.double(), w, unused)


def test_a_function_that_chooses_the_program():
    made: list[int] = []

    def choose(x: torch.Tensor, w: torch.Tensor, unused: torch.Tensor) -> Executable:
        made.append(x.shape[0])
        return Executable(parse(SCALE))

    def choose_backward(*tensors: torch.Tensor) -> Executable:
        return Executable(parse(SCALE_BACKWARD))

    family = Family(signature_of(parse(SCALE)), choose)
    backward = Family(signature_of(parse(SCALE_BACKWARD)), choose_backward)
    op = as_custom_op(family, f"tilec_test::op{next(NAMES)}", backward=backward)
    x, w, unused = inputs(5)
    y, square = op(x, w, unused)
    (y + square).sum().backward()
    assert torch.equal(y, x * w)
    torch.testing.assert_close(x.grad, (w + 2 * x).detach())
    assert made == [5]


def test_backwards_that_do_not_fit():
    wrong = SCALE_BACKWARD.replace("%x: ", "%z: ").replace("%x[", "%z[").replace("%x,", "%z,")
    with pytest.raises(
        TypeError, match="the backward takes z after 2 gradients; x, w, unused, out0, out1 are known"
    ):
        operation(SCALE, wrong.replace("like(%x)", "like(%z)"))
    integers = SCALE.replace("200xf32>, %unused", "200xi32>, %unused").replace("%g =", "%i =")
    with pytest.raises(
        TypeError, match=r"the backward returns 2 arrays, .* gradients of 1 arguments are needed"
    ):
        operation(integers.replace("%gw =", "%g = tile.cast %i to f32\n    %gw ="), SCALE_BACKWARD)
    with pytest.raises(ValueError, match="changes arguments, and torch derives only operations that do not"):
        operation(ADD_TO, SCALE_BACKWARD)
