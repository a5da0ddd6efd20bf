"""Matrix products."""

import re
from typing import Any

import torch
from xdsl.ir import SSAValue

from tilec.dialects.tile import DotOp, TransposeOp
from tilec.dialects.tile.products import Precision
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import shape_of
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import Value
from tilec.frontend.lanes import cast
from tilec.frontend.trace import Trace


def dot(
    trace: Trace,
    lhs: torch.Tensor,
    rhs: torch.Tensor,
    acc: torch.Tensor | None = None,
    out: torch.dtype | None = None,
) -> torch.Tensor:
    """`lhs @ rhs + acc`, of rank 2 or 3, summed in f32 (integers in i32) and rounded once to `out`.

    Without `out` the result has the dtype of `acc`, or what is summed in.
    """
    if lhs.dim() not in (2, 3) or lhs.dim() != rhs.dim():
        trace.fail(
            f"dot of {trace.describe(lhs)} and {trace.describe(rhs)}; two tensors of rank 2, or of rank 3, "
            "are accepted"
        )
    _check_sizes(trace, lhs, rhs)
    summed = torch.float32 if lhs.is_floating_point() or rhs.is_floating_point() else torch.int32
    if lhs.dtype is not rhs.dtype:
        common = torch.promote_types(lhs.dtype, rhs.dtype)
        lhs, rhs = lhs.to(common), rhs.to(common)
    shape = [*lhs.shape[:-1], rhs.shape[-1]]
    start = None if acc is None else trace.value(acc.to(summed).broadcast_to(shape)).ssa
    precision = Precision.HIGHEST if lhs.dtype is torch.float32 and _wants_whole() else Precision.DEFAULT
    left, along_left = _before_transpose(trace, trace.value(lhs).ssa, lhs.dim() - 1)
    right, along_right = _before_transpose(trace, trace.value(rhs).ssa, rhs.dim() - 2)
    made = trace.put(DotOp(left, right, start, (along_left, along_right), precision))
    dtype = out or (acc.dtype if acc is not None else summed)
    return trace.tensor(shape, dtype, Value(cast(trace, made, trace.element(dtype))))


def _before_transpose(trace: Trace, value: SSAValue, dim: int) -> tuple[SSAValue, int]:
    """`value` without a swap of its last two dimensions, if lanes stay lanes so, and where `dim` is then."""
    made, rank = value.owner, len(shape_of(value.type))
    if not isinstance(made, TransposeOp):
        return value, dim
    *batch, rows, lanes = ints_of(made.perm)
    if rows != rank - 1:
        return value, dim
    perm = [*batch, lanes, rows]
    swapped = made.value if perm == list(range(rank)) else trace.put(TransposeOp(made.value, perm))
    return swapped, 2 * rank - 3 - dim


def _wants_whole() -> bool:
    """Whether f32 products are not to be rounded: what torch calls precision "highest", its default."""
    return torch.get_float32_matmul_precision() == "highest"


def _check_sizes(trace: Trace, lhs: torch.Tensor, rhs: torch.Tensor) -> None:
    pairs: list[tuple[Any, Any]] = [(lhs.shape[-1], rhs.shape[-2])]
    pairs += list(zip(lhs.shape[:-2], rhs.shape[:-2], strict=True))
    if any(str(a) != str(b) for a, b in pairs):
        trace.fail(f"dot of {trace.describe(lhs)} and {trace.describe(rhs)}: their sizes do not match")


@handles("mm", "bmm", "matmul", early=True)
def _mm(call: Call) -> torch.Tensor:
    lhs, rhs = call["self"], call.get("mat2") if call.get("mat2") is not None else call["other"]
    return matmul(call.trace, lhs, rhs, call.get("out_dtype"))


def matmul(
    trace: Trace, lhs: torch.Tensor, rhs: torch.Tensor, out: torch.dtype | None = None
) -> torch.Tensor:
    """As torch does: without `out` the result has the dtype of the operands. Vectors become matrices of one
    row.
    """
    dtype = out or torch.promote_types(lhs.dtype, rhs.dtype)
    if lhs.dim() == 1 and rhs.dim() == 1:
        return (lhs * rhs).sum()
    if lhs.dim() == 1:
        return matmul(trace, lhs[None, :], rhs).squeeze(-2)
    if rhs.dim() == 1:
        return matmul(trace, lhs, rhs[:, None]).squeeze(-1)
    if lhs.dim() == 3 and rhs.dim() == 2:
        rhs = rhs[None].expand(lhs.shape[0], *rhs.shape)
    if lhs.dim() == 2 and rhs.dim() == 3:
        lhs = lhs[None].expand(rhs.shape[0], *lhs.shape)
    return dot(trace, lhs, rhs, out=dtype)


_PRODUCT = re.compile(r"([a-z]+),([a-z]+)->([a-z]+)", re.IGNORECASE)


def einsum(trace: Trace, equation: str, *operands: torch.Tensor) -> torch.Tensor | None:
    """A product of two operands that sums over one letter, of which each has one of its own, with a batch or
    none; None of others.
    """
    found = _PRODUCT.fullmatch(equation.replace(" ", ""))
    if found is None or len(operands) != 2:
        return None
    left, right, out = found.groups()
    batch, summed = (
        [letter for letter in left if letter in right and (letter in out) is kept] for kept in (True, False)
    )
    own = [[letter for letter in one if letter not in other] for one, other in ((left, right), (right, left))]
    made = [*batch, *own[0], *own[1]]
    letters = all(len(set(each)) == len(each) for each in (left, right, out))
    if not letters or sorted(made) != sorted(out) or [len(each) for each in (summed, *own)] != [1, 1, 1]:
        return None
    if len(batch) > 1 or any(
        len(one) != each.dim() for one, each in zip((left, right), operands, strict=True)
    ):
        return None
    orders = [*batch, *own[0], *summed], [*batch, *summed, *own[1]]
    lhs, rhs = (
        each.permute([one.index(letter) for letter in order])
        for each, one, order in zip(operands, (left, right), orders, strict=True)
    )
    return matmul(trace, lhs, rhs).permute([made.index(letter) for letter in out])


@handles("addmm", "baddbmm", "addbmm", early=True)
def _addmm(call: Call) -> torch.Tensor:
    """`beta * self + alpha * (a @ b)`, in `out_dtype` if it is given. An f32 sum of 16-bit products is
    accepted, unlike in torch.
    """
    trace, acc = call.trace, call["self"]
    dtype = call.get("out_dtype") or acc.dtype
    lhs, rhs = (
        (call["mat1"], call["mat2"]) if call.get("mat1") is not None else (call["batch1"], call["batch2"])
    )
    if call["beta"] == 1 and call["alpha"] == 1:
        return dot(trace, lhs, rhs, acc, out=dtype)
    return (acc.to(dtype) * call["beta"] + dot(trace, lhs, rhs) * call["alpha"]).to(dtype)


@handles("dot", "mv", "outer", early=True)
def _vectors(call: Call) -> torch.Tensor:
    first = call["self"]
    second = next(call[name] for name in ("tensor", "vec", "vec2") if call.get(name) is not None)
    if call.name == "outer":
        return first[:, None] * second[None, :]
    return matmul(call.trace, first, second)
