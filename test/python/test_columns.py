"""Arrays of few columns that kernels take one by one: boxes, channels, coordinates."""

import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def decoded(anchors: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """Boxes by how anchors are moved and stretched."""
    out = torch.empty_like(anchors)
    for r in hl.tile(anchors.size(0)):
        width, height = anchors[r, 2] - anchors[r, 0], anchors[r, 3] - anchors[r, 1]
        x, y = anchors[r, 0] + (0.5 + moves[r, 0]) * width, anchors[r, 1] + (0.5 + moves[r, 1]) * height
        half_width, half_height = 0.5 * torch.exp(moves[r, 2]) * width, 0.5 * torch.exp(moves[r, 3]) * height
        out[r, 0], out[r, 1] = x - half_width, y - half_height
        out[r, 2], out[r, 3] = x + half_width, y + half_height
    return out


def decoding(anchors: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    size = anchors[:, 2:] - anchors[:, :2]
    middle, half = anchors[:, :2] + (0.5 + moves[:, :2]) * size, 0.5 * torch.exp(moves[:, 2:]) * size
    return torch.cat([middle - half, middle + half], 1)


@tilec.kernel
def greys(image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    out = torch.empty([image.size(0), image.size(1)])
    for y, x in hl.tile([image.size(0), image.size(1)]):
        total = hl.zeros([y, x])
        for c in hl.grid(image.size(2)):
            total = total + image[y, x, c].to(torch.float32) * weights[c]
        out[y, x] = total
    return out


def greying(image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return image.float() @ weights


@tilec.kernel
def through_a_view(points: torch.Tensor) -> torch.Tensor:
    """The same columns as rows of a view, beside a part that stays 0."""
    turned, out = points.t(), torch.zeros_like(points)
    for r in hl.tile(points.size(0)):
        out[r, 1] = turned[0, r] + turned[2, r]
    return out


def viewing(points: torch.Tensor) -> torch.Tensor:
    middle, zero = points[:, 0] + points[:, 2], torch.zeros_like(points[:, 0])
    return torch.stack([zero, middle, zero], 1)


DRAW = torch.Generator().manual_seed(0)
CASES: dict[str, Case] = {
    "decoded": (
        decoded,
        decoding,
        (torch.rand(1100, 4, generator=DRAW), torch.rand(1100, 4, generator=DRAW)),
    ),
    "greys": (
        greys,
        greying,
        (torch.randint(0, 256, (37, 200, 3), generator=DRAW).to(torch.uint8), torch.tensor([0.3, 0.6, 0.1])),
    ),
    "through_a_view": (through_a_view, viewing, (torch.randn(300, 3, generator=DRAW).bfloat16(),)),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))


@pytest.mark.parametrize("loop", ["emit_pipeline", "fori_loop"])
def test_every_loop_copies_them(loop: str) -> None:
    kernel, reference, args = CASES["decoded"]
    check(tilec.kernel(config=tilec.Config(loop=loop))(kernel.fn), reference, lambda: args)


def test_any_number_of_rows_is_taken() -> None:
    kernel, reference, args = CASES["decoded"]
    check(tilec.kernel(static_shapes=False)(kernel.fn), reference, lambda: args)


@pytest.mark.aot
def test_arrays_are_read_once_and_without_padding() -> None:
    """Each of ten reads of a column had all rows of 4 copied, as rows of 128: 320 MiB."""
    boxes = torch.empty(65536, 4, device="meta")
    found = decoded.bind(boxes, boxes).aot("v5e").report()
    assert found.cost is not None
    assert found.cost.bytes_read < 1.1 * 2 * 65536 * 4 * 4
    assert found.cost.seconds < 20e-6
