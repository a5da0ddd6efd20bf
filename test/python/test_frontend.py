"""Kernels as torch functions: traced, called, kept by what they saw, and looked at."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

import dataclasses
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from segment_sums import segment_sums
from xdsl.dialects import func
from xdsl.dialects.builtin import CallSiteLoc

import tilec
import tilec.language as hl
from tilec.__main__ import show
from tilec.diagnostics import file_location, run_tool
from tilec.dialects.tile import DotOp
from tilec.testing import agree, prove

ROOT = Path(__file__).resolve().parents[2]
SOFTMAX = ROOT / "examples" / "softmax.py"
SHOW = [sys.executable, "-m", "tilec", "show"]


@tilec.kernel
def add_one(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = x[rows, :] + 1
    return out


def plain(acc: torch.Tensor, tiles: tuple[hl.Tile, ...]) -> torch.Tensor:
    return acc


@tilec.kernel
def product(
    x: torch.Tensor,
    w: torch.Tensor,
    epilogue: Callable[[torch.Tensor, tuple[hl.Tile, ...]], torch.Tensor] = plain,
) -> torch.Tensor:
    out = torch.empty([x.size(0), w.size(1)], dtype=x.dtype)
    for rows, cols in hl.tile([x.size(0), w.size(1)]):
        acc = hl.zeros([rows, cols], dtype=torch.float32)
        for k in hl.tile(x.size(1)):
            acc = torch.addmm(acc, x[rows, k], w[k, cols])
        out[rows, cols] = epilogue(acc, (rows, cols)).to(x.dtype)
    return out


def test_a_second_shape_is_traced_anew_and_the_first_kept() -> None:
    first, second = torch.randn(20, 32), torch.randn(9, 70)
    bound = add_one.bind(first)
    agree(add_one(first), first + 1, "first")
    agree(add_one(second), second + 1, "second")
    agree(add_one(first.to(torch.bfloat16)), first.to(torch.bfloat16) + 1, "another dtype")
    assert add_one.bind(torch.zeros(20, 32)) is bound


def test_closures_are_part_of_what_a_kernel_is() -> None:
    x, w, bias = torch.randn(20, 40), torch.randn(40, 30), torch.randn(30)
    for scale in (2.0, 3.0):

        def epilogue(acc: torch.Tensor, tiles: tuple[hl.Tile, ...], scale: float = scale) -> torch.Tensor:
            return torch.relu(acc * scale + bias[tiles[1]])

        agree(product(x, w, epilogue), torch.relu(x @ w * scale + bias), "epilogue")
    agree(product(x, w), x @ w, "without")


def test_a_captured_tensor_is_read_when_the_kernel_is_called() -> None:
    table = torch.randn(30)
    x, w = torch.randn(20, 40), torch.randn(40, 30)

    def epilogue(acc: torch.Tensor, tiles: tuple[hl.Tile, ...]) -> torch.Tensor:
        return acc + table[tiles[1]]

    agree(product(x, w, epilogue), x @ w + table, "first")
    table += 5
    agree(product(x, w, epilogue), x @ w + table, "changed in place")
    table = torch.zeros(30)
    agree(product(x, w, epilogue), x @ w, "another tensor")


def test_a_captured_tensor_has_the_name_of_its_variable() -> None:
    scale, x = torch.randn(30), torch.randn(20, 30)

    def scaled(x: torch.Tensor) -> torch.Tensor:
        return x * scale[:]

    @tilec.kernel
    def outer(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = scaled(x[rows, :])
        return out

    assert "func.func @outer(%x: memref<20x30xf32>, %scale: memref<30xf32>)" in outer.bind(x).mlir()


@dataclasses.dataclass
class Weights:
    scale: torch.Tensor
    bias: torch.Tensor


def test_containers_of_tensors() -> None:
    @tilec.kernel
    def affine(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        out = {"y": torch.empty_like(x), "z": torch.empty_like(x)}
        for rows in hl.tile(x.size(0)):
            out["y"][rows, :] = x[rows, :] * weights["scale"][:] + weights["bias"][:]
            out["z"][rows, :] = -x[rows, :]
        return out

    x, scale, bias = torch.randn(20, 32), torch.randn(32), torch.randn(32)
    agree(affine(x, {"scale": scale, "bias": bias}), {"y": x * scale + bias, "z": -x}, "affine")


def test_arguments_are_changed_in_place() -> None:
    @tilec.kernel
    def halve(x: torch.Tensor, rate: float) -> torch.Tensor:
        for rows in hl.tile(x.size(0)):
            x[rows, :] = x[rows, :] * rate
        return x

    x = torch.randn(20, 32)
    wanted = x * 0.5
    assert halve(x, 0.5) is x
    agree(x, wanted, "halve")


def test_arrays_of_jax() -> None:
    x = np.arange(20 * 32, dtype=np.float32).reshape(20, 32)
    given: Any = jax.device_put(x)
    result: Any = add_one(given)
    assert isinstance(result, jax.Array)
    np.testing.assert_array_equal(np.asarray(result), x + 1)
    function = add_one.bind(torch.zeros(20, 32)).jax_fn
    jitted: Callable[..., Any] = jax.jit(function)  # pyright: ignore[reportUnknownMemberType]
    np.testing.assert_array_equal(np.asarray(jitted(x)), x + 1)
    batch = np.stack([x, x * 2])
    np.testing.assert_array_equal(np.asarray(jax.vmap(function)(batch)), batch + 1)


def test_configurations() -> None:
    x, w = torch.randn(20, 40), torch.randn(40, 30)
    for config in (
        tilec.Config(blocks={"rows": 8, "k": 16}),
        tilec.Config(block_sizes=[16, 16, 8], loop="fori_loop"),
        tilec.Config(loop="unroll"),
    ):
        chosen = tilec.kernel(config=config)(product.fn)
        agree(chosen(x, w), x @ w, repr(config))
    assert "by rows:8" in tilec.kernel(config=tilec.Config(blocks={"rows": 8}))(product.fn).bind(x, w).mlir(
        "choose-blocks"
    )
    with pytest.raises(ValueError, match="a block size for lines, and the tiles are: rows, cols, k"):
        tilec.kernel(config=tilec.Config(blocks={"lines": 8}))(product.fn).bind(x, w)
    with pytest.raises(ValueError, match="no pass fold; the pipeline is: widen-elements, scalarize-jagged"):
        product.bind(x, w).mlir("fold")


def test_choices_for_a_loop_of_which_nothing_comes() -> None:
    @tilec.kernel(config=tilec.Config(block_sizes=[8, 32, 16], order=("cols", "later")))
    def doubled(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for cols in hl.tile(x.size(1)):
            total = hl.zeros([cols])
            for rows in hl.tile(x.size(0)):
                total = total + x[rows, cols].sum(0)
            for later in hl.tile(x.size(0)):
                out[later, cols] = x[later, cols] * 2
        return out

    bound = doubled.bind(torch.randn(20, 32))
    assert "rows" not in bound.mlir()
    assert bound.choices.blocks == {"cols": 8, "later": 16}
    again = tilec.kernel(config=tilec.Config(blocks={"rows": 8}, order=("rows",)))(doubled.fn)
    assert (
        again.bind(torch.randn(20, 32)).choices.blocks,
        again.bind(torch.randn(20, 32)).choices.order,
    ) == ({}, ())


@pytest.mark.parametrize(
    ("config", "loop"),
    [
        (tilec.Config(), "grid"),
        (tilec.Config(grouping="stream"), "fori_loop"),
        (tilec.Config(loop="unroll"), "unroll"),
    ],
)
def test_a_loop_that_is_not_said(config: tilec.Config, loop: str) -> None:
    assert config.choices([], {}).loop == loop


def helper(acc: torch.Tensor, lhs: torch.Tensor, rhs: torch.Tensor) -> torch.Tensor:
    return torch.addmm(acc, lhs, rhs)


def test_operations_know_the_users_expression() -> None:
    @tilec.kernel
    def through_a_helper(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        out = torch.empty([x.size(0), w.size(1)], dtype=x.dtype)
        for rows, cols in hl.tile([x.size(0), w.size(1)]):
            acc = hl.zeros([rows, cols])
            for k in hl.tile(x.size(1)):
                acc = helper(acc, x[rows, k], w[k, cols])
            out[rows, cols] = acc
        return out

    module = through_a_helper.bind(torch.randn(20, 40), torch.randn(40, 30)).module()
    dot = next(op for op in module.walk() if isinstance(op, DotOp))
    assert isinstance(dot.location, CallSiteLoc)
    place = file_location(dot.location)
    assert place is not None
    line = helper.__code__.co_firstlineno + 1
    assert (place.filename.data, place.line.data, place.column.data) == (__file__, line, 12)
    caller = file_location(dot.location.caller)
    assert caller is not None
    assert caller.line.data == through_a_helper.fn.__code__.co_firstlineno + 6


def test_a_function_stands_where_it_is_defined() -> None:
    @tilec.kernel
    def copy(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = x[rows, :]
        return out

    module = copy.bind(torch.randn(4, 8)).module()
    (function,) = module.ops
    assert isinstance(function, func.FuncOp)
    for op in (module, function, function.body.block.last_op):
        place = None if op is None else file_location(op.location)
        assert place is not None
        assert (place.filename.data, place.line.data) == (__file__, copy.fn.__code__.co_firstlineno)


def test_int64_is_narrowed_where_it_fits_and_refused_where_not() -> None:
    @tilec.kernel
    def rows_of(table: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        out = torch.empty([ids.size(0), table.size(1)])
        for i in hl.tile(ids.size(0)):
            out[i, :] = table[ids[i], :]
        return out

    table, ids = torch.randn(7, 32), torch.tensor([3, 0, 6, 6])
    agree(rows_of(table, ids), table[ids], "rows")
    with pytest.raises(ValueError, match=r"ids holds 0 to 2147483653"):
        rows_of(table, torch.tensor([3, 0, 6, 2**31 + 5]))

    @tilec.kernel
    def doubled(ids: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(ids)
        for i in hl.tile(ids.size(0)):
            out[i] = ids[i] * 4000
        return out

    agree(doubled(ids), ids * 4000, "products")
    with pytest.raises(
        ValueError, match=r"ids holds 0 to 1000000; this kernel computes with its int64 in 32"
    ):
        doubled(torch.tensor([0, 0, 6, 1000000]))


def test_three_proofs_of_a_traced_kernel() -> None:
    prove(product, (torch.randn(20, 40), torch.randn(40, 30)), chips=("v5e",))


def test_show() -> None:
    shown = subprocess.run(
        [*SHOW, f"{SOFTMAX}:softmax", "--args", "bf16[37,200]", "--after", "choose-blocks"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "tile.grid %rows = 0 to 37 by rows:" in shown.stdout, shown.stderr
    shown = subprocess.run([*SHOW, f"{SOFTMAX}:softmax"], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert "missing a required argument: 'x'" in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("kernel", "argument", "message"),
    [
        ("soft", "f32[3,4]", "there is no kernel soft; the kernels are: softmax, softmax_two_pass"),
        ("softmax", "f33[3,4]", "--args has 'f33[3,4]'; write dtype[extents] or a number"),
    ],
)
def test_show_refuses(kernel: str, argument: str, message: str, capsys: Any) -> None:
    command = ["show", f"{SOFTMAX}:{kernel}", "--args", argument]
    assert run_tool("tilec", lambda: show(command)) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_printing_is_asked_for_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(os.environ, "TILEC_PRINT", "mlir,pallas")
    tilec.kernel(add_one.fn).bind(torch.randn(3, 32))
    printed = capsys.readouterr().out
    assert "tile.grid" in printed
    assert "pallas_call" in printed


def test_repr_says_what_a_kernel_is_for() -> None:
    bound = tilec.kernel(config=tilec.Config(loop="fori_loop"))(add_one.fn).bind(torch.randn(3, 32))
    assert repr(bound) == "<add_one(x: float32[3, 32]), blocks rows=128, loop fori_loop>"


def test_a_model_chooses_where_nothing_is_said() -> None:
    """For the shapes and the chip, and as `default_config` says it; a configuration is taken as it is."""
    x = torch.empty(4096, 4096, device="meta")
    bound = tilec.kernel(tiled_double).bind(x)
    assert bound.chip == "v5e"
    assert bound.config == tilec.default_config(bound)
    assert bound.config.blocks["rows"] * bound.config.blocks["cols"] > 128 * 128
    assert bound.for_chip("v5e") is bound
    assert bound.for_chip("v4").config == tilec.default_config(bound, "v4")
    plain: Any = tilec.kernel(config=tilec.Config())(tiled_double)
    assert plain.bind(x).for_chip("v4").choices.spec().parameters["chip"] == ("v4",)
    assert plain.bind(x).for_chip("v4").config == tilec.Config()
    with pytest.raises(ValueError, match="unknown chip 'v9'"):
        bound.aot("v9")


def tiled_double(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows, cols in hl.tile([x.size(0), x.size(1)]):
        out[rows, cols] = x[rows, cols] * 2
    return out


@tilec.kernel(static_shapes=False)
def scaled(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = x[rows, :] * scale[:]
    return out


sums = tilec.kernel(static_shapes=False)(segment_sums)


def test_one_program_for_any_number_of_rows() -> None:
    scale = torch.randn(32)
    bound = scaled.bind(torch.randn(20, 32), scale)
    for rows in (20, 7, 130):
        x = torch.randn(rows, 32)
        agree(scaled(x, scale), x * scale, f"{rows} rows")
        assert scaled.bind(x, scale) is bound
    assert repr(bound).startswith("<scaled(x: float32[?, 32], scale: float32[32]), blocks rows=")
    # All of `scale` is taken at once, so its extent is a number, and another makes another program.
    assert scaled.bind(torch.randn(20, 16), torch.randn(16)) is not bound
    assert bound.aot("v5e", rows=64).code_bytes > 0


def test_rows_by_number_of_any_number_of_them() -> None:
    """Where the leading extent is no number, too, `w[2]` is row 2, and a call without one is refused."""

    @tilec.kernel(static_shapes=False)
    def picked(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = x[rows, :] * w[2, :] + w[-1, :]
        return out

    for count in (3, 5):
        x, w = torch.randn(20, 32), torch.randn(count, 32)
        agree(picked(x, w), x * w[2] + w[-1], f"{count} rows")
    with pytest.raises(ValueError, match="indices of dimension 0 of w: 3 is more than 2"):
        picked(torch.randn(20, 32), torch.randn(2, 32))


def test_segments_in_any_number() -> None:
    for offsets in ([0, 3, 3, 20], [0, 1, 2, 15, 16, 20]):
        x, at = torch.randn(20, 32), torch.tensor(offsets)
        wanted = torch.stack([x[a:b].sum(0) for a, b in itertools.pairwise(offsets)])
        agree(sums(x, at), wanted, "sums")
    assert repr(sums).endswith("1 bound>")


def test_views_of_any_number_of_rows() -> None:
    """One that keeps the rows is of any number of them; for one that has them in it they are a number."""

    @tilec.kernel(static_shapes=False)
    def doubled(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        wide, wide_out = x.view(x.size(0), -1), out.view(x.size(0), -1)
        for rows in hl.tile(x.size(0)):
            wide_out[rows, :] = wide[rows, :] * 2
        return out

    @tilec.kernel(static_shapes=False)
    def flat(x: torch.Tensor) -> torch.Tensor:
        out, elements = torch.empty([x.size(0) * 24], dtype=x.dtype), x.view(-1)
        for part in hl.tile(x.size(0) * 24):
            out[part] = elements[part] * 2
        return out

    for rows in (20, 9):
        x = torch.randn(rows, 3, 8)
        agree(doubled(x), x * 2, "doubled")
        agree(flat(x), x.view(-1) * 2, "flat")
    assert repr(doubled).endswith("1 bound>")
    assert repr(flat).endswith("2 bound>")


def test_what_python_decides_by_an_extent_is_part_of_the_program() -> None:
    @tilec.kernel(static_shapes=False)
    def paired(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        assert x.size(0) == y.size(0), "as many rows"
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = x[rows, :] + y[rows, :]
        return out

    for rows in (20, 9):
        x, y = torch.randn(rows, 32), torch.randn(rows, 32)
        agree(paired(x, y), x + y, "paired")
    with pytest.raises((ValueError, AssertionError, tilec.TraceError)):
        paired(torch.randn(20, 32), torch.randn(9, 32))


def test_mean_extents_are_in_the_program() -> None:
    @tilec.kernel
    def sums(x: torch.Tensor, offsets: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        out = torch.empty([lengths.size(0)])
        for g in hl.grid(lengths.size(0)):
            acc = hl.zeros([], dtype=torch.float32)
            for rows in hl.tile(offsets[g], offsets[g + 1], max_extent=64, mean_extent=12):
                acc = acc + x[rows].sum()
            out[g] = acc
        for lane in hl.tile(lengths.size(0)):
            for rows in hl.jagged_tile(lengths[lane], mean_extent=5):
                out[lane] += (x[rows][None, :] * lengths[lane][:, None]).sum(1)
            for rows in hl.tile(x.size(0), mean_extent=7):
                out[lane] += x[rows].sum()
        return out

    bound = sums.bind(torch.ones(8), torch.tensor([0, 8]), torch.tensor([8]))
    assert "by rows max 64 mean 12 iter_args" in bound.mlir()
    assert "by rows_2 of lane mean 5 {" in bound.mlir()
    assert "mean 7" not in bound.mlir()
    assert "by rows_2 mean 5 {" in bound.mlir(after="scalarize-jagged")


def test_block_sizes_are_within_their_bounds() -> None:
    def double(x: torch.Tensor) -> torch.Tensor:
        out, block = torch.empty_like(x), hl.register_block_size(16, 48)
        for rows in hl.tile(x.size(0), block_size=block):
            out[rows, :] = x[rows, :] * 2
        return out

    x = torch.randn(512, 128)

    def size(config: tilec.Config | None) -> int:
        return tilec.kernel(config=config)(double).bind(x).choices.blocks["block"]

    assert size(tilec.Config()) == size(None) == 64  # 48 is no power of two
    assert size(tilec.Config(blocks={"block": 16})) == 16
    for wrong in (8, 128):
        with pytest.raises(
            ValueError, match=f"a block size of {wrong} for block; register_block_size has 16 to 64"
        ):
            size(tilec.Config(blocks={"block": wrong}))
