"""People's pictures: what becomes ink, and one sentence for each thing that is no picture."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dgm_core.data.files import DataError, read_image
from dgm_core.data.pictures import ink_of


def drawing(width: int = 60, height: int = 40, paper: int = 255, pen: int = 0) -> Image.Image:
    """A filled box in the upper left part of the paper."""
    picture = Image.new("L", (width, height), paper)
    ImageDraw.Draw(picture).rectangle((width // 6, height // 8, width // 2, height // 2), fill=pen)
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def centre(ink: np.ndarray) -> tuple[float, float]:
    """The ink's centre of mass as fractions of (height, width)."""
    rows, columns = np.indices(ink.shape)
    return float((ink * rows).sum() / ink.sum() / ink.shape[0]), float((ink * columns).sum() / ink.sum() / ink.shape[1])


def refusal(content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read_image("mine.png", content)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence.count("\n") == 0
    return sentence


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, with hardly any pixels in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_a_drawing_in_each_format(kind: str, mode: str):
    picture = drawing().convert(mode)
    if (kind == "JPEG" and mode == "P") or (kind == "WEBP" and mode == "1"):
        picture = picture.convert("RGB")
    ink = read_image("box", saved(picture, kind))
    assert ink.shape == (40, 60)
    assert ink.dtype == np.float32
    assert ink.min() >= 0
    assert ink.max() == pytest.approx(1, abs=1e-6)
    # The box lies in rows 5 to 20 of 40 and columns 10 to 30 of 60.
    assert ink[6:19, 12:28].mean() > 0.95
    assert ink[25:, :].mean() < 0.05
    assert ink[:, 35:].mean() < 0.05


def test_what_differs_from_the_border_is_ink_unless_told_otherwise():
    dark, light = drawing(paper=255, pen=0), drawing(paper=0, pen=255)
    assert np.allclose(read_image("a", saved(dark)), read_image("b", saved(light)))
    assert np.allclose(read_image("a", saved(dark), invert=True), 1 - read_image("a", saved(dark)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_turned_upright(orientation: int, kind: str):
    # What a camera held that way stores: the inverse turns (the EXIF standard's figure of eight letters F).
    stored = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1),
    }[orientation](np.asarray(drawing()))  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    ink = read_image("f", saved(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif))
    assert ink.shape == (40, 60)
    assert np.allclose(centre(ink), centre(read_image("f", saved(drawing()))), atol=0.02)


def test_transparent_paper_is_paper():
    ink = Image.new("RGBA", (60, 40), (255, 0, 255, 0))
    ImageDraw.Draw(ink).rectangle((10, 5, 30, 20), fill=(0, 0, 0, 255))
    found = read_image("a", saved(ink))
    assert np.array_equal(found > 0.5, np.asarray(drawing()) == 0)
    # A white drawing on nothing: what is opaque is ink.
    ImageDraw.Draw(ink).rectangle((10, 5, 30, 20), fill=(255, 255, 255, 255))
    assert np.array_equal(read_image("a", saved(ink)) > 0.5, np.asarray(drawing()) == 0)


def test_sixteen_bits_keep_their_range():
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    ink = read_image("ramp", saved(Image.fromarray(ramp)), invert=True)
    assert len(np.unique(ink)) > 50


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_large_pictures_come_out_small(kind: str):
    ink = read_image("large", saved(drawing(3000, 2000), kind))
    assert ink.shape == (171, 256)
    assert np.allclose(centre(ink), centre(read_image("small", saved(drawing()))), atol=0.02)


def test_only_the_first_frame_of_an_animation_counts():
    second = drawing().transpose(Image.Transpose.ROTATE_180)
    animation = saved(drawing(), "GIF", save_all=True, append_images=[second] * 3)
    assert np.array_equal(read_image("a", animation), read_image("a", saved(drawing(), "GIF")))


def test_a_jpeg_of_twenty_thousand_pixels_is_scaled_down_while_it_is_decoded():
    content = saved(drawing(20_000, 3_000), "JPEG", quality=20)
    ink = read_image("wide.jpg", content)
    assert ink.shape == (38, 256)
    assert np.allclose(centre(ink), centre(read_image("small", saved(drawing()))), atol=0.03)


def jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """A small JPEG whose header says that it is larger."""
    content = bytearray(saved(drawing(64, 64), "JPEG", **options))
    frame = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        png_header(20_000, 20_000),
        png_header(60_000, 60_000),
        jpeg_of_size(65_000, 65_000),
        jpeg_of_size(20_000, 20_000, progressive=True),
        b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + saved(drawing(), "GIF")[10:],
        b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16_000).to_bytes(3, "little") * 2 + bytes(40),
        b"RIFF\x40\0\0\0WEBPVP8L\x20\0\0\0\x2f" + (16_000 | 16_000 << 14).to_bytes(4, "little") + bytes(40),
        b"RIFF\x40\0\0\0WEBPVP8 \x20\0\0\0\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000) + bytes(40),
    ],
    ids=["png", "png-bomb", "jpeg", "jpeg-progressive", "gif", "webp-x", "webp-l", "webp"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_from_the_header(content: bytes):
    assert "too many pixels" in refusal(content)


def test_a_jpeg_of_very_many_scans_is_refused():
    content = saved(drawing(64, 64), "JPEG", progressive=True)
    assert "very many scans" in refusal(content + b"\xff\xda" * 101)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"hello", "PNG, JPEG, WebP and GIF are read"),
        (saved(drawing(), "TIFF"), "PNG, JPEG, WebP and GIF are read"),
        (saved(drawing(500, 500))[:200], "damaged"),
        (saved(drawing(500, 500), "JPEG")[:400], "damaged"),
        (saved(Image.new("L", (50, 50), 200)), "is blank"),
        (saved(Image.new("RGBA", (50, 50), (9, 9, 9, 0))), "is blank"),
        (saved(Image.new("RGB", (1, 1))), "is blank"),
        (bytes(21 * 2**20), "larger than 20 MiB"),
    ],
)
def test_each_bad_picture_gets_its_sentence(content: bytes, part: str):
    assert part in refusal(content)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_note_about_orientation_is_passed_over():
    ink = read_image("a.jpg", saved(drawing(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"))
    assert ink.shape == (40, 60)


good_files = st.sampled_from([saved(drawing(16, 12), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")])


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(good_files))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        width = draw(st.integers(0, 3))
        content[place : place + width] = draw(st.binary(max_size=3))
    return bytes(content)


def ink_or_none(content: bytes) -> np.ndarray | None:
    """The ink, or None for a DataError; any other exception goes on to the test."""
    try:
        return read_image("any", content)
    except DataError:
        return None


@settings(max_examples=300, deadline=None)
@given(content=spoiled() | st.binary(max_size=200))
@pytest.mark.filterwarnings("ignore")
def test_nothing_but_ink_or_a_sentence_comes_out(content: bytes):
    ink = ink_or_none(content)
    if ink is None:
        return
    assert ink.ndim == 2
    assert max(ink.shape) <= 256
    assert ink.dtype == np.float32
    assert np.isfinite(ink).all()
    assert 0 <= ink.min() <= ink.max() <= 1
    assert ink.any()


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    invert=st.sampled_from([None, True, False]),
)
def test_ink_lies_between_nothing_and_one_and_is_never_blank(rows: int, columns: int, seed: int, invert: bool | None):
    light = np.random.default_rng(seed).random((rows, columns))
    if light.size < 2:
        with pytest.raises(DataError, match="blank"):
            ink_of(light, invert)
        return
    ink = ink_of(light, invert)
    assert ink.min() >= 0
    assert ink.max() == pytest.approx(1, abs=0.02)
