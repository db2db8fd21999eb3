"""How the temperature falls during a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Schedule = Literal["fixed", "exponential", "linear", "cosine", "learned"]

COOLED = 0.5
"""The part of the training after which an annealed temperature has reached its least value, where it stays."""


@dataclass(frozen=True)
class Temperature:
    """τ after so many steps; a learned one is the model's own, and this is where it starts.

    Exponential is max(τ_min, τ₀ e^{−rt}) (Jang et al. 2017, section 4.2: τ₀ = 1, τ_min = 0.5), its rate r such that
    τ_min is reached after `COOLED` of all steps; linear and cosine reach it at the same step.

    Args:
        schedule: how it falls.
        start: τ₀.
        least: τ_min, for what falls.
        steps: of the whole training.

    Example:
        >>> cooling = Temperature("exponential", 1.0, 0.25, 100)
        >>> [round(cooling.at(step), 3) for step in (0, 25, 50, 100)]
        [1.0, 0.5, 0.25, 0.25]
    """

    schedule: Schedule
    start: float
    least: float
    steps: int

    def at(self, step: int) -> float:
        """τ after ``step`` steps."""
        if self.schedule in ("fixed", "learned"):
            return self.start
        part = min(1.0, step / (COOLED * self.steps))
        if self.schedule == "exponential":
            return max(self.least, self.start * math.exp(part * math.log(self.least / self.start)))
        fallen = part if self.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * part))
        return self.start + (self.least - self.start) * fallen

    def curve(self, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
        """Steps and τ for a plot: two arrays (points,)."""
        steps = np.linspace(0, self.steps, points)
        return steps, np.array([self.at(int(step)) for step in steps])
