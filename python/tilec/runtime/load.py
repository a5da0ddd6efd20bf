"""Executes the text of an emitted module, and leads from its lines back to tile ops."""

import hashlib
import inspect
import linecache
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tilec.emit.names import Names


def load(text: str, name: str) -> ModuleType:
    """Executes `text` as a new module called `name` and returns it.

    The text is known to `linecache` under a name made from `name` and its own digest, so tracebacks, the race
    detector and the TPU compiler's refusals all name lines of it, though no file is written.
    Nothing is put into `sys.modules`. What the text raises is not caught.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    file = f"<tilec {name} {digest}>"
    # No modification time: linecache then never looks for the file on disk.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = ModuleType(name)
    module.__file__ = file
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def entry(module: ModuleType, name: str) -> Callable[..., Any]:
    """The function of an emitted module that a program calls `name`, which Python or the module may use for
    another thing, as `sum` and `np`."""
    found: Callable[..., Any] = getattr(module, Names().fresh(name))
    return found


def file_of(fn: Callable[..., object]) -> str:
    """The file of the function, as tracebacks name it; empty for one not written in Python."""
    return getattr(getattr(inspect.unwrap(fn), "__code__", None), "co_filename", "")


def tile_location(fn: Callable[..., object], line: int | None) -> str | None:
    """The `file:line:col of op` behind a line of the emitted module of `fn`, where it has one."""
    lines: dict[int, str] = getattr(inspect.unwrap(fn), "__globals__", {}).get("TILE_LINES", {})
    return None if line is None else lines.get(line)
