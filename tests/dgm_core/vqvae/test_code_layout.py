"""Codes in the plane: maps of neighbours, with UMAP and without it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.views import Viewed
from dgm_core.vqvae import layout
from dgm_core.vqvae.atlas import chart_codes
from dgm_core.vqvae.layout import CROWD, Layout, neighbour_map
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.views import CodebookAtlas

MAPS: list[Layout] = ["tsne", *(["umap"] if layout.has_umap() else [])]  # type: ignore[list-item]


def groups() -> tuple[np.ndarray, np.ndarray]:
    """Three groups of 40 points in five dimensions, twenty of their own widths apart."""
    rng = np.random.default_rng(0)
    kind = np.repeat(np.arange(3), 40)
    return (20 * np.eye(3, 5)[kind] + rng.normal(size=(120, 5))).astype(np.float32), kind


@pytest.mark.parametrize("how", MAPS)
def test_neighbours_stay_neighbours(how: Layout) -> None:
    """The five nearest in the plane are of one's own group, for at least 95 %; the same seed makes the same map."""
    points, kind = groups()
    found = neighbour_map(points, how, seed=3)
    assert found.shape == (120, 2)
    assert found.dtype == np.float32
    apart = ((found[:, None] - found) ** 2).sum(-1)
    np.fill_diagonal(apart, np.inf)
    near = kind[np.argsort(apart, 1)[:, :5]]
    assert (near == kind[:, None]).mean() >= 0.95
    np.testing.assert_array_equal(found, neighbour_map(points, how, seed=3))


@pytest.mark.parametrize("how", MAPS)
@pytest.mark.parametrize("count", [4, 5, 20])
def test_few_or_equal_points(how: Layout, count: int) -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(count, 3)).astype(np.float32)
    points[-1] = points[0]
    assert np.isfinite(neighbour_map(points, how)).all()


def test_too_few_points_end_in_a_sentence() -> None:
    with pytest.raises(DataError, match="at least four points; these are 3"):
        neighbour_map(np.zeros((3, 2), np.float32), "tsne")


def test_without_umap_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "has_umap", lambda: False)
    with pytest.raises(DataError, match="umap-learn, which is not installed"):
        neighbour_map(np.zeros((9, 2), np.float32), "umap")
    view = CodebookAtlas(source="zoo:vqvae-digits", count=20, layout="umap")
    with pytest.raises(TrainingFailedError, match="umap-learn"):
        view.make(Viewed(zoo.experiment("vqvae-digits"), zoo.load("vqvae-digits")), torch.device("cpu"))


def test_with_umap_it_gets_points_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in of that name sees all points in their order, neighbours and seed, and what it returns comes back."""
    seen: dict[str, object] = {}

    class Stand:
        def __init__(self, **settings: object) -> None:
            seen.update(settings)

        def fit_transform(self, points: np.ndarray) -> np.ndarray:
            seen["points"] = points
            return points[:, :2].astype(np.float64)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Stand))
    monkeypatch.setattr(layout, "has_umap", lambda: True)
    points, _ = groups()
    np.testing.assert_array_equal(neighbour_map(points, "umap", seed=7), points[:, :2])
    assert (seen["n_neighbors"], seen["random_state"]) == (15, 7)
    assert seen["points"] is points


def test_an_atlas_with_a_map_of_neighbours() -> None:
    """Only the plane changes; of the outputs no more than are said are in it, codes first."""
    model = zoo.load("vqvae-digits")
    assert isinstance(model, QuantisedAutoencoder)
    images = zoo.experiment("vqvae-digits").images().test[:40]  # type: ignore[attr-defined]
    plain, mapped = chart_codes(model, images, shown=300), chart_codes(model, images, shown=300, layout="tsne")
    assert mapped.projection.shape == plain.projection.shape
    assert mapped.outputs.shape == (300, 2)
    assert len(mapped.outputs) <= CROWD
    np.testing.assert_array_equal(mapped.output_codes, plain.output_codes)
    np.testing.assert_array_equal(mapped.tiles, plain.tiles)
    assert not np.allclose(mapped.outputs, plain.outputs)
