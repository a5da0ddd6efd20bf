"""Kernels of whole-tensor functions as functions of `tilec.kernel`."""

import linecache
from typing import Any
from zlib import crc32

import torch

import tilec.language
from tilec.frontend.config import Config
from tilec.frontend.kernel import Kernel as Traced
from tilec.frontend.kernel import kernel as traced
from tilec.frontend.whole.kernels import Kernel


def traced_kernel(kernel: Kernel) -> Traced[..., Any]:
    """The kernel, compiled. Raises TileError where the tracer or a pass refuses it."""
    # Tracing and tracebacks look for the source of a function in the file it names.
    file = f"<tilec {kernel.name} {crc32(kernel.text.encode()):08x}>"
    linecache.cache[file] = (len(kernel.text), None, kernel.text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"hl": tilec.language, "torch": torch, "__name__": kernel.name}
    exec(compile(kernel.text, file, "exec"), scope)
    made = traced(config=Config(blocks=kernel.blocks))(scope[kernel.name])
    args = [torch.empty(array.shape, dtype=array.node.meta["val"].dtype) for array in kernel.arguments]
    made.bind(*args).pallas()
    return made
