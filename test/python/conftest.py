"""Options of the test run."""

import gc
from zlib import crc32

import pytest

LONG = 4
"""Parameter sets from which on a test is long enough to be thinned out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-of",
        type=int,
        default=1,
        metavar="N",
        help="of tests with four or more parameter sets, run one set in N, or one, always the same ones; "
        "of those with sets marked `matrix`, the others",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Thin out long lists of parameters: which sets stay follows from their names or marks alone."""
    share = int(config.getoption("--one-of") or 1)
    if share <= 1:
        return
    sets: dict[str, int] = {}
    least: dict[str, int] = {}
    sampled: set[str] = set()
    for item in items:
        name, number = item.nodeid.partition("[")[0], crc32(item.nodeid.encode())
        sets[name] = sets.get(name, 0) + 1
        least[name] = min(least.get(name, number), number)
        if item.get_closest_marker("matrix"):
            sampled.add(name)

    def stays(item: pytest.Item) -> bool:
        name, number = item.nodeid.partition("[")[0], crc32(item.nodeid.encode())
        if name in sampled:
            return not item.get_closest_marker("matrix")
        few = sets[name] < LONG or item.get_closest_marker("quick") is not None
        return few or number % share == 0 or number == least[name]

    config.hook.pytest_deselected(items=[item for item in items if not stays(item)])
    items[:] = [item for item in items if stays(item)]


def pytest_sessionfinish() -> None:
    """What is garbage is found once; pytest looks for it ten times more, each time through all modules."""
    gc.collect()
    gc.freeze()
