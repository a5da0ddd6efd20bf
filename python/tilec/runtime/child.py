"""Compiles in a process of its own: libtpu reads its flags when it is loaded, and some kernels are too much
for it.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from tilec.chips import chip_named
from tilec.runtime.aot import Compiled, CompileRefused, CompilerFailed, compile_for, need_libtpu
from tilec.runtime.jax_private import keep_lines
from tilec.runtime.load import entry, load

# A few kernels keep the compiler busy for minutes, or take all memory there is.
_SECONDS = 120
_BYTES = 16 << 30


def compile_in_child(
    text: str,
    function: str,
    structs: Sequence[jax.ShapeDtypeStruct],
    chip: str,
    flags: Mapping[str, str],
) -> Compiled:
    """Compiles `function` of an emitted module's `text`; `flags` are added to those in environment variables.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB, dies,
    or is not installed.
    """
    need_libtpu()
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
        raise CompilerFailed(f"compiling for {chip} takes more than {_SECONDS} s") from None
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise CompilerFailed(f"the compiler for {chip} died with status {child.returncode}: {last}")
    answer: dict[str, Any] = json.loads(child.stdout)
    if "message" in answer:
        raise CompileRefused(**answer)
    return Compiled(chip=chip_named(chip), **answer)


def _compile_request() -> dict[str, Any]:
    """Compiles what stdin asks for; gives what `Compiled` or `CompileRefused` has."""
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, _BYTES))
    request = json.load(sys.stdin)
    keep_lines()
    module = load(request["text"], request["function"])
    structs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in request["structs"]]
    try:
        compiled = compile_for(entry(module, request["function"]), structs, request["chip"])
        return {name: value for name, value in vars(compiled).items() if name != "chip"}
    except CompileRefused as refused:
        return {
            "message": refused.message,
            "module_line": refused.module_line,
            "tile_location": refused.tile_location,
        }


if __name__ == "__main__":
    print(json.dumps(_compile_request()))
