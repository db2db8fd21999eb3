"""What theory fixes about a law of code maps beside what this trained one gives."""

from __future__ import annotations

from dgm_core.checks import Check
from dgm_core.nn.causal_transformer import CausalTransformer
from dgm_core.nn.code_bits import baseline_bits, bits_figures
from dgm_core.nn.code_checks import nothing_later, path_and_teacher, same_codes_without_cache, sums_to_one
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.pixelcnn import PixelCNN
from dgm_core.nn.threads import alone
from dgm_core.vqvae.code_maps import CodeMaps

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
            same_codes_without_cache(model, DRAWN, seed),
            path_and_teacher(model, DRAWN, seed),
            *nothing_later(model, maps.test),
            sums_to_one(model, maps.test),
            *bits_and_bounds(model, maps),
        ]


def bits_and_bounds(model: CodeModel, maps: CodeMaps) -> list[Check]:
    """Uniform codes cost h w log₂ K exactly; no law of held-out maps is expected to cost more than their histogram."""
    found, base = bits_figures(model, maps.test), baseline_bits(maps.train, maps.test, model.codes)
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
