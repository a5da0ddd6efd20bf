"""A rewritten function stands where the original stood, with its globals, closure, lines and columns."""

import functools
import inspect
import linecache
import re
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from plain_markers import PlainMarkers, PlainRegion, function_of

from tilec.diagnostics import TileError
from tilec.frontend.rewrite import rewritten

LIMIT = 3


def same(fn: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    """`fn` rewritten, which must be another function that returns the same."""
    traced = rewritten(fn, PlainMarkers())
    assert traced is not fn
    assert traced(*args) == fn(*args)
    return traced


def test_what_a_function_says_of_itself_stays() -> None:
    def inner(a: int, b: int = 2, *, c: int = 3) -> int:
        """Sums."""
        return sum([a, b, c])

    inner.note = "kept"  # pyright: ignore[reportFunctionMemberAccess]
    traced = same(inner, 1)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__dict__"):
        assert getattr(traced, name) == getattr(inner, name)
    assert inspect.signature(traced) == inspect.signature(inner)
    assert inspect.getsource(traced) == inspect.getsource(inner)
    assert traced.__globals__ is inner.__globals__
    assert traced.__code__.co_qualname == inner.__code__.co_qualname


def test_functions_inside_keep_their_qualified_names_and_texts() -> None:
    def outer() -> str:
        count = 0

        def inner() -> int:
            """Counts."""
            nonlocal count
            count += abs(1)
            return count

        count = inner()
        return inner.__qualname__ + str(inner.__doc__)

    same(outer)


def test_closure_cells_are_shared() -> None:
    count = 0

    def bump(n: int) -> int:
        nonlocal count
        for _ in range(n):
            count += 1
        return 0

    same(bump, 2)
    assert count == 4


def test_a_variable_further_out_is_no_variable_of_the_function_between() -> None:
    count = 0

    def middle(n: int) -> int:
        def bump() -> None:
            nonlocal count
            count += 1

        for _ in range(n):
            bump()
        return 0

    same(middle, 2)
    assert count == 4


def test_globals_are_live(monkeypatch: pytest.MonkeyPatch) -> None:
    def limit() -> int:
        return abs(LIMIT)

    traced = rewritten(limit, PlainMarkers())
    monkeypatch.setitem(globals(), "LIMIT", 5)
    assert traced() == 5


def test_a_global_that_a_loop_writes_is_carried() -> None:
    f = function_of("def f(n):\n  for i in range(n):\n    global TOTAL\n    TOTAL = i\n  return TOTAL\n")
    markers = PlainMarkers()
    assert rewritten(f, markers)(3) == 2
    assert markers.loops[0].names == ("TOTAL",)


class Base:
    def value(self) -> int:
        return 1


class Derived(Base):
    __factor = 2

    def value(self, times: int = 1) -> int:
        total = super().value()
        for _ in range(times):
            total = total * self.__factor
        return total if __class__ is Derived else 0

    @staticmethod
    @functools.cache
    def cached(n: int) -> int:
        return abs(n)


def test_methods_see_their_class() -> None:
    assert same(Derived().value, 2)(3) == 8
    assert same(Derived.value, Derived(), 2)(Derived()) == 2


def decorated(note: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    del note
    return lambda fn: fn


@decorated("one")
@decorated(
    "two",
)
def with_decorators(n: int) -> int:
    return abs(
        n // 0,
    )


def test_decorators_do_not_run_again_and_lines_stay() -> None:
    traced = rewritten(with_decorators, PlainMarkers())
    assert isinstance(traced, FunctionType)
    assert traced.__code__.co_firstlineno == with_decorators.__code__.co_firstlineno
    assert place_of_error(traced) == place_of_error(with_decorators)


def chained(n: int) -> int:
    return (
        str(n)
        .strip()
        .join(
            ["a", "b"],
        )
        .index(
            str(n // 0),
        )
    )


def late(n: int) -> int:
    return (
        Late(n)
        .same()
        .fails(
            n,
        )
    )


class Late(int):
    def same(self) -> "Late":
        return self

    def fails(self, n: int) -> int:
        raise ZeroDivisionError


def test_calls_of_methods_over_several_lines_keep_their_places() -> None:
    for fn in (chained, late):
        assert lines_of_error(rewritten(fn, PlainMarkers())) == lines_of_error(fn)


def lines_of_error(fn: Callable[..., Any]) -> list[int | None]:
    with pytest.raises(ZeroDivisionError) as caught:
        fn(1)
    return [frame.lineno for frame in traceback.extract_tb(caught.value.__traceback__)][1:]


def place_of_error(fn: Callable[..., Any], file: str = __file__) -> tuple[int, ...]:
    """The line, last line and columns that the traceback of `fn(1)` shows in a file."""
    with pytest.raises(ZeroDivisionError) as caught:
        fn(1)
    frames = traceback.extract_tb(caught.value.__traceback__)
    frame = [frame for frame in frames if frame.filename == file][-1]
    return tuple(part or 0 for part in (frame.lineno, frame.end_lineno, frame.colno, frame.end_colno))


LAMBDAS = """\
def f(n):
    one, two = (lambda x: x if x else 1), (lambda x: x if x else 2)
    nested = lambda x: lambda y: x or y
    defaults = lambda x, y=lambda: 5, *, z=(lambda: 6): abs(x) + y() + z()
    long = lambda x: (
        abs(x)  // 0
    )
    alike = (lambda x: abs(x) // 0), (lambda x: abs(x) // 0)
    return [one, two, nested, nested(0), defaults, long, *alike][n]
"""


def test_lambdas_are_told_apart() -> None:
    one, two, nested, inner, defaults = (function_of(LAMBDAS)(n) for n in range(5))
    assert (same(one, 0)(0), same(two, 0)(0)) == (1, 2)
    assert rewritten(nested, PlainMarkers())(0)(3) == 3
    assert same(inner, 3)(4) == 4
    assert same(defaults, -1)(-2) == 13


def test_lambdas_keep_their_places() -> None:
    places = [place_of_error(function_of(LAMBDAS)(n), "<text>") for n in (5, 6, 7)]
    marked = [rewritten(function_of(LAMBDAS)(n), PlainMarkers()) for n in (5, 6, 7)]
    assert [place_of_error(fn, "<text>") for fn in marked] == places
    assert len(set(places)) == 3  # though two have equal code


def test_code_is_made_once() -> None:
    def made(n: int) -> Callable[[], int]:
        return lambda: abs(n)

    one, two = rewritten(made(1), PlainMarkers()), rewritten(made(2), PlainMarkers())
    assert isinstance(one, FunctionType)
    assert isinstance(two, FunctionType)
    assert one.__code__ is two.__code__
    assert (one(), two()) == (1, 2)


def test_markers_belong_to_the_function() -> None:
    def size(x: int) -> int:
        return abs(x)

    one, two = PlainMarkers(), PlainMarkers()
    traced = rewritten(size, one)
    rewritten(size, two)(1)
    assert (one.called, two.called) == ([], [abs])
    traced(1)
    assert one.called == [abs]


PLACES = """\
def f(n):
    for i in range(
        n
    ):
        n = i
    if n < 5:
        n = 1
    x = 1 if n else 2
    x = n and 1
    x = n or 1
    x = not n
    while n > x: n = 0
    assert n > 0
    x = [y for y in (1, 2) if y < n]
"""


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("loop", "range(\n        n\n    )"),
        ("begin", "range(\n        n\n    )"),
        ("end", "range(\n        n\n    )"),
        ("finish", "range(\n        n\n    )"),
        ("call", "range"),
        ("branch", "n < 5"),
        ("choose", "1 if n else 2"),
        ("both", "n and 1"),
        ("either", "n or 1"),
        ("negate", "not n"),
        ("decide", "n > x"),
    ],
)
def test_markers_are_called_from_where_the_user_wrote_what_they_mark(
    monkeypatch: pytest.MonkeyPatch, method: str, text: str
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    region = method in {"begin", "end", "finish"}
    monkeypatch.setattr(PlainRegion if region else PlainMarkers, method, fails)
    line, last, first, end = place_of_error(rewritten(function_of(PLACES), PlainMarkers()), "<text>")
    lines = "\n".join(PLACES.splitlines()[line - 1 : last])
    assert lines[first : len(lines) - len(lines.splitlines()[-1]) + end] == text


def test_what_is_rewritten_already_is_left_alone() -> None:
    def size(x: int) -> int:
        return abs(x)

    traced = rewritten(size, PlainMarkers())
    assert rewritten(traced, PlainMarkers()) is traced


def test_functions_inside_use_the_same_markers() -> None:
    def outer(n: int) -> int:
        class Sums:
            start = 1 if n else 0

            def total(self, more: int = start if n else 3) -> int:
                for i in range(n):
                    more += i
                return self.start + more

        return Sums().total()

    markers = PlainMarkers()
    assert rewritten(outer, markers)(3) == outer(3)
    assert markers.loops[0].names == ("more",)


def test_what_has_no_marks_to_make_is_left_alone() -> None:
    def plain(x: int) -> int:
        return x + 1

    assert rewritten(plain, PlainMarkers()) is plain


def test_without_source_a_function_stays() -> None:
    names: dict[str, Any] = {}
    exec("def f(n):\n  return abs(n)\n", names)
    assert rewritten(names["f"], PlainMarkers()) is names["f"]
    assert rewritten(abs, PlainMarkers()) is abs
    part = functools.partial(abs, 1)
    assert rewritten(part, PlainMarkers()) is part


@pytest.mark.parametrize(
    "later",
    [
        "def f(n):\n  return max(n, 1)\n",  # other names
        "def g(n):\n  return abs(n)\n",  # another function
        "\ndef f(n):\n  return abs(n)\n",  # elsewhere
        "def f(n:\n",  # no Python
    ],
)
def test_a_file_that_has_changed_since_is_not_believed(tmp_path: Path, later: str) -> None:
    file = tmp_path / "program.py"
    file.write_text("def f(n):\n  return abs(n)\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    linecache.getlines(str(file))
    file.write_text(later + "# longer\n")
    assert rewritten(names["f"], PlainMarkers()) is names["f"]


def test_features_of_the_module_stay() -> None:
    text = (
        "from __future__ import annotations\ndef f(n):\n  def g(x: nowhere): return abs(x)\n  return g(n)\n"
    )
    same(function_of(text), -1)


async def later() -> None: ...


async def later_each() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("later", [later, later_each])
def test_async_functions_are_refused(later: FunctionType) -> None:
    line = later.__code__.co_firstlineno
    message = f"test_rewrite_source.py:{line}:1: error: {later.__qualname__} is an async function; "
    with pytest.raises(TileError, match=re.escape(message + "only plain functions can be traced")):
        rewritten(later, PlainMarkers())
