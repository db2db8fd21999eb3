"""People's own images: squares from pictures of every mode, zips and folders, bad ones named, all kept under a key."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dgm_core.data import shelf
from dgm_core.data.images import available, keep, load, own, read_images, sources
from dgm_core.errors import DataError

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DGM_HOME", str(tmp_path / "home"))
    return tmp_path


def saved(picture: Image.Image | np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


def noise(height: int = 40, width: int = 30, channels: tuple[int, ...] = (3,), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


GOOD = {f"{number}.png": saved(noise(seed=number)) for number in range(4)}


def area_means(image: np.ndarray, size: int) -> np.ndarray:
    """Exact means over a grid of size × size cells of the middle square, by cumulative sums in float64."""
    height, width = image.shape[:2]
    side = min(height, width)
    for axis, length in ((0, height), (1, width)):
        edges = (length - side) / 2 + np.arange(size + 1) * side / size
        total = np.concatenate([np.zeros_like(np.take(image, [0], axis), float), np.cumsum(image, axis, float)], axis)
        whole, part = np.floor(edges).astype(int), edges % 1
        after = np.minimum(whole + 1, length)
        shape = [-1 if k == axis else 1 for k in range(image.ndim)]
        at = np.take(total, whole, axis) * (1 - part).reshape(shape) + np.take(total, after, axis) * part.reshape(shape)
        image = np.diff(at, axis=axis) / (side / size)
    return image


def one(content: bytes, size: int = 8, colour: bool = True) -> np.ndarray:
    """The first image of two equal files: (size, size, C)."""
    images = read_images([("a", content), ("b", content)], size, colour).images
    assert images.shape == (2, 3 if colour else 1, size, size)
    assert images.dtype == np.uint8
    return images[0].transpose(1, 2, 0)


@pytest.mark.parametrize(("height", "width"), [(40, 30), (31, 50), (16, 16), (100, 8), (33, 32)])
@pytest.mark.parametrize("size", [8, 5])
def test_a_picture_becomes_the_area_means_of_its_middle_square(height: int, width: int, size: int) -> None:
    image = noise(height, width)
    assert np.abs(one(saved(image), size) - area_means(image, size)).max() <= 0.501  # rounding, and float32's


def test_small_pictures_are_enlarged() -> None:
    assert one(saved(np.full((1, 1, 3), (1, 2, 3), np.uint8))).reshape(-1, 3).tolist() == [[1, 2, 3]] * 64
    image = noise(4, 4)
    assert np.array_equal(one(saved(image)), image.repeat(2, axis=0).repeat(2, axis=1))


def test_grey_is_luminance() -> None:
    image = noise()
    expected = area_means(image @ np.array([0.299, 0.587, 0.114]), 8)  # ITU-R 601
    assert np.abs(one(saved(image), colour=False)[..., 0] - expected).max() <= 0.501
    assert np.array_equal(one(saved(image[..., 0])), one(saved(image[..., 0]), colour=False).repeat(3, axis=2))


def test_sixteen_bits_are_scaled() -> None:
    image = np.random.default_rng(0).integers(0, 65536, (16, 16), dtype=np.uint16)
    assert np.abs(one(saved(image), colour=False)[..., 0] - area_means(image / 257, 8)).max() <= 0.501


def test_what_is_transparent_is_white() -> None:
    image = noise(channels=(4,))
    alpha = image[..., 3:] / 255
    expected = area_means(image[..., :3] * alpha + 255 * (1 - alpha), 8)
    for content in (saved(image), saved(image, "WEBP", lossless=True, exact=True)):
        assert np.abs(one(content) - expected).max() <= 0.501
    grey = np.dstack([image[..., 0], image[..., 3]])
    expected = area_means(grey[..., :1] * alpha + 255 * (1 - alpha), 8)
    assert np.abs(one(saved(Image.fromarray(grey, "LA")), colour=False) - expected).max() <= 0.501


def test_palettes_with_and_without_a_transparent_colour() -> None:
    picture = Image.new("P", (2, 2))
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    picture.putdata([0, 1, 2, 1])
    plain = [[10, 20, 30], [40, 50, 60], [70, 80, 90], [40, 50, 60]]
    assert one(saved(picture), 4)[::2, ::2].reshape(-1, 3).tolist() == plain
    assert one(saved(picture, "GIF"), 4)[::2, ::2].reshape(-1, 3).tolist() == plain
    holes = one(saved(picture, transparency=1), 4)[::2, ::2].reshape(-1, 3).tolist()
    assert holes == [plain[0], [255] * 3, plain[2], [255] * 3]
    bits = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    assert one(saved(bits), 4, colour=False)[::2, ::2].ravel().tolist() == [0, 255, 255, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(orientation: int) -> None:
    """As the Exif standard words it: where the 0th row and the 0th column of what is stored are when it is seen."""
    seen = noise(24, 40)
    stored = {
        1: seen, 2: seen[:, ::-1], 3: seen[::-1, ::-1], 4: seen[::-1], 5: seen.transpose(1, 0, 2),
        6: seen.transpose(1, 0, 2)[::-1], 7: seen[::-1, ::-1].transpose(1, 0, 2), 8: seen.transpose(1, 0, 2)[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(np.ascontiguousarray(stored), exif=exif)
    assert np.abs(one(content) - area_means(seen, 8)).max() <= 0.501


def test_jpegs_in_colour_grey_and_ink() -> None:
    y, x = np.mgrid[:800, :1000] / 1000
    smooth = np.rint(255 * np.dstack([x, y, (x + y) / 2])).astype(np.uint8)
    for content in (
        saved(smooth, "JPEG", quality=95),
        saved(Image.fromarray(smooth).convert("CMYK"), "JPEG", quality=95),
    ):
        assert np.abs(one(content) - area_means(smooth, 8)).max() <= 6
    grey = one(saved(smooth[..., 0], "JPEG", quality=95), colour=False)
    assert np.abs(grey[..., 0] - area_means(smooth[..., 0], 8)).max() <= 4


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    for kind in ("GIF", "WEBP"):
        content = saved(
            frames[0], kind, save_all=True, append_images=frames[1:], **{"lossless": True} if kind == "WEBP" else {}
        )
        assert one(content)[0, 0].tolist() == [255, 0, 0]


def test_a_zip_a_folder_and_files_give_the_same(own_home: Path) -> None:
    expected = read_images(list(GOOD.items()), 16).images
    assert len(expected) == 4
    content = zipped({f"deep/down/{name}": picture for name, picture in reversed(GOOD.items())})
    (own_home / "pictures" / "b").mkdir(parents=True)
    (own_home / "some.zip").write_bytes(content)
    for number, (name, picture) in enumerate(GOOD.items()):
        (own_home / "pictures" / ("" if number < 2 else "b") / name).write_bytes(picture)
    found = [
        read_images([("x.zip", content)], 16),
        read_images([("x.zip", io.BytesIO(content))], 16),
        read_images(own_home / "some.zip", 16),
        read_images(own_home / "pictures", 16),
        read_images([("x.zip", zipped(dict(list(GOOD.items())[:2]))), *list(GOOD.items())[2:]], 16),
    ]
    for read in found:
        assert np.array_equal(read.images, expected)
        assert read.note == ""


def test_what_is_no_picture_is_left_out_and_named(own_home: Path) -> None:
    bad = {
        "a.txt": b"hello",
        "\x1b[31m<b>.png": GOOD["0.png"][:60],
        "c.png": b"",
        "__MACOSX/._0.png": b"x",
        ".hidden": b"x",
    }
    read = read_images([("x.zip", zipped(bad | GOOD))], 16)
    assert np.array_equal(read.images, read_images(list(GOOD.items()), 16).images)
    assert read.note.startswith("3 files were left out.")
    assert "\x1b" not in read.note
    assert "And 1 more." in read.note
    (own_home / "f").mkdir()
    for name, content in {"a.txt": b"hello", **GOOD}.items():
        (own_home / "f" / name).write_bytes(content)
    os.mkfifo(own_home / "f" / "pipe.png")
    (own_home / "f" / "loop").symlink_to(own_home / "f")
    read = read_images(own_home / "f", 16)
    assert len(read.images) == 4
    assert read.note == "One file was left out. a.txt is damaged or no picture; PNG, JPEG, WebP and GIF are read."


def test_paths_in_a_zip_lead_nowhere(own_home: Path) -> None:
    content = zipped({"../../evil.png": GOOD["0.png"], "/etc/evil.png": GOOD["1.png"], "C:\\evil.png": GOOD["2.png"]})
    before = sorted(own_home.rglob("*"))
    assert len(read_images([("x.zip", content)], 16).images) == 3
    assert sorted(own_home.rglob("*")) == before


def encrypted() -> bytes:
    """The flag alone is enough: a reader may not go on without a password."""
    content = bytearray(zipped(GOOD))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + offset] |= 1
            position = content.find(signature, position + 1)
    return bytes(content)


HUGE = saved(Image.new("1", (8000, 8000)))


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"PK\x05\x06" + bytes(18), "No picture was found"),
        (b"PK and then nothing", "damaged or no zip"),
        (zipped({"a.txt": b"a"}), "No picture was found; a zip or several files with two or more are needed. One file"),
        (zipped({"a.png": GOOD["0.png"]}), "Only one picture was found"),
        (zipped(GOOD)[:-40], "damaged or no zip"),
        (encrypted(), "encrypted"),
        (zipped(GOOD, zipfile.ZIP_LZMA), "compressed in an unusual way"),
        (zipped({"a.png": bytes(30 * 2**20), "b.png": bytes(30 * 2**20)}), "a.png is larger than 20 MiB"),
        (zipped({"a.png": HUGE, "b.png": HUGE}), "too many pixels"),
        (zipped({"in.zip": zipped(GOOD)}), "No picture was found"),
    ],
    ids=["empty", "no zip", "text", "one", "cut", "locked", "lzma", "bomb", "pixels", "nested"],
)
def test_a_bad_zip_gets_its_sentence(content: bytes, part: str) -> None:
    with pytest.raises(DataError) as caught:
        read_images([("my.zip", content)], 16)
    assert part in str(caught.value)


def test_there_are_bounds(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setattr(sources, "MAX_FILES", 3)
    with pytest.raises(DataError, match="more than 3 files"):
        read_images([("x.zip", zipped(GOOD))])
    with pytest.raises(DataError, match="more than 3 files"):
        read_images(list(GOOD.items()))
    for name, content in GOOD.items():
        (own_home / name).write_bytes(content)
    with pytest.raises(DataError, match="more than 3 files"):
        read_images(own_home)
    monkeypatch.undo()
    monkeypatch.setattr(sources, "MAX_TOTAL", 6000)
    with pytest.raises(DataError, match="unpacked"):
        read_images([("x.zip", zipped(GOOD))])
    monkeypatch.undo()
    monkeypatch.setattr(sources, "MAX_ZIP", 6000)
    with pytest.raises(DataError, match="is larger than"):
        read_images([("x.zip", zipped(GOOD))])
    monkeypatch.undo()
    monkeypatch.setattr(shelf, "MAX_IMAGES", 3 * 16 * 16 * 3)
    read = read_images(list(GOOD.items()), 16)
    assert len(read.images) == 3
    assert read.note == "Only the first 3 pictures were read; more do not fit at 16 × 16 pixels."
    monkeypatch.undo()
    monkeypatch.setattr(own, "MAX_PIXELS", 2000)
    read = read_images(list(GOOD.items()), 16)
    assert len(read.images) == 2
    assert "too many pixels altogether" in read.note


@pytest.mark.parametrize("size", [3, 257, -1])
def test_sizes_that_make_no_sense_are_refused(size: int) -> None:
    with pytest.raises(DataError, match="sides of 4 to 256"):
        read_images(list(GOOD.items()), size)


def test_a_place_that_is_not_there_is_a_sentence(own_home: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_images(own_home / "nowhere")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_never_ends_in_anything_but_a_sentence(data: st.DataObject) -> None:
    content = bytearray(zipped(GOOD))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(len(content) // 2, len(content))) :]
    try:
        read = read_images([("x.zip", bytes(content))], 8)
    except DataError:
        return
    assert read.images.shape[1:] == (3, 8, 8)


def test_what_was_kept_is_a_set_that_a_key_names() -> None:
    images = RANDOM.integers(0, 256, (10, 3, 8, 12), dtype=np.uint8)
    key = keep(images)
    assert keep(images.copy()) == key
    assert keep(images[::-1]) != key
    assert available("own", key) == ""
    loaded = load("own", key)
    assert load("own", key) is loaded
    assert (loaded.shape, len(loaded.train), len(loaded.test)) == ((3, 8, 12), 8, 2)
    rows = np.concatenate([loaded.train, loaded.test]).reshape(10, -1).tolist()
    assert sorted(rows) == sorted(images.reshape(10, -1).tolist())
    assert "10 images are few" in loaded.note
    assert [len(half) for half in (load("own", keep(images[:2])).train, load("own", keep(images[:2])).test)] == [1, 1]


@pytest.mark.parametrize(
    ("key", "part"),
    [("", "No images are chosen yet"), ("0" * 16, "not on this machine"), ("../../etc/passwd", "not on this machine")],
)
def test_a_key_of_nothing_gets_its_sentence(key: str, part: str) -> None:
    assert part in available("own", key)
    with pytest.raises(DataError) as caught:
        load("own", key)
    assert str(caught.value) == available("own", key)


def test_points_are_no_images_and_images_no_points() -> None:
    points = shelf.put(np.array([[0.0, 1.0], [2.0, 3.0]]))
    assert "of the kind “points”, not “images”" in available("own", points)
    images = keep(RANDOM.integers(0, 256, (4, 1, 8, 8), dtype=np.uint8))
    assert shelf.get(images).kind == "images"
    for name in ("points", "image"):
        with pytest.raises(DataError, match="set of images"):
            shelf.target_of(name, data=images)


def test_a_damaged_set_is_said_and_dropped(own_home: Path) -> None:
    key = keep(RANDOM.integers(0, 256, (4, 1, 9, 9), dtype=np.uint8))
    path = own_home / "home" / "shelf" / f"{key}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "damaged" in available("own", key)
    assert "not on this machine" in available("own", key)


def test_a_set_in_use_is_not_the_first_to_go(own_home: Path) -> None:
    keys = [keep(np.full((2, 1, 8, 8), value, np.uint8)) for value in range(3)]
    folder = own_home / "home" / "shelf"
    for age, key in enumerate(keys):
        os.utime(folder / f"{key}.safetensors", (1_000_000 + age, 1_000_000 + age))
    assert available("own", keys[0]) == ""
    size = (folder / f"{keys[0]}.safetensors").stat().st_size
    newest = shelf.put(np.full((2, 1, 8, 8), 9, np.uint8), max_total=2 * size)
    assert {path.stem for path in folder.iterdir()} == {keys[0], newest}


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 1, 8, 8), np.float32), np.zeros((1, 1, 8, 8), np.uint8), np.zeros((3, 2, 8, 8), np.uint8),
        np.zeros((3, 1, 3, 8), np.uint8), np.zeros((3, 1, 8, 257), np.uint8), np.zeros((3, 8, 8), np.uint8),
        np.zeros((400, 3, 256, 256), np.uint8),
    ],
    ids=["floats", "one", "two channels", "flat", "wide", "no channels", "large"],
)  # fmt: skip
def test_what_is_no_set_of_images_is_not_kept(array: np.ndarray, own_home: Path) -> None:
    with pytest.raises(DataError):
        shelf.put(array, "images")
    assert not (own_home / "home" / "shelf").exists()
