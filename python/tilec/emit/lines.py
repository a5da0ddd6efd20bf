"""Lines of the emitted module, each with the operation it came from."""

from collections.abc import Generator
from contextlib import contextmanager

from xdsl.ir import Operation

from tilec.diagnostics import file_location, where

INDENT = "    "
LINE = 110
"""Characters in a line, beyond which a list of arguments is broken."""


class Lines:
    """Text that is written line by line, at a depth of indentation."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Operation | None]] = []
        self._depth = 0

    def add(self, text: str = "", op: Operation | None = None) -> None:
        """Add one line, or several with line ends between, that came from `op`."""
        for line in text.split("\n"):
            self.lines.append(((INDENT * self._depth + line).rstrip(), op))

    def gap(self) -> None:
        """Set what follows apart by an empty line, unless it begins a block or an empty line is there."""
        if self.lines and self.lines[-1][0] and not self.lines[-1][0].endswith(":"):
            self.add()

    def close(self) -> None:
        """Take away empty lines at the end."""
        while self.lines and not self.lines[-1][0]:
            self.lines.pop()

    @contextmanager
    def indented(self) -> Generator[None]:
        """What is added inside is one level deeper."""
        self._depth += 1
        yield
        self._depth -= 1

    def render(self) -> str:
        return "".join(f"{line}\n" for line, _ in self.lines)

    def origins(self) -> dict[int, str]:
        """For each line number, from 1, whose operation has a place in a file: `file:line:col op`."""
        return {
            number: f"{where(op)} {op.name}"
            for number, (line, op) in enumerate(self.lines, 1)
            if line and op is not None and file_location(op.location) is not None
        }
