"""Results on disk, where disks fail and others write too."""

import errno
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning_programs import Answers, jagged_row_sum, matmul

from tilec.tuning import cache as cache_module
from tilec.tuning.cache import Cache, key_of
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program
from tilec.tuning.search import Budget
from tilec.tuning.tuner import NothingFits, tune

CHOICE = Choice((("k", 128), ("m", 16)), loop="fori_loop", depth=3)
PROGRAM = matmul(256)


@given(
    st.dictionaries(st.text(min_size=1), st.integers(1, 4096)),
    st.sampled_from(["worklist", "overlaunch"]),
    st.integers(1, 4),
)
def test_a_choice_survives_json(blocks: dict[str, int], grouping: str, depth: int) -> None:
    choice = Choice(tuple(sorted(blocks.items())), grouping, depth=depth)
    assert Choice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


def test_what_was_put_is_got(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "folder")
    assert cache.get("one") is None
    cache.put("one", CHOICE, 1.5e-6)
    assert cache.get("one") == (CHOICE, 1.5e-6)
    assert cache.get("two") is None
    assert cache.notes == []


def entry(**changes: Any) -> str:
    whole = {"format": 1, "key": "one", "choice": CHOICE.to_json(), "seconds": 1e-6}
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\x00\x01",
        entry()[:-10],
        entry(key="two"),
        entry(format=0),
        entry(seconds="soon"),
        entry(choice=None),
        entry(choice={**CHOICE.to_json(), "blocks": {"m": "16"}}),
        entry(choice={**CHOICE.to_json(), "blocks": {"m": 0}}),
        entry(choice={**CHOICE.to_json(), "depth": True}),
        entry(choice={"blocks": {}}),
    ],
)
def test_a_corrupt_entry_is_one_line_and_replaced(tmp_path: Path, text: str) -> None:
    cache = Cache(tmp_path)
    path = tmp_path / "one.json"
    path.write_text(text)
    assert cache.get("one") is None
    assert len(cache.notes) == 1
    assert cache.notes[0].startswith(f"{path}: cannot be read, so it is tuned anew (")
    assert "\n" not in cache.notes[0]
    cache.put("one", CHOICE, 1e-6)
    assert Cache(tmp_path).get("one") == (CHOICE, 1e-6)


def test_a_folder_in_place_of_an_entry_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "one.json").mkdir()
    cache = Cache(tmp_path)
    assert cache.get("one") is None
    cache.put("one", CHOICE, 1e-6)
    assert len(cache.notes) == 2
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_is_one_line_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    cache.put("one", CHOICE, 1e-6)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache_module.json, "dump", full)
    cache.put("one", replace(CHOICE, depth=2), 2e-6)
    assert cache.notes == [f"{tmp_path}: the result is not kept (no space left on device)"]
    assert cache.get("one") == (CHOICE, 1e-6)
    assert [each.name for each in tmp_path.iterdir()] == ["one.json"]


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "tuning")
    cache.put("one", CHOICE, 1e-6)
    assert len(cache.notes) == 1
    assert "the result is not kept" in cache.notes[0]


def test_two_at_once_never_show_half_an_entry(tmp_path: Path) -> None:
    names = [f"axis_{number:03}" for number in range(500)]
    choices = [Choice(tuple((name, size) for name in names)) for size in (128, 256)]
    stop = threading.Event()

    def write(choice: Choice) -> None:
        cache = Cache(tmp_path)
        while not stop.is_set():
            cache.put("one", choice, 1.0)
        assert cache.notes == []

    Cache(tmp_path).put("one", choices[0], 1.0)
    threads = [threading.Thread(target=write, args=(each,)) for each in choices]
    for each in threads:
        each.start()
    reader = Cache(tmp_path)
    seen = [reader.get("one") for _ in range(200)]
    stop.set()
    for each in threads:
        each.join()
    assert reader.notes == []
    assert {None if each is None else each[0] for each in seen} <= set(choices)


def test_an_entry_is_for_one_program_shape_chip_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {key_of(PROGRAM, "v5e"), key_of(PROGRAM, "v6e"), key_of(matmul(512), "v5e")}
    rows = jagged_row_sum(2048)
    operand = rows.operands[1]
    other = replace(rows, operands=(rows.operands[0], replace(operand, values=(0,) * 8 + (2048,))))
    keys |= {key_of(rows, "v5e"), key_of(other, "v5e")}
    keys |= {key_of(replace(PROGRAM, fixed={"m": 16}), "v5e")}
    assert len(keys) == 6
    assert key_of(Program(**vars(matmul(256))), "v5e") in keys

    def changed(name: str) -> str:
        return "99"

    monkeypatch.setattr(cache_module, "version", changed)
    assert key_of(PROGRAM, "v5e") not in keys


class Fakes(Answers):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def test_the_second_time_nothing_is_compiled(tmp_path: Path) -> None:
    answers = Fakes(lambda choice: Estimate(1.0 / choice.sizes["m"], True, compiled=True))
    first = tune(PROGRAM, "v5e", Budget(), folder=tmp_path, estimators=lambda program, chip: answers)
    asked = len(answers.asked)
    second = tune(PROGRAM, "v5e", Budget(), folder=tmp_path, estimators=lambda program, chip: answers)
    assert first.choice == second.choice
    assert first.seconds == second.seconds
    assert second.outcome is None
    assert len(answers.asked) == asked > 0


def test_what_an_interrupt_left_is_not_kept(tmp_path: Path) -> None:
    asked: list[Choice] = []

    def answer(choice: Choice) -> Estimate:
        asked.append(choice)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return Estimate(1.0, True, compiled=True)

    tuned = tune(PROGRAM, "v5e", Budget(), folder=tmp_path, estimators=lambda program, chip: Fakes(answer))
    assert tuned.outcome is not None
    assert tuned.outcome.ended == "interrupted"
    assert tuned.choice in asked
    assert not list(tmp_path.iterdir())


def test_nothing_to_take_is_one_line(tmp_path: Path) -> None:
    answers = Fakes(lambda choice: Estimate(refused="the compiler is not there"))
    with pytest.raises(
        NothingFits, match=r"matmul: none of \d+ choices can be taken; .*is not there"
    ) as raised:
        tune(PROGRAM, "v5e", Budget(), folder=tmp_path, estimators=lambda program, chip: answers)
    assert "\n" not in str(raised.value)


def test_an_unknown_chip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown chip 'v9': known are v4, v5e"):
        tune(PROGRAM, "v9", Budget(), folder=tmp_path)
