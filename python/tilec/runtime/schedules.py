"""The schedules of all operations of a function, as the TPU compiler writes them for a chip."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jax

from tilec.analysis.cost.bundles import lines_of_stores
from tilec.runtime.child import compile_in_child
from tilec.runtime.flow import lines_of
from tilec.runtime.twins import called, twins

_FILES = re.compile(
    r"\d+-(.+)-\d+-(packed-bundles-post-ra|pre-delay_hlo-static-per-bundle-utilization|original|"
    r"post-x8-coalescing)\.txt"
)
_DUMPED = "packed-bundles-post-ra|pre-delay"
_LINES = (
    "",
    "--xla_mosaic_enable_llo_source_annotations=true",
    f"--xla_jf_dump_llo_pass_label_regex=.*({_DUMPED}|original|x8-coalescing).*",
)
PROGRAM = "TLP"
"""The name, among schedules, of the program that calls the others. XLA puts small operations into it."""

_NAMING = ("parameter", "tuple", "get-tuple-element", "bitcast", "constant")


@dataclass(frozen=True)
class Scheduled:
    """The texts that libtpu has of one operation: its bundles, and their use of slots. `stores` are lines
    of a module that the bundles do not say, as `lines_of_stores` has them."""

    bundles: str
    slots: str
    stores: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Compilation:
    """A compiled function: its operations that take time, name and opcode, in order, the schedules of those
    that have one, by name, and the module in XLA's text form. Of a
    compile in a process of its own, also its seconds and the bytes of code."""

    operations: tuple[tuple[str, str], ...]
    schedules: dict[str, Scheduled]
    hlo: str
    compile_seconds: float = 0.0
    code_bytes: int = 0


def schedules_of(text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str) -> Compilation:
    """Compiles `function` of an emitted module's `text`, in a process of its own; small arrays stay in HBM.

    The bundles of kernels name the lines of `text` that instructions come from.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB.
    """
    with tempfile.TemporaryDirectory(prefix="tilec-") as folder:
        variables = dump_variables(folder)
        variables["LIBTPU_INIT_ARGS"] += " ".join(_LINES)
        compiled = compile_in_child(text, function, structs, chip, variables)
        found = dumped(Path(folder))
        return replace(found, compile_seconds=compiled.compile_seconds, code_bytes=compiled.code_bytes)


def dump_variables(folder: str) -> dict[str, str]:
    """Environment variables with which libtpu writes to a folder what `dumped` reads. It takes them when it
    is loaded."""
    flags = (
        f"--xla_jf_dump_to={folder}",
        "--xla_jf_dump_llo_text=true",
        f"--xla_jf_dump_llo_pass_label_regex=.*({_DUMPED}).*",
        "--xla_msa_enable=false",
    )
    return {"LIBTPU_INIT_ARGS": " ".join(flags), "XLA_FLAGS": f"--xla_dump_to={folder}/hlo"}


def dumped(folder: Path) -> Compilation:
    """The function that was compiled, if one was, with `dump_variables` of an empty folder."""
    hlo = "".join(path.read_text() for path in sorted((folder / "hlo").glob("*.after_codegen.txt")))
    schedules = _schedules(folder)
    calls = called(schedules[PROGRAM].bundles) if PROGRAM in schedules else []
    shared = twins(hlo, [name for name in calls if name not in schedules], schedules)
    schedules |= {name: schedules[twin] for name, twin in shared.items()}
    return Compilation(operations_of(hlo), schedules, hlo)


def operations_of(hlo: str) -> tuple[tuple[str, str], ...]:
    """The names and opcodes of what a module in XLA's text form does, without what only names values."""
    return tuple((name, line.opcode) for name, line in lines_of(hlo).items() if line.opcode not in _NAMING)


def _schedules(folder: Path) -> dict[str, Scheduled]:
    texts: dict[str, dict[str, str]] = {}
    for path in folder.iterdir():
        match = _FILES.fullmatch(path.name)
        if match is not None and not match[1].startswith("<"):  # what runs once, when a program is loaded
            texts.setdefault(match[1], {})[match[2][:6]] = path.read_text()
    return {name: _scheduled(each) for name, each in sorted(texts.items())}


def _scheduled(texts: Mapping[str, str]) -> Scheduled:
    stores = lines_of_stores(texts.get("origin", ""), texts.get("post-x", ""))
    return Scheduled(texts["packed"], texts["pre-de"], stores)
