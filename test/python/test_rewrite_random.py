"""Random functions, rewritten: they do what they did, and regions are told of all variables that matter."""

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plain_markers import PlainMarkers, Speculating, function_of
from programs import RANDOM_PROGRAMS

from corpus.functions import VARIABLES, random_function
from tilec.frontend.rewrite import rewritten

FILE = "<random>"
ARGUMENTS = ((0, 1, 2, 3, 1, 0), (5, -1, 7, 2, 0, 4))
MANY = settings(RANDOM_PROGRAMS, max_examples=60)


def outcome(fn: Callable[..., Any], arguments: tuple[int, ...]) -> str:
    """What `fn` returns, or raises and at which lines, and what it appends to its list."""
    log: list[Any] = []
    try:
        result = f"{fn(*arguments, log)}"
    except Exception as error:
        # An unbound variable is one error where it is local, another where a lambda reads it.
        what = "NameError" if isinstance(error, NameError) else repr(error)
        result = f"{what} {lines_of(error)}"
    return f"{result} {[type(one) if isinstance(one, NameError) else one for one in log]}"


def lines_of(error: Exception) -> list[int]:
    """The lines at which the functions of the text were when `error` was raised. Lambdas are left out: the
    markers have some of their own.
    """
    frames: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILE and code.co_name != "<lambda>":
            frames.append(trace.tb_lineno)
        trace = trace.tb_next
    return frames


@MANY
@given(st.integers(0, 2**32 - 1))
def test_what_is_rewritten_does_what_it_did(number: int) -> None:
    fn = function_of(random_function(Random(number), calm=False), FILE)
    traced = rewritten(fn, PlainMarkers())
    for arguments in ARGUMENTS:
        assert outcome(traced, arguments) == outcome(fn, arguments)


@MANY
@given(st.integers(0, 2**32 - 1))
def test_regions_are_told_of_all_that_matters(number: int) -> None:
    fn = function_of(random_function(Random(number), calm=True), FILE)
    traced = rewritten(fn, Speculating())
    for arguments in ARGUMENTS:
        assert len(arguments) == len(VARIABLES)
        assert traced(*arguments, []) == fn(*arguments, [])
