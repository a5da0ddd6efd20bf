"""What `-t pallas` prints: it computes as numpy does, the TPU compiler takes it, it says what is wrong."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tilec.emit.module import print_module
from tilec.parsing import make_context, parse_file
from tilec.runtime.aot import compile_for
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

PROGRAMS = Path(__file__).parents[1] / "lit" / "emit"
ROWS = 100
SEGMENTS = [
    [0, 13, 13, 45, 100],
    [0, 0, 0, 0, 0],
    [7, 7, 40, 41, 90],
    [0, 100, 100, 100, 100],
    [32, 64, 64, 64, 96],
]


def emitted(name: str) -> str:
    """The text printed for one of the programs that the lit tests print."""
    module = parse_file(str(PROGRAMS / f"{name}.mlir"), make_context())
    module.verify()
    return print_module(module)


@pytest.fixture(scope="module")
def loaded() -> Callable[[str], ModuleType]:
    modules: dict[str, ModuleType] = {}

    def get(name: str) -> ModuleType:
        if name not in modules:
            modules[name] = load(emitted(name), name)
        return modules[name]

    return get


def normal(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize("rows", [1, 64, 100, 128, 200])
def test_add(loaded: Callable[[str], ModuleType], rows: int) -> None:
    x, y = normal(rows, 260), normal(rows, 260)[::-1]
    (total,) = interpret(loaded("add").add, [x, y])
    np.testing.assert_array_equal(total, x + y)


def test_matmul(loaded: Callable[[str], ModuleType]) -> None:
    x, w = (np.asarray(array, jnp.bfloat16) for array in (normal(300, 512), normal(512, 384)))
    (product,) = interpret(loaded("matmul").matmul, [x, w])
    assert product.dtype == jnp.bfloat16
    wanted = x.astype(np.float32) @ w.astype(np.float32)
    np.testing.assert_allclose(product.astype(np.float32), wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", ["grouped_matmul", "grouped_matmul_pipeline"])
@pytest.mark.parametrize("offsets", SEGMENTS, ids=str)
def test_grouped_matmul(loaded: Callable[[str], ModuleType], name: str, offsets: list[int]) -> None:
    x, w = (np.asarray(array, jnp.bfloat16) for array in (normal(ROWS, 256), normal(4, 256, 256)))
    (product,) = interpret(loaded(name).grouped_matmul, [x, w, np.array(offsets)])
    wanted = np.ones((ROWS, 256), np.float32)
    for group, (begin, end) in enumerate(itertools.pairwise(offsets)):
        wanted[begin:end] = x[begin:end].astype(np.float32) @ w[group].astype(np.float32)
    np.testing.assert_allclose(product.astype(np.float32), wanted, rtol=1e-2, atol=1e-1)


def test_scalar_loops(loaded: Callable[[str], ModuleType]) -> None:
    for start in (1, 2, 3):
        (out,) = interpret(loaded("control").fibonacci, [np.array([start], np.int32)])
        assert out.tolist() == [fibonacci(start)] * 4


def fibonacci(a: int) -> int:
    """What the program of that name stores: the next number if the last is odd, else half of the last."""
    b = 1
    for _ in range(10):
        a, b = b, a + b
    return b if a % 2 else a // 2


@pytest.mark.parametrize("rows", [16, 40, 64])
def test_parts_of_references(loaded: Callable[[str], ModuleType], rows: int) -> None:
    x = normal(rows, 1, 128)
    (out,) = interpret(loaded("control").mirror, [x])
    whole = np.zeros((-(-rows // 16) * 16, 128), np.float32)
    whole[:rows] = x[:, 0]
    blocks = whole.reshape(-1, 2, 8, 128)
    row = np.arange(len(blocks))[:, None] * 16 + np.arange(8)
    kept = np.where((row < rows)[:, :, None], blocks[:, 0], 0.5)
    wanted = np.stack([np.roll(blocks[:, 1], 1, axis=1), kept], axis=1).reshape(whole.shape)[:rows]
    whole_rows = rows // 16 * 16
    np.testing.assert_array_equal(out[:whole_rows], wanted[:whole_rows])


def test_bounded_blocks(loaded: Callable[[str], ModuleType]) -> None:
    x = normal(10, 8, 128)
    (out,) = interpret(loaded("control").shift, [x])
    np.testing.assert_array_equal(out, x)


def struct(*shape: int, dtype: Any = jnp.bfloat16) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v5e", "v6e", "tpu7x"])
@pytest.mark.parametrize(
    ("name", "function", "structs"),
    [
        ("add", "add", [struct(100, 260, dtype=jnp.float32)] * 2),
        ("matmul", "matmul", [struct(300, 512), struct(512, 384)]),
        ("control", "fibonacci", [struct(1, dtype=jnp.int32)]),
        ("control", "mirror", [struct(40, 1, 128, dtype=jnp.float32)]),
        ("control", "shift", [struct(10, 8, 128, dtype=jnp.float32)]),
        *(
            (name, "grouped_matmul", [struct(ROWS, 256), struct(4, 256, 256), struct(5, dtype=jnp.int32)])
            for name in ("grouped_matmul", "grouped_matmul_pipeline")
        ),
    ],
)
def test_tpu_compiler_takes_it(
    loaded: Callable[[str], ModuleType],
    name: str,
    function: str,
    structs: list[jax.ShapeDtypeStruct],
    chip: str,
) -> None:
    assert compile_for(getattr(loaded(name), function), structs, chip).code_bytes > 0


@pytest.mark.parametrize("name", ["add", "grouped_matmul_pipeline"])
def test_runs_alone(tmp_path: Path, name: str) -> None:
    file = tmp_path / "kernel.py"
    file.write_text(emitted(name))
    done = subprocess.run(
        [sys.executable, "-I", file], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "(200, 2" in done.stdout


@pytest.mark.parametrize("name", ["add", "matmul", "grouped_matmul", "grouped_matmul_pipeline", "control"])
def test_same_ir_same_bytes(name: str) -> None:
    assert emitted(name) == emitted(name)


def test_line_map_leads_to_operations() -> None:
    text = emitted("matmul")
    program = (PROGRAMS / "matmul.mlir").read_text().splitlines()
    lines = text.splitlines()
    places: dict[int, str] = load(text, "matmul").TILE_LINES
    number = next(i for i, line in enumerate(lines, 1) if "lax.dot_general" in line)
    place, _, op = places[number].rpartition(" ")
    assert op == "tile.dot"
    assert op in program[int(place.split(":")[-2]) - 1]
    assert all(lines[number - 1].strip() for number in places)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": [[1.0]]}, TypeError, r"x is a list; an array bfloat16\[\?, 256\] is needed"),
        ({"x": normal(8, 256)}, TypeError, r"x is float32\[8, 256\]; bfloat16\[\?, 256\] is needed"),
        (
            {"w": np.zeros((4, 256, 128), jnp.bfloat16)},
            ValueError,
            r"w is bfloat16\[4, 256, 128\]; bfloat16\[4, 256",
        ),
        (
            {"x": np.zeros(256, jnp.bfloat16)},
            ValueError,
            r"x is bfloat16\[256\]; bfloat16\[\?, 256\] is needed",
        ),
        (
            {"offsets": np.array([0, 1, 2, 3, 2**31])},
            ValueError,
            "offsets holds 0 to 2147483648; it must fit 31 bits",
        ),
        (
            {"offsets": np.array([0, 5, 4, 8, 8])},
            ValueError,
            "segment 1 is 5 to 4; it must begin at 5 or later",
        ),
        (
            {"offsets": cast(Any, jnp).array([0, 5, 6, 8, 9])},
            ValueError,
            "segment 3 is 8 to 9; .* end at 8 or earlier",
        ),
        (
            {"offsets": np.array([-1, 5, 6, 8, 8])},
            ValueError,
            "segment 0 is -1 to 5; it must begin at 0 or later",
        ),
    ],
)
def test_wrong_arguments(
    loaded: Callable[[str], ModuleType], change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {
        "x": np.zeros((8, 256), jnp.bfloat16),
        "w": np.zeros((4, 256, 256), jnp.bfloat16),
        "offsets": np.array([0, 2, 4, 6, 8]),
    }
    with pytest.raises(error, match=message):
        loaded("grouped_matmul").grouped_matmul(**{**arguments, **change})


def test_traced_segments_are_not_checked(loaded: Callable[[str], ModuleType]) -> None:
    x, w = np.zeros((8, 256), jnp.bfloat16), np.zeros((4, 256, 256), jnp.bfloat16)
    interpret(loaded("grouped_matmul").grouped_matmul, [x, w, np.array([0, 5, 4, 8, 8])])


def test_emitting_needs_no_jax() -> None:
    code = "import sys, tilec.emit.target; print([m for m in ('jax', 'numpy', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
