"""Prints the bundles of each loop of an emitted kernel, for one chip or several.

    python benchmarks/bundles.py MODULE.py FUNCTION 'i32[9]' 'bf16[2048,512]' 'bf16[8,512,256]'

The shapes are those of the function's arguments.
"""

import argparse
import re
import sys
from pathlib import Path

import jax

from tilec.chips import CHIPS
from tilec.runtime.aot import CompileRefused
from tilec.runtime.bundles import kernel_loops

_DTYPES = {
    "f32": "float32",
    "bf16": "bfloat16",
    "f16": "float16",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "i1": "bool",
}


def struct(text: str) -> jax.ShapeDtypeStruct:
    """The shape and dtype that `bf16[8,128]` spells; argparse reports the `ValueError`."""
    match = re.fullmatch(r"(\w+)\[([\d,]*)\]", text)
    if match is None or match[1] not in _DTYPES:
        raise ValueError
    return jax.ShapeDtypeStruct([int(extent) for extent in match[2].split(",") if extent], _DTYPES[match[1]])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", type=Path)
    parser.add_argument("function")
    parser.add_argument("structs", type=struct, nargs="*", metavar="bf16[8,128]")
    parser.add_argument("--chips", default="v5e,v6e,tpu7x", help=f"of {','.join(CHIPS)}")
    options = parser.parse_args()
    text = options.module.read_text()
    print(f"{'chip':6} {'kernel':24} bundles of each loop (> for the depth)")
    refusals = 0
    for chip in options.chips.split(","):
        try:
            kernels = kernel_loops(text, options.function, options.structs, chip)
        except CompileRefused as refused:
            refusals += 1
            print(f"{chip:6} refused: {refused}")
            continue
        for name, loops in kernels.items():
            print(f"{chip:6} {name:24} {' '.join('>' * loop.depth + str(loop.bundles) for loop in loops)}")
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main())
