"""Vector quantisation in the plane, where everything can be seen: points, what an encoder makes of them, codes, pulls.

Points x_n in R², encoder outputs z_n, codes e_k; z_n becomes its nearest code e(n), the decoder makes x̂_n of that, and
Σ_n ‖x_n − x̂_n‖² + ‖sg(z_n) − e(n)‖² + β ‖z_n − sg(e(n))‖² is minimised (van den Oord et al. 2017, equation 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.vector_quantiser import CodebookBy, Gradient, Start, VectorQuantizer

EncoderName = Literal["fixed", "free", "network"]
PlaneStart = Literal["random", "data", "k-means", "corner"]

HIDDEN = 32
CORNER, SPREAD = (3.0, 3.0), 0.3
"""Where all codes are put to make them collapse: around there, with that standard deviation."""


@dataclass(frozen=True)
class Rules:
    """How the plane moves.

    Args:
        codes: K.
        encoder: ``"fixed"``: z = x stays, the decoder is the identity; ``"free"``: each z_n is a parameter that starts
            at x_n; ``"network"``: encoder and decoder are small networks.
        codebook: by running means or by the loss.
        gradient: how the decoder's gradient gets to z.
        start: where the codes start; ``"corner"``: all in one corner, where a single one wins all.
        beta: β.
        decay: γ of the running means.
        rate: of the descent; a code's is multiplied by K/N, so that an evenly used one moves as a point does.
        patience: steps without a win after which a code starts anew at a random z; 0: never.
        seed: of the codes, the networks and the restarts.
    """

    codes: int = 8
    encoder: EncoderName = "free"
    codebook: CodebookBy = "ema"
    gradient: Gradient = "straight-through"
    start: PlaneStart = "random"
    beta: float = 0.25
    decay: float = 0.9
    rate: float = 0.05
    patience: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Moment:
    """What there is to draw at one moment; arrows are what the next step does.

    Args:
        step: steps done.
        z: (N, 2) encoder outputs.
        codes: (K, 2).
        indices: (N,) each output's code.
        decoded: (N, 2), x̂.
        decoded_codes: (K, 2), the decoder at each code.
        straight: (N, 2), −rate times the gradient of Σ‖x − x̂‖² that is handed to z.
        commit: (N, 2), −rate times the gradient of the commitment term.
        pull: (K, 2), where the codebook term, or the running mean, moves each code.
        restarted: (K,) bool, codes that have started anew in the step before.
        figures: ``reconstruction`` (1/N) Σ‖x − x̂‖², ``distortion`` (1/N) Σ‖z − e‖², ``perplexity``, ``used``, a share.
    """

    step: int
    z: np.ndarray
    codes: np.ndarray
    indices: np.ndarray
    decoded: np.ndarray
    decoded_codes: np.ndarray
    straight: np.ndarray
    commit: np.ndarray
    pull: np.ndarray
    restarted: np.ndarray
    figures: dict[str, float]


class Plane:
    """The toy: `look` at it, then `step`.

    Args:
        points: (N, 2) float32.
        rules: how it moves.

    Raises:
        ValueError: when codes are to start from points and there are fewer points than codes.

    Example:
        >>> plane = Plane(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)), Rules(codes=4))
        >>> before = plane.look()
        >>> plane.step()
        >>> plane.look().step, before.codes.shape
        (1, (4, 2))
    """

    def __init__(self, points: Tensor, rules: Rules) -> None:
        self.points, self.rules, self.done = points, rules, 0
        self.generator = torch.Generator().manual_seed(rules.seed)
        self.encoder, self.decoder = self._networks()
        self.free = points.clone().requires_grad_(rules.encoder == "free")
        self.quantiser = VectorQuantizer(
            rules.codes, 2, codebook=rules.codebook, gradient=rules.gradient, beta=rules.beta, decay=rules.decay,
            patience=rules.patience, generator=self.generator,
        )  # fmt: skip
        self._put_codes()
        weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.Adam(weights, lr=rules.rate / 10) if weights else None
        self.restarted = torch.zeros(rules.codes, dtype=torch.bool)

    def encode(self) -> Tensor:
        """z, (N, 2)."""
        z: Tensor = self.encoder(self.points) if self.rules.encoder == "network" else self.free
        return z

    def step(self) -> None:
        """One step of descent with all points, one of the codes, restarts where they are due."""
        z = self.encode()
        found = self.quantiser(z)
        seen = z.detach().clone()  # free outputs are about to move
        pull = self._pull(seen, found.indices)
        loss = (self.points - self.decoder(found.values)).square().sum() + found.loss * z.numel()
        if self.rules.encoder != "fixed":
            self._descend(loss)
        if self.rules.codebook == "loss":
            with torch.no_grad():
                self.quantiser.codebook.add_(pull)
        self.restarted = self.quantiser.observe(seen, found.indices, self.generator)
        self.done += 1

    def look(self) -> Moment:
        """Everything there is to draw now; nothing changes."""
        z = self.encode().detach().requires_grad_(True)
        found = self.quantiser(z)
        decoded = self.decoder(found.values)
        missed = (self.points - decoded).square().sum()
        apart = (z - self.quantiser.lookup(found.indices).detach()).square().sum()
        straight, commit = (torch.autograd.grad(term, z)[0] for term in (missed, self.rules.beta * apart))
        counts = code_counts(found.indices, self.rules.codes)
        number, rate = len(self.points), self.rules.rate
        with torch.no_grad():
            return Moment(
                self.done, _array(z), _array(self.quantiser.codebook), _array(found.indices), _array(decoded),
                _array(self.decoder(self.quantiser.codebook)), straight=_array(-rate * straight),
                commit=_array(-rate * commit), pull=_array(self._pull(z, found.indices)),
                restarted=_array(self.restarted),
                figures={
                    "reconstruction": float(missed) / number, "distortion": float(apart) / number,
                    "perplexity": perplexity(counts), "used": share_used(counts),
                },
            )  # fmt: skip

    def _pull(self, z: Tensor, indices: Tensor) -> Tensor:
        """What the next step adds to the codes, restarts aside: (K, 2)."""
        with torch.no_grad():
            counts = code_counts(indices, self.rules.codes).to(z.dtype).unsqueeze(1)
            codes = self.quantiser.codebook
            gap = torch.zeros_like(codes).index_add_(0, indices, z.detach()) - counts * codes
            if self.rules.codebook == "loss":
                return 2 * self.rules.rate * self.rules.codes / len(z) * gap
            fresh = 1 - self.rules.decay
            sizes = self.rules.decay * self.quantiser.sizes.unsqueeze(1) + fresh * counts
            return fresh * gap / sizes.clamp_min(1e-12)

    def _descend(self, loss: Tensor) -> None:
        if self.optimiser is None:
            gradient = torch.autograd.grad(loss, self.free)[0]
            with torch.no_grad():
                self.free.sub_(self.rules.rate * gradient)
            return
        self.optimiser.zero_grad()
        (loss / len(self.points)).backward()
        self.optimiser.step()

    def _networks(self) -> tuple[nn.Module, nn.Module]:
        if self.rules.encoder != "network":
            return nn.Identity(), nn.Identity()
        return _layers(self.generator), _layers(self.generator)

    def _put_codes(self) -> None:
        start, z = self.rules.start, self.encode()
        if start == "corner":
            noise = torch.randn(self.rules.codes, 2, generator=self.generator)
            with torch.no_grad():
                self.quantiser.codebook.copy_(torch.tensor(CORNER) + SPREAD * noise)
        else:
            how: Start = start
            self.quantiser.start(z, how, self.generator)


def _layers(generator: torch.Generator) -> nn.Sequential:
    """R² → R² through one hidden layer of tanh units; weights of variance 1 / fan-in."""
    layers = nn.Sequential(nn.Linear(2, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 2))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)
    return layers


def _array(tensor: Tensor) -> np.ndarray:
    """A copy that the next step leaves alone."""
    copied: np.ndarray = tensor.detach().numpy().copy()
    return copied
