"""A training's pictures, one after the other, as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from dgm_core.pack import pack, unpack

Previews = Iterable[tuple[int, Mapping[str, np.ndarray]]]
"""Step, and the arrays that the snapshot reports."""


@dataclass(frozen=True)
class Pictures:
    """What both kinds of training have in common.

    Args:
        steps: (F,) int64, training steps, increasing.
    """

    steps: np.ndarray

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        return pack({}, {f.name: getattr(self, f.name) for f in fields(self)}, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no such pictures.
        """
        _, arrays = unpack(packed)
        try:
            return cls(**arrays)
        except TypeError as error:
            raise ValueError(f"these bytes are no pictures of a training: {error}") from error


@dataclass(frozen=True)
class FitPictures(Pictures):
    """How a field is fitted.

    Args:
        curve: (F, P, D) float32, the one long solution at the moments `dgm_core.neural_ode.fitting.moments_of` gives.
        starts: (F, K, D) float32, where the segments start.
        arrows: (F, G, G, 2) float16, the field over the window of the data; (F, 0, 0, 2) unless there are two
            variables.
    """

    curve: np.ndarray
    starts: np.ndarray
    arrows: np.ndarray


@dataclass(frozen=True)
class DecisionPictures(Pictures):
    """How a classifier is trained.

    Args:
        surface: (F, S, S) uint8, 255 P(class 1) at the centres of a lattice of cells, row 0 at ymin.
        states: (F, T, N, D) float16, the paths of the first N held-out points.
        line: (F, D + 1) float16, w and b of the readout.
    """

    surface: np.ndarray
    states: np.ndarray
    line: np.ndarray


def fit_pictures(previews: Previews) -> FitPictures:
    """The pictures that `FitSnapshot` reported.

    Raises:
        ValueError: when there is none yet.
    """
    steps, found = _stacked(previews, ("curve", "starts", "arrows"))
    arrows = found.get("arrows", np.zeros((len(steps), 0, 0, 2)))
    return FitPictures(steps, found["curve"], found["starts"], arrows.astype(np.float16))


def decision_pictures(previews: Previews) -> DecisionPictures:
    """The pictures that `DecisionSnapshot` reported.

    Raises:
        ValueError: when there is none yet.
    """
    steps, found = _stacked(previews, ("surface", "states", "line"))
    surface = np.round(255 * found["surface"].astype(np.float32)).astype(np.uint8)
    return DecisionPictures(steps, surface, found["states"], found["line"])


def _stacked(previews: Previews, names: Iterable[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    known = {step: picture for step, picture in previews if picture}
    if not known:
        raise ValueError("the training has no picture yet")
    steps = sorted(known)
    pictures = [known[step] for step in steps]
    stacked = {name: np.stack([one[name] for one in pictures]) for name in names if name in pictures[0]}
    return np.array(steps, np.int64), stacked
