"""The uploader of people's own images: what is uploaded is kept, named by the field, and found again."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dgm_core.data.images import load


def page() -> None:
    import streamlit as st

    from app.memory import Memory
    from app.own_images import own_images
    from dgm_core.gumbel.experiment import DiscreteVAE

    memory = Memory(DiscreteVAE)
    if "dataset" not in st.session_state:
        memory.remember({"dataset": "own"})
    own_images(DiscreteVAE)
    st.text(memory.current("data"))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGM_HOME", str(tmp_path))


def picture(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (40, 30), grey).save(file, "PNG")
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PICTURES = {f"{grey}.png": picture(grey) for grey in (10, 20, 30)}


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    return app


def greys(app: AppTest) -> list[int]:
    images = load("own", app.text[0].value)
    return sorted(np.concatenate([images.train, images.test])[:, 0, 0, 0].tolist())


def test_a_zip_and_a_picture_are_one_set() -> None:
    app = opened()
    assert "No images are chosen yet" in app.info[0].value
    app.file_uploader[0].upload("a.zip", zipped(PICTURES)).upload("b.png", picture(40)).run()
    assert not app.exception
    assert greys(app) == [10, 20, 30, 40]
    assert load("own", app.text[0].value).shape == (1, 28, 28)
    assert len(app.info) == 0


def test_size_and_colour_are_chosen() -> None:
    app = opened()
    app.file_uploader[0].upload("a.zip", zipped(PICTURES)).run()
    grey = app.text[0].value
    app.toggle(key="images_colour").set_value(True).run()
    assert load("own", app.text[0].value).shape == (3, 28, 28)
    app.segmented_control(key="images_side").set_value(64).run()
    assert not app.exception
    assert load("own", app.text[0].value).shape == (3, 64, 64)
    assert load("own", grey).shape == (1, 28, 28)


def test_what_is_left_out_is_said_and_stays_said() -> None:
    app = opened()
    app.file_uploader[0].upload("a.zip", zipped({"<b>.txt": b"x", **PICTURES})).run()
    for _ in range(2):
        assert "One file was left out" in app.info[0].value
        assert "<b>" not in app.info[0].value.replace("\\<b\\>", "")
        app.run()


def test_a_bad_upload_leaves_the_last_good_images() -> None:
    app = opened()
    app.file_uploader[0].upload("a.zip", zipped(PICTURES)).run()
    good = app.text[0].value
    app.file_uploader[0].set_value([("b.zip", b"PK, but no zip", "application/zip")]).run()
    assert not app.exception
    assert "damaged or no zip" in app.info[0].value
    assert app.text[0].value == good


def test_what_was_uploaded_is_found_again_where_the_field_is_empty() -> None:
    app = opened()
    app.file_uploader[0].upload("a.zip", zipped(PICTURES)).run()
    good = app.text[0].value
    app.file_uploader[0].clear().run()
    app.session_state["data"] = ""
    app.run()
    assert app.text[0].value == good


def test_images_that_are_not_on_this_machine_are_asked_for() -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.session_state["dgm:kept:images"] = "0123456789abcdef"
    app.run()
    assert not app.exception
    assert "not on this machine" in app.info[0].value


def test_nothing_is_drawn_for_another_data_set() -> None:
    app = opened()
    app.session_state["dataset"] = "digits"
    app.run()
    assert len(app.file_uploader) == 0
    assert len(app.info) == 0
