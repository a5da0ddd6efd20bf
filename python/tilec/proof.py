"""Proofs that a program stays what it is on its way to a TPU.

There are three, and none needs a device: every pass keeps the program's results (`prove_passes`), the kernel
has them in the TPU interpret mode of Pallas (`prove_kernel`), and the real TPU compiler takes the kernel
(`prove_compiles`). `prove` does all three. Each raises `ProofFailed` where the proof fails; what a pass
refuses is the TileError that the pass raised.
"""

import io
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import ParseError

from tilec.diagnostics import TileError, verify, where
from tilec.dialects.interpreter import Result, functions, random_args, run
from tilec.emit.target import PallasTarget
from tilec.parsing import LocatingParser, make_context, parse_file
from tilec.passes.fold_outer_pipeline import FoldOuterPipeline
from tilec.passes.tile_to_pallas import TileToPallas

if TYPE_CHECKING:
    from tilec.runtime.aot import Compiled

Array = np.ndarray[Any, np.dtype[Any]]

CHIPS = ("v5e", "v6e", "tpu7x")
"""The chips that kernels are compiled for: the newest of each of the last three generations."""

TOLERANCE: Mapping[str, float] = {"float32": 5e-5, "bfloat16": 2e-2, "float16": 2.5e-3}
"""Error allowed in a float, relative to it plus the root mean square of its array: of sums of a few hundred
terms in another order in f32, of five roundings in 16 bits. Other types must agree exactly."""


class ProofFailed(TileError):
    """A proof failed. `step` is the pass, run or chip at which it did, `difference` what is wrong there."""

    def __init__(self, step: str, difference: str, place: str) -> None:
        super().__init__(f"{step}: {difference}", place)
        self.step = step
        self.difference = difference


@dataclass(frozen=True)
class Report:
    """What `prove` proved, and what it took.

    `folded` is the program after `--fold-outer-pipeline` and `kernel` the emitted module, both as text.
    `steps` counts, for each list of arguments, the steps that all pipelines of the schedule make.
    `pass_seconds` and `kernel_seconds` are those of the first two proofs, `compiled` is the third by chip.
    """

    folded: str
    kernel: str
    steps: tuple[int, ...]
    pass_seconds: float
    kernel_seconds: float
    compiled: "tuple[Compiled, ...]"


def prove(
    program: str | Path,
    arguments: Sequence[Sequence[Array]] | None = None,
    *,
    grouping: str = "worklist",
    loop: str = "grid",
    blocks: Mapping[str, int] | None = None,
    chips: Sequence[str] = CHIPS,
) -> Report:
    """Prove the one function of a program, as `read_program` takes it, on its way through `--tile-to-pallas`.

    Each of `arguments` is a list of arrays as `tilec.dialects.interpreter.run` takes it; without any, one is
    drawn at random. `grouping`, `loop` and `blocks` (lanes by axis) are the options of the pass. The kernel
    is compiled for the shapes of the first list, for each of `chips`; without any, for none.

    Raises ProofFailed, TileError for what a pass refuses, and what `read_program` raises.
    """
    module, function = read_program(program)
    name, lists = function.sym_name.data, arguments or [random_args(function)]
    choices = {chip: TileToPallas(grouping, loop, chip, blocks or {}) for chip in chips or CHIPS[:1]}
    kernels = {chip: emit(module, [choice]) for chip, choice in choices.items()}
    first = next(iter(choices))
    kernel, passes = kernels[first], choices[first].passes()
    fold = 1 + [each.name for each in passes].index(FoldOuterPipeline.name)
    schedule = _applied(module, choices[first].schedule())
    started, steps = time.perf_counter(), list[int]()
    for args in lists:
        prove_passes(module, name, args, passes)
    passed = time.perf_counter()
    for args in lists:
        counts = Counter[Operation]()
        run(schedule, name, args, steps=counts)
        prove_kernel(kernel, name, args, run(module, name, args))
        steps.append(counts.total())
    interpreted = time.perf_counter()
    compiled = [prove_compiles(kernels[chip], name, lists[0], (chip,))[0] for chip in chips]
    folded = str(_applied(module, passes[:fold]))
    seconds = (passed - started, interpreted - passed)
    return Report(folded, kernel, tuple(steps), *seconds, tuple(compiled))


def read_program(program: str | Path) -> tuple[ModuleOp, func.FuncOp]:
    """A verified module and its one function, from text or from the file at a path.

    Raises TileError if it does not verify or has not exactly one function, ParseError and OSError as
    `parse_file` does.
    """
    if isinstance(program, Path):
        module = parse_file(str(program), make_context())
    else:
        module = LocatingParser(make_context(), program, "<text>").parse_module()
    verify(module)
    found = functions(module)
    if len(found) != 1:
        names = ", ".join(f"@{each.sym_name.data}" for each in found) or "none"
        raise TileError(f"a program with one function is needed; the functions are {names}", where(module))
    return module, found[0]


def prove_passes(
    module: ModuleOp,
    entry: str,
    args: Sequence[Array],
    passes: Sequence[ModulePass],
    *,
    seeds: Sequence[int] = (0, 1),
) -> None:
    """Prove that each of `passes`, run one after the other on a copy of `module`, keeps what `entry` returns.

    The reference interpreter runs the function with `args` before the first pass and after each, with every
    one of `seeds`. All runs must agree with the first: integers exactly, floats within `TOLERANCE`, and no
    element that it defines may become undefined. After each pass the module must also verify, and its text
    must parse as the same module, once where passes leave both as they are. Modules of the `pallas` dialect
    are not run.

    Raises ProofFailed, at the operation that is wrong or at the function; TileError for what a pass refuses
    or `args` that the function does not take.
    """
    place = next((where(each) for each in functions(module) if each.sym_name.data == entry), entry)
    with _blaming("the program itself"):
        verify(module)
    expected = run(module, entry, args, seed=seeds[0])
    changed, before, text = module.clone(), module, str(module)
    _check_runs("the program itself", changed, entry, args, expected, seeds[1:], place)
    for each in passes:
        each.apply(make_context(), changed)
        text_before = text
        # Neither alone tells: of structure result types are no part, and text may leave attributes out.
        alike = changed.is_structurally_equivalent(before)
        with _blaming(each.name):
            if not alike:
                verify(changed)
            text = str(changed)
            if alike and text == text_before:
                continue
            if alike:
                verify(changed)
        before = changed.clone()
        _check_text(each.name, changed, text, place)
        if not any(op.name.startswith("pallas.") for op in changed.walk()):
            _check_runs(each.name, changed, entry, args, expected, seeds, place)


def prove_kernel(
    module_text: str,
    name: str,
    args: Sequence[Array],
    expected: Sequence[Result],
    *,
    seeds: Sequence[int] = (0, 1),
) -> None:
    """Prove that the function `name` of an emitted module returns what is `expected`, where that is defined.

    It runs in the TPU interpret mode of Pallas once for each seed, with two cores, shuffled parallel axes,
    memory that holds NaN until it is written, and a race detector. Floats may differ within `TOLERANCE`.

    Raises ProofFailed for a difference, a race, or an access outside an array.
    """
    from tilec.runtime.interpret import RaceError, interpret

    kernel = _kernel(module_text, name)
    for seed in seeds:
        step = f"Pallas interpret mode, seed {seed}"
        try:
            outputs = interpret(kernel, args, seed=seed)
        except (RaceError, RuntimeError) as error:
            # Jax makes of any other error a RuntimeError whose text is a traceback.
            raise ProofFailed(step, str(error).strip().splitlines()[-1], name) from error
        results = [Result(output, np.ones_like(output, np.bool_)) for output in outputs]
        problem = difference(results, expected)
        if problem is not None:
            raise ProofFailed(step, problem, name)


@lru_cache(maxsize=64)
def _kernel(module_text: str, name: str) -> Callable[..., Any]:
    """The function of an emitted module, loaded once, as `interpret` keeps what it has traced by function."""
    from tilec.runtime.load import entry, load

    return entry(load(module_text, name), name)


def prove_compiles(
    module_text: str, name: str, args: Sequence[Array], chips: Sequence[str] = CHIPS
) -> "list[Compiled]":
    """Prove that the TPU compiler takes the function `name` of an emitted module for the shapes of `args`.

    Returns what it says of each of `chips`. 64-bit integers count as 32-bit ones. No TPU is needed.

    Raises ProofFailed, at the place in the program, for a refusal, and ValueError for an unknown chip.
    """
    import jax

    from tilec.runtime.aot import CompileRefused, compile_for
    from tilec.runtime.load import entry, load
    from tilec.runtime.signature import held_as

    kernel = entry(load(module_text, name), name)
    shapes = [jax.ShapeDtypeStruct(each.shape, held_as(each.dtype.name)) for each in args]
    compiled: list[Compiled] = []
    for chip in chips:
        try:
            compiled.append(compile_for(kernel, shapes, chip))
        except CompileRefused as error:
            place, _, op = (error.tile_location or name).partition(" ")
            reason = f"{op} is refused: {error.message}" if op else error.message
            raise ProofFailed(chip, reason, place) from error
    return compiled


def emit(module: ModuleOp, passes: Sequence[ModulePass]) -> str:
    """The Pallas text of a copy of `module` after `passes`. Raises TileError for what cannot be emitted."""
    output = io.StringIO()
    PallasTarget().emit(make_context(), _applied(module, passes), output)
    return output.getvalue()


def difference(results: Sequence[Result], expected: Sequence[Result]) -> str | None:
    """Where and by how much results differ from the defined elements of those expected, or None.

    Where infinity or NaN is expected, either will do: which of them comes out depends on the order of sums.
    """
    if len(results) != len(expected):
        return f"there are {len(results)} results in place of {len(expected)}"
    problems = (_result_difference(got, want) for got, want in zip(results, expected, strict=True))
    found = [f"result {i}: {problem}" for i, problem in enumerate(problems) if problem is not None]
    return "; ".join(found) or None


def _result_difference(got: Result, want: Result) -> str | None:
    if (got.data.dtype, got.data.shape) != (want.data.dtype, want.data.shape):
        given, wanted = (f"{each.data.dtype}{list(each.data.shape)}" for each in (got, want))
        return f"{given} in place of {wanted}"
    wrong = want.defined & ~(got.defined & _agrees(got.data, want))
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    value = str(got.data[place]) if got.defined[place] else "undefined"
    count = f"{int(wrong.sum())} of {int(want.defined.sum())} defined elements differ"
    return f"{value} in place of {want.data[place]} at {list(place)}; {count}"


def _agrees(got: Array, want: Result) -> Array:
    """bool of the shape of both: whether an element is near enough to the one wanted."""
    tolerance = TOLERANCE.get(want.data.dtype.name)
    if tolerance is None:
        return got == want.data
    given, wanted = got.astype(np.float64), want.data.astype(np.float64)
    claimed = want.defined & np.isfinite(wanted)
    wanted = np.where(claimed, wanted, 0.0)
    size = np.sqrt(np.sum(wanted * wanted) / max(claimed.sum(), 1))
    with np.errstate(invalid="ignore"):
        near = np.abs(given - wanted) <= tolerance * (np.abs(wanted) + size)
    return np.where(claimed, near, ~np.isfinite(given))


def _check_runs(
    step: str,
    module: ModuleOp,
    entry: str,
    args: Sequence[Array],
    expected: Sequence[Result],
    seeds: Sequence[int],
    place: str,
) -> None:
    for seed in seeds:
        with _blaming(step):
            results = run(module, entry, args, seed=seed)
        problem = difference(results, expected)
        if problem is not None:
            raise ProofFailed(step, f"with seed {seed}, {problem}", place)


def _check_text(step: str, module: ModuleOp, text: str, place: str) -> None:
    try:
        with _blaming(step):
            again = _parsed(text)
    except ParseError as error:
        reason = f"its text does not parse, {error.span.get_location()}: {' '.join(error.msg.split())}"
        raise ProofFailed(step, reason, place) from error
    if not module.is_structurally_equivalent(again):
        raise ProofFailed(step, "its text parses as another module", place)


@lru_cache(maxsize=256)
def _parsed(text: str) -> ModuleOp:
    """A verified module, not to be changed: proofs for other arguments read the same texts again."""
    module = LocatingParser(make_context(), text, "the text").parse_module()
    verify(module)
    return module


@contextmanager
def _blaming(step: str) -> Generator[None]:
    try:
        yield
    except TileError as error:
        raise ProofFailed(step, error.message, error.place) from error


def _applied(module: ModuleOp, passes: Sequence[ModulePass]) -> ModuleOp:
    changed = module.clone()
    for each in passes:
        each.apply(make_context(), changed)
        verify(changed)
    return changed
