"""The browser's arithmetic of the Concrete law against PyTorch and NumPy in float64, in an empty page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch.distributions import RelaxedOneHotCategorical

from app.simplex import stage_noise
from dgm_core.gumbel.concrete import concrete_log_prob
from tests.browser.simplex_page import HEIGHT, plane

pytestmark = pytest.mark.browser
SCRIPTS = Path(__file__).parents[2] / "app" / "simplex" / "js"
PIS = [(0.6, 0.3, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.98, 0.019, 0.001)]


@pytest.fixture(scope="module")
def script(chromium: Any) -> Iterator[Any]:
    """``script(expression, argument)``: evaluated with the modules as ``m``, in a page without anything else."""
    page = chromium.new_context().new_page()
    texts = [(SCRIPTS / f"{name}.js").read_text("utf-8") for name in ("concrete", "schedules")]
    load = "async text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))"
    page.evaluate(
        f"async texts => {{ globalThis.m = {{}}; for (const t of texts) Object.assign(m, await ({load})(t)); }}", texts
    )
    yield page.evaluate
    page.context.close()


@pytest.mark.parametrize("tau", [0.05, 0.3, 0.5, 1.0, 2.0, 20.0])
@pytest.mark.parametrize("pi", PIS)
def test_the_density_is_the_concrete_density(script: Any, pi: tuple[float, ...], tau: float) -> None:
    """On every cell against torch's density and this project's, to float32's rounding of the value."""
    logs, values = script(
        """([pi, tau]) => { const l = m.makeLattice(24);
            return [l.logs.map(a => [...a]), [...m.logDensityOn(l, pi, tau)]]; }""",
        [pi, tau],
    )
    z = torch.tensor(logs, dtype=torch.float64).T.exp()
    assert len(z) > 300
    assert float((z.sum(-1) - 1).abs().max()) < 1e-12
    logits = torch.tensor(pi, dtype=torch.float64).log()
    measured, slack = np.array(values), 1e-11 * (1 + tau) + 2**-23 * np.abs(values)  # ln z is rounded once more here
    assert (np.abs(measured - concrete_log_prob(z, logits, tau).numpy()) <= slack).all()
    peer = RelaxedOneHotCategorical(torch.tensor(tau, dtype=torch.float64), logits=logits)
    assert (np.abs(measured - peer.log_prob(z).numpy()) <= slack).all()


def test_the_cells_cover_the_triangle_and_the_density_integrates_to_one(script: Any) -> None:
    """Riemann sum over the fine lattice's cells inside, dz₁ dz₂ = dx dy / (√3/2); without poles it is 1 to 0.2 %."""
    for tau in (2.5, 4.0):
        total = script(
            """tau => { const l = m.makeLattice(320), p = m.logDensityOn(l, [0.5, 0.3, 0.2], tau); let sum = 0;
                l.cells.forEach((cell, i) => {
                  const c = cell % l.columns, r = Math.floor(cell / l.columns);
                  const z = m.toSimplex((c + 0.5) / l.columns, ((l.rows - r - 0.5) / l.rows) * m.HEIGHT);
                  if (Math.min(...z) > 0) sum += Math.exp(p[i]);
                });
                return sum / (l.rows * l.columns); }""",
            tau,
        )
        assert total == pytest.approx(1, abs=0.002), tau


@pytest.mark.parametrize("tau", [0.05, 0.5, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("pi", [*PIS, (0.7, 0.3, 0.0), (0.0, 1.0, 0.0)])
def test_the_cloud_is_the_softmax_of_the_perturbed_logits(script: Any, pi: tuple[float, ...], tau: float) -> None:
    """Positions to 1e-6 of the side, means to 1e-9, shares exactly; zeros in π give no NaN."""
    noise = stage_noise(1)[:500].astype(float)
    soft, kinds, shares, means = script(
        """([noise, pi, tau]) => { const c = new m.Cloud(Float32Array.from(noise)); c.move(pi, tau, 400);
            return [[...c.soft.slice(0, 800)], [...c.kinds.slice(0, 400)], c.shares, c.means]; }""",
        [noise.ravel().tolist(), pi, tau],
    )
    with np.errstate(divide="ignore"):
        y = np.log(pi) + noise[:400]
    z = softmax(y / tau, axis=-1)
    np.testing.assert_allclose(np.reshape(soft, (-1, 2)), plane(z), atol=1e-6)
    np.testing.assert_array_equal(kinds, y.argmax(-1))
    np.testing.assert_allclose(shares, np.bincount(y.argmax(-1), minlength=3) / 400, atol=1e-15)
    np.testing.assert_allclose(means, z.mean(0), atol=1e-9)


def test_at_temperature_zero_the_cloud_is_one_hot(script: Any) -> None:
    noise = stage_noise(1)[:100].astype(float)
    soft, means, shares = script(
        """noise => { const c = new m.Cloud(Float32Array.from(noise)); c.move([0.6, 0.4, 0], 0, 100);
            return [[...c.soft], c.means, c.shares]; }""",
        noise.ravel().tolist(),
    )
    winners = (np.log([0.6, 0.4]) + noise[:, :2]).argmax(-1)
    np.testing.assert_allclose(np.reshape(soft, (-1, 2)), plane(np.eye(3)[winners]), atol=1e-6)
    np.testing.assert_allclose(means, shares, atol=1e-12)


@pytest.mark.parametrize("pi", [(0.6, 0.3, 0.1), (0.7, 0.3, 0.0)])
def test_a_path_leads_from_its_corner_to_the_centre_of_what_can_be_drawn(script: Any, pi: tuple[float, ...]) -> None:
    """Along it ln z_j − ln z_k stays in the ratio of the perturbed logits' differences: it is one sample at all τ."""
    noise = stage_noise(2)[:60].astype(float)
    paths = script(
        """([noise, pi]) => { const c = new m.Cloud(Float32Array.from(noise)); c.move(pi, 1, 60);
            return Array.from({ length: 60 }, (_, i) => [...c.path(i, pi)]); }""",
        [noise.ravel().tolist(), pi],
    )
    drawn = np.array(pi) > 0
    for path, g in zip(np.reshape(paths, (60, -1, 2)), noise, strict=True):
        z3 = path[:, 1] / HEIGHT
        z2 = path[:, 0] - z3 / 2
        z = np.stack([1 - z2 - z3, z2, z3], axis=-1)[:, drawn]
        y = np.log(np.array(pi)[drawn]) + g[drawn]
        assert z[0, y.argmax()] > 0.99
        np.testing.assert_allclose(z[-1], 1 / drawn.sum(), atol=1e-5)
        inner = (z > 1e-4).all(-1)  # float32 positions resolve the logarithm there
        low, high = y.argmin(), y.argmax()
        inverse = (np.log(z[inner, high]) - np.log(z[inner, low])) / (y[high] - y[low])  # 1/τ
        np.testing.assert_allclose(np.log(z[inner]), log_softmax(y * inverse[:, None], axis=-1), atol=5e-3)


def test_the_slider_reaches_every_temperature(script: Any) -> None:
    """0 at its left end, then 0.05 to 20 in equal ratios; the way back gives the same τ (1e-12)."""
    taus = [0.05, 0.1, 0.5, 1.0, 2.0, 7.3, 20.0]
    back = script("taus => taus.map(t => m.tauAt(m.shareOf(t)))", taus)
    np.testing.assert_allclose(back, taus, rtol=1e-12)
    assert script("[m.tauAt(0), m.shareOf(0), m.tauAt(1)]") == pytest.approx([0, 0, 20], abs=1e-12)
    shares = script("[0.1, 0.2, 0.4, 0.8].map(m.shareOf)")
    np.testing.assert_allclose(np.diff(shares), np.diff(shares)[0])
    walk = script(
        "() => { const out = [0]; for (let i = 0; i < 80; i++) out.push(m.stepTau(out.at(-1), 1)); return out; }"
    )
    assert walk[:2] == [0, 0.05]
    assert walk[-1] == 20
    assert script("[m.stepTau(0.05, -1), m.stepTau(0, -1), m.stepTau(1, 1, true), m.stepTau(1, -1, true)]") == [
        0,
        0,
        2,
        0.5,
    ]


def test_the_schedules_are_their_formulas(script: Any) -> None:
    """Jang, Gu and Poole (2017): τ = max(0.5, exp(−rt)), r = 1e-5; the others from 5 to 0.1."""
    s = np.linspace(0, 1, 21)
    found = script(
        "s => Object.fromEntries(Object.entries(m.SCHEDULES).map(([k, v]) => [k, s.map(v.tau)]))", s.tolist()
    )
    np.testing.assert_allclose(found["exponential"], np.geomspace(5, 0.1, 21))
    np.testing.assert_allclose(found["linear"], np.linspace(5, 0.1, 21))
    np.testing.assert_allclose(found["cosine"], 2.55 + 2.45 * np.cos(np.pi * s), atol=1e-12)
    np.testing.assert_allclose(found["jang"], np.maximum(0.5, np.exp(-1e-5 * 100_000 * s)))


def test_a_dragged_point_is_a_distribution(script: Any) -> None:
    """To three decimals, of sum 1, never negative; near an edge it lies on it, beyond it too."""
    cases = [[1 / 3, 1 / 3, 1 / 3], [0.005, 0.5, 0.495], [-0.4, 0.9, 0.5], [-1, -1, 3], [0.0011, 0.001, 0.9979]]
    for z in cases:
        pi = script("z => m.toProbabilities(z, 0.012)", z)
        assert sum(pi) == pytest.approx(1, abs=1e-12)
        assert all(p == 0 if zk < 0.012 else 0 < p <= 1 for p, zk in zip(pi, z, strict=True)), (z, pi)
        assert np.array_equal(np.round(pi, 3), pi)
