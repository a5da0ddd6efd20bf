"""Compiles in a process of its own: libtpu reads its flags when it is loaded, and some kernels are too much
for it.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp

from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.load import load

# A few kernels keep the compiler busy for minutes, or take all memory there is.
_SECONDS = 120
_BYTES = 16 << 30


def compile_in_child(
    text: str,
    function: str,
    structs: Sequence[jax.ShapeDtypeStruct],
    chip: str,
    flags: Mapping[str, str],
) -> None:
    """Compiles `function` of an emitted module's `text`; `flags` are added to those in environment variables.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB.
    """
    request = {
        "text": text,
        "function": function,
        "structs": [(struct.shape, jnp.dtype(struct.dtype).name) for struct in structs],
        "chip": chip,
    }
    added = {name: f"{os.environ.get(name, '')} {value}" for name, value in flags.items()}
    command = [sys.executable, "-m", "tilec.runtime.child"]
    try:
        child = subprocess.run(
            command,
            input=json.dumps(request),
            env=os.environ | added,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise CompileRefused(f"compiling for {chip} takes more than {_SECONDS} s", None, None) from None
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise CompileRefused(
            f"the compiler for {chip} died with status {child.returncode}: {last}", None, None
        )
    refusal = json.loads(child.stdout)
    if refusal is not None:
        raise CompileRefused(**refusal)


def _compile_request() -> dict[str, object] | None:
    """Compiles what stdin asks for; gives the refusal, if there is one."""
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, _BYTES))
    request = json.load(sys.stdin)
    module = load(request["text"], request["function"])
    structs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in request["structs"]]
    try:
        compile_for(getattr(module, request["function"]), structs, request["chip"])
    except CompileRefused as refused:
        return {
            "message": refused.message,
            "module_line": refused.module_line,
            "tile_location": refused.tile_location,
        }
    return None


if __name__ == "__main__":
    print(json.dumps(_compile_request()))
