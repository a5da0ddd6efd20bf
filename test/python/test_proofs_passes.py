"""Proof 1 of the corpus: every pass of every way to Pallas keeps what the reference interpreter says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from xdsl.utils.arg_spec import parse_pipeline

from corpus.choices import CHOICES, DISTINCT, LEGAL, MAIN, Choice, main_segments, parse
from corpus.corpus import DTYPES, EXAMPLES, Dtype
from corpus.segments import MIXED
from tilec.diagnostics import TileError, verify
from tilec.dialects.interpreter import functions, random_args
from tilec.parsing import make_context, parse_file
from tilec.passes import get_all_passes
from tilec.proof import emit, prove_passes

SEEDS = (4, 7)
"""Seeds with which the interpreter draws large blocks for programs that have none yet, which is quicker."""
LIT = Path(__file__).resolve().parents[1] / "lit" / "passes"
WIDTHS = (13, 64, 100, 200)
LIT_EXTENTS = {"swap": 8, "between": 40, "notes": 512, "kept_positions": 4000}
"""Extents of `?` in arguments, of programs that do not take any, and of one that is slow."""
LIT_NOT_RUN = (
    ("classify-outputs-schedule", "left_alone"),
    ("expand-gathers", "scattered"),
    ("expand-gathers-rows", "added"),
    ("fold-outer-pipeline", "beyond"),
    ("fold-outer-pipeline", "conditional"),
    ("one-hot-segments", "gaps"),
    ("one-hot-segments-explain", "notes"),
    ("plan-memory", "kept"),
    ("raise-gathers-explain", "scattered"),
    ("resolve-views", "permuted"),
    ("scalarize-jagged", "groups"),
    ("scalarize-jagged", "positions"),
)
"""Programs that find or scatter rows by what an array holds, or need a mask or a number, which random ones do
not fit; one that reads scratch before anything is in it.
"""
LIT_SEEDS = {"preload": (0,)}
"""Seeds of arguments, of a program that takes no empty segment."""


TILED = [choice for choice in DISTINCT if choice.loop != "fori_loop"]
"""Without the loop whose passes are those of an emit_pipeline but for what is copied at once."""


@pytest.mark.parametrize("choice", DISTINCT, ids=str)
def test_every_choice(choice: Choice) -> None:
    dtype: Dtype = "f32" if DISTINCT.index(choice) % 2 else "bf16"
    program = choice.case.program(main_segments(choice.case), dtype)
    args = program.arguments(seed=1)
    prove_passes(parse(program), choice.case.name, args, choice.passes(), seeds=SEEDS)


@pytest.mark.parametrize("choice", [c for c in LEGAL if c not in DISTINCT], ids=str)
def test_nothing_to_group(choice: Choice) -> None:
    module = parse(choice.case.program(main_segments(choice.case)))
    assert emit(module, choice.passes()) == emit(module, replace(choice, grouping="worklist").passes())


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if choice.refused], ids=str)
def test_what_is_refused(choice: Choice) -> None:
    """The refusal names a place in the program, and the passes before it prove right."""
    program = choice.case.program(main_segments(choice.case), "f32")
    args = program.arguments(seed=1)
    with pytest.raises(TileError, match=re.escape(choice.refused or "")) as refusal:
        prove_passes(parse(program), choice.case.name, args, choice.passes(), seeds=SEEDS[:1])
    assert re.fullmatch(rf"{choice.case.name}\.mlir:\d+:\d+", refusal.value.place)
    with pytest.raises(TileError, match=re.escape(choice.refused or "")):
        emit(parse(program), choice.passes())


@pytest.mark.parametrize("choice", [c for c in TILED if c.case in EXAMPLES], ids=str)
def test_hostile_segments(choice: Choice) -> None:
    for seed, segments in enumerate(choice.case.sizes()):
        program = choice.case.program(segments, "f32" if seed % 2 else "bf16")
        args = program.arguments(seed)
        prove_passes(parse(program), choice.case.name, args, choice.passes(), seeds=(seed,))


@pytest.mark.parametrize("choice", [c for c in TILED if c.case.jagged], ids=str)
def test_poisoned_neighbours(choice: Choice) -> None:
    """NaN and infinities in one group stay there: what the program leaves finite, every pass does."""
    program = choice.case.program(MIXED, "f32")
    for group in (1, 5):
        args = program.poisoned(seed=group, group=group)
        prove_passes(parse(program), choice.case.name, args, choice.passes(), seeds=(group,))


@pytest.mark.parametrize("choice", MAIN, ids=str)
def test_widths_and_wide_offsets(choice: Choice) -> None:
    for width in WIDTHS:
        program = choice.case.program(main_segments(choice.case), "bf16", width=width, index="i64")
        args = program.arguments(seed=width)
        assert not choice.case.jagged or any(array.dtype == DTYPES["i64"] for array in args)
        prove_passes(parse(program), choice.case.name, args, choice.passes(), seeds=(width,))


def lit_cases() -> Iterator[tuple[Path, str, str]]:
    """Each function of each file under test/lit/passes that shows what passes do, with its passes."""
    for file in sorted(LIT.glob("*.mlir")):
        text = file.read_text()
        commands = re.findall(r"// RUN: tile-opt %s ([^|>]*)", text)
        pipelines = dict.fromkeys(pipeline for command in commands if (pipeline := pipeline_of(command)))
        if not file.stem.endswith("-invalid"):
            for pipeline, name in product(pipelines, re.findall(r"(?m)^func\.func @(\w+)", text)):
                if (file.stem, name) not in LIT_NOT_RUN:
                    yield file, name, pipeline


def pipeline_of(command: str) -> str:
    """The passes on a command line of tile-opt, as xDSL writes a pipeline."""
    flags = re.findall(r'--([\w-]+)(?:="([^"]*)")?', command)
    return ",".join(f"{flag}{{{options}}}" for flag, options in flags if flag in get_all_passes())


@pytest.mark.parametrize(
    ("file", "name", "pipeline"), [*lit_cases()], ids=lambda each: getattr(each, "stem", each)
)
def test_lit_inputs(file: Path, name: str, pipeline: str) -> None:
    """What the lit files show of a pass is right, and not only as expected."""
    module = parse_file(str(file), make_context())
    verify(module)
    function = next(each for each in functions(module) if each.sym_name.data == name)
    passes = [get_all_passes()[spec.name]().from_spec(spec) for spec in parse_pipeline(pipeline)]
    for seed in LIT_SEEDS.get(name, (0, 1)):
        args = random_args(function, seed, LIT_EXTENTS.get(name))
        prove_passes(module, name, args, passes, seeds=(seed,))
