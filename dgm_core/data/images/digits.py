"""The 1,797 handwritten digits of 8 × 8 pixels that ship with scikit-learn."""

from __future__ import annotations

import numpy as np

from dgm_core.data.images.imageset import ImageSet, Info

HELD_OUT = 0.2
"""The part of each class that is held out."""

INFO = Info(
    "digits", "Digits 8 × 8", (1, 8, 8), tuple("0123456789"), (1438, 359),
    "Alpaydin and Kaynak, 1998, as shipped with scikit-learn",
)  # fmt: skip


def digits() -> ImageSet:
    """The digits, their 17 levels 0…16 stretched to 0…255, a fifth of each class held out.

    The split is the same everywhere and for ever: NumPy freezes the stream of ``RandomState`` (NEP 19).
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    train, test = stratified(labels, HELD_OUT, np.random.RandomState(0))
    return ImageSet(
        INFO.name, INFO.title, images[train], images[test], labels[train], labels[test], classes=INFO.classes
    )  # fmt: skip


def stratified(labels: np.ndarray, part: float, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Split so that each class gives the same part, both halves in random order.

    Args:
        labels: (N,) int64.
        part: of each class that goes into the second half, rounded to whole items.
        random: where the order comes from.

    Returns:
        The indices of the first and of the second half.
    """
    first, second = [], []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        cut = round(part * len(members))
        first.append(members[cut:])
        second.append(members[:cut])
    return random.permutation(np.concatenate(first)), random.permutation(np.concatenate(second))
