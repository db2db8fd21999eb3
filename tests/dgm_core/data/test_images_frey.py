"""The Frey faces' MATLAB file: written by SciPy and by hand, read back, and whatever is wrong."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from dgm_core.data.images import available, load
from dgm_core.data.images.frey import _faces, _unpacked
from dgm_core.errors import DataError

FACES = np.random.default_rng(0).integers(0, 256, (560, 40), dtype=np.uint8)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    (tmp_path / "FreyFaces").mkdir()
    return tmp_path


def put(root: Path, content: bytes) -> Path:
    path = root / "FreyFaces/frey_rawface.mat"
    path.write_bytes(content)
    return path


def mat(arrays: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    savemat(file, arrays, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options", [{"format": "4"}, {"do_compression": False}, {"do_compression": True}], ids=["4", "5", "7"]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_what_matlab_saves_is_read(root: Path, options: dict[str, Any], dtype: type) -> None:
    assert "no checksum" in available("frey")
    put(root, mat({"other": np.eye(3), "ff": FACES.astype(dtype)}, **options))
    assert available("frey") == ""
    loaded = load("frey")
    assert loaded.shape == (1, 28, 20)
    assert loaded.labels("train") is None
    # A column is a face, its pixels row by row (the published file, shown upright, says so).
    both = np.concatenate([loaded.train, loaded.test])
    assert both.dtype == np.uint8
    assert all(np.array_equal(both[n, 0].ravel(), FACES[:, n]) for n in range(40))
    assert len(loaded.test) == 4


def test_a_big_endian_file_is_read(root: Path) -> None:
    """Level 5 written by hand: header, then one matrix element of flags, dimensions, name and bytes."""

    def element(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body)) + body + bytes(-len(body) % 8)

    matrix = (
        element(6, struct.pack(">II", 9, 0)) + element(5, struct.pack(">ii", 560, 40)) + element(1, b"ff")
        + element(2, FACES.tobytes(order="F"))
    )  # fmt: skip
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    for body in (element(14, matrix), struct.pack(">II", 15, len(p := zlib.compress(element(14, matrix)))) + p):
        put(root, header + body)
        assert np.array_equal(load("frey").train[0, 0].ravel(), FACES[:, 0])


def bomb() -> bytes:
    packed = zlib.compress(bytes(200 * 2**20), 1)
    return (
        b"MATLAB 5.0 MAT-file".ljust(124)
        + struct.pack("<H", 0x0100)
        + b"IM"
        + struct.pack("<II", 15, len(packed))
        + packed
    )


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "0 bytes"),
        (b"<html>404 not found</html>" * 20, "damaged or no file that MATLAB 4 to 7 saved"),
        (mat({"gg": FACES}), "no matrix named ff"),
        (mat({"ff": "five hundred and sixty"}), "no matrix named ff"),
        (mat({"ff": FACES.astype(complex)}), "no matrix named ff"),
        (mat({"ff": FACES.T}), "a matrix of 40 × 560; 560 rows"),
        (mat({"ff": FACES[:, :1]}), "a matrix of 560 × 1;"),
        (mat({"ff": FACES / 255}), "values that are no bytes"),
        (mat({"ff": np.full((560, 3), np.nan)}), "values that are no bytes"),
        (mat({"ff": FACES.astype(np.int16) + 1}), "values that are no bytes"),
        (mat({"ff": FACES})[:-100], "cut short"),
        (mat({"ff": FACES}, do_compression=True)[:-100], "cut short"),
        (bomb(), "unpacks to more than 16 MiB"),
        (bytes(17 * 2**20), "17,825,792 bytes"),
    ],
)  # fmt: skip
def test_a_wrong_file_gets_its_sentence(root: Path, content: bytes, part: str) -> None:
    put(root, content)
    with pytest.raises(DataError) as caught:
        load("frey")
    assert part in str(caught.value)


@pytest.mark.parametrize("options", [{"format": "4"}, {}, {"do_compression": True}], ids=["4", "5", "7"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(1, 255), cut=st.booleans(), head=st.booleans())
def test_damage_never_ends_in_anything_but_a_sentence(
    root: Path, options: dict[str, Any], place: int, byte: int, cut: bool, head: bool
) -> None:
    content = bytearray(mat({"ff": FACES}, **options))
    place %= 300 if head else len(content)
    if cut:
        del content[place:]
    else:
        content[place] ^= byte
    path = put(root, bytes(content))
    try:
        faces = _faces(_unpacked(path))
    except DataError:
        return
    assert faces.shape[1:] == (1, 28, 20)
    if cut:  # only what fills up the end can be missing
        assert np.array_equal(faces[:, 0].reshape(-1, 560).T, FACES)
    if options.get("do_compression"):  # zlib compares its checksum, so only the header can have changed
        assert np.array_equal(faces[:, 0].reshape(-1, 560).T, FACES)
