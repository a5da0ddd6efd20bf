"""Reports: of a kernel compiled here, of what is refused, and the arguments that they are made for."""

import json
import re
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from tilec.__main__ import load_kernel
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import random_args
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.report import make
from tilec.report.arguments import Arguments, Source, arguments_for
from tilec.report.command import run
from tilec.report.data import Refusal
from tilec.report.lengths import WORDS, Lengths
from tilec.report.make import report
from tilec.runtime import aot, cache, child, executable
from tilec.runtime.aot import CompileRefused
from tilec.runtime.executable import Executable
from tilec.runtime.signature import signature_of
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program

GROUPED = Path(__file__).resolve().parents[2] / "examples" / "grouped_matmul.mlir"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def grouped(rows: int, source: Source, **blocks: int) -> tuple[Executable, Arguments]:
    """The example with so many rows, in segments of some lengths."""
    module, function = read_program(GROUPED)
    executable = Executable(module, choices=TileToPallas(blocks=blocks))
    given = [("bfloat16", (rows, 512))]
    return executable, arguments_for(function, signature_of(module).parameters, given, {"offsets": source})


@pytest.mark.aot
def test_a_kernel_is_reported() -> None:
    executable, _ = grouped(512, Lengths("equal", 64))
    compiled = executable.aot("v6e", rows=512)
    found = compiled.report(offsets=np.arange(0, 513, 64).astype(np.int32))
    assert found == compiled.report(offsets="equal:64")
    alone = compiled.estimate(offsets="equal:64")
    assert found.cost is not None
    assert (alone.seconds, alone.doubts) == (found.cost.seconds, found.cost.doubts)
    with pytest.raises(TileError, match="'even:64' gives no integers"):
        compiled.estimate(offsets="even:64")
    with pytest.raises(TypeError, match="offsets holds float64; integers are needed"):
        compiled.estimate(offsets=np.arange(0, 513, 64) + 0.5)
    with pytest.raises(ValueError, match="segment 0 is 513 to 449"):
        compiled.estimate(offsets=np.arange(513, 0, -64).astype(np.int32))
    assert (found.chip, found.refused, found.need_unknown) == ("v6e", None, None)
    assert found.cost is not None
    assert found.need is not None
    assert found.memory is not None
    assert found.cost.doubts == ()
    assert found.cost.steps == 8 * 4  # each group lies in one tile of rows, and has four of columns
    assert found.need.steps == found.cost.steps
    assert found.cost.least_seconds < found.cost.seconds < found.cost.most_seconds
    assert found.cost.roofline == pytest.approx(found.need.seconds / found.cost.seconds)
    assert found.cost.bytes_written >= found.need.bytes_written == 512 * 256 * 2
    assert found.cost.bytes_read >= found.need.bytes_read
    assert found.memory.ledger_bytes == found.memory.compiler_bytes == sum(
        owner.bytes for owner in found.memory.owners
    )  # fmt: skip
    assert found.cost.code_bytes > 0
    assert found.cost.compile_seconds > 0
    assert json.loads(json.dumps(found.plain()))["cost"]["steps"] == 32
    assert "of the roofline" in str(found)
    assert re.search(r"steps +32, 1.00 x the fewest", str(found))
    fewer = str(replace(found, cost=replace(found.cost, steps=16)))
    assert re.search(r"steps +16 of loops that copy *\n", fewer)  # some of the fewest copy nothing
    doubted = str(replace(found, cost=replace(found.cost, doubts=("a loop",))))
    assert re.search(r"estimated time +\S+ us, not to be trusted *\n  on the hardware +not known", doubted)
    assert re.search(r"of the roofline +not known", doubted)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "Scoped allocation with size 200.00M and limit 128.00M exceeded scoped vmem limit",
            r"the TPU compiler needs 200.00 MiB of VMEM, and v5e has 128 MiB; the largest are %w_window .*"
            r"; \w+:\d+ in place of \w+:\d+ would fit$",
        ),
        (
            "Scoped allocation with size 17.00M and limit 16.00M exceeded scoped vmem limit by 1.00M",
            r"the TPU compiler needs 17.00 MiB of VMEM, and gives the kernel 16.00 MiB of those of v5e; the "
            r"largest are %w_window .*; \w+:\d+ in place of \w+:\d+ would fit$",
        ),
        ("an unsupported shape", "^the TPU compiler refuses tile.dot: an unsupported shape$"),
    ],
)
def test_a_refusal_of_the_compiler_is_at_its_operation(
    message: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*rest: object) -> None:
        raise CompileRefused(message, 7, "grouped_matmul.mlir:12:9 tile.dot")

    monkeypatch.setattr(make, "measure", refuse)
    found = report(*grouped(512, Lengths("equal", 64), m=128, k=512), "v5e")
    assert found.cost is None
    assert found.refused is not None
    assert found.refused.place == "grouped_matmul.mlir:12:9"
    assert re.search(said, found.refused.message)


def test_what_takes_too_much_vmem_is_at_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*rest: object) -> None:
        raise CompileRefused("Scoped allocation with size 200.00M and limit 128.00M", None, None)

    monkeypatch.setattr(make, "measure", refuse)
    found = report(*grouped(512, Lengths("equal", 64), m=128, k=512), "v5e")
    assert found.refused is not None
    assert found.memory is not None
    assert re.fullmatch(r".*grouped_matmul\.mlir:\d+:\d+", found.refused.place)
    assert found.memory.compiler_bytes == 200 * 2**20
    assert "by the compiler" in found.html()
    monkeypatch.setattr(executable, "compile_for", refuse)
    place = re.escape(found.refused.place)
    with pytest.raises(CompileRefused, match=f"^{place}: the TPU compiler needs 200.00 MiB of VMEM"):
        grouped(512, Lengths("equal", 64), m=128, k=512)[0].aot("v5e", rows=512)


def test_what_a_program_requires_is_not_called_a_refusal_of_the_compiler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*rest: object) -> None:
        raise CompileRefused("512 is more than 256", 7, "grouped_matmul.mlir:12:9 pallas.require")

    monkeypatch.setattr(make, "measure", refuse)
    found = report(*grouped(512, Lengths("equal", 64)), "v5e")
    assert found.refused == Refusal("grouped_matmul.mlir:12:9", "512 is more than 256")


def test_too_little_hbm_is_told_in_sizes() -> None:
    struct = jax.ShapeDtypeStruct((65536, 65536), jnp.float32)
    said = "arguments of 16.00 GiB, results of 16.00 GiB and .* do not fit the 15.75 GiB of HBM"
    with pytest.raises(CompileRefused, match=said):
        aot.compile_for(jnp.tanh, [struct], "v5e")


def test_a_page_for_which_there_is_no_room() -> None:
    with pytest.raises(OSError, match="/dev/full"):
        run(str(GROUPED), ["v5e"], "", "m=128 n=128", as_json=False, html="/dev/full")


def test_a_compiler_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_SECONDS", 0.05)
    found = report(*grouped(512, Lengths("equal", 64)), "v5e")
    assert found.refused is not None
    assert found.refused.message == "compiling for v5e takes more than 0.05 s"
    assert "refused at v5e: " in str(found)


def test_without_libtpu_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None

    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(aot, "find_spec", find)
    monkeypatch.setattr(cache, "version", version)
    monkeypatch.delenv("TPU_LIBRARY_PATH", raising=False)
    found = report(*grouped(512, Lengths("equal", 64)), "v5e")
    assert found.refused is not None
    assert found.refused.message == "libtpu, which has the TPU compiler, is not installed"
    with pytest.raises(CompileRefused, match=r"^libtpu, which has the TPU compiler, is not installed$"):
        grouped(512, Lengths("equal", 64))[0].aot("v5e", rows=512)


def test_a_chip_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="unknown chip 'v9': known are v4"):
        report(*grouped(512, Lengths("equal", 64)), "v9")


@pytest.mark.parametrize("word", WORDS)
def test_lengths_have_their_mean(word: str) -> None:
    drawn = Lengths(word, 64).draw(9, 1000)
    assert (drawn.sum(), drawn.min() >= 0) == (9 * 64, True)
    assert (len(set(drawn.tolist())) == 1) == (word == "equal")
    assert Lengths(word, 64).draw(9, 40).max() == 40


def test_what_is_not_given_is_drawn() -> None:
    module, function = read_program(GROUPED)
    found = arguments_for(function, signature_of(module).parameters)
    offsets = found.contents[2]
    rows = found.shapes[0][0]
    assert (offsets[0], offsets[-1], (np.diff(offsets) >= 0).all()) == (0, rows, True)
    assert found.described()[2] == "offsets: int32[9]"


def test_rows_follow_from_lengths() -> None:
    module, function = read_program(GROUPED)
    sources: dict[str, Source] = {"offsets": Lengths("ramp", 100)}
    found = arguments_for(function, signature_of(module).parameters, (), sources)
    assert found.shapes[0] == (800, 512)
    assert found.contents[2][-1] == 800


def test_positions_tell_of_lengths_not_of_rows() -> None:
    """Eight segments of 100 rows, each row with its own of 128 positions."""
    program = """
    func.func @f(%x: memref<800x128xf32>, %table: memref<128x128xf32>, %o: memref<9xi32>)
        -> memref<800x128xf32> {
      %out = tile.empty : memref<800x128xf32>
      tile.grid %g = 0 to 8 {
        %b, %e = tile.segment %o[%g]
        %n = arith.subi %e, %b : index
        tile.for %m = 0 to %n by m {
          %v = tile.load %x[%m + %b, :]
          %p = tile.load %table[%m, :]
          %s = arith.addf %v, %p : tensor<?x128xf32, #tile.spans<m, _>>
          tile.store %s, %out[%m + %b, :]
        }
      }
      return %out : memref<800x128xf32>
    }"""
    module, function = read_program(program)
    parameters = signature_of(module).parameters
    found = arguments_for(function, parameters, (), {"o": Lengths("equal", 100)})
    assert found.contents[2][-1] == 800
    with pytest.raises(ValueError, match="8 segments of 101 rows on average are 808"):
        arguments_for(function, parameters, (), {"o": Lengths("equal", 101)})
    assert np.diff(random_args(function)[2]).max() <= 128


SKEWED = [0, 2900, *range(2901, 2908), 3000, 3004]
"""Offsets of ten segments, most of the rows in the first."""
SUMS = """
func.func @sums(%x: memref<3008x512xf32>, %offsets: memref<11xi32>) -> memref<10x512xf32> {
  %out = tile.empty : memref<10x512xf32>
  tile.grid %g = 0 to 10 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<512xf32>
    %sum = tile.for %rows = %begin to %end by rows iter_args(%a = %zero) {
      %v = tile.load %x[%rows, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<512xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<10x512xf32>
}
"""


def reported(capsys: pytest.CaptureFixture[str], kernel: Path | str, args: str, choices: str = "") -> Any:
    """What `tile-report --json` says of a kernel on v6e, but for how long the compiler took."""
    assert run(str(kernel), ["v6e"], args, choices, as_json=True, html="") == 0
    (found,) = json.loads(capsys.readouterr().out)
    del found["cost"]["compile_seconds"]
    return found


@pytest.mark.aot
def test_without_options_it_is_the_choice_of_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel, offsets = tmp_path / "sums.mlir", tmp_path / "offsets.json"
    kernel.write_text(SUMS)
    offsets.write_text(json.dumps(SKEWED))
    shapes = [Operand("x", (3008, 512), "float32"), Operand("offsets", (11,), "int32", tuple(SKEWED))]
    liked = default_choice(Program("sums", SUMS, tuple(shapes)), "v6e")
    found = reported(capsys, kernel, f"offsets={offsets}")
    assert (found["choices"], found["modelled"]) == (str(liked), True)
    assert "rows=" in found["choices"]
    again = reported(capsys, kernel, f"offsets={offsets}", found["choices"])
    assert again == {**found, "modelled": False}
    plain = reported(capsys, kernel, f"offsets={offsets}", "loop=grid")
    assert (plain["choices"], plain["modelled"]) == ("loop=grid", False)
    assert plain["cost"]["seconds"] > 1.5 * found["cost"]["seconds"]


KERNELS = """
import tilec, torch
import tilec.language as hl

def double(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for unused in hl.tile(x.size(0), block_size=64):
        pass
    for rows in hl.tile(x.size(0)):
        out[rows, :] = x[rows, :] * 2
    return out

free = tilec.kernel(double)
given = tilec.kernel(config=tilec.Config(blocks={"rows": 16}, depth=3, loop="fori_loop"))(double)
"""


@pytest.mark.aot
def test_a_kernel_is_reported_as_it_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kernels.py"
    file.write_text(KERNELS)
    own = load_kernel(f"{file}:free").bind(torch.empty(512, 256)).for_chip("v6e").choices.told()

    def told(name: str, choices: str = "") -> tuple[str, bool]:
        found = reported(capsys, f"{file}:{name}", "f32[512,256]", choices)
        return found["choices"], found["modelled"]

    assert told("free") == (own, True)
    assert told("free", "rows=32") == ("rows=32", False)
    assert told("given") == ("rows=16 loop=fori_loop depth=3", False)
    assert told("given", "operands=resident") == ("rows=16 operands=resident", False)


def test_what_is_refused_whatever_is_chosen_is_refused_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = tmp_path / "race.mlir"
    kernel.write_text(SUMS.replace("%out[%g, :]", "%out[0, :]"))
    assert run(str(kernel), ["v6e"], "", "", as_json=True, html="") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["refused"]["place"].startswith(f"{kernel}:")
    assert re.fullmatch(rf"{kernel}:\d+:\d+: error: v6e: .*\n", told.err)


def test_what_is_refused_before_the_compiler_has_its_ledger() -> None:
    found = report(*grouped(512, Lengths("equal", 64), m=8192, k=512), "v4")
    assert found.refused is not None
    assert found.memory is not None
    assert found.memory.ledger_bytes > found.memory.chip_bytes
    with pytest.raises(TileError, match="do not fit the 16 MiB of v4"):
        grouped(512, Lengths("equal", 64), m=8192, k=512)[0].for_chip("v4")
