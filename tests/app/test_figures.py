"""Figures: the numbers given are the numbers drawn, on fixed axes, in the palette's colours, in words too."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.figures.cnf import gap_bars, jacobian_ellipse, log_prob_along, nfe_curve, training_curve, trajectories_3d
from app.figures.frames import frame, thinned
from app.figures.palette import accent
from app.figures.theme import TYPE, altair_config

STEPS = np.arange(1, 101)
NLL = 2.0 + np.exp(-STEPS / 20.0)


def tables(chart: Any) -> list[pd.DataFrame]:
    """The data of each layer, from back to front; Altair moves a table that all share to the top."""
    return [layer.data if isinstance(layer.data, pd.DataFrame) else chart.data for layer in chart.layer]


def table_with(chart: Any, *columns: str) -> pd.DataFrame:
    return next(data for data in tables(chart) if set(columns) <= set(data.columns))


def spec(chart: Any) -> dict[str, Any]:
    return dict(chart.to_dict())


def bare(chart: Any) -> str:
    """The specification without the data: what Streamlit compares to update a chart in place."""
    parts = spec(chart)
    parts.pop("datasets")
    return json.dumps(strip(parts), sort_keys=True)


def strip(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: strip(value) for name, value in part.items() if name != "data"}
    return [strip(item) for item in part] if isinstance(part, list) else part


def test_the_training_curve_holds_the_numbers_and_names_the_gap() -> None:
    chart = training_curve(STEPS, NLL, 2.0, 0.01, total=400)
    curve = tables(chart)[-1]
    np.testing.assert_array_equal(curve["step"], STEPS)
    np.testing.assert_array_equal(curve["nll"], NLL)
    texts = [text for data in tables(chart) if "text" in data for text in data["text"]]
    assert list(dict.fromkeys(texts)) == ["entropy of the target 2.000 nats", f"gap +{NLL[-1] - 2.0:.3f} nats"]
    band = table_with(chart, "low", "high")
    np.testing.assert_allclose([band["low"][0], band["high"][0]], [1.98, 2.02])
    assert tables(chart)[0]["step"].tolist() == [0.0, 400.0]
    assert spec(chart)["description"].startswith("Negative log-likelihood")


def test_a_negative_gap_is_said_to_be_negative() -> None:
    texts = [text for data in tables(training_curve(STEPS, NLL, 2.5)) if "text" in data for text in data["text"]]
    assert texts[-1] == f"gap −{2.5 - NLL[-1]:.3f} nats"


def test_a_growing_training_changes_the_data_alone() -> None:
    short = training_curve(STEPS[:3], NLL[:3], 2.0, 0.01, total=100)
    long = training_curve(STEPS, NLL, 2.0, 0.01, total=100)
    none = training_curve(STEPS[:0], NLL[:0], 2.0, 0.01, total=100)
    assert bare(short) == bare(long) == bare(none)
    assert bare(nfe_curve(STEPS[:3], STEPS[:3])) == bare(nfe_curve(STEPS, STEPS))


def test_an_exploded_loss_is_left_out() -> None:
    nll = np.where(STEPS > 50, np.nan, NLL)
    nll[10] = np.inf
    curve = table_with(training_curve(STEPS, nll), "step", "nll")
    assert len(curve) == 49
    assert np.isfinite(curve["nll"]).all()


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    steps = np.arange(50_000)
    curve = table_with(nfe_curve(steps, steps), "nfe")
    assert len(curve) <= 600
    assert (curve["step"].iloc[0], curve["step"].iloc[-1]) == (0, 49_999)


@pytest.mark.parametrize("count", [0, 1, 2, 599, 600, 601, 12_345])
def test_thinning_is_even(count: int) -> None:
    kept = thinned(count)
    if count == 0:
        assert kept.tolist() == [0] or len(kept) == 0
        return
    assert kept[0] == 0
    assert kept[-1] == count - 1
    gaps = np.diff(kept)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_the_three_ways_to_the_log_density_are_drawn_in_nats() -> None:
    times = np.linspace(0, 1, 61)
    chart = log_prob_along(times, -3 + times, times, times**2, -3.0)
    film, integral, difference = tables(chart)
    np.testing.assert_allclose(film["value"], -3 + times)
    np.testing.assert_allclose(integral["value"], -3 + times)
    np.testing.assert_allclose(difference["value"], -3 + difference["t"] ** 2)
    assert spec(chart)["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]
    assert len(tables(log_prob_along(times, times, times, None, 0.0))) == 2


def test_the_ellipse_is_the_image_of_the_circle() -> None:
    jacobian = np.array([[2.0, 0.7], [-0.3, 0.5]])
    chart = jacobian_ellipse(jacobian)
    circle, ellipse, axes = tables(chart)
    np.testing.assert_allclose(np.hypot(circle["x"], circle["y"]), 1.0)
    # Every point J u obeys xᵀ (J Jᵀ)⁻¹ x = 1.
    points = ellipse[["x", "y"]].to_numpy()
    metric = np.linalg.inv(jacobian @ jacobian.T)
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", points, metric, points), 1.0, rtol=1e-12)
    half = np.hypot(axes["x2"], axes["y2"])
    np.testing.assert_allclose(half**2, np.sort(np.linalg.eigvalsh(jacobian @ jacobian.T))[::-1], rtol=1e-12)
    np.testing.assert_allclose(axes["x"], -axes["x2"])
    x, y = (spec(chart)["layer"][0]["encoding"][name]["scale"]["domain"] for name in "xy")
    assert x == y
    assert x[1] >= half.max()
    assert chart.width == chart.height
    area = abs(np.linalg.det(jacobian))
    assert chart.title == f"area × {area:.3g}, log p − {np.log(area):.3f}"


def test_a_jacobian_that_is_none_is_refused_and_a_singular_one_said() -> None:
    with pytest.raises(ValueError, match=r"has shape \(2, 2\), this one \(3, 3\)"):
        jacobian_ellipse(np.eye(3))
    assert jacobian_ellipse(np.zeros((2, 2))).title == "area × 0: not invertible here"


def test_gaps_keep_their_order_and_whiskers_span_two_errors() -> None:
    data = tables(gap_bars(["b", "a"], np.array([0.05, 0.02]), np.array([0.01, 0.002])))[0]
    assert data["name"].tolist() == ["b", "a"]
    np.testing.assert_allclose(data["high"] - data["low"], [0.04, 0.008])
    assert data["text"].tolist() == ["0.050", "0.020"]


def test_trajectories_stand_in_space_and_time() -> None:
    paths = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)
    times = np.linspace(0, 1, 5)
    figure = trajectories_3d(paths, times, chosen=1)
    lines, base, samples, chosen = figure.data
    x = np.asarray(lines.x).reshape(3, 6)
    np.testing.assert_array_equal(x[:, :5], paths[:, :, 0].T)
    assert np.isnan(x[:, 5]).all()
    np.testing.assert_array_equal(np.asarray(base.y), paths[0, :, 1])
    np.testing.assert_array_equal(np.asarray(samples.x), paths[-1, :, 0])
    assert set(np.asarray(samples.z).tolist()) == {1.0}
    np.testing.assert_array_equal(np.asarray(chosen.y), paths[:, 1, 1])
    assert base.marker.symbol != samples.marker.symbol


@pytest.mark.parametrize("shape", [(4, 3, 2), (5, 3, 3), (5, 2)])
def test_trajectories_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"paths of shape \(T, N, 2\) are needed for 5 times"):
        trajectories_3d(np.zeros(shape), np.linspace(0, 1, 5))


@pytest.mark.parametrize("dark", [False, True])
def test_ground_and_classroom_reach_every_chart(dark: bool) -> None:
    times = np.linspace(0, 1, 9)
    for make in (
        lambda **look: training_curve(STEPS, NLL, 2.0, **look),
        lambda **look: nfe_curve(STEPS, STEPS, **look),
        lambda **look: log_prob_along(times, times, times, times, 0.0, **look),
        lambda **look: jacobian_ellipse(np.eye(2), **look),
        lambda **look: gap_bars(["a"], np.array([0.1]), **look),
    ):
        desk, hall = make(dark=dark, scale=1.0), make(dark=dark, scale=1.5)
        assert spec(hall)["height"] == round(1.5 * spec(desk)["height"])
        assert spec(hall)["config"]["axis"]["labelFontSize"] == 1.5 * TYPE
        config = spec(desk)["config"]
        assert {name: config[name] for name in ("background", "axis", "legend")} == {
            name: altair_config(dark)[name] for name in ("background", "axis", "legend")
        }
        assert accent("model", dark) in json.dumps(spec(desk)) or accent("latent", dark) in json.dumps(spec(desk))
        assert spec(desk)["description"]


def test_a_table_repeats_scalars_and_drops_what_is_not_finite() -> None:
    table = frame(x=np.array([1.0, np.nan, 3.0]), name="a", word=["p", "q", "r"])
    assert table.to_dict("list") == {"x": [1.0, 3.0], "name": ["a", "a"], "word": ["p", "r"]}
