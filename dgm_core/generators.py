"""Trained models that draw images at the turn of one knob, whatever topic they are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from dgm_core import sources
from dgm_core.data.images import ImageSet
from dgm_core.errors import DataError


@dataclass(frozen=True)
class Knob:
    """What trades a generator's fidelity for its diversity.

    Args:
        name: the standard term, such as "temperature" or "truncation ψ".
        low, high: between which values it is turned.
        plain: the value at which the model draws from its own law.
    """

    name: str
    low: float
    high: float
    plain: float = 1.0


@runtime_checkable
class ImageGenerator(Protocol):
    """An Experiment whose trained model draws images."""

    knob: ClassVar[Knob]

    def generate(self, model: nn.Module, n: int, value: float, generator: torch.Generator) -> np.ndarray:
        """n images, (n, C, H, W) uint8, with the knob at ``value``; the same generator gives the same noise."""
        ...

    def real(self) -> ImageSet:
        """The images that are imitated.

        Raises:
            DataError: when they are not there, with one plain sentence.
        """
        ...


def load_generator(source: str) -> tuple[ImageGenerator, nn.Module]:
    """The declaration and the trained model of ``zoo:NAME`` or ``run:ID``.

    Raises:
        DataError: when there is no such model, or it draws no images, with one plain sentence.
    """
    experiment, model = sources.load(source)
    if not isinstance(experiment, ImageGenerator):
        raise DataError(f"The model {source} draws no images.")
    return experiment, model
