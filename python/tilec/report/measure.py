"""Estimates with what their compile took, both kept in the user's folder for caches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from tilec.analysis.cost.estimate import Estimate
from tilec.runtime.cache import digest, installed, load_result, store_result
from tilec.runtime.estimate import estimate
from tilec.runtime.schedules import Compilation, schedules_of


@dataclass(frozen=True)
class Measured:
    """An estimate, the seconds that the TPU compiler took when it compiled for it, and bytes of code."""

    estimate: Estimate
    compile_seconds: float
    code_bytes: int


def measure(text: str, function: str, arguments: Sequence[Any], chip: str) -> Measured:
    """Compiles `function` of an emitted module's `text` and estimates one call, as `runtime.estimate` does.

    Raises `CompileRefused`, and ValueError for an unknown chip.
    """
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments]
    packages = installed("jax", "jaxlib", "libtpu")
    asked = (text, function, [(tuple(each.shape), str(each.dtype)) for each in structs], chip, packages)
    key = digest(repr(part).encode() for part in asked)

    def compiler(text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str) -> Compilation:
        found = schedules_of(text, function, structs, chip)
        store_result("compiles", key, [found.compile_seconds, found.code_bytes])
        return found

    found = estimate(text, function, arguments, chip, compiler)
    kept = load_result("compiles", key)
    if kept is None:  # the estimate was in the cache, and this is not
        again = compiler(text, function, structs, chip)
        kept = [again.compile_seconds, again.code_bytes]
    return Measured(found, float(kept[0]), int(kept[1]))
