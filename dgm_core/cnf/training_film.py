"""The film of a training: its pictures, in the order of the steps at which they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from dgm_core.cnf.preview import EXTENT
from dgm_core.film import Film


def training_film(previews: Iterable[tuple[int, Mapping[str, np.ndarray]]]) -> Film:
    """The pictures that a `DensityFlow`'s training reported, as a film whose times are training steps.

    Args:
        previews: step, and ``log_prob`` (64, 64) with ``samples`` (512, 2); pictures of one step count once.

    Raises:
        ValueError: when there is no picture yet.

    Example:
        >>> picture = {"log_prob": np.zeros((64, 64), np.float16), "samples": np.zeros((512, 2), np.float16)}
        >>> training_film([(20, picture), (1, picture)]).times.tolist()
        [1.0, 20.0]
    """
    pictures = dict(previews)
    if not pictures:
        raise ValueError("the training has no picture yet")
    steps = sorted(pictures)
    return Film(
        np.array(steps, np.float64),
        np.stack([pictures[step]["log_prob"] for step in steps]).astype(np.float32),
        EXTENT,
        particles=np.stack([pictures[step]["samples"] for step in steps]).astype(np.float32),
    )
