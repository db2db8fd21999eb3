"""The byte format: what goes in comes out, and bytes that are not it are refused."""

import gzip

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dgm_core.pack import DTYPES, pack, unpack

ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.sampled_from(sorted(DTYPES)).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3))),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(arrays=ARRAYS, compress=st.booleans(), title=st.text(max_size=20))
def test_round_trip_is_exact(arrays: dict[str, np.ndarray], compress: bool, title: str) -> None:
    meta, read = unpack(pack({"title": title}, arrays, compress=compress))
    assert meta == {"title": title}
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x00\x00\x00\x010")
@example(b"\x1f\x8bnothing")
def test_other_bytes_are_refused_with_a_sentence(blob: bytes) -> None:
    with pytest.raises(ValueError, match="no packed arrays"):
        unpack(blob)


def test_every_cut_is_noticed() -> None:
    packed = pack({}, {"x": np.arange(6, dtype=np.float32).reshape(2, 3)})
    for length in range(len(packed)):
        with pytest.raises(ValueError, match="no packed arrays"):
            unpack(packed[:length])
    with pytest.raises(ValueError, match="no packed arrays"):
        unpack(gzip.compress(packed)[:-9])


def test_objects_and_reserved_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="dtype object"):
        pack({}, {"x": np.array([{}])})
    with pytest.raises(ValueError, match="reserved"):
        pack({"parts": []}, {})


def test_same_input_gives_same_bytes() -> None:
    array = np.linspace(0, 1, 50, dtype=np.float32)
    assert pack({"a": 1}, {"x": array}, compress=True) == pack({"a": 1}, {"x": array}, compress=True)
