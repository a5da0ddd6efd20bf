"""Whole-tensor functions: `tilec.compile(function, args)` and `torch.compile(function, backend="tilec")`.

Dynamo and AOTAutograd of torch turn a function into graphs of ATen operations, one forward and, where
derivatives are needed, one backward. Kernels are found in each and take the place of their nodes; torch runs
the rest.
"""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import torch
from functorch.compile import make_boxed_func
from torch.fx import GraphModule

from tilec.diagnostics import TileError
from tilec.frontend.torch_private import aot_backend, tree_map, with_sizes
from tilec.frontend.whole.clusters import Clusters, find_clusters
from tilec.frontend.whole.decompositions import decompositions
from tilec.frontend.whole.kernels import Kernel
from tilec.frontend.whole.launching import traced_kernel
from tilec.frontend.whole.rewriting import Launch, with_kernels
from tilec.frontend.whole.simplify import simplify

P = ParamSpec("P")
R = TypeVar("R")


class Backend:
    """A backend of `torch.compile`.

    `launch` makes what runs a kernel; where it raises TileError, torch runs the nodes. `found` is told of
    each graph. While `dry` is set, torch runs everything.
    """

    def __init__(
        self,
        launch: Callable[[Kernel], Launch] = traced_kernel,
        found: Callable[[Clusters], None] = lambda _: None,
        *,
        dry: bool = False,
    ) -> None:
        self.dry = dry
        self._launch = launch
        self._found = found
        self._aot = aot_backend(self._compiled, decompositions())

    def __call__(self, module: GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        return self._aot(module, example_inputs)

    def _compiled(self, module: GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        simplify(module.graph)
        if any(isinstance(node.meta.get("val"), torch.SymInt) for node in module.graph.nodes):
            return make_boxed_func(self._for_each_size(module))
        return make_boxed_func(self._with_kernels(module))

    def _for_each_size(self, module: GraphModule) -> Callable[..., Any]:
        """A graph with sizes that are known in the call, as those of jagged tensors: one for each."""
        known: dict[Any, Callable[..., Any]] = {}
        used = [bool(node.users) for node in module.graph.find_nodes(op="placeholder")]

        def run(*args: Any) -> Any:
            # Ragged extents of torch have no number, and no use.
            args = tuple(arg if wanted else None for arg, wanted in zip(args, used, strict=True))
            key = tuple(each.shape if isinstance(each, torch.Tensor) else each for each in args)
            if key not in known:
                known[key] = self._with_kernels(with_sizes(module, args))
            return known[key](*args)

        return run

    def _with_kernels(self, module: GraphModule) -> Callable[..., Any]:
        clusters = find_clusters(module.graph)
        launches: dict[Kernel, Launch] = {}
        for kernel, nodes in list(clusters.kernels.items()):
            try:
                launches[kernel] = self._launch(kernel)
            except TileError as error:
                clusters.refused.update(dict.fromkeys(nodes, error.message))
                del clusters.kernels[kernel]
        self._found(clusters)
        rewritten = with_kernels(module, clusters, launches)
        return lambda *args: (module if self.dry else rewritten)(*args)


def backend(module: GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
    """What `torch.compile(function, backend="tilec")` calls."""
    return Backend()(module, example_inputs)


def compile(function: Callable[P, R], example_args: Sequence[Any] = ()) -> Callable[P, R]:
    """Compile a function of whole tensors, or a module, into kernels and what torch runs between them.

    With `example_args` this happens at once for arguments of their shapes, else when it is called. Other
    shapes are compiled when they come. `tilec.explain` says what became a kernel.
    """
    made = Backend()
    compiled: Callable[..., R] = torch.compile(function, backend=made, dynamic=False)
    if example_args:
        made.dry = True
        try:
            compiled(*copied(example_args))
        finally:
            made.dry = False
    return compiled


def copied(args: Sequence[Any]) -> list[Any]:
    """Arguments that a function may change without harm."""

    def copy(each: Any) -> Any:
        if not isinstance(each, torch.Tensor):
            return each
        return each.detach().clone().requires_grad_(each.requires_grad)

    return tree_map(copy, list(args))
