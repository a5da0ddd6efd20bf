"""Results of tuning on disk: an entry for each program, arguments, chip and versions of what made it.

An entry is a small JSON file, written whole or not at all, so that two tuners at once do no harm: the later
one's answer stays. One that cannot be read counts as missing. Nothing here raises for what the disk does;
what went wrong is one line for the user.
"""

import hashlib
import json
import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

from tilec.tuning.choice import Choice
from tilec.tuning.program import Program

FORMAT = 1
"""Changes when entries of before would be read wrongly, or when the search finds other answers."""
PACKAGES = ("tilec", "xdsl", "jax", "libtpu")


def default_folder() -> Path:
    """Where results are kept: the user's cache folder for tilec."""
    return platformdirs.user_cache_path("tilec") / "tuning"


def versions() -> dict[str, str]:
    """What an entry depends on besides what is tuned."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # as of what runs from its source
            found[name] = "none"
    return found


def key_of(program: Program, chip: str) -> str:
    """What tells one entry from another: the program with its places, arguments, chip, versions."""
    told = [FORMAT, program.to_json(), chip, versions()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


class Cache:
    """The entries in a folder. `notes` gathers what went wrong, a line each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []

    def get(self, key: str) -> tuple[Choice, float] | None:
        """The choice of an entry and its seconds; None if there is none, or none that can be read."""
        path = self.folder / f"{key}.json"
        try:
            return read_entry(json.loads(path.read_text()), key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self.notes.append(f"{path}: cannot be read, so it is tuned anew ({_reason(error)})")
            return None

    def put(self, key: str, choice: Choice, seconds: float) -> None:
        """Keep a choice."""
        entry = {"format": FORMAT, "key": key, "choice": choice.to_json(), "seconds": seconds}
        try:
            write_whole(self.folder / f"{key}.json", entry)
        except OSError as error:
            self.notes.append(f"{self.folder}: the result is not kept ({_reason(error)})")


def read_entry(data: Any, key: str) -> tuple[Choice, float]:
    """The choice and the seconds of an entry. Raises ValueError for what is none."""
    try:
        if data["format"] != FORMAT or data["key"] != key:
            raise ValueError("it is an entry of something else")
        return Choice.from_json(data["choice"]), float(data["seconds"])
    except (KeyError, TypeError) as error:
        raise ValueError("it is no entry") from error


def write_whole(path: Path, data: Any) -> None:
    """Write JSON so that who reads it sees all of it or what was there before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(data, file, indent=1)
            file.write("\n")
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"no JSON, {error}" if isinstance(error, json.JSONDecodeError) else str(error)
