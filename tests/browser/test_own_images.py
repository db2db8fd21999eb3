"""The uploader of people's own images in a real browser: a zip, several pictures, another size, too few."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).with_name("own_images_script.py")
PATIENCE = 60_000
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


def picture(seed: int, width: int = 50, height: int = 40) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def upload(page: Any, **files: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        [
            {"name": name.replace("_", "."), "mimeType": "application/octet-stream", "buffer": content}
            for name, content in files.items()
        ]
    )


def kept(page: Any, count: int, shape: str) -> str:
    """The key under which so many images of that shape are kept, once they are."""
    text = page.get_by_text(re.compile(rf"^kept [0-9a-f]{{16}} {count} {shape}$"))
    text.wait_for(timeout=PATIENCE)
    return str(text.inner_text().split()[1])


def test_images_come_in_and_the_last_good_ones_stay(app: str, page: Any) -> None:
    page.goto(app)
    page.get_by_text("No images are chosen yet").wait_for(timeout=PATIENCE)
    members = {f"{k}.png": picture(k) for k in range(12)}
    upload(page, some_zip=zipped({**members, "notes.txt": b"no picture"}))
    first = kept(page, 12, "1 28 28")
    page.get_by_text("One file was left out. notes.txt is damaged or no picture").wait_for(timeout=PATIENCE)
    assert page.get_by_text("No images are chosen yet").count() == 0

    page.get_by_role("radio", name="16").click()
    smaller = kept(page, 12, "1 16 16")
    assert smaller != first
    page.get_by_text("In colour").click()
    kept(page, 12, "3 16 16")

    # More files join those that are there: of one set, not instead of it.
    upload(page, a_png=picture(20), b_png=picture(21, 9, 90))
    kept(page, 14, "3 16 16")
    page.get_by_role("button", name="Remove some.zip").click()
    last = kept(page, 2, "3 16 16")

    page.get_by_role("button", name="Remove a.png").click()
    page.get_by_text("Only one picture was found").wait_for(timeout=PATIENCE)
    assert kept(page, 2, "3 16 16") == last
    assert page.locator("[data-testid=stAlert]").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.problems == []
