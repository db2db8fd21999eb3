"""Home: what this is, and a card for each topic with a picture that its shipped model makes."""

from pathlib import Path

import streamlit as st

from app.cards import (
    codebook_thumbnail,
    film_thumbnail,
    hierarchy_thumbnail,
    manifold_thumbnail,
    simplex_thumbnail,
    topic_card,
)
from app.cnf.films import flow_film
from app.film import film_player
from app.furniture import in_classroom
from app.neural_ode.thumbnail import residual_thumbnail
from app.trained import Trained
from dgm_core import zoo

HERO = "cnf-word-flow"
CNF, GUMBEL, VQVAE, VQVAE2, QUALITY = (
    Path(__file__).with_name(f"{topic}.py") for topic in ("cnf", "gumbel", "vqvae", "vqvae2", "precision_recall")
)

st.title("Deep generative models, live", anchor=False)
words, picture = st.columns([2, 3], gap="large")
with words:
    st.markdown(
        "A lecture that runs instead of lying on slides. Every model here is real and small: it trains while you "
        "watch, on your own data too."
    )
    st.markdown(
        "Every number stands beside what theory says, with its error. Any state is a link, any training can be "
        "replayed, any picture can be taken home with the code that makes it."
    )
    st.subheader("Topics", anchor=False)
    topic_card(
        page=Path(__file__).with_name("neural_ode.py"),
        title="Neural ordinary differential equations",
        question="What is a network of infinitely many layers?",
        picture=residual_thumbnail(),
        icon="timeline",
    )
    topic_card(
        page=CNF,
        title="Continuous normalizing flows",
        question="How does a Gaussian become your data?",
        picture=film_thumbnail("cnf-checkerboard"),
        icon="waves",
    )
    topic_card(
        page=GUMBEL,
        title="Gumbel-Softmax and the discrete VAE",
        question="How does a gradient pass through a choice?",
        picture=simplex_thumbnail(),
        icon="change_history",
    )
    topic_card(
        page=VQVAE,
        title="VQ-VAE: a codebook of images",
        question="What does a codebook keep of an image?",
        picture=codebook_thumbnail("vqvae-shapes"),
        icon="grid_on",
    )
    topic_card(
        page=VQVAE2,
        title="VQ-VAE-2: a hierarchy of codes",
        question="What does each level of codes keep?",
        picture=hierarchy_thumbnail("vqvae2-shapes"),
        icon="layers",
    )
    topic_card(
        page=QUALITY,
        title="Precision and recall of samples",
        question="What makes generated samples good?",
        picture=manifold_thumbnail(),
        icon="join_inner",
    )
with picture:
    film = flow_film(Trained("shipped", HERO, zoo.experiment(HERO)))
    if film is not None:
        film_player(
            film, key="hero", height=560, autoplay=True, layers=("density",), classroom=in_classroom(),
            alt="A Gaussian flows into the word FLOW and back: the density of a trained continuous normalizing flow.",
        )  # fmt: skip
