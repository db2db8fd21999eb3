"""The shelf: what was put there comes back, whatever happens to the files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgm_core.data import shelf
from dgm_core.data.densities import TARGETS
from dgm_core.errors import DataError
from dgm_core.home import home

POINTS = np.array([[0.5, 1.0], [2.0, -3.0], [0.0, 0.25]], dtype=np.float32)
INK = np.array([[0.0, 1.0, 0.5], [0.25, 0.0, 0.0]], dtype=np.float32)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DGM_HOME", str(tmp_path / "here" / "and there"))
    shelf._kept_target.cache_clear()
    return tmp_path


def files() -> list[Path]:
    return sorted((home() / "shelf").iterdir())


def test_home_is_made_where_it_is_wanted(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    assert home() == own_home / "here" / "and there"
    assert home().is_dir()
    monkeypatch.setenv("DGM_HOME", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(own_home / "share"))
    monkeypatch.setenv("HOME", str(own_home))
    monkeypatch.setenv("LOCALAPPDATA", str(own_home))
    assert home().name == "dgm-live"


def test_points_and_pictures_come_back_under_the_name_of_their_content():
    first, second = shelf.put(POINTS), shelf.put(INK)
    assert shelf.get(first).kind == "points"
    assert np.array_equal(shelf.get(first).array, POINTS)
    assert shelf.get(second).kind == "image"
    assert np.array_equal(shelf.get(second).array, INK)
    assert shelf.put(POINTS.astype(np.float64)) == first
    assert shelf.put(POINTS + 1) != first
    # A picture of two columns needs to be told apart from points.
    assert shelf.get(shelf.put(np.abs(POINTS), "image")).kind == "image"
    assert all(path.suffix == ".safetensors" for path in files())


def test_targets_of_an_experiments_fields():
    assert shelf.target_of("rings") is TARGETS["rings"]
    assert shelf.target_of("word", word="Hi").name == "word"
    points, picture = shelf.put(POINTS), shelf.put(INK)
    drawn = shelf.target_of("points", data=points).sample(200, seed=0)
    assert {tuple(row) for row in drawn.tolist()} == {tuple(row) for row in POINTS.tolist()}
    assert torch.isfinite(shelf.target_of("image", data=picture).log_prob(torch.tensor([[0.0, 1.0]]))).all()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("nothing",), "There is no target “nothing”"),
        (("points",), "No data are chosen yet; draw points"),
        (("image",), "No data are chosen yet; upload a picture"),
        (("points", "", "../../etc/passwd"), "is no key"),
        (("points", "", "0" * 15), "is no key"),
        (("image", "", "0" * 16), "are not on this machine"),
        (("word", ""), "empty"),
    ],
)
def test_what_is_not_there_gets_its_sentence(arguments: tuple[str, ...], part: str):
    with pytest.raises(DataError) as caught:
        shelf.target_of(*arguments)
    assert part in str(caught.value)


def test_a_picture_is_no_set_of_points():
    with pytest.raises(DataError, match="of the kind “image”, not “points”"):
        shelf.target_of("points", data=shelf.put(INK))


@pytest.mark.parametrize(
    "array", [np.zeros((3, 4)), np.zeros((0, 2)), np.zeros(4), np.full((2, 2), np.nan), -INK, np.zeros((3_000_000, 2))]
)
def test_what_could_not_be_read_back_is_not_kept(array: np.ndarray):
    with pytest.raises(DataError):
        shelf.put(array)
    assert not (home() / "shelf").exists()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 1000), byte=st.integers(1, 255), cut=st.booleans())
def test_damage_is_noticed_and_mended_by_putting_the_data_again(place: int, byte: int, cut: bool):
    key = shelf.put(POINTS)
    (path,) = files()
    content = bytearray(path.read_bytes())
    place %= len(content)
    if cut:
        del content[place:]
    else:
        content[place] ^= byte
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        shelf.get(key)
    with pytest.raises(DataError, match="not on this machine"):
        shelf.get(key)
    assert shelf.put(POINTS) == key
    assert np.array_equal(shelf.get(key).array, POINTS)


def test_what_was_not_used_for_longest_goes_first():
    keys = [shelf.put(POINTS + k) for k in range(4)]
    size = files()[0].stat().st_size
    for age, key in enumerate(keys):
        os.utime(home() / "shelf" / f"{key}.safetensors", (1_000_000 + age, 1_000_000 + age))
    shelf.get(keys[0])
    newest = shelf.put(POINTS + 9, max_total=3 * size)
    assert {path.stem for path in files()} == {keys[0], keys[3], newest}
    # The newest stays even where it alone is too much.
    assert shelf.put(POINTS + 10, max_total=1) == files()[0].stem


def test_a_disk_that_takes_nothing_is_a_sentence_and_leaves_no_rest(monkeypatch: pytest.MonkeyPatch):
    shelf.put(POINTS)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="No space left on device"):
        shelf.put(POINTS + 1)
    assert len(files()) == 1
