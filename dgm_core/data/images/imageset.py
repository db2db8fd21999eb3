"""What every image data set looks like once it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Info:
    """What is known of a data set before it is loaded.

    Args:
        name: the word that links and command lines use.
        title: what a person reads.
        shape: (C, H, W); None where the user's own data decide.
        classes: the labels' names, in order; empty where there are no labels.
        sizes: images to train with and held out, as published; None where that depends on what is found.
        source: who made it and where it is described.
    """

    name: str
    title: str
    shape: tuple[int, int, int] | None
    classes: tuple[str, ...]
    sizes: tuple[int, int] | None
    source: str


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images to train with and images held out, as bytes; shared by all who ask, so the arrays are read-only.

    Args:
        name, title: as in `Info`.
        train: (N, C, H, W) uint8, row 0 at the top, C is 1 (grey) or 3 (red, green, blue).
        test: (M, C, H, W) uint8.
        labels_train, labels_test: (N,) and (M,) int64; None where there are no labels.
        note: what the viewer should know, such as that only a part of the set was found; may be empty.
        classes: the labels' names.
        factors_train, factors_test: (N, F) and (M, F) float32, what an image was made from; None where not known.
        factors: the F names.
    """

    name: str
    title: str
    train: np.ndarray
    test: np.ndarray
    labels_train: np.ndarray | None = None
    labels_test: np.ndarray | None = None
    note: str = ""
    classes: tuple[str, ...] = ()
    factors_train: np.ndarray | None = None
    factors_test: np.ndarray | None = None
    factors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each image."""
        return self.train.shape[1], self.train.shape[2], self.train.shape[3]

    def images(self, split: Split) -> np.ndarray:
        """The images of one half: (N, C, H, W) uint8."""
        return self.train if split == "train" else self.test

    def labels(self, split: Split) -> Tensor | None:
        """The labels of one half: (N,) int64; None where there are none."""
        labels = self.labels_train if split == "train" else self.labels_test
        return None if labels is None else torch.from_numpy(labels.copy())

    def floats(self, split: Split, first: int | None = None) -> Tensor:
        """Images as numbers: byte / 255.

        Args:
            split: ``"train"`` or ``"test"``.
            first: only so many; None for all (60,000 digits of MNIST take 188 MB).

        Returns:
            (N, C, H, W) float32 in [0, 1], a copy.

        Example:
            >>> images = np.full((2, 1, 4, 4), 255, dtype=np.uint8)
            >>> ImageSet("white", "White", images, images[:1]).floats("train").unique().tolist()
            [1.0]
        """
        return torch.from_numpy(self.images(split)[:first].astype(np.float32)).div_(255)
