"""The arguments of ATen nodes, with what they leave out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

from torch.fx import Node

from tilec.frontend.whole.graph import ATTENTION, PRODUCTS, SEGMENTS, VIEWS, aten, maker, packet, sizes_of


def argument(node: Node, index: int, name: str, default: Any = None) -> Any:
    """The argument at `index`, or that called `name`."""
    if index < len(node.args):
        return node.args[index]
    return node.kwargs.get(name, default)


def base(node: Node) -> Node:
    """What `node` is a view of, or itself."""
    while packet(node) in VIEWS:
        node = cast("Node", node.args[0])
    return node


def consumers(node: Node) -> list[Node]:
    """What uses `node`, looking through views, and at each of several results of what uses it."""
    found: list[Node] = []
    for user in node.users:
        through = packet(user) in VIEWS or isinstance(user.meta.get("val"), tuple | list)
        found.extend(consumers(user) if through else [user])
    return found


def outputs(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that others use."""
    inside = set(nodes)
    return [node for node in nodes if not inside.issuperset(consumers(node))]


def factors(node: Node) -> tuple[Node, Node]:
    """The operands of a matrix product."""
    left, right = node.args[-2:]
    return cast("Node", left), cast("Node", right)


@dataclass(frozen=True)
class AttentionArguments:
    """Arguments of attention: `q` of B x H x M x D, `k` and `v` of B x H / G x N x D; `mask` of bool, or
    added to the products of `q` and `k` times `scale`."""

    q: Node
    k: Node
    v: Node
    causal: bool
    mask: Node | None
    scale: float


def attention_arguments(node: Node) -> AttentionArguments:
    made = maker(node)
    q, k, v = cast("tuple[Node, Node, Node]", made.args[:3])
    scale = cast("float | None", made.kwargs.get("scale"))
    return AttentionArguments(
        q,
        k,
        v,
        bool(argument(made, 4, "is_causal", False)),
        cast("Node | None", made.kwargs.get("attn_mask")),
        1 / sqrt(sizes_of(q)[-1]) if scale is None else scale,
    )


def inner_operands(node: Node) -> tuple[Node, ...]:
    """What a node takes that is computed in a loop of its own."""
    if packet(node) in PRODUCTS:
        return factors(node)
    if packet(node) in ATTENTION:
        given = attention_arguments(node)
        return (given.k, given.v) if given.mask is None else (given.k, given.v, given.mask)
    if packet(node) in SEGMENTS:
        return (cast("Node", node.args[0]),)
    return ()


def segment_options(node: Node) -> list[str]:
    """What a reduction of segments asks for that is not a sum of rows between offsets."""
    given = dict(node.kwargs)
    asked = {
        f"the reduction {node.args[1]}": node.args[1] != "sum",
        "lengths": given.get("lengths") is not None or given.get("indices") is not None,
        f"axis {given.get('axis')}": given.get("axis", 0) != 0,
        "offsets of several dimensions": given.get("offsets") is None
        or len(sizes_of(cast("Node", given["offsets"]))) != 1,
        f"the initial value {given.get('initial')}": given.get("initial") not in (None, 0),
    }
    return [what for what, wanted in asked.items() if wanted]


def dims_of(dims: int | Sequence[int] | None, rank: int) -> list[int]:
    """Dimensions counted from 0; all of them for `None` and for none."""
    if isinstance(dims, int):
        dims = [dims]
    return [dim % rank for dim in dims] if dims else list(range(rank))


def reduced_dims(node: Node) -> list[int]:
    """The dimensions that a reduction leaves out."""
    rank = len(sizes_of(cast("Node", node.args[0])))
    return dims_of(argument(node, 1, "dim"), rank)


def permutation(node: Node) -> list[int]:
    """For each dimension of a permuted view, that of what it views."""
    rank = len(sizes_of(node))
    if packet(node) is aten.permute:
        return dims_of(cast("list[int]", node.args[1]), rank)
    order = list(range(rank))
    first, second = (cast("int", each) % rank for each in node.args[1:3])
    order[first], order[second] = second, first
    return order


def cut_arguments(node: Node) -> tuple[int, int, int]:
    """Dimension, first index and step of a `select` or a `slice`."""
    whole = sizes_of(cast("Node", node.args[0]))
    dim = cast("int", argument(node, 1, "dim", 0)) % len(whole)
    begin = cast("int", argument(node, 2, "index" if packet(node) is aten.select else "start") or 0)
    step = 1 if packet(node) is aten.select else cast("int", argument(node, 4, "step", 1))
    return dim, min(begin % whole[dim] if begin < 0 else begin, whole[dim]), step


def cat_arguments(node: Node) -> tuple[list[Node], int]:
    """What is joined, and along which dimension."""
    return list(cast("list[Node]", node.args[0])), argument(node, 1, "dim", 0) % len(sizes_of(node))
