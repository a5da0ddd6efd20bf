"""Kernels of whole-tensor functions as functions of `tilec.kernel`."""

import linecache
from typing import Any

import torch

import tilec.language
from tilec.frontend.kernel import Kernel as Traced
from tilec.frontend.kernel import kernel as traced
from tilec.frontend.whole.kernels import Kernel


def traced_kernel(kernel: Kernel) -> Traced[..., Any]:
    """The kernel, ready to be called with tensors in the shapes that it says."""
    # Tracing and tracebacks look for the source of a function in the file it names.
    file = f"<tilec {kernel.name} {hash(kernel.text):x}>"
    linecache.cache[file] = (len(kernel.text), None, kernel.text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"hl": tilec.language, "torch": torch, "__name__": kernel.name}
    exec(compile(kernel.text, file, "exec"), scope)
    return traced(scope[kernel.name])
