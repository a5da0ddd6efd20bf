"""Where the user's code stands: the expression that is being traced, through inlined helpers."""

import inspect
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType

import torch
from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, IntAttr, LocationAttr, StringAttr, UnknownLoc

from tilec.diagnostics import file_location

_OURS = (str(Path(__file__).parent.parent) + "/", str(Path(torch.__file__).parent) + "/", "<frozen ")
"""Beginnings of the file names of code that is not the user's."""


@lru_cache(maxsize=4096)
def _is_users(file: str) -> bool:
    return not file.startswith(_OURS) and not file.endswith(("/contextlib.py", "/functools.py"))


@lru_cache(maxsize=65536)
def _line(code: CodeType, offset: int) -> tuple[int, int]:
    """The line and column, both from 1, of the expression at an offset of bytecode.

    Code of two files is equal where its text and lines are, so the file is no part of what is kept.
    """
    line, column = code.co_firstlineno, 0
    for i, (start, _, first, _) in enumerate(code.co_positions()):
        if i == offset // 2:
            line, column = start or line, first or 0
            break
    return line, column + 1


def _position(code: CodeType, offset: int) -> FileLineColLoc:
    line, column = _line(code, offset)
    return FileLineColLoc(StringAttr(code.co_filename), IntAttr(line), IntAttr(column))


def user_location(outermost: FrameType | None) -> LocationAttr:
    """The location of what the user's code is doing now.

    Frames are those of the user's functions inside `outermost`, the tracer's own frame. Of a helper that was
    called the location is a call site: the helper's expression, and that of who called it.
    """
    frame = inspect.currentframe()
    places: list[FileLineColLoc] = []
    while frame is not None and frame is not outermost:
        if _is_users(frame.f_code.co_filename):
            places.append(_position(frame.f_code, frame.f_lasti))
        frame = frame.f_back
    if not places:
        return UnknownLoc()
    location: LocationAttr = places[-1]
    for callee in reversed(places[:-1]):
        location = CallSiteLoc(callee, location)
    return location


def moved_to(location: LocationAttr, line: int, column: int) -> LocationAttr:
    """Another line and column of the file of a location, both from 1."""
    found = file_location(location)
    return location if found is None else FileLineColLoc(found.filename, IntAttr(line), IntAttr(column))


def user_variables(outermost: FrameType | None) -> dict[str, object]:
    """The local variables of the user's function that is running."""
    frame = inspect.currentframe()
    while frame is not None and frame is not outermost:
        if _is_users(frame.f_code.co_filename):
            return frame.f_locals
        frame = frame.f_back
    return {}


def error_location(error: BaseException) -> LocationAttr:
    """The location of the innermost expression of the user's that an error passed through."""
    found: LocationAttr = UnknownLoc()
    step = error.__traceback__
    while step is not None:
        if _is_users(step.tb_frame.f_code.co_filename):
            found = _position(step.tb_frame.f_code, step.tb_lasti)
        step = step.tb_next
    return found
