"""What became of a whole-tensor function: `tilec.explain(function, args)`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from rich.console import Console, Group
from rich.table import Table
from torch.fx import Node

from tilec.frontend.torch_private import tree_flatten
from tilec.frontend.whole.backend import Backend, copied
from tilec.frontend.whole.clusters import Clusters
from tilec.frontend.whole.graph import packet

_TORCH = Path(torch.__file__).parent


@dataclass(frozen=True)
class Row:
    """A kernel with its text, or an operation that is left to torch with the reason.

    `graph` counts the graphs that torch made of the function, forward before backward; `operations` are the
    names of ATen operations; `places` where they come from, as `file:line`.
    """

    graph: int
    kernel: str | None
    operations: tuple[str, ...]
    places: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Explanation:
    """Kernels and what is left to torch. Prints as two tables."""

    kernels: tuple[Row, ...]
    left: tuple[Row, ...]

    def __rich__(self) -> Group:
        kernels = Table("Graph", "Kernel", "Operations", "Where", title="Kernels")
        for row in self.kernels:
            kernels.add_row(str(row.graph), row.kernel, " ".join(row.operations), "\n".join(row.places))
        left = Table("Graph", "Operation", "Why", "Where", title="Left to torch")
        for row in self.left:
            left.add_row(str(row.graph), *row.operations, row.text, "\n".join(row.places))
        return Group(kernels, left)

    def __str__(self) -> str:
        console = Console(file=StringIO(), width=110)
        with console.capture() as captured:
            console.print(self)
        return captured.get()


def explain(function: Callable[..., Any], args: Sequence[Any]) -> Explanation:
    """Which kernels a function of whole tensors, or a module, becomes for arguments like `args`.

    Torch runs it once on copies of them, and its derivative if there is one.
    """
    kernels: list[Row] = []
    left: list[Row] = []
    graphs: list[Clusters] = []

    def found(clusters: Clusters) -> None:
        graphs.append(clusters)
        graph = len(graphs)
        for kernel, nodes in clusters.kernels.items():
            kernels.append(Row(graph, kernel.name, _names(nodes), _places(nodes), kernel.text))
        for node, reason in clusters.refused.items():
            left.append(Row(graph, None, _names([node]), _places([node]), reason))

    torch.compiler.reset()
    inputs = copied(args)
    results = torch.compile(function, backend=Backend(found=found, dry=True), dynamic=False)(*inputs)
    outputs, wanted = _differentiable(results), _differentiable(inputs)
    if isinstance(function, torch.nn.Module):
        wanted += _differentiable(list(function.parameters()))
    if outputs:
        torch.autograd.grad(outputs, wanted, [torch.ones_like(each) for each in outputs], allow_unused=True)
    return Explanation(tuple(kernels), tuple(left))


def _differentiable(tree: Any) -> list[torch.Tensor]:
    tensors = [each for each in tree_flatten(tree)[0] if isinstance(each, torch.Tensor)]
    return [each for each in tensors if each.requires_grad]


def _names(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(packet(node).__name__ for node in nodes)


def _places(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Where nodes come from: of each the innermost line outside of torch, without repetitions."""
    found: dict[str, None] = {}
    for node in nodes:
        lines = re.findall(r'File "(.+)", line (\d+)', node.meta.get("stack_trace") or "")
        users = [(file, line) for file, line in lines if not Path(file).is_relative_to(_TORCH)]
        found.update({f"{Path(file).name}:{line}": None for file, line in users[-1:]})
    return tuple(found)
