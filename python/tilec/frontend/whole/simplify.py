"""What is done to a graph before kernels are sought: views get their plain names, no value is made twice."""

from operator import getitem
from typing import Any, cast

from torch.fx import Graph, Node

from tilec.frontend.whole.arguments import argument, reduced_dims
from tilec.frontend.whole.graph import aten, packet


def simplify(graph: Graph) -> None:
    """Simplify a graph in place."""
    for node in list(graph.nodes):
        if packet(node) in (aten.split, aten.split_with_sizes) and node.target is not getitem:
            _split(graph, node)
        elif packet(node) is aten.sum and (padded := _padded_rows(node)) is not None:
            _sum_segments(graph, node, padded)
        elif packet(node) is aten.as_strided and _in_order(node):
            node.target, node.args = aten.view.default, node.args[:2]
    _unify(graph)
    graph.eliminate_dead_code()


def _split(graph: Graph, node: Node) -> None:
    source = cast("Node", node.args[0])
    dim = argument(node, 2, "dim", 0)
    begins = [0]
    for part in node.meta["val"]:
        begins.append(begins[-1] + part.shape[dim])
    for user in list(node.users):
        index = cast("int", user.args[1])
        with graph.inserting_before(user):
            part = graph.call_function(aten.slice.Tensor, (source, dim, begins[index], begins[index + 1]))
        part.meta = dict(user.meta)
        user.replace_all_uses_with(part)


def _in_order(node: Node) -> bool:
    """Whether a strided view is of all elements, in their order."""
    source, result = cast("Node", node.args[0]).meta["val"], node.meta["val"]
    return source.is_contiguous() and result.is_contiguous() and source.numel() == result.numel()


def _padded_rows(node: Node) -> Node | None:
    """What a sum over padded rows of a jagged tensor takes, if these are all rows and the padding is zero."""
    source = cast("Node", node.args[0])
    if packet(source) is not aten._jagged_to_padded_dense_forward or reduced_dims(node) != [1]:
        return None
    values, offsets, (most,) = cast("tuple[Node, list[Node], list[Any]]", source.args[:3])
    # A number that torch computed is the length of the longest row.
    complete = isinstance(most, Node) or most >= values.meta["val"].shape[0]
    return (
        source if complete and len(offsets) == 1 and argument(source, 3, "padding_value", 0.0) == 0 else None
    )


def _sum_segments(graph: Graph, node: Node, padded: Node) -> None:
    values, (offsets,) = cast("tuple[Node, list[Node]]", padded.args[:2])
    with graph.inserting_before(node):
        options: dict[str, Any] = {"offsets": offsets, "axis": 0, "unsafe": True, "initial": 0}
        total = graph.call_function(aten.segment_reduce.default, (values, "sum"), options)
        total.meta = dict(node.meta)
        if argument(node, 2, "keepdim", False):
            total.meta["val"] = node.meta["val"].squeeze(1)
            total = graph.call_function(aten.unsqueeze.default, (total, 1))
            total.meta = dict(node.meta)
    node.replace_all_uses_with(total)


def _unify(graph: Graph) -> None:
    """Replace what was computed before, from the same operands."""
    known: dict[Any, Node] = {}
    for node in list(graph.nodes):
        if packet(node) is None or node.is_impure():
            continue
        key = repr((str(node.target), node.args, sorted(node.kwargs.items())))
        before = known.setdefault(key, node)
        if before is not node:
            node.replace_all_uses_with(before)
