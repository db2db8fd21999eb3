"""A training's pictures as a reel: what comes back from more and more of the levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from dgm_core.reel import Reel

Previews = Iterable[tuple[int, Mapping[str, np.ndarray]]]
"""Step, and the arrays that `dgm_core.vqvae2.training.HierarchySnapshot.look` reports."""

LABELS = {2: ("top", "top + bottom"), 3: ("top", "top + middle", "all three")}
"""What the first 1, 2, … levels are called together."""


def training_reel(previews: Previews) -> Reel:
    """Held-out images through the levels, over training steps: rows top … all levels, image; one column an image.

    Raises:
        ValueError: when there is no picture yet.
    """
    known = {step: picture for step, picture in previews if picture}
    if not known:
        raise ValueError("the training has no picture yet")
    steps = sorted(known)
    levels = sum(name.startswith("upto_") for name in known[steps[0]])
    rows = [*(f"upto_{k}" for k in range(1, levels + 1)), "inputs"]
    frames = np.stack([np.stack([known[step][name] for name in rows]) for step in steps])
    shown = frames[..., 0, :, :] if frames.shape[-3] == 1 else np.moveaxis(frames, -3, -1)
    return Reel(np.array(steps, np.float64), shown, (*LABELS[levels], "image"), time_label="step")
