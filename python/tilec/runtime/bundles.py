"""Counts the instruction bundles of a kernel's loops, as the TPU compiler schedules them.

A TensorCore issues one bundle a cycle, so the bundles of a loop are what a step of it costs, but for waiting
on DMAs. Each predicated body counts, whether a step takes it or not. libtpu writes its final schedule where a
flag asks for it, and reads its flags when it is loaded: hence a process for each compile.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax

from tilec.runtime.child import compile_in_child

# `0x1e LB: > { %1 = ... }`: address, label, a `>` for each loop around, instructions.
_BUNDLE = re.compile(r"\s*(?:0x[0-9a-f]+|0)\s+([A-Z]{2})?\s*:((?:\s*>)*)\s*\{(\})?")
_KERNEL = re.compile(r"exit bundle: %(\S+) = .*?custom-call\(")


@dataclass(frozen=True)
class Loop:
    """A loop of a compiled kernel: how many loops deep it is, from 1, and the bundles directly in it."""

    depth: int
    bundles: int


def loops_of(schedule: str) -> list[Loop]:
    """The loops of a kernel in the order of their addresses, from the text of libtpu's `final_bundles`.

    Single bundles of a loop are marked as if they were outside. A loop is only over when another one begins.
    """
    depths: list[int] = []
    counts: list[int] = []
    around: list[int] = []  # the loops that the current bundle is in, outermost first, as indices of `counts`
    latest: dict[tuple[int, ...], int] = {}  # by the loops around it, the loop that began last there
    depth = 0
    for label, marks, empty in (
        match.groups() for match in map(_BUNDLE.match, schedule.splitlines()) if match
    ):
        if not empty:  # an empty bundle carries no marks and belongs where the one before it does
            depth = marks.count(">")
        begins = label == "LB" and depth > 0
        del around[depth - 1 if begins else depth :]
        while len(around) < depth:
            outer = tuple(around)
            if begins or outer not in latest:
                latest[outer] = len(counts)
                depths.append(len(around) + 1)
                counts.append(0)
            around.append(latest[outer])
        if around:
            counts[around[-1]] += 1
    return [Loop(*pair) for pair in zip(depths, counts, strict=True)]


def kernel_loops(
    text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str
) -> dict[str, list[Loop]]:
    """Compiles `function` of an emitted module's `text`; gives the loops of each kernel by its name in HLO.

    Raises `CompileRefused`, also when the compiler takes longer than two minutes or more than 16 GiB.
    """
    with tempfile.TemporaryDirectory(prefix="tilec-") as folder:
        flags = (
            f"--xla_jf_dump_to={folder}",
            "--xla_jf_dump_llo_text=true",
            "--xla_jf_dump_llo_pass_label_regex=.*final_bundles.*",
        )
        compile_in_child(text, function, structs, chip, {"LIBTPU_INIT_ARGS": " ".join(flags)})
        return kernels_in(Path(folder))


def kernels_in(folder: Path) -> dict[str, list[Loop]]:
    """The loops of each kernel, by its name in HLO, of which libtpu wrote the `final_bundles` to a folder."""
    texts = [path.read_text() for path in sorted(folder.glob("*-final_bundles.txt"))]
    return {match[1]: loops_of(text) for text in texts if (match := _KERNEL.search(text))}
