"""What a run reports when the program, or an argument, does what the dialect forbids."""

from typing import NoReturn

from xdsl.ir import Operation

from tilec.diagnostics import TileError, where


class InterpreterError(TileError):
    """The program cannot be run any further. `place` is the operation that went wrong, `message` says why."""


class Race(InterpreterError):
    """Two iterations that are independent touch one element, and at least one writes it."""


def fault(op: Operation, message: str) -> NoReturn:
    """Stop the run at `op`. Raises InterpreterError at its place."""
    raise InterpreterError(message, where(op))
