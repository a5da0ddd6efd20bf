"""Timelines of the kernels of an emitted function, on a machine without a TPU."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tilec.analysis.cost.timeline import Timeline, from_plain, plain
from tilec.chips import chip_named
from tilec.runtime.cache import load_result, store_result
from tilec.runtime.estimate import estimate_key, walk_of


def timelines(text: str, function: str, arguments: Sequence[Any], chip: str) -> Mapping[str, Timeline]:
    """What the kernels of `function` of an emitted module's `text` do in the middle of their runs.

    They are named as their operations in HLO are; those that could not be run have none. Takes, raises and
    keeps what `runtime.estimate` does.
    """
    key = estimate_key(text, function, arguments, chip)
    kept = load_result("timelines", key)
    if kept is not None:
        return {name: from_plain(each) for name, each in kept.items()}
    walk = walk_of(text, function, arguments, chip_named(chip), names=dict(_parameters(text)))
    walk.estimate()
    store_result("timelines", key, {name: plain(each) for name, each in walk.timelines.items()})
    return walk.timelines


def _parameters(text: str) -> Iterator[tuple[str, list[str]]]:
    """The kernels of an emitted module by name, with the names of their parameters."""
    tree = ast.parse(text)
    functions = {each.name: each.args.args for each in tree.body if isinstance(each, ast.FunctionDef)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "pl.pallas_call":
            continue
        kernel = call.args[0]
        if isinstance(kernel, ast.Call):  # of functools.partial
            kernel = kernel.args[0]
        named = next(each.value for each in call.keywords if each.arg == "name")
        yield ast.literal_eval(named), [each.arg for each in functions[ast.unparse(kernel)]]
