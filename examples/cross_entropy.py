"""The mean cross entropy of logits against labels, which are int64 as torch has them; some are ignored."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check

IGNORED = -100
"""The label of rows that do not count."""


@tilec.kernel
def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean, a f32 scalar, of f32 or bf16[rows, classes] against int64[rows]; whole rows on the chip."""
    losses = torch.empty([logits.size(0)], dtype=torch.float32)
    counted = torch.empty([logits.size(0)], dtype=torch.float32)
    for rows in hl.tile(logits.size(0)):
        values = logits[rows, :].to(torch.float32)
        label = labels[rows]
        top = values.amax(dim=1)
        total = torch.exp(values - top[:, None]).sum(dim=1)
        # The logit of the label: a row has one class that the comparison picks.
        picked = hl.arange(logits.size(1))[None, :] == label[:, None]
        chosen = torch.where(picked, values, 0.0).sum(dim=1)
        losses[rows] = torch.where(label == IGNORED, 0.0, top + torch.log(total) - chosen)
        counted[rows] = (label != IGNORED).to(torch.float32)
    return losses.sum() / counted.sum()


@tilec.kernel
def cross_entropy_flat(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The same with rows of any length, and the logit of the label fetched from where it is in memory."""
    count, classes = logits.size()
    flat = logits.view(-1)
    losses = torch.empty([count], dtype=torch.float32)
    counted = torch.empty([count], dtype=torch.float32)
    for rows in hl.tile(count):
        label = labels[rows]
        kept = label != IGNORED
        chosen = hl.load(flat, [rows.index * classes + label], extra_mask=kept).to(torch.float32)
        top = hl.full([rows], float("-inf"), dtype=torch.float32)
        total = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(classes):
            values = logits[rows, cols].to(torch.float32)
            higher = torch.maximum(top, values.amax(dim=1))
            total = total * torch.exp(top - higher) + torch.exp(values - higher[:, None]).sum(dim=1)
            top = higher
        losses[rows] = torch.where(kept, top + torch.log(total) - chosen, 0.0)
        counted[rows] = kept.to(torch.float32)
    return losses.sum() / counted.sum()


def reference(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits.float(), labels, ignore_index=IGNORED)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Extents that no block divides; the first and the last class among the labels, and ignored rows."""
    torch.manual_seed(seed)
    logits = torch.randn(37, 300) * 4
    labels = torch.randint(0, 300, (37,))
    labels[:4] = torch.tensor([0, 299, IGNORED, IGNORED])
    return logits.to(dtype), labels


if __name__ == "__main__":
    check(cross_entropy, reference, arguments)
    check(cross_entropy_flat, reference, arguments)
