"""Results of tuning on disk: an entry for each program, arguments, chip, and versions of what made it.

`tilec.runtime.cache` has the files: an entry is written whole or not at all, so that two tuners at once do no
harm, and what goes wrong warns with one line.
"""

import json
import warnings
from dataclasses import asdict, dataclass

from tilec.runtime.cache import digest, installed, load_result, sources, store_result
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program

PACKAGES = ("xdsl", "jax", "jaxlib", "libtpu")
KIND = "tuning"
_FOLDERS = (
    *("analysis", "analysis/alignment", "analysis/cost", "chips", "dialects/pallas", "dialects/tile", "emit"),
    *("lowering", "passes", "rewriting", "runtime", "tuning"),
)
"""What kernels and their estimates are made by."""
_OPTIONAL = ("measured", "within")


def versions() -> dict[str, str]:
    """What an entry depends on besides what is tuned."""
    return {"tilec": sources(*_FOLDERS), **installed(*PACKAGES)}


def key_of(program: Program, chip: str, compiles: int) -> str:
    """What tells one entry from another: the program with its arguments, chip, versions, how hard it was
    searched."""
    told = [program.to_json(), chip, compiles, versions()]
    return digest([json.dumps(told, sort_keys=True).encode()])


@dataclass(frozen=True)
class Entry:
    """A choice, the seconds of its estimate, and those of a call on a TPU, if it was run on one.

    `within` are the seconds that the search had, if it ended as they were over.
    """

    choice: Choice
    seconds: float
    measured: float | None = None
    within: float | None = None


def known(key: str) -> Entry | None:
    """An entry; None if there is none, or none that can be read."""
    entry = load_result(KIND, key)
    if entry is None:
        return None
    try:
        measured, within = (None if (given := entry[name]) is None else float(given) for name in _OPTIONAL)
        return Entry(Choice.from_json(entry["choice"]), float(entry["seconds"]), measured, within)
    except (LookupError, TypeError, ValueError) as error:
        warnings.warn(f"entry {key} of tuning is left aside: {error}", RuntimeWarning, stacklevel=2)
        return None


def keep(key: str, entry: Entry) -> None:
    """Write an entry."""
    store_result(KIND, key, {**asdict(entry), "choice": entry.choice.to_json()})
