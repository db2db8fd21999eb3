"""What is written tighter is read as it was; what is damaged says so."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm_core.pack import pack, unpack
from dgm_core.zoo.storage import OURS, loosened, tightened


@given(st.binary(max_size=2000))
def test_bytes_of_any_kind_come_back(content: bytes) -> None:
    packed = gzip.compress(content, compresslevel=1, mtime=0)
    assert gzip.decompress(loosened(tightened(packed))) == content
    assert tightened(b"x" + content) == b"x" + content == loosened(tightened(b"x" + content))


def test_packed_arrays_are_smaller_and_whole() -> None:
    smooth = np.sin(np.linspace(0, 9, 50_000)).astype(np.float16)
    packed = pack({"title": "sine"}, {"y": smooth}, compress=True)
    stored = tightened(packed)
    assert stored.startswith(OURS)
    assert len(stored) < len(packed)
    meta, arrays = unpack(loosened(stored))
    assert meta == {"title": "sine"}
    assert np.array_equal(arrays["y"], smooth)


def test_a_damaged_file_says_so() -> None:
    noise = np.random.default_rng(0).integers(0, 4, 5000, dtype=np.uint8)
    stored = bytearray(tightened(gzip.compress(noise.tobytes(), compresslevel=1)))
    assert stored.startswith(OURS)
    stored[len(stored) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="damaged"):
        loosened(bytes(stored))
