"""Reading programs: a parser that tells each operation where it stands, and the dialects it knows."""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects import get_all_dialects as get_xdsl_dialects
from xdsl.dialects.builtin import UNKNOWN_LOC, FileLineColLoc, IntAttr, ModuleOp, StringAttr
from xdsl.ir import Operation, Region
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.mlir_lexer import MLIRTokenKind

from tilec.diagnostics import TileError, one_line
from tilec.dialects import get_all_dialects


def make_context() -> Context:
    """A context with every dialect of xDSL and of ours, each loaded on first use."""
    context = Context()
    for name, load in (get_xdsl_dialects() | get_all_dialects()).items():
        context.register_dialect(name, load)
    return context


def read_text(path: str) -> str:
    """The text of the file at `path`, or of standard input for `-`.

    Raises TileError if it is not UTF-8, OSError if it cannot be read.
    """
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8, which a program must be"
        raise TileError(message, f"{source_name(path)}:{line}") from error


def source_name(path: str) -> str:
    """How messages call the file at `path`."""
    return "<stdin>" if path == "-" else path


def parse_file(path: str, context: Context) -> ModuleOp:
    """Parse, but do not verify, the program at `path`, or standard input for `-`.

    Raises ParseError for what is no program, TileError if it is not UTF-8, OSError if it cannot be read.
    """
    return LocatingParser(context, read_text(path), source_name(path)).parse_module()


class LocatingParser(Parser):
    """A parser that gives what has no `loc(...)` of its own the place of its first token in the file.

    An operation that an assembly format adds unwritten, such as a yield, gets the place of its parent.
    """

    def __init__(self, ctx: Context, input: str, name: str) -> None:
        super().__init__(ctx, input, name)
        self._op_start = 0
        self._file = StringAttr(name)
        self._line_starts = [0, *(newline.end() for newline in re.finditer("\n", input))]

    def _location(self, position: int) -> FileLineColLoc:
        line = bisect_right(self._line_starts, position)
        column = position - self._line_starts[line - 1] + 1
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(column))

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        if self._current_token.kind == MLIRTokenKind.EOF:
            self.raise_error("there is no program: no operation was found")
        module = super().parse_module(allow_implicit_module)
        if module.location == UNKNOWN_LOC:
            module.location = self._location(0)
        return module

    def parse_operation(self) -> Operation:
        self._op_start = start = self.pos
        try:
            op = super().parse_operation()
        except VerifyException as error:
            # A type or attribute that is read well but makes no sense.
            self.raise_error(one_line(error), start)
        if op.location == UNKNOWN_LOC:
            op.location = self._location(start)
        _hand_down_location(op)
        return op

    def _get_op_by_name(self, name: str) -> type[Operation]:
        # xDSL reports an unknown name at the token after it, which may be on another line.
        op_type = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if op_type is None:
            self.raise_error(f"operation '{name}' is not registered", self._op_start)
        return op_type

    def parse_optional_region(self, arguments: Iterable[Parser.Argument] | None = None) -> Region | None:
        if arguments is None:
            return super().parse_optional_region()
        arguments = tuple(arguments)
        for argument in arguments:
            if argument.location is None:
                argument.location = self._location(argument.name.start)
        return super().parse_optional_region(arguments)


def _hand_down_location(op: Operation) -> None:
    for region in op.regions:
        for block in region.blocks:
            for argument in block.args:
                if argument.location == UNKNOWN_LOC:
                    argument.location = op.location
            if block.last_op is not None and block.last_op.location == UNKNOWN_LOC:
                block.last_op.location = op.location
