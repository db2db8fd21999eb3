"""Series from files and back from the shelf; every bad input ends in one sentence."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.data import shelf
from dgm_core.data.files import MAX_BYTES
from dgm_core.data.series import MAX_ROWS, Series, series_of_table
from dgm_core.data.series_files import read_series
from dgm_core.errors import DataError

NAN = float("nan")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGM_HOME", str(tmp_path))


@pytest.mark.parametrize(("text", "names", "table"), [
    ("t,x\n0,1\n1,2\n3,5\n", ("x",), [[0, 1], [1, 2], [3, 5]]),
    ("0,1\n1,2\n", ("x1",), [[0, 1], [1, 2]]),
    ("t,x,y\n0,,1\n1,2,\n2,3,4\n", ("x", "y"), [[0, NAN, 1], [1, 2, NAN], [2, 3, 4]]),
    ("t;x\n0;1,5\n0,5;2,5\n", ("x",), [[0, 1.5], [0.5, 2.5]]),
    ("t\tx\r\n0\tNA\r\n1\t2\r\n2\t-3e2\r\n", ("x",), [[0, NAN], [1, 2], [2, -300]]),
    ("# made by hand\ntime x y\n0 1 nan\n1 2 5\n\n2 3 6 # last\n", ("x", "y"), [[0, 1, NAN], [1, 2, 5], [2, 3, 6]]),
    ('"t","a b"\n0,1\n1,null\n2,0\n', ("a b",), [[0, 1], [1, NAN], [2, 0]]),
])  # fmt: skip
def test_what_stands_in_the_text_is_what_comes_out(text: str, names: tuple[str, ...], table: list) -> None:
    series = read_series("file.csv", text.encode())
    assert series.names == names
    np.testing.assert_array_equal(series.table(), np.array(table, float))


@pytest.mark.parametrize(("text", "says"), [
    (b"", "is empty"),
    (b"\n\n# nothing\n", "no rows"),
    (b"t,x\n", "no rows"),
    (b"t,x\n0,1\n", "one row"),
    (b"1\n2\n3\n", "one column"),
    (b"t,x\n0,1\n1,two\n", "Line 3 of file.csv holds .two.; a number is needed"),
    (b"t,x\n0,1\n1,2,3\n", "Line 3 of file.csv has 3 columns where the first has 2"),
    (b"t,x\n0,1\n0,2\n", "goes from t = 0 to 0 in its row 2; times must increase"),
    (b"t,x\n1,1\n0,2\n", "goes from t = 1 to 0"),
    (b"t,x\n,1\n1,2\n", "no time in its row 1"),
    (b"t,x\ninf,1\n1,2\n", "no time in its row 1"),
    (b"t,x\n0,inf\n1,2\n", "infinity in its row 1"),
    (b"t,x,y\n0,1,\n1,2,\n", "“y” has fewer than two values"),
    (b"t,x\n0,5\n1,5\n", "“x” never changes"),
    (b"t,x\n0,1e40\n1,2\n", "rescale it"),
    (b"t,a,b,c,d,e,f,g,h,i\n" + b"0,1,2,3,4,5,6,7,8,9\n" * 2, "9 variables; keep at most 8"),
    (b"t,x\n0,1_000\n1,2\n", "holds .1_000."),
    (b"\x89PNG\x00\x00", "neither text nor a NumPy file"),
    (b"PK\x03\x04rest", "zip archive"),
    (b"x" * 5000, "very long lines"),
])  # fmt: skip
def test_bad_input_ends_in_one_sentence(text: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as refusal:
        read_series("file.csv", text)
    assert str(refusal.value).endswith(".")


def test_size_is_looked_at_before_anything_is_read() -> None:
    many = b"0,1\n" * (2 * MAX_ROWS + 2000)
    with pytest.raises(DataError, match="lines; keep at most"):
        read_series("long.csv", many)
    with pytest.raises(DataError, match="larger than"):
        read_series("huge.csv", io.BytesIO(b"0" * (MAX_BYTES + 1)))
    rows = b"".join(b"%d,%d\n" % (k, k) for k in range(MAX_ROWS + 1))
    with pytest.raises(DataError, match=f"keep at most {MAX_ROWS:,}"):
        read_series("rows.csv", rows)


def test_an_array_file_is_read_too() -> None:
    table = np.array([[0.0, 1.0], [2.0, NAN], [3.0, 2.0]])
    file = io.BytesIO()
    np.save(file, table)
    np.testing.assert_array_equal(read_series("table.npy", file).table(), table)


@given(
    rows=st.integers(2, 30),
    columns=st.integers(1, 8),
    seed=st.integers(0, 2**31),
    start=st.floats(-1e9, 1e9),
    headed=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_written_series_is_read_back_to_the_last_digit(
    rows: int, columns: int, seed: int, start: float, headed: bool
) -> None:
    random = np.random.default_rng(seed)
    times = start + np.cumsum(random.uniform(0.5, 2.0, rows))
    values = random.normal(size=(rows, columns))
    values[2:][random.uniform(size=(max(0, rows - 2), columns)) < 0.3] = NAN
    lines = [",".join(["t", *(f"v{d}" for d in range(columns))])] if headed else []
    for t, row in zip(times, values, strict=True):
        lines.append(",".join([repr(float(t)), *("" if np.isnan(v) else repr(float(v)) for v in row)]))
    series = read_series("made.csv", "\n".join(lines).encode())
    np.testing.assert_array_equal(series.times, times)
    np.testing.assert_array_equal(series.values, values)


def test_the_shelf_keeps_a_series_with_all_digits_and_gaps() -> None:
    table = np.array([[1.7e9, 1.0, NAN], [1.7e9 + 0.125, 2.0, 3.0], [1.7e9 + 0.25, 0.5, 1.0]])
    key = shelf.put(table, "series")
    series = shelf.series_of(key)
    np.testing.assert_array_equal(series.table(), table)
    with pytest.raises(DataError, match="a series, not points"):
        shelf.target_of("points", data=key)
    points = shelf.put(np.array([[0.0, 1.0], [2.0, 3.0]]))
    with pytest.raises(DataError, match="not “series”"):
        shelf.series_of(points)
    with pytest.raises(DataError, match="times must increase"):
        shelf.put(table[::-1], "series")


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="one column"):
        series_of_table(np.zeros((3, 1)))
    assert Series(np.arange(3.0), np.zeros((3, 2))).names == ("x1", "x2")
