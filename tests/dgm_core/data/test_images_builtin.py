"""The sets that need no files: digits, crops of photos, shapes; and what every set promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from dgm_core.data.images import INFO, available, draw_shapes, load, photo_crops
from dgm_core.data.images.areas import area_means, area_means_of_sums, sums_above_left
from dgm_core.data.images.shapes import FACTORS, render
from dgm_core.errors import DataError


@pytest.mark.parametrize("name", ["digits", "photos", "shapes"])
def test_a_set_is_what_its_info_says(name: str) -> None:
    assert available(name) == ""
    images, info = load(name), INFO[name]
    assert load(name) is images
    assert (images.name, images.title, images.shape, images.classes) == (name, info.title, info.shape, info.classes)
    assert (len(images.train), len(images.test)) == info.sizes
    for split in ("train", "test"):
        labels, floats = images.labels(split), images.floats(split)
        assert labels is not None
        assert labels.dtype == torch.int64
        assert sorted(set(labels.tolist())) == list(range(len(info.classes)))
        assert len(labels) == len(floats) == len(images.images(split))
        assert floats.dtype == torch.float32
        assert torch.equal((floats * 255).round().to(torch.uint8), torch.from_numpy(images.images(split).copy()))
    with pytest.raises(ValueError, match="read-only"):
        images.train[0, 0, 0, 0] = 1
    assert len(images.floats("train", first=3)) == 3


def test_digits_are_scikit_learns_each_once_and_a_fifth_of_each_class_is_held_out() -> None:
    images, bunch = load("digits"), load_digits()
    assert images.labels_train is not None
    assert images.labels_test is not None
    found = np.concatenate([images.train, images.test])[:, 0].reshape(-1, 64)
    labels = np.concatenate([images.labels_train, images.labels_test])
    rows = np.column_stack([bunch.target, np.rint(bunch.data / 16 * 255).astype(int)])
    assert sorted(rows.tolist()) == sorted(np.column_stack([labels, found]).tolist())
    held_out = np.bincount(images.labels_test) / np.bincount(labels)
    assert np.abs(held_out - 0.2).max() < 0.004  # classes of 174 to 183 images cannot be split more exactly


def test_crops_are_square_parts_of_the_photos_resized_by_area(monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo whose red is 0.4 x and whose green is 0.4 y: the mean of a ramp over a pixel is its value in the middle.

    So red and green of a crop are ramps with one slope, 0.4 side / size, up to rounding to bytes (twice, ½ each).
    """
    from dgm_core.data.images import photos

    ramps = np.zeros((427, 640, 3), np.uint8)
    ramps[..., 0] = np.rint(0.4 * (np.arange(640) + 0.5))
    ramps[..., 1] = np.rint(0.4 * (np.arange(427) + 0.5))[:, None]
    sums = sums_above_left(ramps)
    monkeypatch.setattr(photos, "_sums", lambda _: sums)
    size = 32
    images = photo_crops(size=size, count=200, seed=3).train.astype(float)
    steps = np.arange(size) - (size - 1) / 2
    red, green = images[:, 0], images[:, 1]
    slopes = (red.mean(axis=1) @ steps) / (steps @ steps)
    for channel, ramp in ((red, steps[None, None, :]), (green, steps[None, :, None])):
        fitted = channel.mean(axis=(1, 2), keepdims=True) + slopes[:, None, None] * ramp
        assert np.abs(channel - fitted).max() < 1.5
    sides = slopes * size / 0.4
    assert size - 1 < sides.min() < 1.2 * size
    assert 3.8 * size < sides.max() < 4 * size + 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_means_over_areas_against_supersampling(data: st.DataObject) -> None:
    """Sixty by sixty points in each cell; a point counts the pixel it lies in."""
    height, width, size = (data.draw(st.integers(1, 14)) for _ in range(3))
    image = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 256, (height, width, 3), dtype=np.uint8)
    side = data.draw(st.floats(0.3, 1)) * min(height, width)
    left, top = (data.draw(st.floats(0, 1)) * (length - side) for length in (width, height))
    points = (np.arange(60 * size) + 0.5) / (60 * size) * side
    rows, columns = ((start + points).astype(int) for start in (top, left))
    expected = image[rows][:, columns].reshape(size, 60, size, 60, 3).mean(axis=(1, 3))
    found = area_means(image, left, top, side, size)
    # A pixel's edge in a cell is found to 1/60 of the cell, each way.
    assert np.abs(found - expected).max() < 255 * 2 * min(14, 1 + side / size) / 60
    assert np.allclose(area_means_of_sums(sums_above_left(image), left, top, side, size), found, atol=2e-3)


def test_no_pixel_of_a_photo_is_in_both_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo whose left part is of one colour and whose right fifth is of another: no crop has both."""
    from dgm_core.data.images import photos

    painted = np.zeros((427, 640, 3), np.uint8)
    painted[:, :512] = (10, 20, 30)
    painted[:, 512:] = (200, 100, 50)
    sums = sums_above_left(painted)
    monkeypatch.setattr(photos, "_sums", lambda _: sums)
    images = photo_crops(size=32, count=50, seed=1)
    assert {tuple(pixel) for pixel in images.train.transpose(0, 2, 3, 1).reshape(-1, 3).tolist()} == {(10, 20, 30)}
    assert {tuple(pixel) for pixel in images.test.transpose(0, 2, 3, 1).reshape(-1, 3).tolist()} == {(200, 100, 50)}


def test_seeds_decide() -> None:
    for make in (photo_crops, draw_shapes):
        same, again, other = (make(size=16, count=20, seed=seed).train for seed in (1, 1, 2))
        assert np.array_equal(same, again)
        assert not np.array_equal(same, other)


@pytest.mark.parametrize("arguments", [{"size": 3}, {"size": 65}, {"count": 1}, {"count": 10**6}])
def test_sizes_that_make_no_sense_are_refused(arguments: dict[str, int]) -> None:
    for make in (photo_crops, draw_shapes):
        with pytest.raises(DataError):
            make(**arguments)


AREAS = {
    0: lambda r: np.pi * r**2,
    1: lambda r: 2 * r**2,
    2: lambda r: 0.75 * 3**0.5 * r**2,
    3: lambda r: (2 * 1.8 * 0.6 - 0.6**2) * r**2,
}


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_a_shape_covers_its_area_and_lies_where_its_factors_say(kind: int) -> None:
    """Cover against the closed form; white shape (value 1, hue 0: red channel 1) on black ground."""
    random = np.random.default_rng(kind)
    size, n = 64, 30
    radius = random.uniform(0.15, 0.3, n)
    x, y = random.uniform(0.32, 0.68, (2, n))
    columns = (np.full(n, kind), x, y, radius, random.uniform(0, 2 * np.pi, n), np.zeros(n), np.zeros(n))
    red = render(np.stack(columns, axis=1).astype(np.float32), size)[:, 0] / 255.0
    area = red.sum(axis=(1, 2)) / size**2
    # One pixel's width of edge, its cover taken from a distance, is right to a few parts in a hundred.
    assert np.abs(area / AREAS[kind](radius) - 1).max() < 0.04
    middle = (np.arange(size) + 0.5) / size
    assert np.abs((red * middle).sum(axis=(1, 2)) / red.sum(axis=(1, 2)) - x).max() < 0.01
    assert np.abs((red * middle[:, None]).sum(axis=(1, 2)) / red.sum(axis=(1, 2)) - y).max() < 0.01


def test_an_angle_turns_a_shape() -> None:
    """A square turned by a quarter turn is itself; by an eighth, its corners lie on the axes."""
    factors = np.array([[1, 0.5, 0.5, 0.3, angle, 0, 0] for angle in (0, np.pi / 2, np.pi / 4)], dtype=np.float32)
    flat, same, turned = render(factors, 64)[:, 0]
    assert np.abs(flat.astype(int) - same).max() <= 1
    corner, side = 32 + int(0.27 * 64), 32 + int(0.27 * 64 / 2**0.5)
    assert (flat[32, corner], turned[32, corner]) == (0, 255)
    assert (flat[side - 1, side - 1], turned[side - 1, side - 1]) == (255, 0)


def test_hues_are_those_of_the_colour_circle() -> None:
    from colorsys import hsv_to_rgb

    hues = np.linspace(0, 1, 13)
    factors = np.array([[0, 0.5, 0.5, 0.3, 0, hue, 0.2] for hue in hues], dtype=np.float32)
    pictures = render(factors, 16)
    for hue, picture in zip(hues, pictures, strict=True):
        expected = [round(255 * part) for part in hsv_to_rgb(hue, 0.8, 1.0)]
        assert np.abs(picture[:, 8, 8].astype(int) - expected).max() <= 1
        assert picture[:, 0, 0].tolist() == [51, 51, 51]


def test_factors_are_kept_beside_the_shapes() -> None:
    images = draw_shapes(size=16, count=40)
    assert images.factors == FACTORS
    assert images.factors_train is not None
    assert images.factors_test is not None
    assert images.labels_train is not None
    assert np.array_equal(render(images.factors_train, 16), images.train)
    assert np.array_equal(render(images.factors_test, 16), images.test)
    assert np.array_equal(images.factors_train[:, 0], images.labels_train)
    radius = images.factors_train[:, 3]
    for column in (1, 2):
        assert (images.factors_train[:, column] >= radius - 1e-6).all()
        assert (images.factors_train[:, column] <= 1 - radius + 1e-6).all()
