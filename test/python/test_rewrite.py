"""What a rewritten function tells its markers about its loops, branches and calls."""

import heapq
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from plain_markers import PlainMarkers, Speculating, Told, function_of

from tilec.frontend.rewrite import rewritten

# Some of the functions below have variables that are perhaps unbound, as users' functions do.
# pyright: reportPossiblyUnboundVariable=false

STATE: list[float] = []
OTHER: list[float] = []
NAME = "name"


class Box:
    value = 0.0


BOX = Box()


def told(fn: Callable[..., Any], *args: Any) -> PlainMarkers:
    """What the markers of `fn` are told when it runs on `args`; it must return what it did."""
    markers = PlainMarkers()
    traced = rewritten(fn, markers)
    assert traced is not fn
    assert traced(*args) == fn(*args)
    return markers


def names_of(regions: Sequence[Told]) -> list[tuple[str, ...]]:
    return [region.names for region in regions]


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


def matmul(x: list[list[float]], y: list[list[float]]) -> list[list[float]]:
    out = [[0.0] * len(y[0]) for _ in x]
    for i, j in [(i, j) for i in range(len(x)) for j in range(len(y[0]))]:
        acc = 0.0
        for k in range(len(y)):
            acc += x[i][k] * y[k][j]
        out[i][j] = acc
    return out


def test_matmul_carries_its_sum() -> None:
    outer, inner, *_ = told(matmul, [[1.0, 2.0]], [[3.0], [4.0]]).loops
    assert outer == Told((), ("i", "j"), ("y", "x", "out"), ())
    assert inner == Told(("acc",), ("k",), ("acc", "x", "i", "y", "j"), ())


def read_after(n: int) -> tuple[int, int]:
    last = 0
    for i in range(n):
        inside = i * 2
        last = inside
    return last, i


def test_a_variable_read_after_the_loop_is_carried_and_one_inside_is_not() -> None:
    assert names_of(told(read_after, 3).loops) == [("i", "last")]


def test_a_variable_that_is_not_bound_stays_so() -> None:
    traced = rewritten(read_after, PlainMarkers())
    with pytest.raises(UnboundLocalError, match="'i'"):
        traced(0)


def branches(flag: bool, x: int) -> int:
    if flag:
        x = x + 1
        spare = x
        result = spare
    else:
        result = x
    return result


def test_a_branch_names_what_is_read_after_it() -> None:
    assert told(branches, True, 1).branches == [Told(("result",), (), ("x",), ())]


def test_an_arm_does_not_see_what_the_other_changed() -> None:
    assert rewritten(branches, Speculating())(False, 1) == 1


def captured(n: int) -> int:
    step = 0

    def total(x: int) -> int:
        return x + step

    for i in range(n):
        step = i
    result = total(1)
    if n:
        step = 7
    return result + total(n)


def test_what_a_function_made_before_reads_is_live() -> None:
    markers = told(captured, 3)
    assert names_of(markers.loops) == [("step",)]
    assert names_of(markers.branches) == [("step",)]


def captured_later(n: int) -> int:
    step, result, found = 0, 0, None
    for i in range(n):
        if i:
            step = i
        if found:
            result += found()
        step = 5
        found = lambda: step  # noqa: E731
        step = 9
    return result


def test_what_a_function_made_in_an_earlier_step_reads_is_live() -> None:
    markers = told(captured_later, 3)
    assert names_of(markers.branches[:1]) == [("step",)]
    assert names_of(markers.loops) == [("step", "result", "found")]


def writes_around(n: int) -> tuple[int, int]:
    count, other = 0, 0

    def bump() -> None:
        nonlocal count
        count += 1

    for i in range(n):
        bump()
        if i > 1:
            bump()
        if i > 2:
            other = i
    return count, other


def test_what_a_called_function_may_write_is_carried() -> None:
    markers = told(writes_around, 4)
    assert names_of(markers.loops) == [("other", "count")]
    assert names_of(markers.branches[:2]) == [("count",), ("other",)]


def shared(n: int) -> list[int]:
    count = 0

    def inner() -> None:
        nonlocal count
        for i in range(n):
            count = i

    inner()
    return [count]


def test_variables_of_functions_around_are_always_live() -> None:
    assert names_of(told(shared, 3).loops) == [("count",)]


def jumps_inside(n: int) -> int:
    seen, kept = 0, 0
    for i in range(n):
        for j in range(n):
            if j:
                seen = j
            if j > i:
                break
            seen = 0
        kept = kept + seen
    return kept


def test_what_is_live_where_break_leads_is_live_before_it() -> None:
    markers = told(jumps_inside, 3)
    assert set(names_of(markers.branches)) == {("seen",)}
    assert names_of(markers.loops[:2]) == [("seen", "kept"), ("seen",)]
    assert [word for word, _, _ in markers.loops[1].exits] == ["break"]
    assert markers.loops[0].exits == ()
    assert set(markers.decided) == {"`break` in a branch"}


def leaves_early(items: list[int], skip: int) -> int | None:
    total = 0
    for item in items:
        if item == skip:
            continue
        if item > 9:
            return None
        while item > 5:
            item -= 1
            if item == 7:
                continue
            break
        with suppress(ValueError):
            raise ValueError
        total += item
    else:
        total += 1
    return total


def test_exits_have_their_places() -> None:
    markers = told(leaves_early, [1, 2, 8], 2)
    first = leaves_early.__code__.co_firstlineno
    exits = [(word, line - first, column) for word, line, column in markers.loops[0].exits]
    assert exits == [("return", 6, 13), ("else", 16, 9)]
    assert told(leaves_early, [10], 0).decided == ["`return` in a branch"] * 2


def skips(items: list[int], odd: bool, names: list[str]) -> int:
    total = 0
    for item in items:
        if odd:
            if item % 2:
                names.append("odd")
                continue
            total += 1
        elif item > 5:
            continue
        total += item
        if item == 4:
            names.append("four")
            continue
        for _ in names:
            if item == 2:
                continue
            total += 100
        names.append("last")
    return total


@pytest.mark.parametrize("odd", [False, True])
def test_continue_is_a_branch(odd: bool) -> None:
    """What follows runs where Python runs it, and no loop is left early."""
    markers = PlainMarkers()
    found, wanted = list[str](), list[str]()
    assert rewritten(skips, markers)([1, 2, 4, 6, 3], odd, found) == skips([1, 2, 4, 6, 3], odd, wanted)
    assert found == wanted
    assert all(loop.exits == () for loop in markers.loops)
    assert markers.decided == []


def skips_what_makes_a_variable(items: list[int]) -> int:
    for item in items:
        if item:
            continue
            len = item
        return len([item])  # pyright: ignore[reportPossiblyUnboundVariable]
    return 0


def skips_in_a_with(items: list[int]) -> int:
    total = 0
    for item in items:
        with suppress(ValueError):
            if item:
                continue
        total += 1
    return total


def skips_often(items: list[int]) -> int:
    total = 0
    for item in items:
        if item == 1:
            continue
        if item == 2:
            continue
        if item == 3:
            continue
        if item == 4:
            continue
        if item == 5:
            continue
        if item == 6:
            continue
        if item == 7:
            continue
        total += item
    return total


@pytest.mark.parametrize("function", [skips_what_makes_a_variable, skips_in_a_with, skips_often])
def test_continue_that_stays(function: Callable[[list[int]], int]) -> None:
    markers = PlainMarkers()
    assert rewritten(function, markers)([1, 2, 8]) == function([1, 2, 8])
    assert markers.loops[0].exits[0][0] == "continue"


def numbers(n: int) -> Any:
    for i in range(n):
        if i:
            yield i
        for _ in range(n):
            pass
        else:
            break


def test_yield_is_an_exit() -> None:
    markers = PlainMarkers()
    assert list(rewritten(numbers, markers)(3)) == list(numbers(3))
    assert [word for word, _, _ in markers.loops[0].exits] == ["yield", "break"]
    assert set(markers.decided) <= {"`yield` in a branch"}


def raises(n: int, strict: bool) -> int:
    if n < 0:
        raise ValueError(n)
    if n > 0:
        n = n + 1
        if strict:
            raise KeyError(n)
    return n


def test_a_branch_that_raises_is_decided_and_one_around_it_is_not() -> None:
    markers = told(raises, 1, False)
    assert markers.decided == ["`raise` in a branch", "`raise` in a branch"]
    assert names_of(markers.branches) == [("n",)]


def reaches(x: list[float], scale: float) -> float:
    log: list[float] = []

    def push(value: float) -> None:
        log.append(value)

    total = 0.0
    for i in range(2):
        push(scale)
        BOX.value = i
        STATE.append(i)
        heapq.heappush(OTHER, i)
        STATE[0] = len(str(x) + NAME)
        total += math.floor(x[0]) + abs(i)
    return total


def test_held_names_lead_to_objects_made_before() -> None:
    held = PlainMarkers()
    rewritten(reaches, held)([1.0], 2.0)
    assert held.loops[0].held == ("push", "scale", "BOX", "STATE", "OTHER", "x", "total", "log")


def reaches_around(n: int) -> int:
    step = n + 1

    def inner() -> int:
        total = 0
        for _ in range(n):
            total += step
        return total

    return inner()


def test_variables_of_functions_around_are_held() -> None:
    assert told(reaches_around, 2).loops[0].held == ("total", "step")


def decisions(n: int, limit: int) -> list[int]:
    assert n >= 0, "negative"
    while n > limit:
        n -= 1
    match n:
        case 0 if limit:
            return []
        case _:
            return [i for i in range(n) if i < limit]


def test_what_must_be_known_is_named() -> None:
    tests = ["`if` of a comprehension"] * 2
    assert told(decisions, 3, 2).decided == ["`assert`", "`while`", "`while`", *tests]
    assert told(decisions, 0, 2).decided == ["`assert`", "`while`", "`if` of a `case`"]


class Cautious(PlainMarkers):
    """Has operands and conditions of its own."""

    def choose(
        self, condition: object, if_true: Callable[[], object], if_false: Callable[[], object]
    ) -> object:
        return [condition, if_true(), if_false()]

    def both(self, first: object, second: Callable[[], object]) -> object:
        return ["and", first, second()]

    def either(self, first: object, second: Callable[[], object]) -> object:
        return ["or", first, second()]

    def negate(self, value: object) -> object:
        return ["not", value]

    def call(self, function: Any) -> Any:
        return min if function is max else function


def expressions(a: int, b: int, c: int) -> Any:
    return [a if b else c, a and b and c, a or b or c, not a, max(a, b), a < b < c]


def test_operators_go_to_the_markers() -> None:
    assert rewritten(expressions, Cautious())(1, 2, 3) == [
        [2, 1, 3],
        ["and", 1, ["and", 2, 3]],
        ["or", 1, ["or", 2, 3]],
        ["not", 1],
        1,
        True,
    ]


def assigns_in_an_arm(a: int, b: int) -> tuple[int, int]:
    result = (b := a + 1) if a else 0
    other = a and (b := b + 1)
    return result, b + other


def test_an_arm_that_assigns_stays_in_its_scope() -> None:
    markers = told(assigns_in_an_arm, 1, 2)
    assert markers.decided == ["a conditional expression"]


def looks_at_its_frame(a: int) -> list[str]:
    return [str(locals()["a"])] if a else list(vars())


def test_what_looks_at_its_frame_is_left_alone() -> None:
    markers = told(looks_at_its_frame, 1)
    assert markers.decided == ["a conditional expression"]
    assert markers.called == [str]


def test_a_chain_of_branches_longer_than_python_nests_blocks() -> None:
    chain = "".join(f"    elif n == {i}:\n        m = n * {i}\n" for i in range(1, 60))
    traced = told(function_of(f"def f(n):\n    if n == 0:\n        m = 7\n{chain}    return m\n"), 59)
    assert len(traced.branches) == 20
    assert set(traced.decided) == {"an `if` nested this deeply"}


def test_blocks_inside_a_branch_count_before_it_becomes_one() -> None:
    heads = [f"for i{n} in range(1):" for n in range(17)] + ["if x:", "try:", "x += 1"]
    lines = [" " * (depth + 1) + head for depth, head in enumerate(heads)]
    text = "\n".join(["def f(x):", *lines, " " * 19 + "finally:", " " * 20 + "pass", " return x", ""])
    assert told(function_of(text), 1).decided == ["an `if` nested this deeply"]
