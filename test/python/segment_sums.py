"""A kernel over segments that several tests call."""

import torch

import tilec.language as hl


def segment_sums(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The sum of the rows of each segment."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[rows, :].sum(0)
        out[g, :] = acc
    return out
