"""What estimates teach about the model: by how much it is wrong, for choices that none was made of.

Its errors are much alike for choices that are alike: it may think too well of large blocks, or of a loop. So
the logarithm of estimate over model is taken to be linear in the logarithms of sizes, in their squares, and
in what is chosen besides, and fitted to what is known with a pull to no correction at all.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log, log2

from tilec.tuning.choice import Choice

PULL = 0.3
"""What a correction by a factor of e costs, in squared errors of logarithms: so little moves little."""


def corrected(
    score: Callable[[Choice], float], known: Mapping[Choice, float], middle: Choice
) -> Callable[[Choice], float]:
    """The model's seconds, corrected by the `known` seconds of some choices. Sizes count from `middle`'s."""
    if not known:
        return score
    words = sorted({word for choice in known for word in _words(choice)})
    axes = sorted({axis for choice in known for axis in choice.sizes})
    centre = {**{axis: size for choice in known for axis, size in choice.blocks}, **middle.sizes}

    def features(choice: Choice) -> list[float]:
        steps = [log2(choice.sizes.get(axis, centre[axis]) / centre[axis]) for axis in axes]
        own = _words(choice)
        return [1.0, *steps, *(step * step / 4 for step in steps), *(float(word in own) for word in words)]

    rows = [features(choice) for choice in known]
    errors = [log(seconds / score(choice)) for choice, seconds in known.items()]
    weights = _fitted(rows, errors)

    def seconds(choice: Choice) -> float:
        if choice in known:
            return known[choice]
        return score(choice) * exp(sum(a * b for a, b in zip(weights, features(choice), strict=True)))

    return seconds


def _words(choice: Choice) -> set[str]:
    """What is chosen besides sizes."""
    return {f"{key}={value}" for key, value in choice.to_json().items() if key != "blocks"}


def _fitted(rows: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """Weights with the least squared error, and the least squared size times `PULL`: Gaussian elimination."""
    count = len(rows[0]) if rows else 0
    system = [
        [sum(row[i] * row[j] for row in rows) + PULL * (i == j) for j in range(count)]
        + [sum(row[i] * value for row, value in zip(rows, values, strict=True))]
        for i in range(count)
    ]
    for at in range(count):  # the matrix is positive definite, so no pivot is 0
        pivot = system[at]
        for other in system[at + 1 :]:
            factor = other[at] / pivot[at]
            for place in range(at, count + 1):
                other[place] -= factor * pivot[place]
    weights = [0.0] * count
    for at in reversed(range(count)):
        rest = sum(system[at][place] * weights[place] for place in range(at + 1, count))
        weights[at] = (system[at][count] - rest) / system[at][at]
    return weights
