"""What theory fixes about a law of code maps beside what this trained one gives."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.nn.causal_transformer import CausalTransformer
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.pixelcnn import PixelCNN
from dgm_core.nn.threads import alone
from dgm_core.vqvae.code_maps import CodeMaps
from dgm_core.vqvae.prior_training import baseline_bits, bits_figures

DRAWN = 16
"""Maps that are drawn."""


def prior_checks(model: CodeModel, maps: CodeMaps, seed: int = 0) -> list[Check]:
    """All checks, in the page's order.

    Args:
        model: trained, in evaluation mode.
        maps: held out and learned from.
        seed: of the maps drawn.
    """
    with alone():
        return [
            same_codes_without_cache(model, seed),
            path_and_teacher(model, seed),
            *nothing_later(model, maps.test),
            sums_to_one(model, maps.test),
            *bits_and_bounds(model, maps),
        ]


def same_codes_without_cache(model: CodeModel, seed: int) -> Check:
    """The share of codes that differ when every code is drawn by a run of the whole model, with the same noise.

    Cache and whole model round differently; one code in a thousand may fall on the other side.
    """
    cached, whole = (model.draw(DRAWN, generator=_generator(seed), cached=way).codes for way in (True, False))
    return Check(
        "codes that differ without the cache", float((cached != whole).double().mean()), 0.0, 1e-3, "at most", "",
        "the same law, the same noise", f"{cached.numel():,} codes",
    )  # fmt: skip


def path_and_teacher(model: CodeModel, seed: int) -> Check:
    """−log₂ p summed along sampled paths against one pass over the finished maps."""
    drawn = model.draw(DRAWN, generator=_generator(seed))
    path, teacher = (-values / math.log(2) for values in (drawn.log_prob, model.log_prob(drawn.codes).detach()))
    apart = float((path - teacher).abs().max())
    slack = 1e-4 * max(1.0, float(teacher.max()))
    return Check("bits along a sampled path, by teacher forcing: largest difference", apart, 0.0, slack, "at most",
                 "bits", "the chain rule", f"{DRAWN} maps")  # fmt: skip


def nothing_later(model: CodeModel, maps: Tensor) -> list[Check]:
    """∂ logits(t) / ∂ embedding(s) for all s ≥ t, at 8 places t of a held-out map; of a law that embeds codes."""
    if not isinstance(model, PixelCNN | CausalTransformer):
        return []
    embedded = model.embed(maps[:1]).detach().requires_grad_(True)
    logits = model.logits_of(embedded).flatten(1, 2)[0]
    later = earlier = 0.0
    for t in sorted({round(share * (model.length - 1)) for share in torch.linspace(0, 1, 8).tolist()}):
        gradient = torch.autograd.grad(logits[t].square().sum(), embedded, retain_graph=True)[0]
        by_place = _by_place(model, gradient)
        later, earlier = max(later, float(by_place[t:].max())), max(earlier, float(by_place[:t].amax()) if t else 0.0)
    return [
        Check("gradient of a code's law at itself and at later codes", later, 0.0, 0.0, "at most", "",
              "p(c_t | earlier codes)", f"at earlier ones up to {earlier:.2g}"),
    ]  # fmt: skip


def sums_to_one(model: CodeModel, maps: Tensor) -> Check:
    """Σ_k p(c_t = k | earlier codes) in float64 from the model's logits, the worst place of some held-out maps."""
    with torch.no_grad():
        rows = model.logits(maps[:8]).log_softmax(-1).double().exp().sum(-1)
    return Check(r"$\sum_k p(c_t = k)$, furthest from 1", float(rows.flatten()[(rows - 1).abs().argmax()]), 1.0, 1e-5,
                 "tolerance", "", "probability")  # fmt: skip


def bits_and_bounds(model: CodeModel, maps: CodeMaps) -> list[Check]:
    """Uniform codes cost h w log₂ K exactly; no law of held-out maps is expected to cost more than their histogram."""
    found, base = bits_figures(model, maps.test), baseline_bits(maps, model)
    height, width = model.grid
    lines = [
        Check("bits of a held-out map, by this law and by the uniform one", found["bits"], base["bits_uniform"],
              4 * found["bits_error"], "at most", "bits", r"$h\,w\,\log_2 K$",
              f"{height} · {width} · log₂ {model.codes}"),
    ]  # fmt: skip
    if isinstance(model, PixelCNN | CausalTransformer):
        lines.append(
            Check("bits of a held-out map, by this law and by the histogram", found["bits"], base["bits_independent"],
                  4 * found["bits_error"], "at most", "bits", "what codes tell of each other",
                  f"± {found['bits_error']:.1f}, {len(maps.test):,} maps")
        )  # fmt: skip
    return lines


def _by_place(model: CodeModel, gradient: Tensor) -> Tensor:
    """Largest |∂| at each place, (L,): of (1, C, h, w) or (1, L, C)."""
    flat = gradient[0].flatten(1).T if isinstance(model, PixelCNN) else gradient[0]
    return flat.abs().amax(1)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
