"""What is shipped of trained laws of a hierarchy's codes: the film of their samples, their bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from dgm_core import zoo
from dgm_core.checks import Check
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.nn.threads import alone
from dgm_core.reel import Reel
from dgm_core.vqvae2.prior import HierarchicalPrior, as_law
from dgm_core.vqvae2.prior_bits import bits_figures
from dgm_core.zoo.exhibit import Read
from dgm_core.zoo.reels import large, small, thinned

FRAMES = 10
"""Pictures in a shipped reel."""
RECORDED = tuple(
    [f"bits{kind}" for kind in ("", "_error", "_per_code", "_train", "_uniform", "_independent")]
    + [f"bits_{name}{kind}" for name in ("top", "middle", "bottom")
       for kind in ("", "_error", "_alone", "_alone_error", "_train", "_alone_train", "_uniform", "_independent")]
    + [f"saved_{name}{kind}" for name in ("middle", "bottom") for kind in ("", "_error")]
)  # fmt: skip
"""Metrics that are written down."""


def samples_reel(previews: Iterable[tuple[int, Mapping[str, np.ndarray]]]) -> Reel:
    """Images drawn from the same noise, over the training steps: by the top codes alone, and by all.

    Args:
        previews: step, and the arrays of `dgm_core.vqvae2.prior_training.LayeredSnapshot.picture`.

    Raises:
        ValueError: when the training has no picture yet.
    """
    known = dict(sorted((step, picture) for step, picture in previews if picture))
    if not known:
        raise ValueError("the training has no picture yet")
    rows = {"top_only": "top codes alone", "samples": "all codes"}
    frames = np.stack([np.stack([picture[name] for name in rows]) for picture in known.values()])
    shown = frames[:, :, :, 0] if frames.shape[3] == 1 else np.moveaxis(frames, 3, -1)
    return Reel(np.array(list(known), np.float64), shown, tuple(rows.values()), time_label="step")


def prior_files(reports: Sequence[Progress]) -> dict[str, bytes]:
    """``samples.bin``, see `samples_reel`."""
    pictures = thinned([(report.step, report.preview) for report in reports if report.preview], FRAMES)
    return {"samples.bin": small(samples_reel(pictures))}


def shipped_checks(
    recipe: HierarchicalPrior, model: torch.nn.Module, record: Mapping[str, Any], read: Read
) -> list[Check]:
    """Measure again, on the same held-out images; where they are not here, only what needs none is looked at.

    Args:
        recipe, model, record, read: see `dgm_core.zoo.exhibit.Exhibit.checks`.
    """
    kind, _, name = recipe.source.partition(":")
    state = zoo.fingerprint(name) if kind == "zoo" else recipe.at
    lines = [
        Check("the hierarchy is the one whose codes it knows", state, recipe.at, 0.0, "tolerance"),
        Check("samples reel's end", float(large(read("samples.bin")).times[-1]), recipe.steps, 0.0, "tolerance"),
    ]
    try:
        maps = recipe.maps()
    except TrainingFailedError:  # the images are not here, as the hierarchy's own check says
        return lines
    with alone():
        found = bits_figures(as_law(model), maps.test)
    names = [key for key in ("bits", "bits_top", "bits_bottom", "bits_bottom_alone") if key in record["figures"]]
    return lines + [
        Check(f"held-out {key}", found[key], record["figures"][key], 0.002 * record["figures"][key], "tolerance",
              "bits", "recorded when it was made")
        for key in names
    ]  # fmt: skip
