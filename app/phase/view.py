"""What the phase plane shows: a flow, lines of steps over it, a field, arrows and curves, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

NUMBERS = 6_000_000
"""The most numbers of one view."""
VARIANTS = 400
Drive = Literal["time", "frame"]


@dataclass(frozen=True, eq=False)
class Variant:
    """One broken line through the states after each step, for every trajectory.

    Args:
        label: what stands at the knob for it, e.g. ``"L = 8"``.
        times: (M,) where the steps end, the start first, increasing.
        states: (M, N, D).
        stage_points: (M − 1, K, D) where the first trajectory's stages are evaluated in each step, or None.
        stage_moves: (M − 1, K, D) each stage's slope times the step, h kᵢ, or None.
        rejected_times: (R,) to where steps were tried that were not taken.
        rejected_states: (R, D) where the first trajectory stood when they were tried.

    Example:
        >>> Variant("L = 1", np.array([0.0, 1.0]), np.zeros((2, 5, 2))).stages
        0
    """

    label: str
    times: np.ndarray
    states: np.ndarray
    stage_points: np.ndarray | None = None
    stage_moves: np.ndarray | None = None
    rejected_times: np.ndarray | None = None
    rejected_states: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.times)
        if count < 1 or self.states.ndim != 3 or len(self.states) != count:
            raise ValueError(f"{self.label}: {count} times do not fit states of shape {self.states.shape}")
        if (self.stage_points is None) != (self.stage_moves is None):
            raise ValueError(f"{self.label}: stages need their points and their moves")
        if self.stage_points is not None and self.stage_moves is not None:
            wanted = (count - 1, self.stage_points.shape[1], self.states.shape[2])
            if self.stage_points.shape != wanted or self.stage_moves.shape != wanted:
                raise ValueError(f"{self.label}: stages of shape {self.stage_points.shape} are not {wanted}")
        tried = 0 if self.rejected_times is None else len(self.rejected_times)
        if (0 if self.rejected_states is None else len(self.rejected_states)) != tried:
            raise ValueError(f"{self.label}: each rejected step needs its time and its place")

    @property
    def stages(self) -> int:
        """K, the stages of a step; 0 where none are drawn."""
        return 0 if self.stage_points is None else int(self.stage_points.shape[1])


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a plot.

    Args:
        name: in the legend.
        values: (X,), not finite where there is none.
        colour: a name of `app.phase.settings.COLOURS`.
    """

    name: str
    values: np.ndarray
    colour: str = "line"


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot beside the plane, with a mark where the clock or the knob stands.

    Args:
        title: above it.
        x: (X,) increasing; with ``over="knob"`` one for each variant, else as many as the view's times.
        series: its lines.
        over: what moves the mark.
        log: whether both axes are logarithmic.
        x_name: below the axis.
    """

    title: str
    x: np.ndarray
    series: Sequence[Series]
    over: Literal["time", "knob"] = "time"
    log: bool = False
    x_name: str = "t"


@dataclass(frozen=True, eq=False)
class PhaseView:
    """N trajectories in D dimensions and what is drawn with them.

    Args:
        times: (T,) increasing; the clock's.
        window: (x₀, x₁, y₀, y₁) of the plane.
        flow: (T, N, D) the exact flow, D 1 to 3, or None.
        variants: lines of steps, of equal N and D; a knob chooses one, or with ``drive="frame"`` the clock.
        drive: ``"frame"``: each time is a frame with a variant of its own, such as a training step.
        kinds: (N,) small numbers that colour the trajectories, or None.
        field: (F, G, G, 2) on a grid over the window, rows upwards, F one or T, or None.
        surface: (F, H, W) in [0, 1], rows upwards, F one or T, or None.
        points: (P, D) given data, or None.
        point_times: (P,) when they were seen, or None where they belong to no time.
        point_kinds: (P,), or None.
        arrow_points: (T, A, D) from where arrows start, or None.
        arrow_moves: (T, A, D) where they point, or None.
        shown_times: (T,) what the clock shows instead of its times, or None.
        plots: beside the plane.
        axes: names of the coordinates.

    Raises:
        ValueError: when the arrays do not fit each other, in one sentence.

    Example:
        >>> view = PhaseView(np.linspace(0, 1, 3), (-1, 1, -1, 1), flow=np.zeros((3, 7, 2)))
        >>> view.number, view.dimensions
        (7, 2)
    """

    times: np.ndarray
    window: tuple[float, float, float, float]
    flow: np.ndarray | None = None
    variants: Sequence[Variant] = ()
    drive: Drive = "time"
    kinds: np.ndarray | None = None
    field: np.ndarray | None = None
    surface: np.ndarray | None = None
    points: np.ndarray | None = None
    point_times: np.ndarray | None = None
    point_kinds: np.ndarray | None = None
    arrow_points: np.ndarray | None = None
    arrow_moves: np.ndarray | None = None
    shown_times: np.ndarray | None = None
    plots: Sequence[Plot] = ()
    axes: Sequence[str] = ("z₁", "z₂", "z₃")

    def __post_init__(self) -> None:
        if len(self.times) < 1 or (np.diff(self.times) <= 0).any() or not np.isfinite(self.times).all():
            raise ValueError("a phase plane needs times that increase")
        x0, x1, y0, y1 = self.window
        if not (np.isfinite(self.window).all() and x0 < x1 and y0 < y1):
            raise ValueError(f"{self.window} is no window: x₀ < x₁ and y₀ < y₁ are needed")
        if self.flow is None and not self.variants:
            raise ValueError("a phase plane needs a flow or a variant")
        if len(self.variants) > VARIANTS:
            raise ValueError(f"{len(self.variants)} variants are too many; show {VARIANTS} at most")
        if self.drive == "frame" and len(self.variants) != len(self.times):
            raise ValueError(f"{len(self.times)} frames need as many variants; there are {len(self.variants)}")
        self._fit()

    def _fit(self) -> None:
        count = len(self.times)
        for name, array in (
            ("flow", self.flow),
            ("arrow_points", self.arrow_points),
            ("arrow_moves", self.arrow_moves),
        ):
            if array is not None and (array.ndim != 3 or len(array) != count):
                raise ValueError(f"{name} has shape {array.shape}; {count} times need as many rows")
        if any(v.states.shape[1:] != (self.number, self.dimensions) for v in self.variants):
            raise ValueError(f"every variant needs {self.number} trajectories in {self.dimensions} dimensions")
        if not 1 <= self.dimensions <= 3:
            raise ValueError(f"{self.dimensions} dimensions cannot be drawn; show 1 to 3")
        for name, array in (("field", self.field), ("surface", self.surface)):
            if array is not None and len(array) not in (1, count):
                raise ValueError(f"{name} has {len(array)} frames; it needs 1 or {count}")
        sizes = [array.size for array in (self.flow, self.field, self.surface) if array is not None]
        if (total := sum(sizes) + sum(v.states.size for v in self.variants)) > NUMBERS:
            raise ValueError(f"{total:,} numbers are too many for one picture; show fewer trajectories or steps")

    @property
    def number(self) -> int:
        """N."""
        return int((self.flow if self.flow is not None else self.variants[0].states).shape[1])

    @property
    def dimensions(self) -> int:
        """D."""
        return int((self.flow if self.flow is not None else self.variants[0].states).shape[2])
