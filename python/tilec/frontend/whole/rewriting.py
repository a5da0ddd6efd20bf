"""The graph that runs kernels in the place of their nodes."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from operator import getitem
from typing import Any, TypeAlias

from torch.fx import Graph, GraphModule, Node

from tilec.frontend.whole.arguments import base, consumers
from tilec.frontend.whole.clusters import Clusters
from tilec.frontend.whole.graph import aten, operands, packet, sizes_of
from tilec.frontend.whole.kernels import Kernel

Launch: TypeAlias = Callable[..., Any]
"""What runs a kernel: takes its arguments, returns its result or a tuple of them."""

Step: TypeAlias = Kernel | Node


def with_kernels(module: GraphModule, clusters: Clusters, launches: Mapping[Kernel, Launch]) -> GraphModule:
    """`module` with a call of `launches[kernel]` for each kernel, everything else as it was."""
    graph = Graph()
    made: dict[Node, Node] = {}
    inside = {node for nodes in clusters.kernels.values() for node in nodes}
    for step in _order(module.graph, clusters):
        if isinstance(step, Kernel):
            _call(graph, made, step, launches[step])
        elif step not in inside and all(each in made for each in step.all_input_nodes):
            # A view of what only a kernel knows is used in that kernel alone.
            made[step] = _copy(graph, made, step)
    graph.eliminate_dead_code()
    return GraphModule(module, graph)


def _copy(graph: Graph, made: dict[Node, Node], node: Node) -> Node:
    copied = graph.node_copy(node, made.__getitem__)
    if packet(node) is aten.view:
        # Results of kernels are contiguous, where those of torch need not have been, and the reverse.
        copied.target = aten.reshape.default
    return copied


def _call(graph: Graph, made: dict[Node, Node], kernel: Kernel, function: Launch) -> None:
    args = tuple(
        _shaped(graph, made[each.node], sizes_of(each.node), each.shape) for each in kernel.arguments
    )
    call = graph.call_function(function, args)
    for index, array in enumerate(kernel.results):
        result = call if len(kernel.results) == 1 else graph.call_function(getitem, (call, index))
        made[array.node] = _shaped(graph, result, array.shape, sizes_of(array.node))


def _shaped(graph: Graph, node: Node, old: tuple[int, ...], new: tuple[int, ...]) -> Node:
    return node if old == new else graph.call_function(aten.reshape.default, (node, list(new)))


def _order(graph: Graph, clusters: Clusters) -> list[Step]:
    """Kernels and the other nodes, each after what it depends on, else in the order of `graph`."""
    steps: dict[Node, Step] = {node: node for node in graph.nodes}
    steps.update((node, kernel) for kernel, nodes in clusters.kernels.items() for node in nodes)
    # A step stands where its last node stood.
    places = {steps[node]: place for place, node in enumerate(graph.nodes)}
    needs: dict[Step, set[Step]] = {step: set() for step in places}
    for node in graph.nodes:
        if steps[node] is node:
            needs[node].update(steps[each] for each in node.all_input_nodes)
    for kernel in clusters.kernels:
        needs[kernel].update(steps[array.node] for array in kernel.arguments)
    for first, then in _effects(graph):
        needs[steps[then]].add(steps[first])
    return _sorted(needs, places)


def _effects(graph: Graph) -> list[tuple[Node, Node]]:
    """Which node must stay before which, though it is no operand of it."""
    found: list[tuple[Node, Node]] = []
    last: Node | None = None
    for node in graph.nodes:
        if node.op != "call_function" or not node.is_impure():
            continue
        before = [user for each in operands(node) for user in consumers(base(each)) if user < node]
        found += [(each, node) for each in before]
        if last is not None:
            found.append((last, node))
        last = node
    return found


def _sorted(needs: dict[Step, set[Step]], places: dict[Step, int]) -> list[Step]:
    users: dict[Step, list[Step]] = {step: [] for step in needs}
    for step, before in needs.items():
        for each in before:
            users[each].append(step)
    waiting = {step: len(before) for step, before in needs.items()}
    steps = sorted(needs, key=places.__getitem__)
    ready = [places[step] for step in steps if not waiting[step]]
    at = {places[step]: step for step in steps}
    done: list[Step] = []
    while ready:
        step = at[heappop(ready)]
        done.append(step)
        for user in users[step]:
            waiting[user] -= 1
            if not waiting[user]:
                heappush(ready, places[user])
    return done
