"""The generalised Jensen-Shannon divergence of rows of log-probabilities, and its gradient, in one kernel."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jsd(x: torch.Tensor, target: torch.Tensor, beta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """beta * KL(p, m) + (1 - beta) * KL(q, m) for p = exp(target), q = exp(x), m = beta * p + (1 - beta) * q:
    the mean over rows, a f32 scalar, and its gradient for x. Both are f32 or bf16[rows, classes]."""
    count = x.size(0)
    losses = torch.empty([count], dtype=torch.float32)
    dx = torch.empty_like(x)
    for rows in hl.tile(count):
        acc = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            log_p = target[rows, cols].to(torch.float32)
            log_q = x[rows, cols].to(torch.float32)
            p, q = torch.exp(log_p), torch.exp(log_q)
            log_m = torch.log(beta * p + (1 - beta) * q)
            acc = acc + (beta * p * (log_p - log_m) + (1 - beta) * q * (log_q - log_m)).sum(dim=1)
            # The derivatives of m cancel, since the logarithm of a sum is what both are compared with.
            dx[rows, cols] = ((1 - beta) * q * (log_q - log_m) / count).to(x.dtype)
        losses[rows] = acc
    return losses.sum() / count, dx


def reference(x: torch.Tensor, target: torch.Tensor, beta: float) -> tuple[torch.Tensor, torch.Tensor]:
    log_q, log_p = x.float().requires_grad_(), target.float()
    middle = torch.logaddexp(log_p + torch.tensor(beta).log(), log_q + torch.tensor(1 - beta).log())
    kl = torch.nn.functional.kl_div
    loss = beta * kl(middle, log_p, reduction="batchmean", log_target=True)
    loss = loss + (1 - beta) * kl(middle, log_q, reduction="batchmean", log_target=True)
    (dx,) = torch.autograd.grad(loss, (log_q,))
    return loss.detach(), dx.to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Extents that no block divides."""
    torch.manual_seed(seed)
    x, target = (torch.log_softmax(torch.randn(37, 300) * 3, dim=1).to(dtype) for _ in range(2))
    return x, target, 0.3


if __name__ == "__main__":
    check(jsd, reference, arguments)
