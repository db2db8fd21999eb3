"""What must hold of any law of code maps, trained or not, with or without a context."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.nn.causal_transformer import CausalTransformer
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.pixelcnn import PixelCNN


def same_codes_without_cache(model: CodeModel, n: int, seed: int, context: Tensor | None = None, of: str = "") -> Check:
    """The share of codes that differ when every code is drawn by a run of the whole model, with the same noise.

    Cache and whole model round differently; one code in a thousand may fall on the other side.

    Args:
        model: in evaluation mode.
        n: maps that are drawn.
        seed: of the noise.
        context: (n, channels, h, w), for a model that takes some.
        of: which law, where a table has several.
    """
    cached, whole = (model.draw(n, generator=_seeded(seed), context=context, cached=way).codes for way in (True, False))
    return Check(
        f"{_of(of)}codes that differ without the cache", float((cached != whole).double().mean()), 0.0, 1e-3, "at most",
        "", "the same law, the same noise", f"{cached.numel():,} codes",
    )  # fmt: skip


def path_and_teacher(model: CodeModel, n: int, seed: int, context: Tensor | None = None, of: str = "") -> Check:
    """−log₂ p summed along sampled paths against one pass over the finished maps; arguments as above."""
    drawn = model.draw(n, generator=_seeded(seed), context=context)
    teacher = model.log_prob(drawn.codes, context).detach()
    path, teacher = (-values / math.log(2) for values in (drawn.log_prob, teacher))
    apart = float((path - teacher).abs().max())
    slack = 1e-4 * max(1.0, float(teacher.max()))
    return Check(f"{_of(of)}bits along a sampled path, by teacher forcing: largest difference", apart, 0.0, slack,
                 "at most", "bits", "the chain rule", f"{n} maps")  # fmt: skip


def nothing_later(model: CodeModel, maps: Tensor, context: Tensor | None = None, of: str = "") -> list[Check]:
    """∂ logits(t) / ∂ embedding(s) for all s ≥ t, at 8 places t of a held-out map; of a law that embeds codes.

    Args:
        model: in evaluation mode.
        maps: (M, h, w) int64, of which the first is looked at.
        context: (M, channels, h, w), for a model that takes some.
        of: which law, where a table has several.
    """
    if not isinstance(model, PixelCNN | CausalTransformer):
        return []
    embedded = model.embed(maps[:1]).detach().requires_grad_(True)
    logits = model.logits_of(embedded, None if context is None else context[:1].detach()).flatten(1, 2)[0]
    later = earlier = 0.0
    for t in sorted({round(share * (model.length - 1)) for share in torch.linspace(0, 1, 8).tolist()}):
        gradient = torch.autograd.grad(logits[t].square().sum(), embedded, retain_graph=True)[0]
        by_place = _by_place(model, gradient)
        later, earlier = max(later, float(by_place[t:].max())), max(earlier, float(by_place[:t].amax()) if t else 0.0)
    return [
        Check(f"{_of(of)}gradient of a code's law at itself and at later codes", later, 0.0, 0.0, "at most", "",
              "p(c_t | earlier codes)", f"at earlier ones up to {earlier:.2g}"),
    ]  # fmt: skip


def sums_to_one(model: CodeModel, maps: Tensor, context: Tensor | None = None, of: str = "") -> Check:
    """Σ_k p(c_t = k | earlier codes) in float64 from the model's logits, the worst place of 8 maps; see above."""
    with torch.no_grad():
        logits = model.logits(maps[:8], None if context is None else context[:8])
        rows = logits.log_softmax(-1).double().exp().sum(-1)
    return Check(rf"{_of(of)}$\sum_k p(c_t = k)$, furthest from 1", float(rows.flatten()[(rows - 1).abs().argmax()]),
                 1.0, 1e-5, "tolerance", "", "probability")  # fmt: skip


def _of(law: str) -> str:
    return f"{law}: " if law else ""


def _by_place(model: CodeModel, gradient: Tensor) -> Tensor:
    """Largest |∂| at each place, (L,): of (1, C, h, w) or (1, L, C)."""
    flat = gradient[0].flatten(1).T if isinstance(model, PixelCNN) else gradient[0]
    return flat.abs().amax(1)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
