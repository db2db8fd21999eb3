"""Exported reels, read back by other programs' decoders: every pixel a square in its place, whole, in order."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app.figures.palette import GROUND, INK
from app.film.raster import rgb
from app.reel.export import IMAGES, reel_gif, reel_mp4, reel_npz, reel_png
from app.reel.raster import Look, layout, moment, spelled
from dgm_core.reel import Reel
from tests.browser.moving_blocks import blocks


def opened(packed: bytes) -> Any:
    return Image.open(io.BytesIO(packed))


def played(packed: bytes) -> tuple[list[np.ndarray], Fraction | None]:
    """All pictures of a video, and how many a second it shows."""
    with av.open(io.BytesIO(packed), "r") as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        return pictures, container.streams.video[0].average_rate


def centres(reel: Reel, picture: np.ndarray, look: Look) -> np.ndarray:
    """The colour in the middle of every enlarged pixel: (R, C, H, W, 3)."""
    where, (rows, columns, height, width) = layout(reel, look), reel.frames.shape[1:5]
    found = np.empty((rows, columns, height, width, 3), np.uint8)
    for row, column in np.ndindex(rows, columns):
        top, left = where.place((height, width), row, column)
        y = top + where.scale * np.arange(height) + where.scale // 2
        x = left + where.scale * np.arange(width) + where.scale // 2
        found[row, column] = picture[np.ix_(y, x)]
    return found


def colours(frame: np.ndarray) -> np.ndarray:
    return frame if frame.ndim == 5 else np.repeat(frame[..., None], 3, axis=-1)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("index", [0, 2, -1])
def test_a_png_has_every_pixel_as_it_is(index: int, words: bool, colour: bool) -> None:
    reel, look = blocks(4, colour=colour), Look(size=300, words=words, dark=False)
    picture = np.asarray(opened(reel_png(reel, index, size=300, words=words, dark=False)))
    assert picture.shape == (*layout(reel, look).shape, 3)
    np.testing.assert_array_equal(centres(reel, picture, look), colours(reel.frames[index]))
    np.testing.assert_array_equal(picture[0, 0], rgb(GROUND.light))


def test_an_enlarged_pixel_is_a_square() -> None:
    """One white pixel in a black image: scale² white pixels, in a square."""
    frames = np.zeros((1, 1, 1, 4, 4), np.uint8)
    frames[0, 0, 0, 1, 2] = 255
    reel, look = Reel(np.zeros(1), frames), Look(size=100, words=False)
    picture = np.asarray(opened(reel_png(reel, size=100, words=False)))
    rows, columns = np.nonzero((picture == 255).all(-1))
    scale = layout(reel, look).scale
    assert scale == 23  # 100 / 4.2, whole
    assert len(rows) == scale**2
    assert np.ptp(rows) == np.ptp(columns) == scale - 1


def test_words_stand_beside_the_images_and_never_on_them() -> None:
    """The ink appears left of the images, above and below them; the images are the same without words."""
    reel, look = blocks(2), Look(size=300)
    picture, where = np.asarray(opened(reel_png(reel, size=300))).astype(int), layout(blocks(2), Look(size=300))
    (top, left), bottom = where.corner, where.place((8, 8), 3, 0)[0]
    ink = np.abs(picture - rgb(INK.dark)).max(-1) < 20
    right = where.place((8, 8), 0, 5)[1]
    assert ink[top:bottom, : left - 1].any()
    assert ink[: top - 1, left:right].any()
    assert ink[bottom:].any()
    gaps = picture[top:bottom, left + 8 * where.scale : left + 8 * where.scale + where.gap]
    np.testing.assert_array_equal(gaps, np.broadcast_to(rgb(GROUND.dark), gaps.shape))
    np.testing.assert_array_equal(centres(reel, picture, look), colours(reel.frames[-1]))


def test_a_grey_gif_goes_there_and_back_within_a_level() -> None:
    """6 frames there and 4 back; 246 greys are at most 255/245/2 = 0.52 levels off before rounding, one after."""
    reel, look = blocks(6), Look(size=200)
    image = opened(reel_gif(reel, size=200))
    assert (image.n_frames, image.info["loop"]) == (10, 0)
    shown = [0, 1, 2, 3, 4, 5, 4, 3, 2, 1]
    for place, frame in enumerate(shown):
        image.seek(place)
        found = centres(reel, np.asarray(image.convert("RGB")), look).astype(int)
        assert np.abs(found - colours(reel.frames[frame])).max() <= 1, frame
        assert image.info["duration"] == (700 if frame in (0, 5) else 300)


def test_a_gif_of_few_colours_keeps_them() -> None:
    frames = np.random.default_rng(3).integers(0, 4, (3, 2, 2, 6, 6, 3), dtype=np.uint8) * 85
    reel, look = Reel(np.arange(3.0), frames), Look(size=120)
    image = opened(reel_gif(reel, size=120, ping_pong=False))
    assert image.n_frames == 3
    for frame in range(3):
        image.seek(frame)
        np.testing.assert_array_equal(centres(reel, np.asarray(image.convert("RGB")), look), frames[frame])


def test_a_gif_of_many_colours_is_near_them() -> None:
    """All colours on a smooth sheet in RGB: 246 of them lie within 24 levels, on average within 6."""
    ramp = np.linspace(0, 255, 40).astype(np.uint8)
    sheet = np.stack([*np.broadcast_arrays(ramp[:, None], ramp[None]), np.full((40, 40), 90, np.uint8)], -1)
    reel, look = Reel(np.zeros(1), sheet[None, None, None]), Look(size=100)
    found = centres(reel, np.asarray(opened(reel_gif(reel, size=100)).convert("RGB")), look)[0, 0].astype(int)
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= IMAGES
    assert np.abs(found - sheet).max() <= 24
    assert np.abs(found - sheet).mean() <= 6


@pytest.mark.parametrize("colour", [False, True])
def test_an_mp4_shows_each_frame_in_turn(colour: bool) -> None:
    """8 frames once through: the ends for 0.7 s, the others for 1.5/7 s.

    Greys are right to 1 level on average, colours to 2; the frame before is 2.5 and 4 levels away.
    """
    reel, look = blocks(8, colour=colour), Look(size=300)
    packed = reel_mp4(reel, size=300, ping_pong=False, crf=4)
    assert packed[4:8] == b"ftyp"
    assert packed.index(b"moov") < packed.index(b"mdat")
    pictures, rate = played(packed)
    assert rate == 30
    held = [21, 6, 6, 6, 6, 6, 6, 21]
    assert len(pictures) == sum(held)
    for index, start in enumerate(np.cumsum([0, *held[:-1]])):
        found = centres(reel, pictures[start + 2], look).astype(int)
        assert np.abs(found - colours(reel.frames[index])).mean() < (2 if colour else 1), index


def test_npz_is_read_without_pickle() -> None:
    reel = blocks(3, colour=True)
    read = np.load(io.BytesIO(reel_npz(reel)), allow_pickle=False)
    np.testing.assert_array_equal(read["frames"], reel.frames)
    np.testing.assert_array_equal(read["times"], reel.times)
    assert tuple(read["row_labels"]) == reel.row_labels
    assert tuple(read["column_labels"]) == reel.column_labels
    assert (str(read["time_label"]), str(read["note"])) == (reel.time_label, reel.note)


def test_a_single_frame_and_no_names_are_exported_too() -> None:
    reel = Reel(np.array([0.5]), np.full((1, 1, 1, 3, 5), 200, np.uint8))
    assert opened(reel_gif(reel, size=64)).n_frames == 1
    assert opened(reel_png(reel, size=64)).size[0] % 2 == 0
    assert len(played(reel_mp4(reel, size=64))[0]) == 21
    assert np.load(io.BytesIO(reel_npz(reel)))["row_labels"].shape == (0,)


@pytest.mark.parametrize("colour", [False, True])
def test_large_images_are_not_shrunk(colour: bool) -> None:
    reel = blocks(1, colour=colour, side=32)
    picture = np.asarray(opened(reel_png(reel, size=16, words=False)))
    np.testing.assert_array_equal(
        centres(reel, picture, Look(size=16, words=False)), colours(reel.frames[0])
    )  # fmt: skip


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(IndexError, match="2 frames; there is no frame 2"):
        reel_png(blocks(2), 2)
    with pytest.raises(ValueError, match="8 pixels"):
        reel_gif(blocks(2), size=8)


def test_times_and_names_in_letters_of_the_built_in_font() -> None:
    reel = Reel(np.array([0.01, 0.5]), np.zeros((2, 1, 1, 2, 2), np.uint8), time_label="τ")
    assert moment(reel, 1) == "τ = 0.50"
    assert spelled("τ → ∞, x̂ × σ²") == "tau -> ?, x x sigma2"
