"""People's point files: what is read, and one sentence for each thing that is not."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.data.files import MAX_BYTES, DataError, read_points, standardise

POINTS = np.array([[0.5, -1.0], [2.0, 3.25], [-4.0, 0.125]])


def npy(array: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(compress: bool = True, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(file, **arrays)
    return file.getvalue()


def npy_header(shape: str, descr: str = "'<f8'", version: int = 1) -> bytes:
    """An NPY header that says what it likes."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    text += b" " * (64 - (len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text


def refusal(content: bytes, name: str = "mine.dat", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_points(name, content, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence.count("\n") == 0
    assert len(sentence) < 300
    return sentence


@pytest.mark.parametrize(
    "text",
    [
        "0.5,-1\n2,3.25\n-4,0.125\n",
        "x,y\n0.5,-1\n2,3.25\n-4,0.125",
        "x\ty\r\n0.5\t-1\r\n2\t3.25\r\n-4\t0.125\r\n",
        "0.5 -1\n  2   3.25\n\n-4 0.125\n",
        "# made by hand\n0.5;-1\n2;3.25\n-4;0.125\n",
        "x;y\n0,5;-1\n2,0;3,25\n-4;0,125\n",
        '"x","y"\n"0.5","-1"\n"2","3.25"\n"-4","0.125"\n',
        "5e-1|-1\n2.|3.25\n-4|.125\n",
        "0.5,-1\r2,3.25\r-4,0.125\r",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_with_any_usual_delimiter_header_and_encoding(text: str, encoding: str):
    assert np.array_equal(read_points("p.csv", text.encode(encoding)), POINTS)


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<f2", "g"])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("wrap", [npy, lambda array: npz(a=array), lambda array: npz(compress=False, a=array)])
def test_numpy_files_of_any_byte_order_and_memory_order(dtype: str, fortran: bool, wrap):
    array = (np.asfortranarray if fortran else np.ascontiguousarray)(POINTS.astype(dtype))
    assert np.array_equal(read_points("p.npy", wrap(array)), POINTS)


@pytest.mark.parametrize("dtype", ["int8", ">i4", "uint16", "int64"])
def test_integers(dtype: str):
    points = read_points("p.npy", npy(np.array([[1, 2], [3, 4]], dtype)))
    assert points.tolist() == [[1, 2], [3, 4]]
    assert points.dtype == np.float64


def test_the_first_array_of_two_columns_of_an_npz_is_taken():
    content = npz(images=np.zeros((3, 4, 4)), names=np.array(["a", "b"]), points=POINTS, more=POINTS + 1)
    assert np.array_equal(read_points("p.npz", content), POINTS)


def test_an_open_file_is_read_from_its_start():
    file = io.BytesIO(b"1,2\n3,4\n")
    file.read(3)
    assert read_points("p.csv", file).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n\n# nothing\n", "no rows"),
        (b"1,2,3\n4,5,6\n", "3 columns; two columns are needed"),
        (b"1\n2\n3\n", "1 column; two"),
        (b"1,2\n3,4,5\n", "3 columns"),
        (b"1,2\n3,4\n5,6,7\n", "Line 3 of mine.dat reads “5,6,7”"),
        (b"1,2,x\n3,4\n5,6\n", "Line 1"),
        (b"1,2\n1_0,3\n", "Line 2 of mine.dat reads “1_0,3”"),
        (npy(np.zeros((1,) * 40)), "shape"),
        (b"1,2\nfoo,bar\n", "Line 2 of mine.dat reads “foo,bar”"),
        (b"name,age\nann,bob\n", "Line 2"),
        (b"1,2\n", "one point"),
        (b"x,y\n1,2\n", "one point"),
        (b"1,2\nnan,3\n4,5\n", "NaN or infinity in 1 of its rows, first in point 2"),
        (b"1,2\n3,inf\n", "NaN or infinity"),
        (b"1,2\n3,1e400\n", "NaN or infinity"),
        (b"1,2\n3,1e200\n", "as large as 1e+200"),
        (b"7,7\n7,7\n7,7\n", "All 3 points in mine.dat are equal"),
        (b"1,2\n3,1+2j\n", "Line 2"),
        (b"\x00\x01\x02\xff", "neither text nor a NumPy file"),
        (b"caf\xe9,1\n1,2\n", "neither text nor"),
        (b"1," * 100_000 + b"1\n", "very long lines"),
        (npy(np.zeros((5, 3))), "shape (5, 3); N × 2"),
        (npy(np.zeros(6)), "shape (6,); N × 2"),
        (npy(np.zeros((2, 9))), "transpose"),
        (npy(np.zeros((2, 2, 2))), "N × 2"),
        (npy(np.zeros((0, 2))), "no points"),
        (npy(np.zeros((1, 2))), "one point"),
        (npy(np.ones((4, 2))), "All 4 points"),
        (npy(np.full((4, 2), np.nan)), "NaN or infinity in 4"),
        (npy(np.zeros((4, 2), complex)), "complex"),
        (npy(np.array([["a", "b"]] * 3)), "type"),
        (npy(np.zeros((4, 2), bool)), "type bool"),
        (npy(np.zeros((4, 2), "datetime64[s]")), "type datetime"),
        (npy(np.zeros(4, [("x", "f8"), ("y", "f8")])), "type"),
        (npy(POINTS)[:-1], "ends too early"),
        (npy(POINTS)[:40], "damaged"),
        (b"\x93NUMPY\x09\x00" + b" " * 50, "damaged"),
        (npy_header("(-1, 2)"), "shape"),
        (npy_header("(10000000, 2)"), "10,000,000 rows; keep at most 1,000,000"),
        (npy_header("(9" + "9" * 300 + ", 2)"), "rows"),
        (npy_header("(" * 3000 + ")" * 3000), "damaged"),
        (npy_header("(3, 2)" + " " * 12_000), "damaged"),
        (npz(a=np.zeros((3, 3))), "“a” in mine.dat has shape (3, 3)"),
        (npz(a=np.zeros((3, 3)), b=np.zeros(2)), "None of the 2 arrays"),
        (npz(a=POINTS)[:-30], "damaged"),
        (b"PK\x03\x04 is no zip", "damaged"),
        (b"PK\x01\x02" * 2000, "more than 1,000 files"),
    ],
)
def test_each_bad_file_gets_its_sentence(content: bytes, part: str):
    assert part in refusal(content)


def test_too_many_rows_are_refused_whatever_the_format():
    assert "more than 10 rows" in refusal(b"1,2\n" * 11, max_points=10)
    assert "rows; keep at most 10" in refusal(b"1,2\n" * 5000, max_points=10)
    assert "11 rows" in refusal(npy(np.zeros((11, 2))), max_points=10)
    assert "11 rows" in refusal(npz(a=np.zeros((11, 2))), max_points=10)
    # Empty and comment lines do not count.
    assert len(read_points("p.csv", b"1,2\n\n# no\n3,4\n", max_points=2)) == 2


def test_a_file_of_300_megabytes_is_not_read_past_the_limit():
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.taken += size
            return b"1" * size

    file = Endless()
    with pytest.raises(DataError, match="larger than 20 MiB"):
        read_points("big.csv", file)  # type: ignore[arg-type]
    assert file.taken == MAX_BYTES + 1
    assert "larger than 20 MiB" in refusal(bytes(MAX_BYTES + 1))


class Trap:
    """Unpickled, it would raise."""

    def __reduce__(self) -> tuple:
        return (exec, ("raise SystemError('unpickled')",))


def test_pickled_objects_are_refused_and_never_opened():
    array = np.empty((3, 2), object)
    array[:] = Trap()
    assert "pickled Python objects, which are never opened" in refusal(npy(array, allow_pickle=True))
    assert "pickled Python objects, which are never opened" in refusal(npz(a=array))
    assert "neither text" in refusal(pickle.dumps(Trap()))
    # Beside a good array they are passed over.
    assert np.array_equal(read_points("p.npz", npz(a=array, b=POINTS)), POINTS)


def bomb(member: bytes, zeros: int) -> bytes:
    """A zip whose one array goes on with that many zeros."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as out,
    ):
        out.write(member)
        for _ in range(zeros >> 20):
            out.write(bytes(1 << 20))
    return file.getvalue()


@pytest.mark.parametrize(
    ("member", "part"),
    [
        (npy_header("(50000000, 2)"), "50,000,000 rows"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31), "damaged"),
        (b"", "damaged"),
        (npy_header("(3, 2)"), "All 3 points"),
    ],
)
def test_a_zip_bomb_stays_packed(member: bytes, part: str):
    content = bomb(member, 200 << 20)
    assert len(content) < 2**20
    tracemalloc.start()
    try:
        sentence = refusal(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert part in sentence
    assert peak < 8 * 2**20


def test_an_npz_of_many_good_headers_is_unpacked_once():
    """Each member would unpack to 16 MB and ends too early; only the first is tried."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(30):
            archive.writestr(f"{k}.npy", npy_header("(900000, 2)") + bytes(1000))
    assert "“0” in mine.dat ends too early" in refusal(file.getvalue())


def test_encrypted_or_oddly_packed_members_are_refused():
    content = bytearray(npz(a=POINTS))
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    assert "encrypted" in refusal(bytes(content))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", npy(POINTS))
    assert "unusual way" in refusal(file.getvalue())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    assert "without NumPy arrays" in refusal(file.getvalue())


good_files = st.sampled_from([
    npy(POINTS), npy(np.asfortranarray(POINTS)), npz(a=POINTS), npz(compress=False, a=np.zeros(3), b=POINTS),
    b"x,y\n1,2\n3,4\n", b"1;2,5\n3;4\n", "1 2\n3 4\n".encode("utf-16"),
])  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes changed, cut out or put in."""
    content = bytearray(draw(good_files))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        width = draw(st.integers(0, 4))
        content[place : place + width] = draw(st.binary(max_size=4))
    return bytes(content)


def points_or_none(content: bytes) -> np.ndarray | None:
    """The points, or None for a DataError; any other exception goes on to the test."""
    try:
        return read_points("any", content)
    except DataError:
        return None


@settings(max_examples=400, deadline=None)
@given(
    content=spoiled() | st.binary(max_size=300) | st.text('0123456789.,;-e\n\t #"xnaif|', max_size=80).map(str.encode)
)
def test_nothing_but_points_or_a_sentence_comes_out(content: bytes):
    points = points_or_none(content)
    if points is None:
        return
    assert points.dtype == np.float64
    assert points.ndim == 2
    assert points.shape[1] == 2
    assert len(points) >= 2
    moved = standardise(points)
    assert np.isfinite(moved.points).all()


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 400), seed=st.integers(0, 2**31), offset=st.floats(-1e6, 1e6), scale=st.floats(1e-3, 1e6),
    squeeze=st.floats(0, 1),
)  # fmt: skip
def test_standardised_points_fill_the_window_keep_their_aspect_and_go_back(
    n: int, seed: int, offset: float, scale: float, squeeze: float
):
    points = np.random.default_rng(seed).normal(size=(n, 2)) * scale * [1, squeeze] + offset
    moved = standardise(points)
    assert moved.points.dtype == np.float32
    outside = (np.abs(moved.points) > 3.5 + 1e-5).any(axis=1)
    # The 0.005 quantile of n values has ⌈0.005 (n − 1)⌉ of them below it at most; there are four such ends.
    assert outside.sum() <= (4 * np.ceil(0.005 * (n - 1)) if n >= 100 else 0)
    assert np.abs(moved.points).max() >= 3.49
    assert np.allclose(moved.points * moved.scale + moved.mean, points, atol=1e-5 * moved.scale)


def test_outliers_do_not_shrink_the_rest():
    points = np.random.default_rng(0).normal(size=(1000, 2))
    points[0] = 1e6
    assert np.quantile(np.abs(standardise(points).points), 0.9) > 1
    # Where nearly all points coincide the whole range counts.
    same = np.zeros((1000, 2))
    same[0] = 1
    assert np.ptp(standardise(same).points) == pytest.approx(7)
    with pytest.raises(DataError, match="equal"):
        standardise(np.ones((5, 2)))
