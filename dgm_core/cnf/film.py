"""Films of a flow: p_t(x) from the base to the data, with particles, arrows and a deforming grid.

Three ways to the density: `density_film` composes the flow map (fast, accurate), `solver_frames` integrates every frame
with a named solver (what that solver really gives), `wrong_film` repeats a well-known example's mistake for teaching.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.cnf.flow import ContinuousFlow, standard_normal_log_prob
from dgm_core.cnf.flow_map import composed_log_prob
from dgm_core.cnf.lattice import Lattice
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Extent, Film
from dgm_core.nn.solvers import Solver
from dgm_core.nn.threads import alone, spread

AnyFlow = ContinuousFlow | PlanarFlow
EXTENT: Extent = (-4.0, 4.0, -4.0, 4.0)
_LONGEST_STEP = 1 / 59
"""The composed map's steps are no longer than this, however few frames are asked for."""
_PLANAR_ROWS = 4_096
"""Points of a planar flow's picture that are worth a thread."""


def density_film(
    flow: AnyFlow,
    size: int = 128,
    frames: int = 60,
    *,
    extent: Extent = EXTENT,
    particles: int = 512,
    arrows: int = 24,
    grid: int = 13,
    seed: int = 0,
    refine: bool = True,
) -> Film:
    """The film of p_t from t = 0 to t = 1, by the composed flow map.

    Args:
        flow: continuous, or planar (then each layer is a stretch of time, and the density is exact).
        size: cells of the picture along each axis.
        frames: T, at least 2.
        extent: what the picture shows.
        particles: base samples to follow; 0 for none.
        arrows: velocities on an arrows × arrows lattice; 0 for none.
        grid: lines in each direction of a grid over the base, to be deformed; 0 for none.
        seed: of the particles.
        refine: False composes the map on a lattice of half the size: a first picture, in half the time or less.

    Returns:
        The film; arrays on the CPU.

    Raises:
        ValueError: for fewer than 2 frames or 16 cells.
    """
    if frames < 2 or size < 16:
        raise ValueError(f"a film needs at least 2 frames of 16 cells, not {frames} of {size}")
    times = np.linspace(0.0, 1.0, frames)
    density = np.empty((frames, size, size), np.float32)
    for index, frame in enumerate(density_frames(flow, size, frames, extent=extent, refine=refine)):
        density[index] = frame
    return with_motion(Film(times, density, extent), flow, particles=particles, arrows=arrows, grid=grid, seed=seed)


def density_frames(
    flow: AnyFlow, size: int, frames: int, *, extent: Extent = EXTENT, refine: bool = True
) -> Iterator[np.ndarray]:
    """The densities of `density_film` as they become known: (size, size) float32 nats each."""
    if isinstance(flow, PlanarFlow):
        yield from _planar_frames(flow, size, frames, extent)
        return
    between = max(1, int(np.ceil((1 / (frames - 1)) / _LONGEST_STEP - 1e-6)))
    times = np.linspace(0.0, 1.0, (frames - 1) * between + 1).tolist()
    cells = size if refine else max(16, size // 2)
    for index, frame in enumerate(composed_log_prob(flow.field, times, cells, extent, picture=size)):
        if index % between == 0:
            yield array(frame)


def with_motion(film: Film, flow: AnyFlow, *, particles: int, arrows: int, grid: int, seed: int) -> Film:
    """The film with particles, arrows and a grid of the flow at its times."""
    moved = _moved(flow, film.times, particles, grid, seed)
    lines = moved[:, particles:].reshape(len(film.times), 2 * grid, -1, 2) if grid else None
    return Film(
        film.times,
        film.log_prob,
        film.extent,
        particles=moved[:, :particles] if particles else None,
        arrows=_arrows(flow, film.times, arrows, film.extent) if arrows else None,
        grid=lines,
    )


@dataclass(frozen=True)
class SolverFrame:
    """One frame as a named solver gives it.

    Args:
        index: 0 … T − 1.
        time: t.
        log_prob: (H, W) float32 nats.
        nfe: evaluations of the field for this frame.
    """

    index: int
    time: float
    log_prob: np.ndarray
    nfe: int


def solver_frames(
    flow: ContinuousFlow, solver: Solver, size: int = 64, frames: int = 60, *, extent: Extent = EXTENT
) -> Iterator[SolverFrame]:
    """Each frame integrated from its time back to 0 by the solver alone: what these few steps really give.

    Raises:
        SolverError: when an adaptive solver cannot go on.
    """
    nodes = _nodes(flow, size, extent)
    for index, time in enumerate(np.linspace(0.0, 1.0, frames).tolist()):
        with torch.no_grad():
            density = flow.log_prob(nodes, t=time, solver=solver)
        yield SolverFrame(index, time, array(density.view(size, size)), flow.nfe if time > 0 else 0)


def wrong_film(
    flow: ContinuousFlow, size: int = 64, frames: int = 60, *, extent: Extent = EXTENT, solver: Solver | None = None
) -> Film:
    """The film as torchdiffeq's example ``examples/cnf.py`` draws it; right only at t = 0 and t = 1.

    One solve runs from t = 1 to t = 0, and its state after a while τ is drawn as if it were the density at t = τ:
    log N(z_{1−τ}; 0, I) − ∫_{1−τ}^1 tr. But z_{1−τ} is no base point yet: this is the density that the base would have
    had, had it entered the flow at 1 − τ.
    """
    nodes = _nodes(flow, size, extent)
    times = np.linspace(0.0, 1.0, frames)
    with torch.no_grad():
        solution = flow.solve_with_log_prob(nodes, times[::-1].tolist(), solver=solver or _aligned(frames))
    density = standard_normal_log_prob(solution.points) - solution.delta
    return Film(times, array(density.view(frames, size, size)), extent)


def array(tensor: Tensor) -> np.ndarray:
    """A float32 array on the CPU."""
    return tensor.detach().to("cpu", torch.float32).numpy()


def _planar_frames(flow: PlanarFlow, size: int, frames: int, extent: Extent) -> Iterator[np.ndarray]:
    nodes = _nodes(flow, size, extent)
    density = nodes.new_empty(len(nodes))
    for time in np.linspace(0.0, 1.0, frames).tolist():

        def share(_: int, rows: slice, time: float = time) -> None:
            with torch.no_grad():
                density[rows] = flow.log_prob(nodes[rows], t=time)

        spread(share, len(nodes), _PLANAR_ROWS)
        yield array(density.view(size, size)).copy()


def _moved(flow: AnyFlow, times: np.ndarray, particles: int, grid: int, seed: int) -> np.ndarray:
    """Particles and the grid's points along the times: (T, particles + grid points, 2)."""
    some = flow.base_sample(particles, torch.Generator().manual_seed(seed))
    start = torch.cat([some, _grid_points(grid).to(some)])
    with torch.no_grad(), alone():
        if isinstance(flow, PlanarFlow):
            return array(flow.trajectory(start, times.tolist()))
        return array(flow.trajectory(start, times.tolist(), solver=_aligned(len(times))))


def _grid_points(lines: int, reach: float = 3.0, points: int = 61) -> Tensor:
    """Upright, then level lines over the base: (2 · lines · points, 2)."""
    if lines == 0:
        return torch.empty(0, 2)
    places, along = torch.linspace(-reach, reach, lines), torch.linspace(-reach, reach, points)
    upright = torch.cartesian_prod(places, along)
    return torch.cat([upright, upright.flip(1)])


def _arrows(flow: AnyFlow, times: np.ndarray, size: int, extent: Extent) -> np.ndarray:
    nodes = _nodes(flow, size, extent)
    frames = [array(flow.velocity(time, nodes)).reshape(size, size, 2) for time in times.tolist()]
    return np.stack(frames)


def _nodes(flow: AnyFlow, size: int, extent: Extent) -> Tensor:
    return Lattice(extent, size).nodes(next(flow.parameters()))


def _aligned(frames: int) -> Solver:
    """RK4 whose steps end on the frames' times, at least 16 a unit."""
    between = max(1, int(np.ceil(16 / (frames - 1))))
    return Solver(method="rk4", steps=(frames - 1) * between)
