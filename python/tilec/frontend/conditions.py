"""Conditions on sizes that Python decided by."""

from collections.abc import Sequence

import sympy


def holds_for_any(expr: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> bool:
    """Whether a condition on block sizes holds for all that are at least 2: seen on some."""
    samples = ([2] * 9, [8, 16, 128, 32, 64, 256, 512, 1024, 2048], [384, 3, 5, 7, 1024, 2, 9, 11, 13])
    return all(expr.subs(dict(zip(symbols, sample, strict=False))) == sympy.true for sample in samples)


def of_several(condition: sympy.Basic) -> bool:
    """Whether a condition on one size holds for every size of 2 or more."""
    if len(condition.free_symbols) != 1:
        return False
    more = sympy.Symbol("more", integer=True, nonnegative=True)
    return sympy.simplify(condition.subs(dict.fromkeys(condition.free_symbols, more + 2))) == sympy.true
