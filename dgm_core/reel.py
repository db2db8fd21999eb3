"""A reel: how a grid of small images changes over time, as plain arrays.

Time is what the reel says it is: training steps, or a trained model's temperature. The player in ``app/reel`` shows
it, the exporters there write it as files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from dgm_core.pack import pack, unpack


@dataclass(frozen=True)
class Reel:
    """T frames, each R rows of C images.

    Args:
        times: (T,) float64, finite and increasing.
        frames: (T, R, C, H, W) uint8, grey, or (T, R, C, H, W, 3) uint8, RGB; row 0 of an image is its top.
        row_labels: what the rows show, e.g. ``("input", "hard", "soft")``; fewer than R leave the last rows unnamed.
        column_labels: what the columns show; fewer than C leave the last columns unnamed.
        time_label: what ``times`` are, e.g. ``"step"`` or ``"τ"``.
        note: one line to stand below the picture.

    Raises:
        ValueError: when these are no such arrays, in one sentence.

    Example:
        >>> reel = Reel(np.array([0.0, 10.0]), np.zeros((2, 3, 5, 8, 8), np.uint8), ("input", "hard", "soft"))
        >>> Reel.from_bytes(reel.to_bytes()).frames.shape, reel.colour
        ((2, 3, 5, 8, 8), False)
    """

    times: np.ndarray
    frames: np.ndarray
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()
    time_label: str = "t"
    note: str = ""

    def __post_init__(self) -> None:
        shape, kind = self.frames.shape, self.frames.dtype
        if kind != np.uint8 or not (len(shape) == 5 or (len(shape) == 6 and shape[5] == 3)) or 0 in shape:
            raise ValueError(
                f"a reel needs frames of shape (T, R, C, H, W) or (T, R, C, H, W, 3) and of dtype uint8, at least one "
                f"of each; these have {shape} and {kind}"
            )
        if self.times.shape != shape[:1]:
            raise ValueError(f"the reel has {shape[0]} frames but times of shape {self.times.shape}")
        if not (np.isfinite(self.times).all() and (np.diff(self.times) > 0).all()):
            raise ValueError("the times of a reel must be finite and increasing")
        for name, labels, most in (("rows", self.row_labels, shape[1]), ("columns", self.column_labels, shape[2])):
            if len(labels) > most:
                raise ValueError(f"the reel has {most} {name} but {len(labels)} labels for them")

    @property
    def colour(self) -> bool:
        """Whether the images are RGB; otherwise they are grey."""
        return self.frames.ndim == 6

    def index(self, time: float) -> int:
        """The frame that is nearest to a time; of two equally near ones the earlier.

        Raises:
            ValueError: when the time is no number.
        """
        if np.isnan(time):
            raise ValueError("a reel has no frame at a time that is no number")
        clipped = np.clip(time, self.times[0], self.times[-1])
        return int(np.argmin(np.abs(self.times - clipped)))

    def at(self, time: float) -> np.ndarray:
        """The frame that is nearest to a time.

        Returns:
            (R, C, H, W) or (R, C, H, W, 3) uint8, a view.

        Raises:
            ValueError: when the time is no number.

        Example:
            >>> reel = Reel(np.array([0.0, 10.0]), np.arange(2, dtype=np.uint8).reshape(2, 1, 1, 1, 1))
            >>> int(reel.at(7.5).item())
            1
        """
        frame: np.ndarray = self.frames[self.index(time)]
        return frame

    def to_bytes(self) -> bytes:
        """The reel as compressed bytes without loss (`dgm_core.pack`)."""
        arrays = {"times": np.asarray(self.times, np.float64), "frames": self.frames}
        return pack(self.words, arrays, compress=True)

    @property
    def words(self) -> dict[str, Any]:
        """All but the arrays, ready for JSON."""
        return {
            "row_labels": list(self.row_labels), "column_labels": list(self.column_labels),
            "time_label": self.time_label, "note": self.note,
        }  # fmt: skip

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no reel.
        """
        meta, arrays = unpack(packed)
        try:
            rows, columns = tuple(meta.pop("row_labels")), tuple(meta.pop("column_labels"))
            return cls(arrays["times"], arrays["frames"], rows, columns, **meta)
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no reel: {error}") from error


def pixels(values: np.ndarray) -> np.ndarray:
    """Brightness in [0, 1] as bytes: round(255 v), what lies outside at the border, NaN black.

    Args:
        values: any shape, floating.

    Returns:
        The same shape, uint8.

    Example:
        >>> pixels(np.array([-1.0, 0.5, 1.0, np.nan])).tolist()
        [0, 128, 255, 0]
    """
    known = np.nan_to_num(np.asarray(values, np.float32), nan=0.0)
    return np.rint(255 * np.clip(known, 0, 1)).astype(np.uint8)
