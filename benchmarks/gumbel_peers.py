"""Gradient estimators and relaxed draws as users of PyTorch write them: sample by sample, or with its own classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Categorical, RelaxedOneHotCategorical
from torch.nn import functional

from dgm_core.gumbel.estimators import ESTIMATORS, Function


def one_at_a_time(name: str, f: Function, logits: Tensor, tau: float, samples: int) -> Tensor:
    """A loop: one sample, one backward pass, its gradient kept; the plain way to see a variance. (samples, K)."""
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(samples):
        leaf = logits.clone().requires_grad_(True)
        ESTIMATORS[name](f, leaf.unsqueeze(0), tau=tau, generator=generator).sum().backward()
        found.append(leaf.grad if leaf.grad is not None else torch.zeros_like(leaf))
    return torch.stack(found)


def torch_reinforce(f: Function, logits: Tensor, tau: float, samples: int) -> Tensor:
    """``Categorical.log_prob`` times f, all samples as one batch. (samples, K)."""
    rows = logits.expand(samples, -1).clone().requires_grad_(True)
    law = Categorical(logits=rows)
    index = law.sample()
    value = f(functional.one_hot(index, logits.shape[-1]).to(logits))
    return torch.autograd.grad((value * law.log_prob(index)).sum(), rows)[0]


def torch_gumbel_softmax(f: Function, logits: Tensor, tau: float, samples: int) -> Tensor:
    """``torch.nn.functional.gumbel_softmax``, all samples as one batch. (samples, K)."""
    rows = logits.expand(samples, -1).clone().requires_grad_(True)
    return torch.autograd.grad(f(functional.gumbel_softmax(rows, tau)).sum(), rows)[0]


def torch_straight_through(f: Function, logits: Tensor, tau: float, samples: int) -> Tensor:
    """``torch.nn.functional.gumbel_softmax(hard=True)``, all samples as one batch. (samples, K)."""
    rows = logits.expand(samples, -1).clone().requires_grad_(True)
    return torch.autograd.grad(f(functional.gumbel_softmax(rows, tau, hard=True)).sum(), rows)[0]


TORCH_ESTIMATORS = {
    "reinforce": torch_reinforce,
    "gumbel-softmax": torch_gumbel_softmax,
    "st-gumbel-softmax": torch_straight_through,
}


def torch_log_prob(x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """``RelaxedOneHotCategorical.log_prob``, with its checks of the arguments as they are by default."""
    return RelaxedOneHotCategorical(torch.tensor(tau, dtype=x.dtype), logits=logits).log_prob(x)
