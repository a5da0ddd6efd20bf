"""A folder of results that take long to compute, each under a digest of all that it depends on."""

import functools
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

import tilec


@functools.cache
def sources(*folders: str) -> str:
    """A digest of the Python files in folders of tilec, such as `analysis/cost`."""
    root = Path(tilec.__file__).parent
    files = (path for folder in folders for path in sorted((root / folder).glob("*.py")))
    return digest(path.read_bytes() for path in files)


def installed(*packages: str) -> dict[str, str]:
    """The versions of packages, `none` of those that are not there."""
    found = {name: "none" for name in packages}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def digest(parts: Iterable[bytes]) -> str:
    """One digest of several parts, in order."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def load_result(kind: str, key: str) -> Any:
    """What `store_result` kept under a key, or None.

    What cannot be read warns with one line, and counts as not there.
    """
    path = _path(kind, key)
    try:
        kept: Mapping[str, Any] = json.loads(path.read_text())
        if kept["digest"] == digest([json.dumps(kept["result"]).encode()]):
            return kept["result"]
        reason = "its digest is not that of its content"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
    warnings.warn(f"{path} in the cache is left aside: {reason}", RuntimeWarning, stacklevel=2)
    return None


def store_result(kind: str, key: str, result: Any) -> None:
    """Keeps a result of plain data under a key. Where it cannot be written, that warns with one line."""
    path = _path(kind, key)
    kept = json.dumps({"digest": digest([json.dumps(result).encode()]), "result": result})
    made: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            made = file.name
            file.write(kept)
        os.replace(made, path)
    except OSError as error:
        if made is not None:
            Path(made).unlink(missing_ok=True)
        reason = error.strerror or error
        warnings.warn(f"{path.parent} keeps nothing: {reason}", RuntimeWarning, stacklevel=2)


def _path(kind: str, key: str) -> Path:
    return Path(platformdirs.user_cache_dir("tilec", appauthor=False), kind, f"{key}.json")
