"""Choices that are run: which, how often, in which order, and what becomes of it. The device is played."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest
from tuning_programs import Answers, jagged_row_sum, matmul

from tilec.tuning.cache import Entry, keep, key_of
from tilec.tuning.choice import Choice
from tilec.tuning.command import tuned_lines
from tilec.tuning.device import JaxDevice, device_for
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program
from tilec.tuning.search import Budget
from tilec.tuning.timing import MOST_TIMED, ROUNDS, NotTimed, Times, contenders, timed
from tilec.tuning.tuner import Tuned, tune

PROGRAM = matmul(256)


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


class Played:
    """A device of which `took` says how long calls take, but for what comes between at times."""

    def __init__(self, took: Callable[[Choice], float]) -> None:
        self.took = took
        self.calls: list[tuple[Choice, int]] = []

    def prepared(self, choice: Choice) -> Callable[[int], float]:
        seconds = self.took(choice)

        def run(count: int) -> float:
            self.calls.append((choice, count))
            return count * seconds + (1e3 if len(self.calls) % 7 == 0 else 0.0)

        return run


def choice(size: int) -> Choice:
    return Choice((("m", size),))


def ranking(*microseconds: float) -> list[tuple[Choice, Estimate]]:
    return [(choice(1 + n), Estimate(1e-6 * each, True)) for n, each in enumerate(microseconds)]


def test_ties_are_run_and_nothing_else() -> None:
    assert list(contenders(ranking(10, 11, 11.4, 11.6, 20))) == [choice(1), choice(2), choice(3)]
    assert len(contenders(ranking(*[10] * 20))) == MOST_TIMED
    # The one that is taken by its simplicity comes first and may not be the fastest.
    assert list(contenders(ranking(10.2, 10, 11.6))) == [choice(1), choice(2)]
    assert contenders([]) == {}


def test_the_median_counts_and_turns_alternate() -> None:
    device = Played(lambda choice: 1e-5 / choice.sizes["m"])
    times = timed(device, {choice(1): 1e-5, choice(2): 1e-5})
    assert times.seconds == {choice(1): pytest.approx(1e-5), choice(2): pytest.approx(0.5e-5)}
    assert times.best == choice(2)
    order = [each for each, _ in device.calls]
    assert order[:4] == [choice(1), choice(2), choice(2), choice(1)]
    assert len(order) == 2 * ROUNDS
    assert {count for _, count in device.calls} == {500}  # of 10 µs are 5 ms


def test_what_cannot_be_run_is_one_line_and_the_others_count() -> None:
    def took(one: Choice) -> float:
        if one == choice(1):
            raise NotTimed("out of memory")
        return 1e-5

    device = Played(took)
    times = timed(device, {choice(1): 1e-5, choice(2): 1e-5})
    assert times.refused == {choice(1): "out of memory"}
    assert list(times.seconds) == [choice(2)]
    assert timed(Played(took), {choice(1): 1e-5}).best is None


class Fakes(Answers):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def tuned(device: Played | None) -> Tuned:
    def answer(one: Choice) -> Estimate:
        seconds = {"grid": 1e-5, "fori_loop": 1.01e-5}.get(one.loop, 2e-5)
        return Estimate(seconds if one.sizes["m"] == 256 else 1e-3, True)

    def estimators(program: Program, chip: str) -> Fakes:
        return Fakes(answer)

    def devices(program: Program, chip: str) -> Played | None:
        return device

    return tune(PROGRAM, "v5e", Budget(compiles=20), estimators=estimators, devices=devices)


def test_the_fastest_of_the_ties_is_taken_and_remembered() -> None:
    device = Played(lambda choice: 1e-6 if choice.loop == "fori_loop" else 2e-6)
    first = tuned(device)
    assert first.choice.loop == "fori_loop"
    assert (first.seconds, first.measured) == (1.01e-5, pytest.approx(1e-6))
    assert first.times is not None
    assert all(each.sizes["m"] == 256 for each in first.times.seconds)
    assert any("µs measured" in line for line in tuned_lines(first))
    device.calls.clear()
    second = tuned(device)
    assert (second.choice, second.measured) == (first.choice, first.measured)
    assert not device.calls


def test_without_a_device_nothing_is_measured() -> None:
    found = tuned(None)
    assert (found.measured, found.times) == (None, None)
    assert not any("measured" in line for line in tuned_lines(found))


def test_what_was_only_estimated_is_run_where_a_device_came() -> None:
    keep(key_of(PROGRAM, "v5e", 20), Entry(choice(1), 1e-5))
    assert tuned(None).choice == choice(1)
    assert tuned(Played(lambda choice: 1e-6)).measured is not None


def test_an_interrupt_of_the_runs_keeps_the_best_estimate() -> None:
    def took(one: Choice) -> float:
        raise KeyboardInterrupt

    found = tuned(Played(took))
    assert found.measured is None
    assert found.outcome is not None
    assert found.outcome.ended == "interrupted"
    assert found.choice == found.outcome.best


def test_there_is_no_device_without_its_file(tmp_path: Path) -> None:
    assert device_for(PROGRAM, "v5e", tmp_path) is None
    (tmp_path / "accel0").touch()
    assert device_for(PROGRAM, "v5e", tmp_path) is None  # there is a file, and jax has no TPU


def test_a_kernel_really_runs_with_arguments_that_are_made() -> None:
    device = JaxDevice(jagged_row_sum(64), "v5e")
    assert [(each.shape, str(each.dtype)) for each in device.arguments] == [
        ((64, 200), "bfloat16"),
        ((9,), "int32"),
    ]
    assert device.arguments[1].tolist() == [8 * each for each in range(9)]
    times = timed(device, {choice(16): 1.0})
    assert times.seconds[choice(16)] > 0


def test_what_a_pass_refuses_is_not_run() -> None:
    with pytest.raises(NotTimed, match="axis m cannot have blocks of -1") as caught:
        JaxDevice(jagged_row_sum(64), "v5e").prepared(choice(-1))
    assert "\n" not in str(caught.value)
    assert Times().best is None
