"""Exported films, read back by other programs' decoders: the right way up, the right colours, whole."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image

from app.figures.colourmaps import table
from app.film.export import film_gif, film_mp4, frame_png
from dgm_core.film import Film, lattice

EXTENT = (-4.0, 4.0, -4.0, 4.0)
FRAMES = 5


def moving_gaussian() -> Film:
    """A narrow Gaussian that rises from (2, −2) to (2, 2)."""
    times = np.linspace(0.0, 1.0, FRAMES)
    centre = np.stack([np.full(FRAMES, 2.0), -2 + 4 * times], -1)
    square = ((lattice(EXTENT, 64, 64) - centre[:, None, None]) ** 2).sum(-1)
    return Film(times, (-square / 0.5).astype(np.float32), EXTENT, particles=centre[:, None].astype(np.float32))


def brightest(picture: np.ndarray) -> tuple[float, float]:
    """The place of the brightest pixels in the plane, (x, y)."""
    light = picture.astype(float).sum(-1)
    rows, columns = np.nonzero(light >= light.max() - 1e-9)
    height, width = light.shape
    return 8 * (columns.mean() + 0.5) / width - 4, 4 - 8 * (rows.mean() + 0.5) / height


@pytest.mark.parametrize("index", [0, 2, -1])
def test_a_png_shows_the_peak_where_it_is(index: int) -> None:
    film = moving_gaussian()
    picture = np.asarray(Image.open(io.BytesIO(frame_png(film, index, particles=False, size=256))).convert("RGB"))
    assert picture.shape == (256, 256, 3)
    expected = (2.0, -2 + 4 * film.times[index])
    np.testing.assert_allclose(brightest(picture), expected, atol=0.15)
    np.testing.assert_array_equal(picture[0, 0], table("viridis")[0])


def test_a_gif_goes_there_and_back_in_the_colours_of_the_map() -> None:
    film = moving_gaussian()
    image = Image.open(io.BytesIO(film_gif(film, size=128, particles=False)))
    assert image.size == (128, 128)
    assert image.n_frames == 2 * FRAMES - 2
    assert image.info.get("loop") == 0
    colours = {tuple(colour) for colour in table("viridis").tolist()}
    for frame, time in ((0, 0.0), (FRAMES - 1, 1.0)):
        image.seek(frame)
        picture = np.asarray(image.convert("RGB"))
        np.testing.assert_allclose(brightest(picture), (2.0, -2 + 4 * time), atol=0.2)
        assert {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()} <= colours


def test_an_mp4_is_whole_and_the_right_way_up() -> None:
    film = moving_gaussian()
    with av.open(io.BytesIO(film_mp4(film, size=128, ping_pong=False, particles=False))) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(stream)]
    assert pictures[0].shape == (128, 128, 3)
    assert len(pictures) >= FRAMES
    np.testing.assert_allclose(brightest(pictures[0]), (2.0, -2.0), atol=0.4)
    np.testing.assert_allclose(brightest(pictures[-1]), (2.0, 2.0), atol=0.4)
    np.testing.assert_allclose(pictures[0][4, 4], table("viridis")[0], atol=8)


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(IndexError, match="no frame"):
        frame_png(moving_gaussian(), FRAMES)
