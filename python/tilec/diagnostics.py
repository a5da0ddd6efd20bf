"""Errors and notes that name the place in the program they are about.

A place is written `file:line:col`. It comes from the location of an operation (`where`); every error that
reaches a user is one line, `place: error: message` (`render`). Passes refuse with `fail` and tell why they
declined with `explain`, which is silent unless a tool collects the notes (`collect_notes`).
"""

import argparse
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import (
    ArgSpecParseError,
    DiagnosticException,
    ParseError,
    PassFailedException,
    VerifyException,
)

_NOTES: ContextVar[list[str] | None] = ContextVar("tilec_notes", default=None)


class TileError(PassFailedException):
    """What was asked for cannot be done. `place` says where, `message` why and what would be accepted."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"{place}: error: {message}")
        self.message = message
        self.place = place


def fail(op: Operation, message: str) -> NoReturn:
    """Refuse `op`. Raises TileError at its place."""
    raise TileError(message, where(op))


def explain(op: Operation, text: str) -> None:
    """Note at `op` why a pass left it alone. Lost unless inside `collect_notes`."""
    notes = _NOTES.get()
    if notes is not None:
        notes.append(f"{where(op)}: note: {text}")


@contextmanager
def collect_notes() -> Generator[list[str]]:
    """Gather the notes of `explain` in the yielded list, in the order they were made."""
    notes: list[str] = []
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def where(op: Operation) -> str:
    """The place of `op` as `file:line:col`, or the first line of its text if it has no such location."""
    return place_of(op.location) or str(op).partition("\n")[0]


def place_of(location: Attribute) -> str | None:
    """A location as `file:line:col`, if it has these."""
    found = file_location(location)
    if found is None:
        return None
    return f"{found.filename.data}:{found.line.data}:{found.column.data}"


def file_location(location: Attribute) -> FileLineColLoc | None:
    """The file, line and column inside a location: of a call the callee's, of a fused one the first known."""
    match location:
        case FileLineColLoc():
            return location
        case NameLoc():
            return file_location(location.location)
        case CallSiteLoc():
            return file_location(location.callee) or file_location(location.caller)
        case FusedLoc(locations=ArrayAttr(data=parts)):
            return next((found for part in parts if (found := file_location(part))), None)
        case _:
            return None


def verify(module: Operation) -> None:
    """Verify `module` and all in it. Raises TileError at the operation that is wrong."""
    try:
        module.verify()
    except VerifyException as error:
        raise TileError(one_line(error), where(_culprit(module, str(error)))) from error


def _culprit(module: Operation, message: str) -> Operation:
    """The operation a verifier's message is about. xDSL does not say, so each is asked again, alone."""
    for op in module.walk(region_first=True):
        blocks = [block for region in op.regions for block in region.blocks if block.is_empty]
        for check in (*(block.verify for block in blocks), lambda op=op: op.verify(verify_nested_ops=False)):
            try:
                check()
            except VerifyException as error:
                if str(error) == message:
                    return op
    return module


def one_line(error: BaseException) -> str:
    """The message of an error, its lines joined."""
    return " ".join(str(error).split()) or type(error).__name__


def render(error: BaseException, place: str) -> str:
    """An error as the one line a tool prints. `place` serves errors that do not know their own."""
    match error:
        case TileError():
            return one_line(error)
        case ParseError():
            return f"{error.span.get_location()}: error: {' '.join(error.msg.split())}"
        case ArgSpecParseError():
            # Its text is a heading, a place, what was given, carets, and the reason.
            _, _, given, _, reason, *_ = str(error).splitlines()
            return f"{place}: error: in '{given}': {reason.strip()}"
        case OSError():
            return f"{error.filename or place}: error: {(error.strerror or str(error)).lower()}"
        case ModuleNotFoundError(name=str(name)) if not name.startswith("tilec"):
            package = name.partition(".")[0]
            return f"{place}: error: that needs the Python module {package}, which is not installed"
        case MemoryError():
            return f"{place}: error: there is not enough memory: {one_line(error)}"
        case RecursionError():
            return f"{place}: error: the program is nested too deeply"
        case DiagnosticException():
            return f"{place}: error: {one_line(error)}"
        case _:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            bug = f"{type(error).__name__}: {one_line(error)} ({Path(frame.filename).name}:{frame.lineno})"
            return f"{place}: error: internal error, please report it: {bug}"


@contextmanager
def _as_a_tool(name: str) -> Generator[None]:
    """Warnings are one line, closed streams take what is printed, and the signals that end a process raise
    SystemExit: so what is open is closed, and a terminal is as it was.
    """

    def warn(message: Warning | str, *where: object) -> None:
        print(f"{name}: warning: {' '.join(str(message).split())}", file=sys.stderr)

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # it was closed before
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))
    main = threading.current_thread() is threading.main_thread()
    taken = [each for each in _ENDING if main and signal.getsignal(each) is signal.SIG_DFL]
    with warnings.catch_warnings():
        warnings.showwarning = warn
        for each in taken:
            signal.signal(each, leave)
        try:
            yield
        finally:
            for each in taken:
                signal.signal(each, signal.SIG_DFL)


_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Arguments(argparse.ArgumentParser):
    """A command line. What is wrong with it is an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise TileError(message, self.prog)


def run_tool(name: str, body: Callable[[], int]) -> int:
    """Run the body of the tool `name` and return its exit status: 1, after one line, if it raises.

    A warning is one line too. Python's development mode (PYTHONDEVMODE=1) shows the traceback too.
    """
    try:
        with _as_a_tool(name):
            status = body()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader, say `head`, has seen enough. Python must not flush into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (Exception, ArgSpecParseError) as error:
        if sys.flags.dev_mode:
            traceback.print_exception(error)
        print(render(error, name), file=sys.stderr)
        return 1
