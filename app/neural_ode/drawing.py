"""From what the core has computed to what the phase plane shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.phase import Mode, PhaseView, Plot, Series, Variant
from dgm_core.film import Extent
from dgm_core.neural_ode.fitting import Fit
from dgm_core.neural_ode.passage import Passage
from dgm_core.neural_ode.reels import DecisionPictures, FitPictures
from dgm_core.neural_ode.residual_view import arrows
from dgm_core.neural_ode.scene import Scene, Trace
from dgm_core.neural_ode.vector_fields import VectorField

SHOWN = 160
"""Points whose paths are drawn."""


def square(window: Extent) -> Extent:
    """The smallest square window around a window, so that right angles stay right.

    Example:
        >>> square((0.0, 4.0, 1.0, 3.0))
        (0.0, 4.0, 0.0, 4.0)
    """
    x0, x1, y0, y1 = window
    half = max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half, x + half, y - half, y + half


def passage_view(passage: Passage, *, blocks: bool) -> PhaseView:
    """Hidden states on their way, coloured by class, over P(class 1) of whatever is at a place at that time.

    Args:
        passage: of a trained classifier; of more than three dimensions the first three are shown.
        blocks: whether it is a residual network, whose paths are straight from block to block.
    """
    states = passage.states[:, :SHOWN, :3].astype(np.float32)
    times, labels = passage.times.astype(np.float64), passage.labels[:SHOWN]
    smooth = np.isfinite(passage.determinant).all()
    plots = (
        Plot("Smallest det ∂z(t)/∂z(0)", times, [Series("det", passage.determinant.min(1), "flow")]),
        Plot("Least distance between the classes", times, [Series("distance", passage.closest, "flow")]),
    )
    return PhaseView(
        times, passage.window, flow=None if blocks else states,
        variants=(Variant("ResNet", times, states),) if blocks else (), kinds=labels,
        surface=passage.value if passage.value.size else None, plots=plots if smooth else plots[1:],
    )  # fmt: skip


def decision_film(pictures: DecisionPictures, extent: Extent) -> PhaseView:
    """The training of a classifier, frame by frame: decision surface, and the paths of held-out points."""
    states = pictures.states[..., :3].astype(np.float32)
    times = np.linspace(0, 1, states.shape[1])
    variants = [Variant(f"step {step}", times, one) for step, one in zip(pictures.steps, states, strict=True)]
    return PhaseView(
        pictures.steps.astype(np.float64), extent, variants=variants, drive="frame", surface=pictures.surface / 255.0
    )


def fit_view(fit: Fit, truth: np.ndarray | None) -> PhaseView | None:
    """A fitted curve among the observations, the linear field's curve beside it; None of more than three variables.

    Args:
        fit: what the training left.
        truth: (P, D) at ``fit.times``, where it is known.
    """
    curves = fit.curve[:, None].astype(np.float32)
    if curves.shape[2] > 3:
        return None
    seen = fit.seen[np.isfinite(fit.seen).all(1)]
    return PhaseView(
        fit.times, _window(fit), flow=None if truth is None else truth[:, None].astype(np.float32),
        variants=(
            Variant("fit", fit.times, curves), Variant("linear", fit.times, fit.linear[:, None].astype(np.float32)),
        ),
        field=fit.arrows[None] if fit.arrows.size else None, points=seen[:, 1:], point_times=seen[:, 0],
        axes=AXES,
    )  # fmt: skip


def mode_of(view: PhaseView) -> Mode:
    """The axes that show all of a view: over time, in the plane, or in space."""
    modes: tuple[Mode, ...] = ("graph", "plane", "space")
    return modes[view.dimensions - 1]


AXES = ("x₁", "x₂", "x₃")


def fit_film(pictures: FitPictures, fit_times: np.ndarray, seen: np.ndarray, extent: Extent) -> PhaseView | None:
    """The training of a fit, frame by frame; None of more than three variables.

    Args:
        pictures: of the training.
        fit_times: (P,) of the curves.
        seen: (N, 1 + D) observations.
        extent: of the first two variables.
    """
    if pictures.curve.shape[2] > 3:
        return None
    curves = pictures.curve[:, :, None]
    variants = [Variant(f"step {step}", fit_times, one) for step, one in zip(pictures.steps, curves, strict=True)]
    whole = seen[np.isfinite(seen).all(1)]
    return PhaseView(
        pictures.steps.astype(np.float64), extent, variants=variants, drive="frame", points=whole[:, 1:],
        point_times=whole[:, 0], field=pictures.arrows.astype(np.float32) if pictures.arrows.size else None, axes=AXES,
    )  # fmt: skip


def _window(fit: Fit) -> Extent:
    """Of the first two variables, or of the only one and nothing."""
    if fit.curve.shape[1] == 2:
        return fit.extent
    return span_of(np.concatenate([fit.seen[:, 1:], fit.beyond[:, 1:], fit.inside[:, 1:]]))


def span_of(values: np.ndarray) -> Extent:
    """A window around the first two columns with a margin of a tenth; of a single column (low, high, 0, 1)."""
    low, high = np.nanmin(values, 0), np.nanmax(values, 0)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    if values.shape[1] == 1:
        return float(low[0]), float(high[0]), 0.0, 1.0
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def scene_view(scene: Scene, plots: Sequence[Plot] = (), axes: Sequence[str] = ("z₁", "z₂", "z₃")) -> PhaseView:
    """A solver's traces over the exact flow, one at a time by the knob."""
    variants = [_variant(trace) for trace in scene.traces]
    return PhaseView(
        scene.times, scene.window, flow=scene.flow, variants=variants,
        field=scene.field[None] if scene.field.size else None, plots=plots, axes=axes,
    )  # fmt: skip


def _variant(trace: Trace) -> Variant:
    staged = trace.stage_points.shape[1] > 0
    return Variant(
        trace.label, trace.times, trace.states, trace.stage_points if staged else None,
        trace.stage_moves if staged else None, trace.rejected_times, trace.rejected_states,
    )  # fmt: skip


def efforts_plot(scene: Scene, title: str, x: np.ndarray, x_name: str) -> Plot:
    """The error at the end against the effort, a mark where the knob stands."""
    errors = np.array([trace.error for trace in scene.traces])
    return Plot(title, x.astype(float), [Series("error at t₁", errors)], over="knob", log=True, x_name=x_name)


def adjoint_view(arrays: Mapping[str, np.ndarray], window: Extent, field: VectorField) -> PhaseView:
    """The film of a gradient: forwards while the clock goes from 0 to 1, then back while it goes on to 2.

    Args:
        arrays: ``times`` (T,) from t₁ to 0, ``z``, ``truth``, ``a_z`` (T, D), ``a_theta``, ``slope_z`` (T, P or D).
        window: of the problem.
        field: f, for the arrows in the background.
    """
    times, z, truth, a_z = (arrays[name].astype(float) for name in ("times", "z", "truth", "a_z"))
    count, dim = truth.shape
    clock = np.linspace(0, 2, 2 * count - 1)
    there_and_back = np.concatenate([truth[::-1], truth[1:]])
    longest = max(float(np.linalg.norm(a_z, axis=1).max()), 1e-300)
    length = ARROW * min(window[1] - window[0], window[3] - window[2]) / longest
    roots = np.concatenate([truth[::-1], z[1:]])
    moves = np.concatenate([np.zeros((count - 1, dim)), length * a_z])
    back = Variant("reconstructed", clock[count - 1 :], z[:, None].astype(np.float32))
    waiting = np.full(count - 1, np.nan)
    plots = (
        Plot("Adjoint a_z(t)", clock, _lines("a", a_z, waiting), x_name="clock"),
        Plot("Right-hand side −a_zᵀ ∂f/∂z", clock, _lines("ȧ", arrays["slope_z"], waiting), x_name="clock"),
        Plot("Gradient so far, a_θ(t)", clock, _lines("θ", arrays["a_theta"], waiting)[:4], x_name="clock"),
    )
    return PhaseView(
        clock, window, flow=there_and_back[:, None].astype(np.float32), variants=(back,),
        arrow_points=roots[:, None], arrow_moves=moves[:, None], plots=plots,
        shown_times=np.concatenate([times[::-1], times[1:]]), field=_lattice_of(field, window, dim),
    )  # fmt: skip


ARROW = 0.22
"""Of the window, the longest adjoint's arrow."""
_COLOURS = ("line", "point", "back", "stage")


def _lines(name: str, values: np.ndarray, waiting: np.ndarray) -> list[Series]:
    return [
        Series(f"{name}{'₁₂₃₄₅₆₇₈₉'[k]}", np.concatenate([waiting, column]), _COLOURS[k])
        for k, column in enumerate(values.T[:4])
    ]


def _lattice_of(field: VectorField, window: Extent, dim: int) -> np.ndarray | None:
    """(1, G, G, 2), or None unless D = 2."""
    found = arrows(field, window) if dim == 2 else np.zeros(0)
    return found[None] if found.size else None
