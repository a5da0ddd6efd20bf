"""What a call takes with what its compile took, both kept in the user's folder for caches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tilec.analysis.cost.estimate import Estimate, from_plain, plain
from tilec.analysis.cost.origins import Origin, Share
from tilec.chips import chip_named
from tilec.runtime.cache import load_result, store_result
from tilec.runtime.estimate import estimate_key, walk_of


@dataclass(frozen=True)
class Measured:
    """An estimate, what of each of its operations, by name, each line of the module takes, the seconds that
    the TPU compiler took when it compiled for it, and bytes of code."""

    estimate: Estimate
    shares: Mapping[str, Mapping[Origin, Share]]
    compile_seconds: float
    code_bytes: int


def measure(text: str, function: str, arguments: Sequence[Any], chip: str) -> Measured:
    """Compiles `function` of an emitted module's `text` and estimates one call, as `runtime.estimate` does.

    Raises `CompileRefused`, and ValueError for an unknown chip.
    """
    target = chip_named(chip)
    key = estimate_key(text, function, arguments, chip)
    kept = load_result("measures", key)
    if kept is None:
        walk = walk_of(text, function, arguments, target)
        compiled = walk.compilation
        found = Measured(walk.estimate(), walk.shares, compiled.compile_seconds, compiled.code_bytes)
        store_result("measures", key, _plain(found))
        store_result("estimates", key, plain(found.estimate))
        return found
    return Measured(
        from_plain(kept["estimate"]),
        {
            name: {origin: Share(issued, tuple(use)) for origin, issued, use in rows}
            for name, rows in kept["shares"].items()
        },
        kept["compile_seconds"],
        kept["code_bytes"],
    )


def _plain(found: Measured) -> Mapping[str, Any]:
    """Data that JSON has, in which numbers are no keys."""
    divided = {
        name: [(origin, share.issued, share.use) for origin, share in each.items()]
        for name, each in found.shares.items()
    }
    return {**vars(found), "estimate": plain(found.estimate), "shares": divided}
