"""A variational autoencoder whose code is N choices of one in K.

p(x, z) = p(z) p(x|z) with z = (z_1, …, z_N), each z_n one-hot of K, p(z) uniform, and independent Bernoulli pixels;
q(z|x) = Π_n Categorical(z_n; softmax of the encoder's logits) (Jang et al. 2017, section 4; Maddison et al. 2017).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CategoricalVAE(nn.Module):
    """Encoder and decoder, both of a few ReLU layers.

    The decoder's last bias starts at the log-odds of the training set's pixels (`centre`), so that the untrained model
    is already about as good as independent Bernoulli pixels.

    Args:
        shape: (C, H, W) of an image; D = C H W.
        latents: N.
        categories: K.
        width: units of a hidden layer.
        depth: hidden layers of the encoder, and of the decoder.
        generator: draws the first weights.
        tau: where a learned temperature starts; None learns none.
        tau_min: below which a learned temperature never comes.

    Example:
        >>> model = CategoricalVAE((1, 8, 8), latents=4, categories=3, width=16, depth=1)
        >>> logits = model.encode(torch.zeros(5, 64))
        >>> logits.shape, model.decode(logits.softmax(-1)).shape
        (torch.Size([5, 4, 3]), torch.Size([5, 64]))
    """

    mean: Tensor

    def __init__(
        self, shape: tuple[int, int, int], *, latents: int, categories: int, width: int, depth: int,
        generator: torch.Generator | None = None, tau: float | None = None, tau_min: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.shape, self.latents, self.categories, self.tau_min = shape, latents, categories, tau_min
        self.pixels, code, hidden = math.prod(shape), latents * categories, [width] * depth
        self.encoder = _layers([self.pixels, *hidden, code], generator)
        self.decoder = _layers([code, *hidden, self.pixels], generator)
        self.register_buffer("mean", torch.full((self.pixels,), 0.5))
        self.log_tau: nn.Parameter | None = None
        if tau is not None:
            self.log_tau = nn.Parameter(torch.tensor(math.log(tau - tau_min)))

    def centre(self, mean: Tensor) -> None:
        """Take the training set's mean pixels, (D,) strictly between 0 and 1: the encoder's origin, the decoder's bias.

        For an untrained model only.
        """
        with torch.no_grad():
            self.mean.copy_(mean)
            last = self.decoder[-1]
            assert isinstance(last, nn.Linear)
            last.bias.copy_(mean.logit())

    def encode(self, x: Tensor) -> Tensor:
        """The logits of q(z|x): (…, D) in [0, 1] → (…, N, K)."""
        logits: Tensor = self.encoder(x - self.mean)
        return logits.unflatten(-1, (self.latents, self.categories))

    def decode(self, z: Tensor) -> Tensor:
        """The pixels' log-odds: z (…, N, K), one-hot or relaxed → (…, D)."""
        log_odds: Tensor = self.decoder(z.flatten(-2))
        return log_odds

    def decode_codes(self, codes: Tensor) -> Tensor:
        """The pixels' log-odds of hard codes: (…, N) int64, 0…K−1 → (…, D)."""
        return self.decode(F.one_hot(codes, self.categories).to(self.mean.dtype))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) = Σ_d x_d l_d − log(1 + e^{l_d}) in nats, with l = `decode` (z).

        Args:
            x: (B, D), 0 or 1.
            z: (B, N, K), or (S B, N, K): S blocks of B rows, one block for each sample.

        Returns:
            (B,), or (S B,) in the same order.
        """
        log_odds = self.decode(z)
        if len(log_odds) != len(x):
            x = x.repeat(len(log_odds) // len(x), 1)
        return bernoulli_log_prob(x, log_odds)

    def learned_tau(self) -> Tensor | None:
        """τ = τ_min + exp(·), shape (), differentiable; None where it is not learned."""
        return None if self.log_tau is None else self.tau_min + self.log_tau.exp()


def bernoulli_log_prob(x: Tensor, log_odds: Tensor) -> Tensor:
    """Σ_d log Bernoulli(x_d; σ(l_d)) in nats: x and l, (…, D), broadcast → (…).

    Example:
        >>> bernoulli_log_prob(torch.tensor([1.0, 0.0]), torch.zeros(2)).exp()
        tensor(0.2500)
    """
    return (x * log_odds - F.softplus(log_odds)).sum(-1)


def _layers(sizes: list[int], generator: torch.Generator | None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [_linear(inputs, outputs, generator), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _linear(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Linear:
    """A layer as PyTorch starts it, from a generator of its own."""
    layer, bound = nn.Linear(inputs, outputs), 1 / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer
