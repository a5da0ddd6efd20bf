"""What Pallas makes of kernels: modules of MLIR's Mosaic dialect, as text."""

import contextlib
import functools
import io
import re
import types

import jax
from jax.experimental import pallas as pl

from tilec.chips import chip_named
from tilec.runtime.executable import Executable
from tilec.runtime.load import entry, load
from tilec.runtime.simulated import simulated


def mosaic(executable: Executable, chip: str) -> str:
    """The modules of all kernels of a program for a chip, as Pallas prints them.

    Raises ValueError for an unknown chip or a program with an extent that is known only when it runs.
    """
    target = chip_named(chip)
    name = executable.signature.name
    module = load(executable.for_chip(chip).text, name)
    # Pallas prints what it hands to the compiler where a call asks for it.
    asking = {**vars(pl), "pallas_call": functools.partial(pl.pallas_call, debug=True)}
    vars(module)["pl"] = types.SimpleNamespace(**asking)
    structs = executable.structs()
    with contextlib.redirect_stdout(io.StringIO()) as printed, simulated(target):
        jax.jit(entry(module, name)).trace(*structs).lower(lowering_platforms=("tpu",))
    found = re.findall(r"(?ms)^The Mosaic module for .*?:\n(module .*?)(?=^The |\Z)", printed.getvalue())
    return "\n".join(text.strip() for text in found)
