"""Files made to cost more than they hold: they are refused before they are unpacked, or counted as unpacked."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import pytest
from PIL import Image

from dgm_core.data.images import own, read_images, sources
from dgm_core.errors import DataError

ENTRY = b"PK\x01\x02"
"""What each entry of a zip's directory begins with; its checksum is at 16, its unpacked size at 24 (APPNOTE 4.3.12)."""


def picture(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (6, 6), grey).save(file, "PNG")
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytearray(file.getvalue())


def entries(content: bytearray) -> list[int]:
    places, place = [], content.find(ENTRY)
    while place >= 0:
        places.append(place)
        place = content.find(ENTRY, place + 4)
    return places


PICTURES = {"x.png": picture(0), "y.png": picture(255)}


def test_what_says_that_it_is_too_large_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    opened, member = [], sources._member

    def watched(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        opened.append(info.filename)
        return member(archive, info)

    monkeypatch.setattr(sources, "_member", watched)
    read = read_images([("a.zip", bytes(zipped({"bomb.png": bytes(1001), **PICTURES})))], size=4)
    assert len(read.images) == 2
    assert "bomb.png is larger than" in read.note
    assert opened == ["x.png", "y.png"]


def test_what_is_refused_at_its_end_has_been_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_TOTAL", 10_000)
    content = zipped({f"{k}.png": bytes(3000) for k in range(4)})
    for place in entries(content):
        content[place + 16] ^= 1
    with pytest.raises(DataError, match="take more than"):
        read_images([("a.zip", bytes(content))])
    # Over several zips too.
    halves = [zipped({f"{k}.png": bytes(3000) for k in pair}) for pair in ((0, 1), (2, 3))]
    with pytest.raises(DataError, match="take more than"):
        read_images([(f"{k}.zip", bytes(half)) for k, half in enumerate(halves)])


def test_a_member_larger_than_it_says_takes_no_memory() -> None:
    content = zipped({"bomb.png": bytes(100 * 2**20), **PICTURES})
    first = entries(content)[0]
    assert struct.unpack_from("<I", content, first + 24) == (100 * 2**20,)
    struct.pack_into("<I", content, first + 24, 5000)
    tracemalloc.start()
    try:
        read = read_images([("a.zip", bytes(content))], size=4)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(read.images) == 2
    assert "bomb.png is damaged" in read.note
    assert peak < 8 * 2**20


def test_members_that_share_their_bytes_are_counted_each(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two entries that point to the same compressed bytes, as in overlapping zip bombs.
    content = zipped({"a.png": bytes(3000), "b.png": bytes(3000), "c.png": bytes(3000)})
    for place in entries(content):
        struct.pack_into("<I", content, place + 42, 0)  # where its header lies
    monkeypatch.setattr(sources, "MAX_TOTAL", 8000)
    with pytest.raises(DataError, match="take more than"):
        read_images([("a.zip", bytes(content))])


def test_pictures_that_turn_out_damaged_have_been_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MAX_PIXELS", 3000)
    file = io.BytesIO()
    Image.effect_noise((40, 40), 50).save(file, "PNG")
    damaged = file.getvalue()[:-200]
    files = [(f"{k}.png", damaged) for k in range(9)]
    with pytest.raises(DataError, match=r"2 files were left out.*too many pixels altogether"):
        read_images([*files, *PICTURES.items()], size=4)
