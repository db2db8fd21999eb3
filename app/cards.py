"""A topic's card on the home page: its question, and a strip of pictures that its shipped model makes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from PIL import Image, ImageDraw

from app.figures.colourmaps import table
from app.simplex.raster import triangle
from dgm_core import zoo
from dgm_core.cnf import exhibit
from dgm_core.data.densities import TARGETS
from dgm_core.film import Film
from dgm_core.gumbel import gumbel_softmax, weights_to_logits
from dgm_core.metrics import knn_radii
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
def simplex_thumbnail(taus: tuple[float, ...] = (0.1, 0.5, 1.0, 4.0), side: int = 220) -> bytes:
    """A PNG: relaxed samples of three categories at four temperatures, from the corners to the centre."""
    logits = weights_to_logits(torch.tensor([0.5, 0.3, 0.2])).expand(500, -1)
    picture = Image.new("RGB", (side * len(taus), side))
    for index, tau in enumerate(taus):
        z = gumbel_softmax(logits, tau, generator=torch.Generator().manual_seed(0)).numpy()
        picture.paste(triangle(z, side, dark=True), (side * index, 0))
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


@st.cache_data(show_spinner=False)
def manifold_thumbnail(ks: tuple[int, ...] = (1, 2, 4, 8), side: int = 220) -> bytes:
    """A PNG: two moons as unions of balls that reach the k-th neighbour, for growing k."""
    points = TARGETS["moons"].sample(160, 0).numpy()
    picture = Image.new("RGB", (2 * side * len(ks), 2 * side), "#14171d")
    draw = ImageDraw.Draw(picture)
    for index, k in enumerate(ks):
        middle, unit = np.array([2 * side * index + side, side]), 0.22 * side
        places = middle + unit * points * (1, -1)
        for (x, y), radius in zip(places, unit * np.asarray(knn_radii(points, k)), strict=True):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#274b6b")
        for x, y in places:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill="#f48a19")
    out = BytesIO()
    picture.resize((side * len(ks), side), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


@st.cache_data(show_spinner=False)
def codebook_thumbnail(checkpoint: str, first: int = 64, most: int = 120, columns: int = 24, side: int = 36) -> bytes:
    """A PNG: decoded patches of a shipped codebook, the more used first, after ``first`` of plain ground."""
    frame = Reel.from_bytes(zoo.artifact(checkpoint, "codebook") or b"").frames[-1]
    tiles = frame.reshape(-1, *frame.shape[2:])[first : first + most]
    grown = tiles.repeat(side // tiles.shape[1], 1).repeat(side // tiles.shape[2], 2)
    rows = [np.concatenate(list(grown[at : at + columns]), axis=1) for at in range(0, len(grown), columns)]
    out = BytesIO()
    Image.fromarray(np.concatenate(rows)).save(out, "PNG", optimize=True)
    return out.getvalue()


@st.cache_data(show_spinner=False)
def hierarchy_thumbnail(checkpoint: str, images: tuple[int, ...] = (1, 3, 5), side: int = 128) -> bytes:
    """A PNG: held-out images from the top codes alone, from all codes, and as they are; from the shipped training."""
    frame = Reel.from_bytes(zoo.artifact(checkpoint, "training") or b"").frames[-1]
    chosen = [frame[row, image] for image in images for row in range(len(frame))]
    grown = [picture.repeat(side // len(picture), 0).repeat(side // len(picture), 1) for picture in chosen]
    out = BytesIO()
    Image.fromarray(np.concatenate(grown, axis=1)).save(out, "PNG", optimize=True)
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
