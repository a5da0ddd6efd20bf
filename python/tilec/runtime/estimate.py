"""Estimates how long an emitted function takes, on a machine without a TPU.

The function is compiled with the real TPU compiler; the scalar unit's part of each kernel is run from the
compiler's text, with the integers that the kernel gets for the given arguments. `tilec.analysis.cost` has the
model and its limits.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import jax

from tilec.analysis.cost.bundles import UnknownText, parse_schedule, parse_utilization
from tilec.analysis.cost.estimate import Estimate, Operation, assumptions, from_plain, operation, plain
from tilec.analysis.cost.machine import heads, run
from tilec.analysis.cost.origins import Origin, Share, shares
from tilec.analysis.cost.recorder import Recorder
from tilec.analysis.cost.scalars import UNKNOWN, Assumed, Value
from tilec.analysis.cost.state import Stuck
from tilec.analysis.cost.timeline import Timeline, named_arrays, timeline
from tilec.chips import Chip, chip_named
from tilec.runtime.cache import digest, installed, load_result, sources, store_result
from tilec.runtime.flow import Flow
from tilec.runtime.known import INTEGERS, Made, Words, base_name, run_known, words_of
from tilec.runtime.load import entry, load
from tilec.runtime.memory import scoped_vmem
from tilec.runtime.schedules import PROGRAM, Compilation, schedules_of
from tilec.runtime.twins import called

_FINITE = "it looks for infinities and NaNs, and there are none; with some in each tile it would take"
_TRACED = '/pallas_call"'
"""What ends the name, in XLA's text, of an operation that comes from a `pallas_call`."""

Compile = Callable[[str, str, Sequence[jax.ShapeDtypeStruct], str], Compilation]
"""Compiles a function of a module's text for arguments and a chip, as `schedules_of` does."""


def estimate(
    text: str, function: str, arguments: Sequence[Any], chip: str, compiler: Compile = schedules_of
) -> Estimate:
    """What one call of `function` of an emitted module's `text` takes on a chip: on one core, or on those
    that share a kernel.

    `arguments` are arrays, or `jax.ShapeDtypeStruct`s where contents do not matter for control flow. Offsets
    and other integers should be arrays: where a loop hangs on one that is not, the estimate is not trusted.

    Equal questions have equal answers, which are kept in the user's folder for caches.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB, and
    ValueError for an unknown chip and for a function that computes nothing.
    """
    target = chip_named(chip)
    key = estimate_key(text, function, arguments, chip)
    kept = load_result("estimates", key)
    if kept is not None:
        return from_plain(kept)
    found = walk_of(text, function, arguments, target, compiler).estimate()
    store_result("estimates", key, plain(found))
    return found


def estimate_key(text: str, function: str, arguments: Sequence[Any], chip: str) -> str:
    """A digest of all that an estimate of `function` depends on."""
    versions = installed("jax", "jaxlib", "libtpu")
    model = sources("analysis/cost", "chips", "runtime")
    told = [(tuple(each.shape), str(each.dtype), words_of(each)) for each in arguments]
    return digest(repr(part).encode() for part in (text, function, told, chip, versions, model))


def walk_of(
    text: str,
    function: str,
    arguments: Sequence[Any],
    chip: Chip,
    compiler: Compile = schedules_of,
    names: Mapping[str, Sequence[str]] | None = None,
) -> "Walk":
    """Compiles a function and runs it, as far as it is known. Takes and raises what `estimate` does."""
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments]
    compilation = compiler(text, function, structs, chip.name)
    if PROGRAM not in compilation.schedules:
        raise ValueError(f"{function} computes nothing: the TPU compiler has no schedule of it to estimate")
    walk = Walk(compilation, chip, arguments, names)
    run_known(entry(load(text, function), function), arguments, chip, walk.call)
    return walk


class Walk:
    """Runs the operations of a function that was compiled for `arguments`, kernels with what is known of
    their operands.

    `shares` divides each operation that ran by the lines of the module. With `names`, what the operands of
    each kernel are called, it has `timelines` of kernels, by operation.
    """

    def __init__(
        self,
        compilation: Compilation,
        chip: Chip,
        arguments: Sequence[Any],
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.shares: dict[str, Mapping[Origin, Share]] = {}
        self.timelines: dict[str, Timeline] = {}
        self._names = names
        self.compilation = compilation
        self._chip = chip
        self._flow = Flow(compilation.hlo, [words_of(each) for each in arguments])
        self._calls: dict[str | None, list[list[Words | None]]] = {}
        self._untold: dict[str | None, None] = {}
        self._vmem = scoped_vmem(compilation.hlo)
        self._done: dict[str, Operation] = {}
        self._doubts: dict[str, None] = {}
        self._assumptions: dict[str, None] = {}

    def call(
        self, name: str | None, operands: list[Words | None], made: Sequence[Made], finite: bool
    ) -> list[Words | None]:
        """Runs the next kernel of a name; see `Call`. One that XLA left out has no results."""
        results: list[Words | None] = [
            list[Value]([UNKNOWN] * prod(shape)) if dtype in INTEGERS else None for shape, dtype in made
        ]
        found = self._called(name, operands)
        if found is None or not self._run(found, "custom-call", [*operands, *results], finite):
            return [None] * len(made)
        self._flow.keep(found, results)
        return results

    def _called(self, name: str | None, operands: list[Words | None]) -> str | None:
        """The operation that a call of a kernel became, if XLA did not leave it out."""
        waiting = [each for each in self._candidates(name) if each not in self._done]
        told = {each: self._flow.tells(each, operands) for each in waiting}
        agreeing = [each for each in waiting if told[each] is not False]
        calls = self._calls.setdefault(name, [])
        calls.append([words and [*words] for words in operands])
        if not agreeing:
            return None
        first = min(agreeing, key=lambda each: (not told[each], len(each), each))
        if not told[first]:
            self._untold[name] = None
        return first

    def _candidates(self, name: str | None) -> list[str]:
        """The schedules of kernels of a name. One that was given none is called after what calls it."""
        if name is not None:
            return [each for each in self.compilation.schedules if base_name(each) == name]
        traced = (each for each, line in self._flow.lines.items() if _TRACED in line.rest)
        return [each for each in traced if each in self.compilation.schedules]

    def estimate(self) -> Estimate:
        """The sum, with the operations that no `call` was for, and what calls them all."""
        operations = dict(self.compilation.operations)
        for name in self.compilation.schedules:
            if name not in operations and name != PROGRAM:
                operations[name] = "nested"
                self._doubts[f"XLA runs {name} in a loop, or on a condition"] = None
        for name, opcode in operations.items():
            if name not in self._done and name in self.compilation.schedules:
                self._run_alone(name, opcode)
        self._doubt_calls()
        self._run_program()
        names = [*operations, PROGRAM]
        found = tuple(self._done[name] for name in names if name in self._done)
        return Estimate(
            self._chip.name, found, tuple(self._doubts), (*assumptions(self._chip), *self._assumptions)
        )

    def _doubt_calls(self) -> None:
        """Doubts where it is not known which call became which operation, or what an operation does."""
        for name in self._untold:
            first, *others = self._calls[name]
            if any(other != first for other in others):
                self._doubts[f"which call of {name or 'a kernel'} gets which integers is not known"] = None
        for name in called(self.compilation.schedules[PROGRAM].bundles):
            if name not in self.compilation.schedules:
                self._doubts[f"the compiler did not write the schedule of {name}"] = None

    def _run_alone(self, name: str, opcode: str) -> None:
        """Runs an operation that no `call` was for. Kernels of XLA's own get what flows to them."""
        if opcode != "custom-call":
            self._run(name, opcode, None)
            return
        operands, results = self._flow.given(name)
        if self._run(name, opcode, [*operands, *results]):
            self._flow.keep(name, results)

    def _run_program(self) -> None:
        """Runs what calls the operations, in which small ones are. It has branches for when it is not to run,
        which are not taken."""
        doubts = dict(self._doubts)
        if self._run(PROGRAM, "program", None):
            self._doubts = doubts
            if self._done[PROGRAM].loops:
                self._doubts["a loop of XLA runs operations, and how often is not known"] = None

    def _run(self, name: str, opcode: str, operands: list[Words | None] | None, finite: bool = False) -> bool:
        """Runs one operation on operands and results, or on unknown ones; whether it could."""
        texts = self.compilation.schedules[name]
        try:
            schedule = parse_schedule(texts.bundles, texts.stores)
            given = operands or [None] * len(schedule.inputs)
            if len(given) != len(schedule.inputs):
                raise UnknownText(f"it has {len(schedule.inputs)} operands, and {len(given)} are known")
            names = (self._names or {}).get(base_name(name))
            recorder = None if names is None else Recorder()
            before = [None if words is None else [*words] for words in given]
            trace = run(schedule, self._chip, given, Assumed(0) if finite else UNKNOWN, recorder)
            if trace.assumed:
                other = run(schedule, self._chip, before, Assumed(1))
                times = f"{other.cycles / trace.cycles:.2f} times as long"
                self._assumptions[f"{name}: {_FINITE} {times}"] = None
            slots = parse_utilization(texts.slots)
            done = operation(name, opcode, trace, slots, self._chip, self._vmem.get(name))
            self._done[name] = done
            self.shares[name] = shares(schedule, slots, trace)
            if names is not None and recorder is not None:
                called = named_arrays(schedule, names)
                self.timelines[name] = timeline(done, recorder, trace, heads(schedule), slots, called)
        except (UnknownText, Stuck) as error:
            self._doubts[f"{name}: {error}"] = None
            return False
        self._doubts.update({f"{name}: {doubt} is not known": None for doubt in trace.doubts})
        return True
