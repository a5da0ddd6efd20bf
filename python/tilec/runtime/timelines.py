"""Timelines of the kernels of an emitted function, on a machine without a TPU."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax

from tilec.analysis.cost.timeline import Timeline, from_plain, plain
from tilec.chips import chip_named
from tilec.runtime.cache import load_result, store_result
from tilec.runtime.estimate import Walk, estimate_key
from tilec.runtime.known import run_known
from tilec.runtime.load import load
from tilec.runtime.schedules import schedules_of


def timelines(text: str, function: str, arguments: Sequence[Any], chip: str) -> Mapping[str, Timeline]:
    """What the kernels of `function` of an emitted module's `text` do in the middle of their runs.

    They are named as their operations in HLO are; those that could not be run have none. Takes, raises and
    keeps what `runtime.estimate` does.
    """
    target = chip_named(chip)
    key = estimate_key(text, function, arguments, chip)
    kept = load_result("timelines", key)
    if kept is not None:
        return {name: from_plain(each) for name, each in kept.items()}
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments]
    walk = Walk(schedules_of(text, function, structs, chip), target, arguments, dict(_parameters(text)))
    run_known(getattr(load(text, function), function), arguments, target, walk.call)
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
