"""Decisions for shapes that were not tuned, configurations without tuning, and `tilec.autotune`."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tuning_programs import jagged_row_sum, matmul

import tilec
import tilec.language as hl
from tilec.chips import CHIPS
from tilec.parsing import make_context
from tilec.tuning.choice import Choice
from tilec.tuning.decision import Decision, Example, decision_from, decision_of, extents_of
from tilec.tuning.defaults import default_choice
from tilec.tuning.scoring import Scorer
from tilec.tuning.structures import space_of

SMALL = Choice((("k", 128), ("m", 128), ("n", 128)))
LARGE = Choice((("k", 512), ("m", 1024), ("n", 512)), loop="emit_pipeline", depth=4)


def example(size: int, choice: Choice) -> Example:
    return Example(tuple(sorted(extents_of(matmul(size)).items())), choice)


DECISION = Decision("matmul", "v5e", (example(256, SMALL), example(4096, LARGE)))


@pytest.mark.parametrize(("size", "choice"), [(256, SMALL), (4096, LARGE), (512, SMALL), (2048, LARGE)])
def test_shapes_like_those_that_were_tuned_have_their_choice(size: int, choice: Choice) -> None:
    assert DECISION.choice(matmul(size)) == choice


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 20_000),
    st.sampled_from([64, 2048, 1 << 20]),
    st.sampled_from(["grid", "emit_pipeline", "fori_loop", "unroll", "gone"]),
)
def test_every_shape_has_a_choice_that_fits(size: int, block: int, loop: str) -> None:
    blocks = tuple((axis, block) for axis in "kmn")
    decision = Decision("matmul", "v4", (example(4096, Choice(blocks, loop=loop)),))
    program = matmul(size)
    space, choice = space_of(program), decision.choice(program)
    sizes = {each.axis: each.sizes for each in space.axes}
    assert all(own in sizes[axis] for axis, own in choice.blocks)
    assert choice.with_sizes({}) in space.structures
    assert space.legal(choice)
    assert Scorer(program, CHIPS["v4"]).score(choice) < float("inf")


def test_axes_that_an_example_does_not_know_have_sizes() -> None:
    choice = DECISION.choice(jagged_row_sum(4096))
    assert [axis for axis, _ in choice.blocks] == ["m"]


def test_a_decision_survives_its_text() -> None:
    assert decision_from(DECISION.to_json()) == DECISION
    assert len(DECISION.to_json()) < 2000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        DECISION.to_json()[:-20],
        DECISION.to_json().replace("v5e", "v9"),
        DECISION.to_json().replace('"format": 1', '"format": 2'),
        DECISION.to_json().replace("512", '"512"'),
        DECISION.to_json().replace('"loop": "grid"', '"loop": "x"'),
        DECISION.to_json().replace('"grouping": "auto"', '"grouping": "stream"'),
        DECISION.to_json().replace('"depth": null', '"depth": 99'),
        DECISION.to_json().replace('"fetch"', '"fetches": 2, "fetch"'),
        DECISION.to_json().replace('"extents": {', '"extents": {"q": NaN, '),
        DECISION.to_json().replace('"kernel"', '"kernels"'),
        json.dumps({"format": 1, "kernel": "f", "chip": "v5e", "examples": []}),
        json.dumps({"format": 1, "kernel": "f", "chip": "v5e", "examples": [{"extents": 1, "choice": {}}]}),
    ],
)
def test_another_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "decision.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"^[^\n]*decision\.json: [^\n]+$"):
        tilec.TunedConfig.load(path)


def test_decisions_are_put_together() -> None:
    one, other = (Decision("matmul", "v5e", (each,)) for each in DECISION.examples)
    assert decision_of([one, other, one]) == DECISION
    with pytest.raises(ValueError, match="these are for matmul on v5e, matmul on v6e"):
        decision_of([one, Decision("matmul", "v6e", other.examples)])
    with pytest.raises(ValueError, match="these are for nothing"):
        decision_of([])


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([100, 1000, 10_000]), st.sampled_from(["v4", "v5e", "tpu7x"]))
def test_a_default_fits_the_chip(size: int, chip: str) -> None:
    for program in (matmul(size), jagged_row_sum(size)):
        choice = default_choice(program, chip)
        choice.pipeline(chip).apply(make_context(), program.module.clone())  # or the ledger refuses


@tilec.kernel
def doubled(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows, cols in hl.tile([x.size(0), x.size(1)]):
        out[rows, cols] = x[rows, cols] * 2
    return out


def test_a_default_is_larger_than_a_tile_of_memory() -> None:
    config = tilec.default_config(doubled.bind(torch.empty(4096, 4096)))
    assert config.blocks["rows"] * config.blocks["cols"] > 1 << 16
    with pytest.raises(ValueError, match="unknown chip 'v9'"):
        tilec.default_config(doubled.bind(torch.empty(4096, 4096)), "v9")


@pytest.mark.aot
def test_a_kernel_is_tuned_and_takes_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    x = torch.randn(512, 512)
    result = tilec.autotune(doubled, (x,), compiles=3)
    assert result.compiles == 3
    assert len(result.ranking) + len(result.refused) >= 3
    assert result.ranking[0] == (result.config, result.seconds)
    assert 0 < result.seconds < 1e-3
    again = tilec.autotune(doubled, (x,), compiles=3)
    assert (again.config, again.seconds, again.compiles) == (result.config, result.seconds, 0)

    result.tuned.save(tmp_path / "doubled.json")
    config = tilec.TunedConfig.load(tmp_path / "doubled.json")
    tuned: Any = tilec.kernel(config=config)(doubled.fn)
    assert tuned.bind(x).config == result.config
    small = torch.randn(40, 200)
    torch.testing.assert_close(tuned(small), small * 2)


def test_blocks_of_loops_that_are_gone_are_warned_of() -> None:
    tuned = tilec.TunedConfig(Decision("doubled", "v5e", (Example((("lines", 64.0),), Choice()),)))
    kernel: Any = tilec.kernel(config=tuned)(doubled.fn)
    with pytest.warns(UserWarning, match="doubled has no loop over lines, for which doubled was tuned"):
        assert kernel.bind(torch.empty(64, 256)).config.blocks.keys() == {"rows", "cols"}


@pytest.mark.parametrize("choice", [Choice(order=("lanes",)), Choice(operands="here")])
def test_what_a_program_does_not_take_of_a_choice_is_warned_of(choice: Choice) -> None:
    tuned = tilec.TunedConfig(Decision("doubled", "v5e", (Example((("rows", 64.0),), choice),)))
    kernel: Any = tilec.kernel(config=tuned)(doubled.fn)
    with pytest.warns(
        UserWarning, match=f"cannot be made as doubled was tuned, with {choice}: what it takes"
    ):
        assert kernel.bind(torch.empty(64, 256)).config.order == ()


def test_a_choice_for_another_kernel_is_warned_of() -> None:
    extents = (("cols", 256.0), ("rows", 64.0))
    tuned = tilec.TunedConfig(Decision("twice", "v5e", (Example(extents, Choice()),)))
    kernel: Any = tilec.kernel(config=tuned)(doubled.fn)
    with pytest.warns(UserWarning, match="doubled takes a choice that was found for twice"):
        kernel.bind(torch.empty(64, 256))


@tilec.kernel
def segment_sum(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    groups = offsets.size(0) - 1
    out = torch.empty([groups, x.size(1)], dtype=x.dtype)
    for g in hl.grid(groups):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[rows, :].sum(dim=0)
        out[g, :] = acc
    return out


def test_tiles_of_items_have_sizes_where_there_may_be_some() -> None:
    """As a tuner gives them."""
    args, blocks = (torch.empty(40, 128), torch.tensor([0, 3, 3, 40])), {"g": 64, "rows": 128}
    config = tilec.Config(blocks=blocks, grouping="one_hot")
    text: str = tilec.kernel(config=config)(segment_sum.fn).bind(*args).mlir(after="choose-blocks")
    assert "by g:64" in text
    with pytest.raises(ValueError, match="a block size for g, and the tiles are: rows"):
        tilec.kernel(config=tilec.Config(blocks=blocks, grouping="worklist"))(segment_sum.fn).bind(*args)


@pytest.mark.parametrize("limit", [{"compiles": 0}, {"compiles": 1.5}, {"seconds": "9"}, {"seconds": 0.0}])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match="a time above 0 and a whole number of at least 1 are accepted"):
        tilec.autotune(doubled, (torch.empty(8, 128),), **limit)


@pytest.mark.parametrize(
    ("last", "message"), [(2, "segment 1 is 3 to 2"), (41, "end at 40 or earlier"), (1 << 40, "takes int32")]
)
def test_a_kernel_is_not_tuned_for_what_it_does_not_take(last: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tilec.autotune(segment_sum, (torch.empty(40, 128), torch.tensor([0, 3, last])), compiles=1)


def test_what_is_no_kernel_is_refused() -> None:
    with pytest.raises(TypeError, match="autotune takes a kernel"):
        tilec.autotune(doubled.fn, ())  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"default_config takes what kernel.bind\(...\) gives"):
        tilec.default_config(doubled)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="config='x'; a Config or a TunedConfig is accepted"):
        tilec.kernel(config="x")(doubled.fn)  # pyright: ignore
