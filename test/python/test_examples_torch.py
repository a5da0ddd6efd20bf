"""The examples in torch: each is traced, agrees with torch, passes the three proofs, and runs as a script."""

import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tilec
from tilec.chips import CHIPS
from tilec.dialects.interpreter import functions, random_args, run
from tilec.frontend.kernel import Bound, Kernel
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.aot import CompileRefused
from tilec.testing import agree, program_arguments

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """A kernel of a file, what it should compute, and arguments for it."""

    file: Path
    name: str
    kernel: Kernel[..., Any]
    reference: Callable[..., Any]
    arguments: Callable[..., tuple[Any, ...]]

    def typed(self, dtype: torch.dtype) -> tuple[Any, ...]:
        """Arguments in `dtype`, of examples that take several; all others have their own."""
        return self.arguments(dtype=dtype) if self.has_dtypes else self.arguments()

    @property
    def arguments_of(self) -> list[str]:
        return list(inspect.signature(self.kernel.fn).parameters)

    @property
    def has_dtypes(self) -> bool:
        return "dtype" in self.arguments.__annotations__


def examples_of(file: Path) -> list[Example]:
    spec = importlib.util.spec_from_file_location(f"example_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, Any] = vars(module)
    kernels = [name for name, each in found.items() if isinstance(each, Kernel)]
    return [Example(file, name, found[name], found["reference"], found["arguments"]) for name in kernels]


ALL = [example for file in sorted(EXAMPLES.glob("*.py")) for example in examples_of(file)]


def typed(examples: list[Example]) -> list[tuple[Example, torch.dtype]]:
    dtypes = (torch.float32, torch.bfloat16)
    pairs = [(example, dtype) for example in examples for dtype in dtypes]
    return [(example, dtype) for example, dtype in pairs if dtype is torch.float32 or example.has_dtypes]


def in_turn(first: int) -> list[tuple[Example, torch.dtype]]:
    """Each example in one dtype, of those that it takes."""
    dtypes = (torch.float32, torch.bfloat16)
    return [
        (example, dtypes[(first + place) % 2] if example.has_dtypes else torch.float32)
        for place, example in enumerate(ALL)
    ]


def label(value: Example | torch.dtype) -> str:
    return value.name if isinstance(value, Example) else str(value).removeprefix("torch.")


def tensors_among(args: tuple[Any, ...]) -> list[torch.Tensor]:
    return [each for each in args if isinstance(each, torch.Tensor)]


def program_of(
    example: Example, args: tuple[Any, ...], config: tilec.Config | None = None
) -> tuple[Bound, list[Array]]:
    """A kernel for arguments, and the tensors among these as its program takes them."""
    bound = example.kernel.bind(*args) if config is None else Bound(example.kernel.bind(*args).traced, config)
    return bound, program_arguments(bound, [*tensors_among(args), *bound.traced.captured])


def emitted(bound: Bound) -> str:
    return emit(bound.traced.module, [bound.choices])


def tensor_of(array: Array, dtype: torch.dtype) -> torch.Tensor:
    if dtype is torch.bfloat16:
        return torch.tensor(array.view("int16")).view(dtype)
    return torch.tensor(array).to(dtype)


def check_program(example: Example, args: tuple[Any, ...], seed: int) -> None:
    """The traced program defines every element of its results, and they are those of torch."""
    bound, arrays = program_of(example, args)
    traced = bound.traced
    results = run(traced.module, traced.name, arrays, seed=seed, blocks=traced.fixed)
    assert all(result.defined.all() for result in results)
    pairs = zip(results, traced.results, strict=True)
    tensors = [tensor_of(result.data, dtype) for result, dtype in pairs]
    fresh = len(tensors) - len(traced.mutated)
    got = traced.returned(tensors[:fresh], [*tensors_among(args), *traced.captured])
    agree(got, example.reference(*args), example.name)


def check_passes(example: Example, args: tuple[Any, ...], seed: int) -> None:
    """Every pass keeps what the program computes; most extents are of several tiles of 128."""
    bound, arrays = program_of(example, args, tilec.Config())
    prove_passes(bound.traced.module, bound.traced.name, arrays, bound.choices.passes(), seeds=(seed,))


def check_kernel(
    example: Example, args: tuple[Any, ...], seed: int, config: tilec.Config | None = None
) -> None:
    """The emitted kernel computes what the program does."""
    bound, arrays = program_of(example, args, config)
    traced = bound.traced
    expected = run(traced.module, traced.name, arrays, seed=seed, blocks=traced.fixed)
    prove_kernel(emitted(bound), traced.name, arrays, expected, seeds=(seed,))


@pytest.mark.parametrize(("example", "dtype"), typed(ALL), ids=label)
def test_program_agrees_with_torch(example: Example, dtype: torch.dtype) -> None:
    check_program(example, example.typed(dtype), seed=0 if dtype is torch.float32 else 1)


@pytest.mark.parametrize(("example", "dtype"), in_turn(0), ids=label)
def test_passes_keep_its_results(example: Example, dtype: torch.dtype) -> None:
    check_passes(example, example.typed(dtype), seed=0 if dtype is torch.float32 else 1)


@pytest.mark.parametrize("config", [None, tilec.Config()], ids=["model", "plain"])
@pytest.mark.parametrize("example", ALL, ids=label)
def test_kernel_has_them_too(example: Example, config: tilec.Config | None) -> None:
    """In bf16 where an example takes it: as scripts they run in f32."""
    check_kernel(example, example.typed(torch.bfloat16), ALL.index(example) % 2, config)


@pytest.mark.aot
@pytest.mark.parametrize(("example", "dtype"), in_turn(1), ids=label)
def test_compiles(example: Example, dtype: torch.dtype) -> None:
    bound, arrays = program_of(example, example.typed(dtype))
    chip = "v5e" if dtype is torch.float32 else "tpu7x"
    prove_compiles(emitted(bound.for_chip(chip)), bound.traced.name, arrays, (chip,))


@pytest.mark.aot
@pytest.mark.parametrize("chip", list(CHIPS))
@pytest.mark.parametrize("example", ALL, ids=label)
def test_an_estimate_has_no_doubts(example: Example, chip: str) -> None:
    """Nor does the compiler refuse any but one, of which a v4 has no gather along sublanes."""
    bound, arrays = program_of(example, example.arguments())
    refused = (example.name, chip) == ("cross_entropy_flat", "v4")
    with pytest.raises(CompileRefused, match="gather") if refused else nullcontext():
        assert bound.for_chip(chip).executable.estimate(chip, arrays).doubts == ()


NO_SEGMENTS = ("jagged_dense_add",)
"""What has offsets, and as many columns for each row, masked."""


@pytest.mark.parametrize(
    "example",
    [each for each in ALL if "offsets" in each.arguments_of and each.name not in NO_SEGMENTS],
    ids=lambda each: each.name,
)
def test_offsets_that_nobody_gave_are_of_segments(example: Example) -> None:
    """Of programs over tiles of segments too, which a pass makes loops over segments."""
    bound = example.kernel.bind(*example.arguments())
    place = [name for name, _, _ in bound.traced.parameters].index("offsets")
    drawn = np.asarray(random_args(functions(bound.traced.module)[0])[place])
    assert (np.diff(drawn) >= 0).all(), drawn


@pytest.mark.aot
@pytest.mark.parametrize("dim", [64, 128, 256])
@pytest.mark.parametrize("causal", [False, True], ids=["full", "causal"])
def test_attention_of_every_head_dim(dim: int, causal: bool) -> None:
    example = next(each for each in ALL if each.name == "attention")
    args = example.arguments(dtype=torch.bfloat16, dim=dim, causal=causal)
    check_program(example, args, seed=2)
    bound, arrays = program_of(example, args)
    prove_compiles(emitted(bound), bound.traced.name, arrays, ("v6e",))


@pytest.mark.parametrize("file", sorted({example.file for example in ALL}), ids=lambda file: file.stem)
def test_scripts_run(file: Path) -> None:
    """Each prints how far it is from torch."""
    command = [sys.executable, str(file)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stderr
    said = re.findall(r"^(\w+): agrees with torch, largest difference \S+$", finished.stdout, re.MULTILINE)
    assert said == [example.name for example in ALL if example.file == file]
