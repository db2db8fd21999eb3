"""A topic's card on the home page: its question, and a strip of pictures that its shipped model makes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from app.figures.colourmaps import table
from dgm_core import zoo
from dgm_core.cnf import exhibit
from dgm_core.film import Film
from dgm_core.reel import Reel

MOMENTS = (0.0, 0.4, 0.7, 1.0)
GAP = 2


def topic_card(*, page: Path, title: str, question: str, picture: bytes, icon: str) -> None:
    """Draw a card.

    Args:
        page: the page's script.
        title: the topic's name.
        question: what the page answers.
        picture: a PNG that its shipped model makes.
        icon: a Material symbol's name.
    """
    with st.container(border=True):
        st.image(picture, width="stretch")
        st.page_link(page, label=f"**{title}**", icon=f":material/{icon}:")
        st.caption(question)


@st.cache_data(show_spinner=False)
def film_thumbnail(checkpoint: str) -> bytes:
    """A PNG: the shipped film at four moments, from the base to the data."""
    return strip(exhibit.film(checkpoint))


@st.cache_data(show_spinner=False)
def reel_thumbnail(checkpoint: str, taus: tuple[float, ...] = (0.05, 0.7, 3.0)) -> bytes:
    """A PNG: reconstructions of a shipped discrete VAE at some temperatures, one below the other, as they melt."""
    reel = Reel.from_bytes(zoo.artifact(checkpoint, "melting") or b"")
    rows = [np.concatenate(list(reel.at(tau)[-1]), axis=1) for tau in taus]
    picture = np.concatenate(rows).repeat(8, 0).repeat(8, 1)
    out = BytesIO()
    Image.fromarray(picture).save(out, "PNG", optimize=True)
    return out.getvalue()


def strip(film: Film, moments: tuple[float, ...] = MOMENTS) -> bytes:
    """Frames side by side as a PNG, each with its own peak as the brightest colour.

    Args:
        film: what to show.
        moments: shares of the film's length, 0…1.
    """
    colours = table("viridis")
    pictures = []
    for moment in moments:
        frame = film.log_prob[round(moment * (len(film.times) - 1))][::-1]
        level = np.sqrt(np.exp(frame - frame.max()))
        pictures.append(colours[(255 * level).round().astype(np.uint8)])
    height = pictures[0].shape[0]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    joined = np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)
    out = BytesIO()
    Image.fromarray(joined).save(out, "PNG", optimize=True)
    return out.getvalue()
