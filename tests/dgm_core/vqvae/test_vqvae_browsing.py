"""Browsing a codebook: maps, distances, edits, atlas and reels against NumPy on the shipped digits model."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from dgm_core import zoo
from dgm_core.pack import pack
from dgm_core.reel import Reel
from dgm_core.vqvae.atlas import CodeAtlas, chain_of_neighbours, chart_codes, cut_patches
from dgm_core.vqvae.browse import Browsed, browse, decode, drop, repaint, swap
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.layout import principal_plane
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.reels import UsageHistory, codebook_reel, training_reel, usage_history


@cache
def shipped() -> tuple[QuantisedAutoencoder, np.ndarray]:
    model, recipe = zoo.load("vqvae-digits"), zoo.experiment("vqvae-digits")
    assert isinstance(model, QuantisedAutoencoder)
    assert isinstance(recipe, VQVAE)
    return model, recipe.images().test


@cache
def found() -> Browsed:
    model, images = shipped()
    return browse(model, images[:40])


@cache
def atlas() -> CodeAtlas:
    model, images = shipped()
    return chart_codes(model, images, patches=5, neighbours=6, shown=300)


def distances(outputs: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """All ‖z − e‖ in float64, from the differences."""
    return np.sqrt(((outputs.astype(np.float64)[..., None, :] - vectors.astype(np.float64)) ** 2).sum(-1))


def test_maps_and_distances_are_those_of_an_exhaustive_search() -> None:
    apart = distances(found().outputs, atlas().vectors)
    order = apart.argsort(-1)
    assert np.array_equal(found().codes, order[..., 0])
    assert np.array_equal(found().second, order[..., 1])
    assert np.allclose(found().first_distance, np.sort(apart, -1)[..., 0], atol=1e-5)
    assert np.allclose(found().second_distance, np.sort(apart, -1)[..., 1], atol=1e-5)
    assert np.array_equal(found().codes, atlas().codes[:40])


def test_what_comes_back_is_decoded_from_the_maps() -> None:
    model, images = shipped()
    assert np.array_equal(found().reconstructions, decode(model, found().codes))
    error = ((found().reconstructions / 255.0 - images[:40] / 255.0) ** 2).mean((1, 2, 3))
    assert np.allclose(found().psnr, -10 * np.log10(error), atol=0.1)  # bytes are rounded


def test_dropping_the_nearest_code_gives_the_second() -> None:
    model, _ = shipped()
    for code in np.unique(found().codes)[:10]:
        edited = drop(model, found().outputs, [int(code)])
        expected = np.where(found().codes == code, found().second, found().codes)
        assert np.array_equal(edited, expected)


def test_dropping_many_leaves_the_nearest_of_the_rest() -> None:
    model, _ = shipped()
    dropped = list(range(0, 64, 2))
    apart = distances(found().outputs, atlas().vectors)
    apart[..., dropped] = np.inf
    assert np.array_equal(drop(model, found().outputs, dropped), apart.argmin(-1))


def test_edits_touch_what_they_should() -> None:
    codes = found().codes[0]
    painted = repaint(codes, np.array([[0, 0], [1, 2], [-1, 0], [0, 99]]), 5)
    assert painted[0, 0] == painted[1, 2] == 5
    assert (painted != codes).sum() <= 2
    assert np.array_equal(swap(swap(codes, 3, 7), 3, 7), codes)
    assert np.array_equal(np.bincount(swap(codes, 3, 7).ravel(), minlength=64)[[7, 3]],
                          np.bincount(codes.ravel(), minlength=64)[[3, 7]])  # fmt: skip


def test_a_map_of_another_size_is_an_image_of_another_size() -> None:
    model, _ = shipped()
    assert decode(model, np.zeros((2, 3, 9), int)).shape == (2, 1, 6, 18)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (np.full((1, 4, 4), 64), "A code's number is 0 to 63"),
        (np.full((1, 4, 4), -1), "A code's number is 0 to 63"),
        (np.zeros((4, 4), int), "Code maps are whole numbers"),
        (np.zeros((1, 4, 4)), "Code maps are whole numbers"),
    ],
)
def test_what_is_no_map_is_told(codes: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(shipped()[0], codes)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 3, 8, 8), np.uint8), np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8), np.uint8)]
)
def test_what_are_no_images_of_the_model_is_told(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="The model takes uint8 images of shape"):
        browse(shipped()[0], images)


@pytest.mark.parametrize(
    ("dropped", "words"), [(range(64), "leave at least one"), ([64], "A code's number is 0 to 63")]
)
def test_what_cannot_be_dropped_is_told(dropped: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        drop(shipped()[0], found().outputs, dropped)


def test_counts_and_perplexity_are_of_the_whole_set() -> None:
    counts = np.bincount(atlas().codes.ravel(), minlength=64)
    shares = counts[counts > 0] / counts.sum()
    assert np.array_equal(atlas().counts, counts)
    assert atlas().perplexity == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-9)
    assert atlas().used == (counts > 0).mean()
    assert (np.diff(counts[atlas().by_usage]) <= 0).all()
    assert len(atlas().batch_perplexity) == 359 // 64
    assert (atlas().batch_perplexity <= 64).all()


def test_places_hold_the_nearest_outputs_of_each_code() -> None:
    """P smallest distances among the outputs that chose a code, by a sort of all; patches are the pixels there."""
    model, images = shipped()
    whole = browse(model, images)
    for code in range(64):
        mine = np.argwhere(whole.codes == code)
        nearest = np.sort(whole.first_distance[whole.codes == code])[:5]
        places = atlas().places[code][: len(mine)]
        assert (atlas().places[code][len(mine) :] == -1).all()
        assert np.allclose(whole.first_distance[tuple(places.T)], nearest[: len(places)], atol=1e-6)
        assert (whole.codes[tuple(places.T)] == code).all()
        for (image, row, column), patch in zip(places, atlas().patches[code], strict=False):
            assert np.array_equal(patch, images[image, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2])


def test_places_that_are_not_there_are_black() -> None:
    images = np.full((1, 1, 4, 4), 9, np.uint8)
    assert cut_patches(images, np.array([[[0, 1, 1], [-1, -1, -1]]]), 2).reshape(2, -1).tolist() == [[9] * 4, [0] * 4]


def test_images_with_a_code() -> None:
    code = int(atlas().by_usage[0])
    often = (atlas().codes == code).sum((1, 2))
    listed = atlas().images_with(code)
    assert set(listed) == set(np.flatnonzero(often))
    assert (np.diff(often[listed]) <= 0).all()


def test_neighbours_are_the_nearest_other_codes() -> None:
    apart = distances(atlas().vectors, atlas().vectors)
    np.fill_diagonal(apart, np.inf)
    assert np.array_equal(atlas().neighbours, apart.argsort(1)[:, :6])
    assert np.allclose(atlas().neighbour_distances, np.sort(apart, 1)[:, :6], atol=1e-5)


def test_the_projection_is_scikit_learns_pca() -> None:
    """Up to the sign of each axis; explained shares to 1e-5."""
    from sklearn.decomposition import PCA

    points = np.random.default_rng(0).normal(size=(500, 6)) * [3, 2, 1, 1, 0.5, 0.1]
    pca = PCA(2).fit(points)
    mean, axes, shares = principal_plane(torch.tensor(points))
    ours, theirs = (points - mean.numpy()) @ axes.numpy(), pca.transform(points)
    assert np.allclose(ours, theirs * np.sign((ours * theirs).sum(0)), atol=1e-8)
    assert np.allclose(shares.numpy(), pca.explained_variance_ratio_, atol=1e-8)
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()


def test_the_chain_visits_every_code_once_each_time_the_nearest_left() -> None:
    vectors = np.random.default_rng(1).normal(size=(30, 3))
    order = chain_of_neighbours(vectors, 4)
    assert sorted(order) == list(range(30))
    assert order[0] == 4
    for here, after, left in zip(order, order[1:], range(1, 30), strict=False):
        rest = order[left:]
        assert after == rest[distances(vectors[here], vectors[rest]).argmin()]


def test_an_atlas_comes_back_whole() -> None:
    back = CodeAtlas.from_bytes(atlas().to_bytes())
    assert back.perplexity == atlas().perplexity
    assert np.array_equal(back.patches, atlas().patches)
    with pytest.raises(ValueError, match="no atlas of codes"):
        CodeAtlas.from_bytes(pack({}, {"tiles": atlas().tiles}))


def test_one_image_is_enough_for_an_atlas() -> None:
    model, images = shipped()
    single = chart_codes(model, images[:1])
    assert single.codes.shape == (1, 4, 4)
    assert single.batch_perplexity.shape == (1,)


def previews() -> list[tuple[int, dict[str, np.ndarray]]]:
    def picture(level: int) -> dict[str, np.ndarray]:
        return {
            "inputs": np.full((8, 3, 4, 4), 10, np.uint8), "reconstructions": np.full((8, 3, 4, 4), level, np.uint8),
            "tiles": (np.arange(5, dtype=np.uint8) + level)[:, None, None, None] * np.ones((1, 3, 2, 2), np.uint8),
            "counts": np.array([1, 5, 0, 9, level], np.int32),
        }  # fmt: skip

    return [(20, picture(20)), (1, picture(1)), (1, picture(1))]


def test_reels_of_a_training() -> None:
    reel = training_reel(previews())
    assert reel.times.tolist() == [1, 20]
    assert reel.frames.shape == (2, 2, 8, 4, 4, 3)
    assert reel.frames[:, 1, 0, 0, 0, 0].tolist() == [1, 20]
    book = codebook_reel(previews())
    assert book.frames.shape == (2, 2, 3, 2, 2, 3)  # five tiles in a grid of 2 × 3, the last one black
    assert book.frames[1, :, :, 0, 0, 0].tolist() == [[24, 23, 21], [20, 22, 0]]  # by their use in the end


def test_the_history_of_use() -> None:
    history = usage_history(previews())
    assert history.counts.tolist() == [[1, 5, 0, 9, 1], [1, 5, 0, 9, 20]]
    shares = np.array([1, 5, 9, 1]) / 16
    assert history.perplexity[0] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    back = UsageHistory.from_bytes(history.to_bytes())
    assert np.array_equal(back.steps, [1, 20])
    with pytest.raises(ValueError, match="no picture yet"):
        usage_history([])


def test_shipped_reels_end_as_the_model_is() -> None:
    """The last frame of the shipped training is what the shipped weights give back, up to rounding."""
    model, images = shipped()
    packed = zoo.artifact("vqvae-digits", "training")
    assert packed is not None
    frames = Reel.from_bytes(packed).frames[-1]
    ours = browse(model, images[:8]).reconstructions[:, 0]
    assert int(np.abs(frames[1].astype(int) - ours).max()) <= 1
    assert np.array_equal(frames[0], images[:8, 0])
