"""A codebook: each vector becomes the nearest of K codes.

The codes move by the loss ‖sg(z) − e‖² or as running means of what they win (van den Oord et al. 2017, equation 3 and
appendix A.1). Everything that a training changes is in the parameters, also what has no gradient, so that whoever
keeps, averages or resumes weights has all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn.code_gradients import rotate, straight_through
from dgm_core.nn.code_usage import code_counts
from dgm_core.nn.kmeans import kmeans, require_enough
from dgm_core.nn.nearest import nearest_unchecked

CodebookBy = Literal["ema", "loss"]
Distance = Literal["euclidean", "cosine"]
Gradient = Literal["straight-through", "rotation"]
Start = Literal["random", "data", "k-means"]

DECAY = 0.99
"""γ of the running means, as in the paper."""


@dataclass(frozen=True)
class Quantised:
    """What a quantiser makes of vectors.

    Args:
        values: (…, D), codes, with a gradient for the vectors.
        indices: (…) int64, which codes.
        loss: (), what the quantiser adds to the objective: β‖z − sg(e)‖² and, where codes move by the loss,
            ‖sg(z) − e‖², each a mean over all numbers.
        error: (), the mean of (z − e)² over all numbers, without a gradient.
    """

    values: Tensor
    indices: Tensor
    loss: Tensor
    error: Tensor


class VectorQuantizer(nn.Module):
    """K codes of D numbers.

    Args:
        codes: K.
        dimension: D.
        codebook: ``"ema"``: codes are running means of what they win, see `observe`; ``"loss"``: they have a gradient.
        distance: ``"cosine"``: vectors and codes are scaled to length 1 first.
        gradient: how the decoder's gradient gets to z.
        beta: β of the commitment term.
        decay: γ of the running means.
        patience: a code that has won nothing for so many calls of `observe` starts anew; 0: never.
        generator: draws the first codes, normal with variance 1/D.

    Example:
        >>> quantise = VectorQuantizer(8, 2, generator=torch.Generator().manual_seed(0))
        >>> found = quantise(torch.zeros(5, 4, 4, 2))
        >>> found.values.shape, found.indices.shape, found.loss.shape
        (torch.Size([5, 4, 4, 2]), torch.Size([5, 4, 4]), torch.Size([]))
    """

    def __init__(
        self, codes: int, dimension: int, *, codebook: CodebookBy = "ema", distance: Distance = "euclidean",
        gradient: Gradient = "straight-through", beta: float = 0.25, decay: float = DECAY, patience: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.codes, self.dimension = codes, dimension
        self.by, self.distance, self.gradient = codebook, distance, gradient
        self.beta, self.decay, self.patience = beta, decay, patience
        first = self.directed(torch.randn(codes, dimension, generator=generator) / dimension**0.5)
        self.codebook = nn.Parameter(first, requires_grad=codebook == "loss")
        self.sizes = nn.Parameter(torch.zeros(codes), requires_grad=False)
        """(K,), running means of what each code wins in a batch."""
        self.idle = nn.Parameter(torch.zeros(codes), requires_grad=False)
        """(K,), batches since each code last won anything."""

    def directed(self, vectors: Tensor) -> Tensor:
        """Vectors as distances see them: (…, D), of length 1 where the distance is the cosine."""
        return F.normalize(vectors, dim=-1) if self.distance == "cosine" else vectors

    def compared(self, z: Tensor) -> Tensor:
        """What of z is compared with `vectors`: (…, D) → (…, D)."""
        return self.directed(z)

    def vectors(self) -> Tensor:
        """The codes as the decoder gets them, (K, D)."""
        return self.directed(self.codebook)

    def nearest(self, z: Tensor) -> Tensor:
        """Each vector's code: (…, D) → (…) int64."""
        flat = self.directed(z.detach()).reshape(-1, self.dimension)
        return nearest_unchecked(flat, self.vectors()).view(z.shape[:-1])

    def lookup(self, indices: Tensor) -> Tensor:
        """The codes' vectors: (…) int64 → (…, D)."""
        return F.embedding(indices, self.vectors())

    def forward(self, z: Tensor) -> Quantised:
        """Quantise: z (…, D)."""
        z = self.directed(z)
        indices = self.nearest(z)
        e = self.lookup(indices)
        error = F.mse_loss(z.detach(), e.detach())
        loss = self.beta * F.mse_loss(z, e.detach())
        if self.by == "loss":
            loss = loss + F.mse_loss(e, z.detach())
        passed = rotate if self.gradient == "rotation" else straight_through
        return Quantised(passed(z, e.detach()), indices, loss, error)

    @torch.no_grad()
    def observe(self, z: Tensor, indices: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Learn from one batch what has no gradient: means of what codes win, who wins nothing, who starts anew.

        N ← γN + (1 − γ)n, e ← e + (1 − γ)(Σz − n e)/N: the paper's m ← γm + (1 − γ)Σz, e = m/N, with m = N e put in.

        Args:
            z: (…, D), the batch, as given to `forward`.
            indices: (…) int64, what `forward` chose.
            generator: picks the vectors at which idle codes start anew.

        Returns:
            (K,) bool, which codes have started anew.
        """
        z = self.directed(z.detach()).reshape(-1, self.dimension)
        indices = indices.reshape(-1)
        counts = code_counts(indices, self.codes).to(z.dtype)
        self.sizes.mul_(self.decay).add_(counts, alpha=1 - self.decay)
        self.idle.add_(1).mul_(counts == 0)
        if self.by == "ema":
            sums = torch.zeros_like(self.codebook).index_add_(0, indices, z)
            pull = sums - counts.unsqueeze(1) * self.codebook
            self.codebook.add_(pull / self.sizes.clamp_min(1e-12).unsqueeze(1), alpha=1 - self.decay)
            self.codebook.copy_(self.directed(self.codebook))
        return self._restart(z, generator)

    @torch.no_grad()
    def start(self, z: Tensor, how: Start, generator: torch.Generator | None = None) -> None:
        """Put the codes where they start.

        Args:
            z: (N, D), encoder outputs, N at least K; for ``"random"`` not looked at.
            how: ``"data"``: K of the vectors by chance; ``"k-means"``: ten rounds on them.
            generator: of the choice.

        Raises:
            ValueError: when there are fewer vectors than codes.
        """
        if how == "random":
            return
        z = self.directed(z.detach()).reshape(-1, self.dimension)
        require_enough(z, self.codes)
        if how == "data":
            found = z[torch.randperm(len(z), generator=generator, device=z.device)[: self.codes]]
        else:
            found = kmeans(z, self.codes, generator, rounds=10).centres
        self.codebook.copy_(self.directed(found))

    def _restart(self, z: Tensor, generator: torch.Generator | None) -> Tensor:
        dead = self.idle >= self.patience if self.patience else torch.zeros_like(self.idle, dtype=torch.bool)
        chosen = dead.nonzero().squeeze(1)[: len(z)]
        if len(chosen):
            rows = torch.randint(len(z), (len(chosen),), generator=generator, device=z.device)
            self.codebook[chosen] = z[rows]
            self.sizes[chosen] = len(z) / self.codes
            self.idle[chosen] = 0
        return dead
