"""Exported films, read back by other programs' decoders: the right way up, the right colours, whole."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image

from app.figures.colourmaps import table
from app.figures.palette import GROUND
from app.film.export import film_gif, film_mp4, frame_png
from app.film.raster import Look, dots, levels
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
        assert stream.codec_context.pix_fmt == "yuv420p"
    assert pictures[0].shape == (128, 128, 3)
    assert len(pictures) == 2 * FRAMES - 1
    np.testing.assert_allclose(brightest(pictures[0]), (2.0, -2.0), atol=0.4)
    np.testing.assert_allclose(brightest(pictures[-1]), (2.0, 2.0), atol=0.4)
    np.testing.assert_allclose(pictures[0][4, 4], table("viridis")[0], atol=8)


def test_an_mp4_has_its_index_in_front_and_even_sides() -> None:
    wide = Film(np.array([0.0, 1.0]), np.zeros((2, 7, 21), np.float32), (0.0, 3.0, 0.0, 1.0))
    written = film_mp4(wide, size=101)
    assert 0 < written.find(b"moov") < written.find(b"mdat")
    with av.open(io.BytesIO(written)) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (100, 34)


def level_at(picture: np.ndarray, row: int, column: int) -> int:
    """Which of the map's 256 colours a pixel has."""
    return int(np.abs(table("viridis").astype(int) - picture[row, column]).sum(-1).argmin())


@pytest.mark.parametrize("nats", [0.5, 2.0, 5.0])
def test_scales_colour_a_known_density(nats: float) -> None:
    log_prob = np.array([[[0.0, -nats]], [[-1.0, -1.0 - nats]]], np.float32)
    film = Film(np.array([0.0, 1.0]), log_prob, (0.0, 2.0, 0.0, 1.0))

    def right(**look: object) -> int:
        picture = np.asarray(Image.open(io.BytesIO(frame_png(film, 1, size=64, **look))))
        return level_at(picture, 16, 62)

    assert right() == pytest.approx(255 * np.exp(-nats), abs=1)
    assert right(normalise="global") == pytest.approx(255 * np.exp(-1 - nats), abs=1)
    assert right(scale="log") == pytest.approx(255 * (1 - nats / 10), abs=1)
    assert right(scale="log", normalise="global") == pytest.approx(255 * (1 - (1 + nats) / 10), abs=1)


def test_a_moment_between_two_frames_blends_their_densities() -> None:
    film = Film(np.array([0.0, 1.0]), np.log([[[1.0, 0.2]], [[0.6, 0.9]]]).astype(np.float32), (0.0, 2.0, 0.0, 1.0))
    blended = levels(film, 0.25, Look(size=64, normalise="global"))
    np.testing.assert_allclose(blended[16, [1, 62]], [0.75 + 0.25 * 0.6, 0.75 * 0.2 + 0.25 * 0.9], atol=1e-3)


@pytest.mark.parametrize("ground", [True, False])
def test_particles_stand_where_they_are(ground: bool) -> None:
    flat = np.full((1, 8, 8), -np.inf, np.float32)
    x, y = 2 + 1 / 64, -3 - 1 / 64  # the middle of column 192 and row 224 of 256
    particles = np.array([[[x, y], [np.nan, 0.0], [1e9, 0.0]]], np.float32)
    film = Film(np.zeros(1), flat, EXTENT, particles=particles)
    cover, _ = dots(film, 0, Look(size=256, density=ground))
    rows, columns = np.nonzero(cover == 1)
    assert (rows.tolist(), columns.tolist()) == ([224], [192])
    assert cover.astype(bool).sum() < 40
    look = Look(size=256, density=ground)
    for written in (frame_png(film, 0, size=256, density=ground), film_gif(film, size=256, density=ground)):
        image = np.asarray(Image.open(io.BytesIO(written)).convert("RGB"))
        np.testing.assert_array_equal(image[rows[0], columns[0]], look.accent())


def test_a_gif_without_density_keeps_the_pages_ground() -> None:
    image = Image.open(io.BytesIO(film_gif(moving_gaussian(), size=64, density=False, dark=False))).convert("RGB")
    assert image.getpixel((0, 0)) == tuple(int(GROUND.light[k : k + 2], 16) for k in (1, 3, 5))


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(IndexError, match="no frame"):
        frame_png(moving_gaussian(), FRAMES)
    with pytest.raises(ValueError, match="16 to 4096"):
        film_gif(moving_gaussian(), size=5)
    with pytest.raises(ValueError, match="colour scale"):
        film_gif(moving_gaussian(), scale="cubic")
    with pytest.raises(ValueError, match="no colour map"):
        frame_png(moving_gaussian(), 0, colours="jet")
    empty = Film(np.zeros(0), np.zeros((0, 4, 4), np.float32), EXTENT)
    with pytest.raises(ValueError, match="no frames"):
        film_mp4(empty)
