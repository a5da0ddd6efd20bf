"""Results on disk, where disks fail and others write too."""

import errno
import itertools
import json
import os
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning_programs import Answers, jagged_row_sum, matmul
from xdsl.utils.arg_spec import parse_pipeline

from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime import cache as cache_module
from tilec.runtime.cache import store_result
from tilec.tuning.cache import Entry, keep, key_of, known
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program
from tilec.tuning.search import Budget
from tilec.tuning.tuner import NothingFits, Tuned, tune

CHOICE = Choice((("k", 128), ("m", 16)), loop="fori_loop", depth=3)
PROGRAM = matmul(256)
NO_MORE = {"measured": None, "within": None}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where entries are in a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tilec" / "tuning"


@given(
    st.dictionaries(st.text(min_size=1), st.integers(1, 4096)),
    st.sampled_from(["worklist", "overlaunch"]),
    st.integers(1, 4),
)
def test_a_choice_survives_json(blocks: dict[str, int], grouping: str, depth: int) -> None:
    choice = Choice(tuple(sorted(blocks.items())), grouping, depth=depth)
    assert Choice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


@given(
    st.dictionaries(st.sampled_from("kmn"), st.integers(1, 4096)),
    st.sampled_from([("auto", "grid"), ("auto", "unroll"), ("stream", "fori_loop"), ("overlaunch", "grid")]),
    st.sampled_from(["auto", "resident"]),
    st.none() | st.integers(1, 4),
    st.integers(1, 2),
    st.lists(st.sampled_from("mn"), unique=True).map(tuple),
)
def test_what_is_printed_are_options_of_the_pass(
    blocks: dict[str, int],
    loop: tuple[str, str],
    operands: str,
    depth: int | None,
    fetch: int,
    order: tuple[str, ...],
) -> None:
    choice = Choice(
        tuple(blocks.items()), *loop, operands=operands, depth=depth, fetch=fetch, order=order
    ).pipeline("v5e")
    (spec,) = parse_pipeline(f"tile-to-pallas{{{choice.told()}}}")
    assert TileToPallas.from_spec(spec) == choice
    assert "chip" not in choice.told()


def test_with_nothing_said_one_option_is_printed() -> None:
    assert str(Choice()) == "loop=grid"


def test_what_was_kept_is_known() -> None:
    assert known("one") is None
    keep("one", Entry(CHOICE, 1.5e-6, 2e-6))
    assert known("one") == Entry(CHOICE, 1.5e-6, 2e-6)
    assert known("two") is None


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"choice": CHOICE.to_json()},
        {"choice": CHOICE.to_json(), "seconds": 1.0},
        {"choice": CHOICE.to_json(), "seconds": 1.0, "measured": None},
        {"choice": CHOICE.to_json(), "seconds": 1.0, "measured": "later", "within": None},
        {"choice": CHOICE.to_json(), "seconds": "soon", "measured": None, "within": None},
        {"choice": None, "seconds": 1.0, **NO_MORE},
        {"choice": {"blocks": {}}, "seconds": 1.0, **NO_MORE},
        {
            "choice": {**CHOICE.to_json(), "blocks": {"m": "16"}},
            "seconds": 1.0,
            "measured": None,
            "within": None,
        },
        {
            "choice": {**CHOICE.to_json(), "blocks": {"m": 0}},
            "seconds": 1.0,
            "measured": None,
            "within": None,
        },
        {"choice": {**CHOICE.to_json(), "depth": True}, "seconds": 1.0, **NO_MORE},
    ],
)
def test_an_entry_that_is_none_is_one_line_and_replaced(entry: Any) -> None:
    store_result("tuning", "one", entry)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert known("one") is None
    assert entry is None or [str(each.message).partition(":")[0] for each in caught] == [
        "entry one of tuning is left aside"
    ]
    keep("one", Entry(CHOICE, 1e-6))
    assert known("one") == Entry(CHOICE, 1e-6)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01", '{"digest": 1, "result": {}}'])
def test_a_corrupt_file_is_one_line_and_replaced(folder: Path, text: str) -> None:
    keep("one", Entry(CHOICE, 1e-6))
    (folder / "one.json").write_text(text)
    with pytest.warns(RuntimeWarning, match=r"^[^\n]*one\.json in the cache is left aside[^\n]*$"):
        assert known("one") is None
    keep("one", Entry(CHOICE, 1e-6))
    assert known("one") == Entry(CHOICE, 1e-6)


def test_a_full_disk_is_one_line_and_keeps_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("one", Entry(CHOICE, 1e-6))

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.warns(RuntimeWarning, match="No space left on device"):
            keep("one", Entry(replace(CHOICE, depth=2), 2e-6))
    assert known("one") == Entry(CHOICE, 1e-6)
    assert [each.name for each in folder.iterdir()] == ["one.json"]


def test_two_at_once_never_show_half_an_entry() -> None:
    names = [f"axis_{number:03}" for number in range(500)]
    choices = [Choice(tuple((name, size) for name in names)) for size in (128, 256)]
    stop = threading.Event()

    def write(choice: Choice) -> None:
        while not stop.is_set():
            keep("one", Entry(choice, 1.0))

    keep("one", Entry(choices[0], 1.0))
    threads = [threading.Thread(target=write, args=(each,)) for each in choices]
    for each in threads:
        each.start()
    seen = [known("one") for _ in range(200)]
    stop.set()
    for each in threads:
        each.join()
    assert {None if each is None else each.choice for each in seen} <= set(choices)


def test_an_entry_is_for_one_program_shape_chip_version_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {key_of(PROGRAM, "v5e", 40), key_of(PROGRAM, "v6e", 40), key_of(matmul(512), "v5e", 40)}
    rows = jagged_row_sum(2048)
    operand = rows.operands[1]
    other = replace(rows, operands=(rows.operands[0], replace(operand, values=(0,) * 8 + (2048,))))
    keys |= {key_of(rows, "v5e", 40), key_of(other, "v5e", 40)}
    keys |= {key_of(replace(PROGRAM, fixed={"m": 16}), "v5e", 40), key_of(PROGRAM, "v5e", 4)}
    assert len(keys) == 7
    again = matmul(256)
    assert key_of(Program(again.name, again.text, again.operands), "v5e", 40) in keys

    def changed(name: str) -> str:
        return "99"

    monkeypatch.setattr(cache_module, "version", changed)
    assert key_of(PROGRAM, "v5e", 40) not in keys


class Fakes(Answers):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def tuned_with(answers: Fakes) -> Tuned:
    return tune(PROGRAM, "v5e", Budget(), estimators=lambda program, chip: answers)


def test_the_second_time_nothing_is_compiled() -> None:
    answers = Fakes(lambda choice: Estimate(1.0 / choice.sizes["m"], True, compiled=True))
    first = tuned_with(answers)
    asked = len(answers.asked)
    second = tuned_with(answers)
    assert (first.choice, first.seconds) == (second.choice, second.seconds)
    assert second.outcome is None
    assert len(answers.asked) == asked > 0


def test_more_time_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the best that is known, which nothing slower replaces."""
    clock = itertools.count(0.0, 4.0)
    monkeypatch.setattr("tilec.tuning.search.time.monotonic", lambda: next(clock))
    answers = Fakes(lambda choice: Estimate(1.0 / choice.sizes["m"], True, compiled=True))

    def tuned(seconds: float) -> Tuned:
        budget = Budget(seconds=seconds)
        return tune(PROGRAM, "v5e", budget, estimators=lambda program, chip: answers)

    first, asked = tuned(10), len(answers.asked)
    assert first.outcome is not None
    assert first.outcome.late
    assert tuned(10).outcome is None  # as long as before
    again = tuned(1e6)
    assert again.outcome is not None
    assert answers.asked[asked] == first.choice
    assert again.seconds <= first.seconds
    assert tuned(1e7).outcome is None  # nothing better is expected


def test_what_an_interrupt_left_is_not_kept(folder: Path) -> None:
    asked: list[Choice] = []

    def answer(choice: Choice) -> Estimate:
        asked.append(choice)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return Estimate(1.0, True, compiled=True)

    tuned = tuned_with(Fakes(answer))
    assert tuned.outcome is not None
    assert tuned.outcome.ended == "interrupted"
    assert tuned.choice in asked
    assert not folder.exists()


def test_nothing_to_take_is_one_line() -> None:
    answers = Fakes(lambda choice: Estimate(refused="the compiler is not there"))
    with pytest.raises(NothingFits, match=r"^matmul: none of \d+ choices can be .*is not there$"):
        tuned_with(answers)


def test_no_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        assert name == "libtpu"

    monkeypatch.setattr("importlib.util.find_spec", missing)
    with pytest.raises(NothingFits, match=r"^matmul: there is no TPU compiler to ask; install libtpu$"):
        tune(PROGRAM, "v5e", Budget())


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown chip 'v9': known are v4, v5e"):
        tune(PROGRAM, "v9", Budget())
