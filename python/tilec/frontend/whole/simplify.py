"""What is done to a graph before kernels are sought: `split` becomes slices, no value is made twice."""

from operator import getitem
from typing import Any, cast

from torch.fx import Graph, Node

from tilec.frontend.whole.arguments import argument
from tilec.frontend.whole.graph import aten, packet


def simplify(graph: Graph) -> None:
    """Simplify a graph in place."""
    for node in list(graph.nodes):
        if packet(node) in (aten.split, aten.split_with_sizes) and node.target is not getitem:
            _split(graph, node)
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
