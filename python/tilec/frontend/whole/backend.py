"""Whole-tensor functions: `torch.compile(function, backend="tilec")`.

Dynamo and AOTAutograd of torch turn a function into graphs of ATen operations, one forward and, where
derivatives are needed, one backward. Kernels are found in each and take the place of their nodes; torch runs
the rest.
"""

from collections.abc import Callable, Sequence
from typing import Any

from functorch.compile import make_boxed_func  # pyright: ignore[reportMissingTypeStubs]
from torch._dynamo.backends.common import aot_autograd
from torch.fx import GraphModule

from tilec.frontend.whole.clusters import Clusters, find_clusters
from tilec.frontend.whole.decompositions import decompositions
from tilec.frontend.whole.kernels import Kernel
from tilec.frontend.whole.rewriting import Launch, with_kernels
from tilec.frontend.whole.simplify import simplify


class Backend:
    """A backend of `torch.compile`. `launch` makes what runs a kernel, `found` is told of each graph."""

    def __init__(
        self, launch: Callable[[Kernel], Launch], found: Callable[[GraphModule, Clusters], None] | None = None
    ) -> None:
        self._launch = launch
        self._found = found
        self._aot = aot_autograd(fw_compiler=self._compiled, decompositions=decompositions())

    def __call__(self, module: GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        return self._aot(module, example_inputs)

    def _compiled(self, module: GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        simplify(module.graph)
        clusters = find_clusters(module.graph)
        if self._found is not None:
            self._found(module, clusters)
        return make_boxed_func(with_kernels(module, clusters, self._launch).forward)
