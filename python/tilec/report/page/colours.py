"""Quiet colours for lines of Python and of MLIR."""

import re
from collections.abc import Iterator

from pygments.lexers.python import PythonLexer  # pyright: ignore[reportMissingTypeStubs]
from pygments.token import Comment, Keyword, Number, String

from tilec.report.page.markup import Html, joined, tag

_PYTHON = ((Comment, "c"), (String, "s"), (Keyword, "k"), (Number, "n"))
_MLIR = re.compile(
    r'(?P<c>//.*)|(?P<s>"(?:[^"\\]|\\.)*")|(?P<v>%[\w$.-]+)|(?P<t>[!#@][\w$.]+)|(?P<k>\b[a-z]\w*\.[\w.]+)'
    r"|(?P<n>\b\d[\d.e+-]*\b)"
)


def python(text: str) -> list[Html]:
    """The lines of Python text."""
    tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens(text)
    found: list[list[Html]] = [[]]
    for kind, value in tokens:
        name = next((each for parent, each in _PYTHON if kind in parent), None)
        for index, part in enumerate(value.split("\n")):
            found += [[]] if index else []
            if part:
                found[-1].append(tag("i", part, class_=name) if name else joined(part))
    return [joined(line) for line in found]


def mlir(text: str) -> list[Html]:
    """The lines of IR."""
    return [joined(_tokens(line)) for line in text.split("\n")]


def _tokens(line: str) -> Iterator[Html]:
    end = 0
    for match in _MLIR.finditer(line):
        yield joined(line[end : match.start()])
        yield tag("i", match[0], class_=match.lastgroup)
        end = match.end()
    yield joined(line[end:])
