"""What the operations of an ATen graph are to the search for kernels."""

from operator import getitem
from typing import Any, TypeAlias, cast

import torch
from torch.fx import Node

from tilec.frontend.torch_private import OpOverload

aten = torch.ops.aten

POINTWISE = frozenset(
    {
        aten._to_copy,
        aten.abs,
        aten.add,
        aten.bitwise_and,
        aten.bitwise_not,
        aten.bitwise_or,
        aten.bitwise_xor,
        aten.ceil,
        aten.clamp,
        aten.clamp_max,
        aten.clamp_min,
        aten.clone,
        aten.cos,
        aten.div,
        aten.eq,
        aten.erf,
        aten.exp,
        aten.exp2,
        aten.expm1,
        aten.floor,
        aten.ge,
        aten.gelu,
        aten.gt,
        aten.le,
        aten.log,
        aten.log1p,
        aten.log2,
        aten.logical_and,
        aten.logical_not,
        aten.logical_or,
        aten.lt,
        aten.maximum,
        aten.minimum,
        aten.mul,
        aten.ne,
        aten.neg,
        aten.pow,
        aten.reciprocal,
        aten.relu,
        aten.rsqrt,
        aten.sigmoid,
        aten.sin,
        aten.sqrt,
        aten.sub,
        aten.tanh,
        aten.where,
    }
)
"""Lane by lane, with the broadcasting of torch."""

REDUCTIONS = frozenset({aten.all, aten.amax, aten.amin, aten.any, aten.mean, aten.sum})

VIEWS = frozenset(
    {
        aten._unsafe_view,
        aten.alias,
        aten.detach,
        aten.expand,
        aten.permute,
        aten.select,
        aten.slice,
        aten.squeeze,
        aten.transpose,
        aten.unsqueeze,
        aten.view,
    }
)
"""Other names for elements that exist. A kernel takes them apart again, or torch does at no cost."""

CREATIONS = frozenset({aten.arange, aten.full, aten.full_like, aten.ones, aten.scalar_tensor, aten.zeros})
"""Tensors that depend on no other: each kernel that needs one makes it again."""

PRODUCTS = frozenset({aten.addmm, aten.baddbmm, aten.bmm, aten.mm})

ATTENTION = frozenset({aten._scaled_dot_product_flash_attention_for_cpu})
"""Attention, what torch makes of it on a CPU. It results in a tuple, whose members are nodes of their own."""

SEGMENTS = frozenset({aten.segment_reduce})
"""Sums over jagged rows."""

JOINS = frozenset({aten.cat})

COMPUTED = POINTWISE | REDUCTIONS | PRODUCTS | JOINS | ATTENTION | SEGMENTS
"""What kernels are sought for."""

ELEMENTS = frozenset({torch.float32, torch.bfloat16, torch.float16, torch.int32, torch.bool})
"""Element types of values in kernels."""

Packet: TypeAlias = Any


def packet(node: Node) -> Packet:
    """The operation without its overload, `aten.add` for `aten.add.Tensor`, or `None`.

    Of one result of several, it is that which makes them.
    """
    target = cast("Any", maker(node).target)
    return target.overloadpacket if isinstance(target, OpOverload) else None


def maker(node: Node) -> Node:
    """The node whose arguments `node` is computed from: itself, or the one that has it in a tuple."""
    return cast("Node", node.args[0]) if node.target is getitem else node


def siblings(node: Node) -> list[Node]:
    """The other results of what makes `node`."""
    return [each for each in maker(node).users if each.target is getitem] if node.target is getitem else []


def tensor_of(node: Node) -> torch.Tensor | None:
    """What shape and element type the result of `node` has; None if it is no tensor."""
    value = node.meta.get("val")
    return value if isinstance(value, torch.Tensor) else None


def sizes_of(node: Node) -> tuple[int, ...]:
    """The shape of a node that is a tensor."""
    return tuple(node.meta["val"].shape)


def operands(node: Node) -> list[Node]:
    """The tensors that `node` takes, one for each time it takes it."""
    return [each for each in maker(node).all_input_nodes if tensor_of(each) is not None]
