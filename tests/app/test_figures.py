"""Figures: the numbers given are the numbers drawn, on fixed axes, in the palette's colours, in words too."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.bones.chart import arrow
from app.figures.cnf import gap_bars, jacobian_ellipse, log_prob_along, nfe_curve, training_curve, trajectories_3d
from app.figures.estimators import apart, bias_variance, cost_bars, race_curves
from app.figures.figure import Figure, columns, thinned
from app.figures.gumbel import HARD, SOFT, code_map, elbo_curves, expectation_chart
from app.figures.palette import accent
from app.figures.theme import TYPE, altair_config

STEPS = np.arange(1, 101)
NLL = 2.0 + np.exp(-STEPS / 20.0)


def texts(figure: Figure) -> list[str]:
    """The words drawn, table by table."""
    return [str(text) for table in figure.tables.values() for text in table.get("text", [])]


def layers_of(figure: Figure) -> list[dict[str, Any]]:
    return list(figure.spec["layer"])


def look(figure: Figure) -> str:
    """The specification: what Streamlit compares to update a chart in place."""
    return json.dumps(dict(figure.spec), sort_keys=True)


def named(part: Any) -> set[str]:
    """The tables that a specification names."""
    if isinstance(part, list):
        return {name for item in part for name in named(item)}
    if not isinstance(part, dict):
        return set()
    own = {part["data"]["name"]} if "data" in part else set()
    return own | {name for item in part.values() for name in named(item)}


def fields(part: Any) -> set[str]:
    """The columns that a specification draws."""
    if isinstance(part, list):
        return {name for item in part for name in fields(item)}
    if not isinstance(part, dict):
        return set()
    own = {part["field"]} if isinstance(part.get("field"), str) else set()
    return own | {name for item in part.values() for name in fields(item)}


TIMES = np.linspace(0, 1, 9)
TAUS = np.geomspace(0.1, 10, 5)
PI = np.array([0.6, 0.3, 0.1])
BIAS = np.array([[0.0, 0.5], [0.1, 0.6], [0.2, 0.7]])
FIGURES: dict[str, Callable[..., Figure]] = {
    "training": lambda **ground: training_curve(STEPS, NLL, 2.0, 0.01, **ground),
    "training without error": lambda **ground: training_curve(STEPS, NLL, 2.0, **ground),
    "training without entropy": lambda **ground: training_curve(STEPS, NLL, **ground),
    "nfe": lambda **ground: nfe_curve(STEPS, STEPS, **ground),
    "along": lambda **ground: log_prob_along(TIMES, TIMES, TIMES, TIMES, 0.0, **ground),
    "along, two ways": lambda **ground: log_prob_along(TIMES, TIMES, TIMES, None, 0.0, **ground),
    "ellipse": lambda **ground: jacobian_ellipse(np.eye(2), **ground),
    "gaps": lambda **ground: gap_bars(["a"], np.array([0.1]), np.array([0.01]), **ground),
    "gaps without errors": lambda **ground: gap_bars(["a"], np.array([0.1]), **ground),
    "expectation": lambda **ground: expectation_chart(TAUS, np.full((5, 3), 1 / 3), PI, 1.0, PI, PI / 10, **ground),
    "expectation alone": lambda **ground: expectation_chart(TAUS, np.full((5, 3), 1 / 3), PI, 1.0, **ground),
    "code map": lambda **ground: code_map(np.full((4, 5), 0.2), np.arange(4), **ground),
    "elbo": lambda **ground: elbo_curves(STEPS, -NLL, -NLL - 1, -25.0, against="step", **ground),
    "bias": lambda **ground: bias_variance(["a", "b"], np.array([1, 0]), BIAS, BIAS + 1, 1, reach=(1, 3), **ground),
    "costs": lambda **ground: cost_bars(["a", "b"], np.array([1.0, 2.0]), np.array([1, 4]), **ground),
    "race": lambda **ground: race_curves(["a", "b"], STEPS, np.stack([NLL, NLL]), 1.0, chosen=["b"], **ground),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_a_specification_draws_the_tables_that_come_with_it(make: Callable[..., Figure]) -> None:
    figure = make()
    assert named(dict(figure.spec)) <= set(figure.tables)
    assert "datasets" not in figure.spec
    for layer in layers_of(figure):
        table = figure.tables[layer["data"]["name"]]
        assert fields(layer["encoding"]) <= set(table)
        assert len({len(column) for column in table.values()}) == 1


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_tables_reach_the_browser_as_they_are(make: Callable[..., Figure]) -> None:
    for table in make().tables.values():
        read = pa.ipc.open_stream(arrow(table)).read_all().to_pydict()
        assert read == {name: column.tolist() for name, column in table.items()}


def test_the_training_curve_holds_the_numbers_and_names_the_gap() -> None:
    figure = training_curve(STEPS, NLL, 2.0, 0.01, total=400)
    np.testing.assert_array_equal(figure.tables["curve"]["step"], STEPS)
    np.testing.assert_array_equal(figure.tables["curve"]["nll"], NLL)
    assert texts(figure) == ["entropy of the target 2.000 nats", f"gap +{NLL[-1] - 2.0:.3f} nats"]
    band = figure.tables["entropy"]
    np.testing.assert_allclose([band["low"][0], band["high"][0]], [1.98, 2.02])
    assert figure.tables["span"]["step"].tolist() == [0.0, 400.0]
    assert figure.spec["description"].startswith("Negative log-likelihood")


def test_a_negative_gap_is_said_to_be_negative() -> None:
    assert texts(training_curve(STEPS, NLL, 2.5))[-1] == f"gap −{2.5 - NLL[-1]:.3f} nats"


def test_other_numbers_keep_the_specification() -> None:
    whole = training_curve(STEPS, NLL, 2.0, 0.01, total=100)
    for count in (0, 1, 3):
        assert training_curve(STEPS[:count], NLL[:count], 1.5, 0.02, total=200).spec is whole.spec
    assert texts(training_curve(STEPS[:0], NLL[:0], 2.0)) == ["entropy of the target 2.000 nats"]
    assert nfe_curve(STEPS[:3], STEPS[:3]).spec is nfe_curve(STEPS, STEPS).spec
    assert jacobian_ellipse(np.diag([9.0, 0.1])).spec is jacobian_ellipse(np.eye(2)).spec
    assert log_prob_along(TIMES, TIMES, TIMES, None, 0.0).spec is log_prob_along(STEPS, NLL, NLL, None, 1.0).spec


def test_another_look_is_another_specification() -> None:
    looks = {look(training_curve(STEPS, NLL, 2.0, dark=dark, unit=unit)) for dark in (0, 1) for unit in ("nats", "b")}
    assert len(looks) == 4


def test_an_exploded_loss_is_left_out() -> None:
    nll = np.where(STEPS > 50, np.nan, NLL)
    nll[10] = np.inf
    figure = training_curve(STEPS, nll, 2.0)
    assert len(figure.tables["curve"]["nll"]) == 49
    assert np.isfinite(figure.tables["curve"]["nll"]).all()
    assert figure.tables["gap"]["step"].tolist() == [50]


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    steps = np.arange(50_000)
    curve = nfe_curve(steps, steps).tables["curve"]
    assert len(curve["nfe"]) <= 600
    assert (curve["step"][0], curve["step"][-1]) == (0, 49_999)


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
    figure = log_prob_along(times, -3 + times, times, times**2, -3.0)
    film, integral, difference = (figure.tables[layer["data"]["name"]] for layer in layers_of(figure))
    np.testing.assert_allclose(film["value"], -3 + times)
    np.testing.assert_allclose(integral["value"], -3 + times)
    np.testing.assert_allclose(difference["value"], -3 + difference["t"] ** 2)
    assert layers_of(figure)[0]["encoding"]["x"]["scale"]["domain"] == [0, 1]
    colours = layers_of(figure)[0]["encoding"]["color"]["scale"]["domain"]
    assert set(colours) == {str(table["way"][0]) for table in figure.tables.values()}
    assert len(layers_of(log_prob_along(times, times, times, None, 0.0))) == 2


def test_the_ellipse_is_the_image_of_the_circle() -> None:
    jacobian = np.array([[2.0, 0.7], [-0.3, 0.5]])
    figure = jacobian_ellipse(jacobian)
    frame, circle, ellipse, axes = (figure.tables[name] for name in ("frame", "circle", "ellipse", "axes"))
    np.testing.assert_allclose(np.hypot(circle["x"], circle["y"]), 1.0)
    # Every point J u obeys xᵀ (J Jᵀ)⁻¹ x = 1.
    points = np.stack([ellipse["x"], ellipse["y"]], axis=1)
    metric = np.linalg.inv(jacobian @ jacobian.T)
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", points, metric, points), 1.0, rtol=1e-12)
    half = np.hypot(axes["x2"], axes["y2"])
    np.testing.assert_allclose(half**2, np.sort(np.linalg.eigvalsh(jacobian @ jacobian.T))[::-1], rtol=1e-12)
    np.testing.assert_allclose(axes["x"], -axes["x2"])
    np.testing.assert_array_equal(frame["x"], frame["y"])
    assert frame["x"][1] == -frame["x"][0] >= half.max()
    assert figure.spec["width"] == figure.spec["height"]
    area = abs(np.linalg.det(jacobian))
    assert texts(figure) == [f"area × {area:.3g}, log p − {np.log(area):.3f}"]


def test_a_jacobian_that_is_none_is_refused_and_a_singular_one_said() -> None:
    with pytest.raises(ValueError, match=r"has shape \(2, 2\), this one \(3, 3\)"):
        jacobian_ellipse(np.eye(3))
    assert texts(jacobian_ellipse(np.zeros((2, 2)))) == ["area × 0: not invertible here"]


def test_gaps_keep_their_order_and_whiskers_span_two_errors() -> None:
    figure = gap_bars(["b", "a"], np.array([0.05, 0.02]), np.array([0.01, 0.002]))
    data = figure.tables["gaps"]
    assert data["name"].tolist() == ["b", "a"]
    assert all(layer["encoding"]["y"]["sort"] is None for layer in layers_of(figure))  # as they come
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


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
@pytest.mark.parametrize("dark", [False, True])
def test_ground_and_classroom_reach_every_chart(make: Callable[..., Figure], dark: bool) -> None:
    desk, hall = make(dark=dark, scale=1.0), make(dark=dark, scale=1.5)
    assert hall.spec["height"] == round(1.5 * desk.spec["height"])
    assert hall.spec["config"]["axis"]["labelFontSize"] == 1.5 * TYPE
    config = desk.spec["config"]
    assert {name: config[name] for name in ("background", "axis", "legend")} == {
        name: altair_config(dark)[name] for name in ("background", "axis", "legend")
    }
    assert accent("model", dark) in look(desk) or accent("latent", dark) in look(desk)
    assert desk.spec["description"]


def test_a_table_repeats_scalars_and_drops_what_is_not_finite() -> None:
    table = columns(x=np.array([1.0, np.nan, 3.0]), name="a", word=["p", "q", "r"])
    assert {name: column.tolist() for name, column in table.items()} == {
        "x": [1.0, 3.0], "name": ["a", "a"], "word": ["p", "r"],
    }  # fmt: skip


def test_a_table_of_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"equally long; these have \[2, 3\] rows"):
        columns(x=np.zeros(2), y=np.zeros(3))


def test_expectations_run_from_pi_to_uniform_and_whiskers_span_two_errors() -> None:
    expected = np.linspace(PI, np.full(3, 1 / 3), 5)
    figure = expectation_chart(TAUS, expected, PI, 99.0, PI, np.full(3, 0.01))
    curves, flat, measured = (figure.tables[name] for name in ("curves", "flat", "measured"))
    np.testing.assert_array_equal(curves["value"].reshape(3, 5), expected.T)
    np.testing.assert_array_equal(flat["value"].reshape(3, 2), np.stack([PI, PI], 1))
    np.testing.assert_allclose(measured["high"] - measured["low"], 0.04)
    assert figure.tables["now"]["tau"].tolist() == [10.0]  # the line stays on the chart


def test_a_code_map_holds_every_cell_and_rings_the_code() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 3)
    figure = code_map(probabilities, np.array([3, 0, 2]))
    cells, code = figure.tables["cells"], figure.tables["code"]
    for latent, category, p in zip(cells["latent"], cells["category"], cells["p"], strict=True):
        assert p == probabilities[latent - 1, category - 1]
    assert code["category"].tolist() == [4, 1, 3]
    assert code["latent"].tolist() == [1, 2, 3]


def test_relaxed_and_hard_are_told_apart() -> None:
    curves = elbo_curves(STEPS, -NLL, -NLL - 1, -25.0, against="step").tables["curves"]
    np.testing.assert_array_equal(curves["value"][curves["kind"] == SOFT], -NLL)
    np.testing.assert_array_equal(curves["value"][curves["kind"] == HARD], -NLL - 1)
    assert texts(elbo_curves(STEPS, NLL, NLL, -25.0, against="tau")) == ["independent pixels −25.00"]


def test_marks_stand_at_the_chosen_temperature() -> None:
    figure = bias_variance(["a", "b"], np.array([True, False]), BIAS, BIAS + 1, 2, reach=(1.0, 3.0))
    np.testing.assert_array_equal(figure.tables["marks"]["x"], BIAS[2])
    np.testing.assert_array_equal(figure.tables["trail"]["y"].reshape(3, 2), BIAS + 1)
    assert len(set(figure.tables["marks"]["kind"])) == 2


def test_labels_stand_apart() -> None:
    x, y = np.zeros(6), np.full(6, 2.0)
    placed = np.sqrt(np.sort(apart(x, y, (1.0, 4.0))))
    assert np.diff(placed).min() >= 0.055 * 2 - 1e-9
    np.testing.assert_allclose(apart(np.arange(6.0), y, (1.0, 4.0)), y)


def test_the_race_shows_the_distance_from_the_best() -> None:
    figure = race_curves(["a", "b"], STEPS, np.stack([NLL, 2 * NLL]), 1.5, chosen=["b"])
    np.testing.assert_allclose(figure.tables["chosen"]["value"], 2 * NLL - 1.5)
    np.testing.assert_allclose(figure.tables["others"]["value"], NLL - 1.5)
    assert set(figure.tables["chosen"]["name"]) == {"b"}
