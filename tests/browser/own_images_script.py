"""A page with the uploader of people's own images and what it put on the shelf; `test_own_images.py` drives it."""

from __future__ import annotations

from typing import ClassVar, Literal

import streamlit as st
from pydantic import Field

from app.memory import Memory, enter_page
from app.own_images import own_images
from dgm_core.data.images import available, load
from dgm_core.experiment import Experiment


class Toy(Experiment):
    """An Experiment that needs images."""

    topic: ClassVar[str] = "toy"
    dataset: Literal["digits", "own"] = Field("own", title="Data set")
    data: str = Field("", title="Key", max_length=16)


enter_page("toy")
own_images(Toy)
key = Memory(Toy).current("data")
if key and not available("own", key):
    images = load("own", key)
    st.text(f"kept {key} {len(images.train) + len(images.test)} {' '.join(map(str, images.shape))}")
