"""Compiles emitted functions with the real TPU compiler, for a chip that need not be there."""

import functools
import math
import os
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import topologies
from jax.experimental.layout import Format, Layout
from jax.sharding import Mesh, NamedSharding, PartitionSpec, use_abstract_mesh

from tilec.analysis.vmem import amount
from tilec.chips import Chip, chip_named
from tilec.runtime.load import file_of, tile_location

# Without these, libtpu waits for a metadata server that is not there, complains that it got no answer, and
# lets only one process load it.
_WITHOUT_A_TPU = {
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-1",
    "TPU_WORKER_HOSTNAMES": "localhost",
}


class CompileRefused(Exception):
    """The TPU compiler, or Pallas on the way to it, refused a kernel.

    `message` is one line. `module_line` is the line of the emitted module that it is about, `tile_location`
    the `file:line:col of op` behind that line. Each is None where the refusal names no place, as when VMEM
    runs out.
    """

    def __init__(self, message: str, module_line: int | None, tile_location: str | None) -> None:
        super().__init__(f"{tile_location}: {message}" if tile_location else message)
        self.message = message
        self.module_line = module_line
        self.tile_location = tile_location


class CompilerFailed(CompileRefused):
    """There is no compiler, or it died or took too long: which says nothing of the kernel."""

    def __init__(self, message: str) -> None:
        super().__init__(message, None, None)


@dataclass(frozen=True)
class Compiled:
    """A compiled function: sizes in bytes as XLA's `memory_analysis` gives them, times in seconds.

    `operations` counts, by opcode, what XLA does besides passing arguments and results around: a kernel is a
    `custom-call`, and what a fusion is made of counts too. It is empty where XLA cannot read the module back.
    """

    chip: Chip
    trace_seconds: float
    compile_seconds: float
    argument_bytes: int
    output_bytes: int
    alias_bytes: int
    temp_bytes: int
    code_bytes: int
    operations: Mapping[str, int]


def compile_for(
    fn: Callable[..., Any],
    structs: Sequence[jax.ShapeDtypeStruct],
    chip: str,
    *,
    donate: Sequence[int] = (),
) -> Compiled:
    """Compiles `fn` for arguments of the shapes and dtypes of `structs`, on one core of `chip`.

    The memory of the arguments at the positions `donate` may be used for results. Arguments and results are
    laid out as the kernels want them: where a caller's are not, XLA copies them.

    Raises `ValueError` for an unknown chip and `CompileRefused` for whatever tracing, lowering or compiling
    raises, and where libtpu is not installed.
    """
    target = chip_named(chip)
    need_libtpu()
    mesh = _mesh(target.topology)
    wanted = Format(Layout.AUTO, NamedSharding(mesh, PartitionSpec()))
    jitted = jax.jit(fn, in_shardings=wanted, out_shardings=wanted, donate_argnums=donate)
    start, results = time.perf_counter(), 0
    try:
        with use_abstract_mesh(mesh.abstract_mesh), jax.enable_x64(False):
            lowered = jitted.lower(*structs)
            lowered_at, results = time.perf_counter(), _bytes(jax.tree.leaves(lowered.out_info))
            compiled = lowered.compile()
            memory: Any = compiled.memory_analysis()  # None only on other platforms
    except Exception as error:
        line = _module_line(error, file_of(fn))
        message = _over_hbm(str(error), _bytes(structs), results) or _one_line(error)
        raise CompileRefused(message, line, tile_location(fn, line)) from error
    return Compiled(
        chip=target,
        trace_seconds=lowered_at - start,
        compile_seconds=time.perf_counter() - lowered_at,
        argument_bytes=memory.argument_size_in_bytes,
        output_bytes=memory.output_size_in_bytes,
        alias_bytes=memory.alias_size_in_bytes,
        temp_bytes=memory.temp_size_in_bytes,
        code_bytes=memory.generated_code_size_in_bytes,
        operations=_operations(_text(compiled)),
    )


def need_libtpu() -> None:
    """Raises `CompileRefused` where libtpu is not installed."""
    if find_spec("libtpu") is None and "TPU_LIBRARY_PATH" not in os.environ:
        raise CompilerFailed("libtpu, which has the TPU compiler, is not installed")


def _bytes(arrays: Iterable[Any]) -> int:
    return sum(math.prod(each.shape) * each.dtype.itemsize for each in arrays)


def _over_hbm(message: str, arguments: int, results: int) -> str | None:
    """What is said of too little HBM, of arguments and results of so many bytes; None of other refusals."""
    found = re.search(r"Ran out of memory (?:on HBM|in memory space hbm)", message)
    limit = re.search(r"(?:available HBM \(|Used [\d.]+\w? of )([\d.]+)G", message)
    if found is None or limit is None:
        return None
    return (
        f"arguments of {amount(arguments)}, results of {amount(results)} and what XLA keeps beside them do "
        f"not fit the {limit[1]} GiB of HBM that programs get; smaller arrays would"
    )


def _text(compiled: jax.stages.Compiled) -> str:
    """A module in XLA's text form, or nothing: some that give work to a SparseCore cannot be read back."""
    try:
        return compiled.as_text() or ""
    except jax.errors.JaxRuntimeError:
        return ""


def _operations(hlo: str) -> Counter[str]:
    """The instructions of a module in XLA's text form, without those that only name or group values."""
    found = Counter[str](re.findall(r"(?m)^\s+(?:ROOT )?%\S+ = (?:\([^=]*\)|\S+) ([\w-]+)\(", hlo))
    for plumbing in ("parameter", "tuple", "get-tuple-element"):
        found.pop(plumbing, None)
    return found


@functools.cache
def _mesh(topology: str) -> Mesh:
    """One core of a topology. The first call in a process loads libtpu."""
    if not any(Path("/dev").glob("accel*")) and not Path("/dev/vfio").exists():
        for name, value in _WITHOUT_A_TPU.items():
            os.environ.setdefault(name, value)
    devices = topologies.get_topology_desc(topology, "tpu").devices
    return Mesh(np.array(devices[:1]), ("core",))


def _module_line(error: BaseException, file: str) -> int | None:
    """The innermost line of `file` that the error, or what it came from, names or else passed through."""
    # Jax makes a traceback of the compiler's location only where a message has just one; the text has all.
    named = (re.search(re.escape(file) + r'"?:(\d+)', str(link)) for link in _chain(error))
    passed = (
        frame.lineno
        for link in _chain(error)
        for frame in reversed(traceback.extract_tb(link.__traceback__))
        if frame.filename == file
    )
    return next((int(match[1]) for match in named if match), next(passed, None))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_FAILED = r"an internal failure, at \1 (\2), and no fault of the program; other blocks or another loop may do"


def _one_line(error: Exception) -> str:
    """The sentence of a refusal: no status code, kernel name, URL, listing of allocations or IR."""
    text = re.sub(r"^(?:INTERNAL|RESOURCE_EXHAUSTED|INVALID_ARGUMENT|UNIMPLEMENTED): ", "", str(error))
    text = re.sub(r"^Mosaic failed to compile TPU kernel with .*?HLO name `[^`]*`: ", "", text)
    text = re.sub(r"^(E\d{4}): \w+:\s*", r"\1: ", text)
    text = re.sub(r" for %\S+ = .*?(?=\. Scoped allocation)", "", text)
    text = re.sub(r"(?s)^RET_CHECK failure \(.*?([^/\s]+:\d+)\) (.*?)\s*(?:\{.*)?$", _FAILED, text)
    lines = text.strip().splitlines() or [type(error).__name__]
    return re.sub(r" It should not be possible to run out of scoped vmem.*", "", lines[0]).strip()
