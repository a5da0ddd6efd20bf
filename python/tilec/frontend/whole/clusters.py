"""Which nodes of an ATen graph share a kernel.

Nodes are taken in order. Each begins as a cluster of its own and is joined to those of its operands, the
nearest first, if a kernel can compute all (`kernel_of` says so) and no path leaves the joined cluster and
comes back: what lies on it could run neither before nor after. At last, clusters that take the same are
joined as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch.fx import Graph, Node

from tilec.frontend.whole.arguments import base, consumers, inner_operands
from tilec.frontend.whole.graph import (
    COMPUTED,
    CREATIONS,
    ELEMENTS,
    POINTWISE,
    REDUCTIONS,
    SEGMENTS,
    VIEWS,
    aten,
    maker,
    operands,
    packet,
    siblings,
    sizes_of,
    tensor_of,
)
from tilec.frontend.whole.kernels import Kernel, kernel_of
from tilec.frontend.whole.regions import Refused


@dataclass(frozen=True)
class Clusters:
    """`kernels` with their nodes, in order, and why others are left to torch."""

    kernels: dict[Kernel, tuple[Node, ...]]
    refused: dict[Node, str]


def find_clusters(graph: Graph) -> Clusters:
    """Split a graph of ATen operations, without side effects but for `copy_`, into kernels and the rest."""
    places = {node: place for place, node in enumerate(graph.nodes)}
    refused: dict[Node, str] = {}
    cluster_of: dict[Node, tuple[Node, ...]] = {}
    for node in graph.nodes:
        if tensor_of(node) is None or packet(node) is None or packet(node) in VIEWS | CREATIONS:
            continue
        try:
            unsupported(node)
            kernel_of([node])
        except Refused as error:
            refused[node] = str(error)
            continue
        near = {base(each) for each in (*operands(node), *siblings(node))}
        sources = sorted(near, key=places.__getitem__, reverse=True)
        joined = _joined((node,), sources, cluster_of, places)
        cluster_of.update(dict.fromkeys(joined, joined))
    found = sorted(set(cluster_of.values()), key=lambda nodes: places[nodes[-1]])
    for first, second in combinations(found, 2):
        one, other = cluster_of[first[0]], cluster_of[second[0]]
        if one is not other and not inputs(one).isdisjoint(inputs(other)):
            joined = _joined(one, other[:1], cluster_of, places)
            cluster_of.update(dict.fromkeys(joined, joined))
    found = sorted(set(cluster_of.values()), key=lambda nodes: places[nodes[-1]])
    useful = [nodes for nodes in found if any(packet(node) is not aten.clone for node in nodes)]
    return Clusters({kernel_of(nodes, f"kernel_{i}"): nodes for i, nodes in enumerate(useful)}, refused)


def _joined(
    mine: tuple[Node, ...],
    sources: Sequence[Node],
    cluster_of: dict[Node, tuple[Node, ...]],
    places: dict[Node, int],
) -> tuple[Node, ...]:
    """`mine` with all clusters of `sources` that it can be one kernel with.

    Which axes are the same may only be seen once others are there, so what did not fit is tried again.
    """
    for source in sources:
        if source in mine or source not in cluster_of:
            continue
        both = tuple(sorted({*mine, *cluster_of[source]}, key=places.__getitem__))
        if not leaves_and_returns(both, cluster_of) and fits(both):
            return _joined(both, sources, cluster_of, places)
    return mine


def inputs(nodes: Sequence[Node]) -> set[Node]:
    """What `nodes` take from others, looking through views."""
    return {base(each) for node in nodes for each in operands(node)}.difference(nodes)


def fits(nodes: Sequence[Node]) -> bool:
    """Whether one kernel can compute all of `nodes`."""
    try:
        kernel_of(nodes)
    except Refused:
        return False
    return True


def leaves_and_returns(nodes: Iterable[Node], cluster_of: dict[Node, tuple[Node, ...]]) -> bool:
    """Whether something outside `nodes` lies between two of them, other clusters taken as one."""
    inside = set(nodes)
    queue = [user for node in inside for user in consumers(node) if user not in inside]
    seen: set[Node] = set()
    while queue:
        node = queue.pop()
        if node in inside:
            return True
        if node not in seen:
            members = cluster_of.get(node, (node,))
            seen.update(members)
            queue.extend(user for member in members for user in consumers(member))
    return False


def unsupported(node: Node) -> None:
    """Raises Refused if no kernel computes `node`, whatever stands around it."""
    if packet(node) not in COMPUTED:
        raise Refused(f"{maker(node).target} has no kernel")
    taken = inner_operands(node) if packet(node) in SEGMENTS else operands(node)
    for each in (node, *taken):
        value = each.meta["val"]
        if any(not isinstance(size, int) for size in value.shape):
            raise Refused("extents are known only in the call")
        if value.layout is not torch.strided or value.numel() == 0:
            raise Refused(f"a tensor has {'no elements' if value.numel() == 0 else 'another layout'}")
        # A kernel has 32 bits, which is enough to compare or convert integers that fit.
        wide = value.dtype is torch.int64 and each is not node and packet(node) in POINTWISE
        if value.dtype not in ELEMENTS and not wide:
            raise Refused(f"a tensor of {str(value.dtype).removeprefix('torch.')}")
        if not sizes_of(each) and each is node and packet(node) not in REDUCTIONS:
            raise Refused("its result is one element")
