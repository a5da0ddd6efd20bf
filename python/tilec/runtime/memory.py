"""What the TPU compiler says that kernels take of VMEM.

libtpu writes into the compiled HLO, beside each kernel, how much scoped memory it allocated: windows with all
their buffers, scratch, and registers that it spilled. That is what it compares with `vmem_limit_bytes`.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax

from tilec.runtime.child import compile_in_child

_VMEM = "1"
"""The number of VMEM among the memory spaces of XLA."""
_KERNEL = re.compile(r'^ *(?:ROOT )?%?(\S+) = .*custom_call_target="tpu_custom_call"')
_USED = re.compile(r'"used_scoped_memory_configs":(\[.*?\])')
_NEEDED = re.compile(r"(?:Scoped allocation with size|memory space vmem\. Used) ([\d.]+)([BKMG])")
_ALLOWED = re.compile(r" and limit ([\d.]+)([BKMG])")
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
    return _bytes(_NEEDED.search(message))


def allowed_vmem(message: str) -> int | None:
    """The bytes of VMEM that such a refusal says are allowed; None for others."""
    return _bytes(_ALLOWED.search(message))


def _bytes(match: re.Match[str] | None) -> int | None:
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
    with tempfile.TemporaryDirectory(prefix="tilec-") as folder:
        flags = {"XLA_FLAGS": f"--xla_dump_to={folder}", "LIBTPU_INIT_ARGS": "--xla_msa_enable=false"}
        compile_in_child(text, function, structs, chip, flags)
        texts = [path.read_text() for path in sorted(Path(folder).glob("*.after_codegen.txt"))]
    return {name: size for each in texts for name, size in scoped_vmem(each).items()}
