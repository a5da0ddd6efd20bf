"""What a rewritten function tells its markers, and that with plain markers it does what it did."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from plain_markers import PlainMarkers, Told

from tilec.diagnostics import TileError
from tilec.frontend.rewrite import rewritten


def told(fn: Callable[..., Any], *args: Any) -> PlainMarkers:
    """What the markers of `fn` are told when it runs on `args`, and that it returns what it did."""
    markers = PlainMarkers()
    traced = rewritten(fn, markers)
    assert traced is not fn
    assert traced(*args) == fn(*args)
    return markers


def attention(queries: list[float], keys: list[float], values: list[float]) -> list[float]:
    out = [0.0] * len(queries)
    for row in range(len(queries)):
        query = queries[row]
        m, total, acc = -1e9, 0.0, 0.0
        for k in range(len(keys)):
            s = query * keys[k]
            m_new = max(m, s)
            p = 2.0 ** (s - m_new)
            alpha = 2.0 ** (m - m_new)
            total = total * alpha + p
            acc = acc * alpha + p * values[k]
            m = m_new
        out[row] = acc / total
    return out


def test_attention_carries_its_running_values() -> None:
    outer, inner, *_ = told(attention, [1.0, 2.0], [0.5, 0.25], [3.0, 4.0]).loops
    assert outer == Told((), ("row",), ("queries", "keys", "values", "out"), ())
    assert inner == Told(("total", "acc", "m"), ("k",), ("query", "keys", "m", "total", "acc", "values"), ())


def test_async_functions_are_refused() -> None:
    async def later() -> None: ...

    line = later.__code__.co_firstlineno
    message = f"test_rewrite.py:{line}:1: error: test_async_functions_are_refused.<locals>.later is an async"
    with pytest.raises(TileError, match=re.escape(message)):
        rewritten(later, PlainMarkers())
