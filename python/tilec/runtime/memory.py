"""What the TPU compiler says that kernels take of VMEM.

libtpu writes into the compiled HLO, beside each kernel, how much scoped memory it allocated: windows with all
their buffers, scratch, and registers that it spilled. That is what it compares with `vmem_limit_bytes`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp

from tilec.runtime.aot import CompileRefused

_SECONDS = 120
_VMEM = "1"
"""The number of VMEM among the memory spaces of XLA."""
_KERNEL = re.compile(r'^ *(?:ROOT )?%?(\S+) = .*custom_call_target="tpu_custom_call"')
_USED = re.compile(r'"used_scoped_memory_configs":(\[.*?\])')
_NEEDED = re.compile(r"(?:Scoped allocation with size|memory space vmem\. Used) ([\d.]+)([BKMG])")
_UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def scoped_vmem(hlo: str) -> dict[str, int]:
    """The bytes of VMEM of each kernel in compiled HLO text, by its name there."""
    found: dict[str, int] = {}
    for line in hlo.splitlines():
        kernel = _KERNEL.match(line)
        if kernel is not None:
            used = _USED.search(line)
            configs = json.loads(used[1]) if used is not None else []
            found[kernel[1]] = sum(int(each["size"]) for each in configs if each["memory_space"] == _VMEM)
    return found


def needed_vmem(message: str) -> int | None:
    """The bytes that a refusal for want of VMEM says would be needed, rounded as there; None for others."""
    match = _NEEDED.search(message)
    return None if match is None else round(float(match[1]) * _UNITS[match[2]])


def reported_vmem(
    text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str
) -> dict[str, int]:
    """Compiles `function` of an emitted module's `text`; gives the VMEM of each kernel by its name in HLO, in
    bytes.

    Small arrays are kept in HBM, as large ones are: XLA would move them to VMEM, and windows of those need no
    buffers.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB.
    """
    request = {
        "text": text,
        "function": function,
        "structs": [(struct.shape, jnp.dtype(struct.dtype).name) for struct in structs],
        "chip": chip,
    }
    with tempfile.TemporaryDirectory(prefix="tilec-") as folder:
        _compile(json.dumps(request), folder, chip)
        texts = [path.read_text() for path in sorted(Path(folder).glob("*.after_codegen.txt"))]
    return {name: size for each in texts for name, size in scoped_vmem(each).items()}


def _compile(request: str, folder: str, chip: str) -> None:
    """Compiles what `request` says, in a process whose XLA writes its HLO to `folder`."""
    flags = {
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={folder}",
        "LIBTPU_INIT_ARGS": f"{os.environ.get('LIBTPU_INIT_ARGS', '')} --xla_msa_enable=false",
    }
    command = [sys.executable, "-m", "tilec.runtime.bundles"]
    try:
        child = subprocess.run(
            command, input=request, env=os.environ | flags, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CompileRefused(f"compiling for {chip} takes more than {_SECONDS} s", None, None) from None
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise CompileRefused(f"the compiler for {chip} died: {last}", None, None)
    refusal = json.loads(child.stdout)
    if refusal is not None:
        raise CompileRefused(**refusal)
