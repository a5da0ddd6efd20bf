"""The search, with estimators that make their answers up."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuning_programs import Answers, matmul

from tilec.chips import CHIPS
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.scoring import Scorer
from tilec.tuning.search import Budget, Outcome, search
from tilec.tuning.space import Space
from tilec.tuning.structures import space_of

PROGRAM = matmul(1024)
SPACE = space_of(PROGRAM)
PLAIN = Space(SPACE.axes, SPACE.structures[:1])
LOOPS = {each.loop for each in SPACE.structures}


def run(answers: Answers, space: Space = SPACE, budget: Budget | None = None) -> Outcome:
    scorer = Scorer(PROGRAM, CHIPS["v5e"])
    return search(space, scorer, answers, budget or Budget(), lambda outcome: None)


def far_from(best: dict[str, int], loop: str) -> Answers:
    """Slower by a fifth for every step away from one choice."""

    def answer(choice: Choice) -> Estimate:
        steps = sum(abs(log2(choice.sizes[axis] / size)) for axis, size in best.items())
        return Estimate(1e-5 * 1.2 ** (steps + 2 * (choice.loop != loop)), True, compiled=True)

    return Answers(answer)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_best_is_found_where_the_model_thinks_otherwise(data: st.DataObject) -> None:
    # The model's best is the largest of all sizes: up to six steps away.
    best = {each.axis: data.draw(st.sampled_from(each.sizes[-3:])) for each in SPACE.axes}
    loop = data.draw(st.sampled_from(["grid", "emit_pipeline", "fori_loop"]))
    answers = far_from(best, loop)
    outcome = run(answers)
    assert outcome.best is not None
    assert outcome.best.loop == loop
    assert answers.answer(outcome.best).seconds in (pytest.approx(1e-5), pytest.approx(1.2e-5))
    assert outcome.compiles == len(answers.asked) <= 40


def test_what_is_found_is_no_worse_than_the_usual_choice() -> None:
    """It is asked first, however bad the model thinks it, also one that is not in the space."""
    usual = SPACE.structures[-1].with_sizes({each.axis: each.sizes[0] for each in SPACE.axes})
    scorer = Scorer(PROGRAM, CHIPS["v5e"])
    for each in (usual, usual.with_sizes({})):
        answers = Answers(lambda choice, best=each: Estimate(1e-6 if choice == best else 1e-5, True))
        outcome = search(SPACE, scorer, answers, Budget(), lambda outcome: None, each)
        assert (answers.asked[0], outcome.best) == (each, each)


def test_of_ties_none_is_slower_than_the_usual_choice() -> None:
    """Where a simpler one is slower by less than what counts as a tie."""
    usual = replace(PLAIN.structures[0], loop="fori_loop").with_sizes({"m": 256, "n": 256, "k": 512})
    assert SPACE.has(usual)
    scorer = Scorer(PROGRAM, CHIPS["v5e"])
    answers = Answers(lambda choice: Estimate(1e-5 if choice == usual else 1.01e-5, True, compiled=True))
    outcome = search(SPACE, scorer, answers, Budget(), lambda outcome: None, usual)
    assert {choice.loop for choice in answers.asked} == LOOPS
    assert outcome.best == usual


def test_nothing_is_asked_twice_and_all_is_in_the_space() -> None:
    answers = far_from({"m": 256, "n": 256, "k": 512}, "grid")
    run(answers)
    assert len(set(answers.asked)) == len(answers.asked)
    sizes = {each.axis: each.sizes for each in SPACE.axes}
    for choice in answers.asked:
        assert all(size in sizes[axis] for axis, size in choice.blocks)
        assert choice.with_sizes({}) in SPACE.structures
        assert SPACE.legal(choice)


def test_the_same_answers_give_the_same_choice() -> None:
    asked = [far_from({"m": 512, "n": 256, "k": 256}, "fori_loop") for _ in range(2)]
    first, second = map(run, asked)
    assert first.best == second.best
    assert asked[0].asked == asked[1].asked


def test_what_is_not_trusted_is_never_ranked() -> None:
    # Twice as fast as everything else, but its control flow was guessed.
    def answer(choice: Choice) -> Estimate:
        known = choice.loop == "grid"
        return Estimate(1e-5 if known else 5e-6, known, compiled=True)

    outcome = run(Answers(answer))
    assert {choice.loop for choice, _ in outcome.ranking} == {"grid"}
    assert {choice.loop for choice, why in outcome.refused if "control flow" in why} == LOOPS - {"grid"}


def test_refusals_cost_nothing_and_are_told() -> None:
    def answer(choice: Choice) -> Estimate:
        if choice.sizes["m"] > 256:
            return Estimate(refused="it does not fit")
        return Estimate(1.0 / choice.sizes["m"], True, compiled=True)

    outcome = run(Answers(answer))
    assert outcome.best is not None
    assert outcome.best.sizes["m"] == 256
    assert all(why == "it does not fit" for _, why in outcome.refused)
    assert outcome.compiles + len(outcome.refused) == len(outcome.found)


def test_a_structure_that_is_refused_is_given_up() -> None:
    def answer(choice: Choice) -> Estimate:
        if choice.loop != "grid":
            return Estimate(refused="there is no such loop", compiled=True)
        return Estimate(1.0 / choice.sizes["m"], True, compiled=True)

    answers = Answers(answer)
    run(answers)
    asked = [choice.with_sizes({}) for choice in answers.asked if choice.loop != "grid"]
    assert asked
    # One, and those of the round in which the second is refused: some near the best, some the model likes.
    assert max(map(asked.count, asked)) <= 1 + 2 * answers.width


def test_another_order_is_asked_for_only_where_it_copies_less() -> None:
    answers = far_from({"m": 64, "n": 256, "k": 1024}, "grid")  # where the columns are 16 times brought anew
    run(answers)
    scorer = Scorer(PROGRAM, CHIPS["v5e"])
    asked = [each for each in answers.asked if each.order]
    assert asked
    assert all(scorer.score(each) < scorer.score(replace(each, order=())) for each in asked)


def test_where_all_is_refused_there_is_no_best() -> None:
    outcome = run(Answers(lambda choice: Estimate(refused="no")))
    assert outcome.best is None
    assert outcome.ended


def test_among_ties_the_simpler_one_wins_then_less_memory() -> None:
    def answer(choice: Choice) -> Estimate:
        seconds = 1e-5 if choice.loop == "grid" else 0.99e-5
        return Estimate(seconds, True, choice.sizes["m"], compiled=True)

    outcome = run(Answers(answer))
    assert outcome.best is not None
    assert (outcome.best.loop, outcome.best.depth, outcome.best.operands) == ("grid", Choice.depth, "auto")
    assert outcome.best.sizes["m"] == min(
        choice.sizes["m"] for choice in outcome.found if choice.loop == "grid"
    )


def test_compiles_are_limited() -> None:
    outcome = run(far_from({"m": 16, "n": 128, "k": 128}, "grid"), budget=Budget(compiles=7))
    assert outcome.compiles == 7
    assert outcome.ended == "7 choices were compiled"


def test_time_is_limited() -> None:
    outcome = run(far_from({"m": 16, "n": 128, "k": 128}, "grid"), budget=Budget(seconds=0.0))
    assert len(outcome.found) == 1
    assert outcome.ended == "0 s are over"
    assert outcome.best is not None


def test_only_for_a_first_estimate_a_search_waits_longer() -> None:
    """Its seconds count from where it is told."""
    ends: list[float] = []

    class Patient(Answers):
        def estimate(self, choices: Sequence[Choice], until: Callable[[], float]) -> Iterator[Estimate]:
            for each in super().estimate(choices, until):
                ends.append(until())
                yield each

    answers = Patient(lambda choice: Estimate(1e-5, True, compiled=True))
    started = time.monotonic() - 50
    outcome = search(
        SPACE, Scorer(PROGRAM, CHIPS["v5e"]), answers, Budget(49), lambda outcome: None, started=started
    )
    assert (ends, len(outcome.found), outcome.ended) == ([float("inf")], 1, "49 s are over")
    ends.clear()
    search(PLAIN, Scorer(PROGRAM, CHIPS["v5e"]), answers, Budget(1e3), lambda outcome: None, started=started)
    assert set(ends[1:]) == {started + 1e3}


def test_an_interrupt_keeps_the_best() -> None:
    count = 0

    def answer(choice: Choice) -> Estimate:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return Estimate(float(count), True, compiled=True)

    answers = Answers(answer)
    outcome = run(answers)
    assert outcome.ended == "interrupted"
    assert outcome.best == answers.asked[0]
    assert len(outcome.found) == 3


def test_it_ends_where_nothing_is_left() -> None:
    tiny = Space(PLAIN.axes[:1], PLAIN.structures)
    fixed = tuple(type(each)(each.axis, each.sizes[-1:]) for each in SPACE.axes[1:])
    outcome = run(
        Answers(lambda choice: Estimate(1.0, True, compiled=True)), Space(tiny.axes + fixed, tiny.structures)
    )
    assert outcome.ended == "nothing better is expected"
    assert len(outcome.found) == len(SPACE.axes[0].sizes)
