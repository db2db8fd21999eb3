"""Figures of the page ``vqvae``: a codebook as it learns, what a map costs by each prior, one code's law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source
from app.figures.palette import accent
from app.figures.theme import layered

HEIGHT = 200
QUALITY = "PSNR (dB)"


def codebook_curve(
    steps: np.ndarray,
    psnr: np.ndarray,
    perplexity: np.ndarray,
    codes: int,
    *,
    total: int,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """How well images come back, and how many codes do it, as the training goes on.

    Args:
        steps: (T,).
        psnr: (T,) dB, on held-out images.
        perplexity: (T,) of the codes over the held-out set.
        codes: K, which the perplexity cannot pass.
        total: the steps asked for.
        dark, scale: see `app.figures.theme`.
    """
    tables = {
        "span": columns(step=np.array([0.0, float(total)])),
        "psnr": columns(step=np.asarray(steps), value=np.asarray(psnr, float)),
        "perplexity": columns(step=np.asarray(steps), value=np.asarray(perplexity, float)),
    }
    return Figure(_curve_spec(codes, dark, scale), tables)


@lru_cache(maxsize=32)
def _curve_spec(codes: int, dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("step:Q", title="training step", axis=alt.Axis(format=",d", tickCount=5))
    hues = {"psnr": accent("model", dark), "perplexity": accent("latent", dark)}
    ticks = alt.Axis(tickCount=4, titleColor=hues["psnr"])
    left = alt.Y("value:Q", title=QUALITY, scale=alt.Scale(zero=False), axis=ticks)
    ticks = alt.Axis(tickCount=4, orient="right", titleColor=hues["perplexity"])
    right = alt.Y("value:Q", title=f"perplexity, at most {codes:,}", axis=ticks)
    lines = [
        source(name).mark_line(color=hues[name]).encode(
            x, y, tooltip=[alt.Tooltip("step:Q", format=",d"), alt.Tooltip("value:Q", format=".2f", title=title)]
        )
        for name, y, title in (("psnr", left, "dB"), ("perplexity", right, "perplexity"))
    ]  # fmt: skip
    spec = layered(
        source("span").mark_point(opacity=0).encode(x),
        lines[0],
        lines[1],
        description="PSNR and perplexity of the codes on held-out images, by training step",
        height=HEIGHT,
        dark=dark,
        scale=scale,
    )
    return {**spec, "resolve": {"scale": {"y": "independent"}}}


def bits_bars(
    names: Sequence[str], bits: np.ndarray, errors: np.ndarray, *, dark: bool = False, scale: float = 1.0
) -> Figure:
    """What it takes to write a held-out code map down by each prior.

    Args:
        names: (P,) of the priors.
        bits: (P,) a map.
        errors: (P,) standard errors; a whisker spans ± 2.
        dark, scale: see `app.figures.theme`.
    """
    bits, spread = np.asarray(bits, float), 2 * np.asarray(errors, float)
    texts = np.array([f"{value:.1f}" for value in bits])
    table = columns(name=np.array(names), bits=bits, low=bits - spread, high=bits + spread, text=texts)
    return Figure(_bits_spec(len(names), dark, scale), {"bits": table})


@lru_cache(maxsize=16)
def _bits_spec(count: int, dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=240))
    bar = alt.X("bits:Q", title="bits a code map, held out")
    words = source("bits").mark_text(align="left", dx=8 * scale, fontWeight=600)
    return layered(
        source("bits").mark_bar(color=accent("model", dark), height={"band": 0.55}).encode(bar, y),
        source("bits").mark_rule(color=accent("muted", dark)).encode(alt.X("low:Q"), alt.X2("high:Q"), y),
        words.encode(alt.X("high:Q"), y, alt.Text("text:N")),
        description="Bits a held-out code map by each prior",
        height=36 * count + 20,
        dark=dark,
        scale=scale,
    )


def next_code(
    probabilities: np.ndarray, drawn: int, most: int = 24, *, dark: bool = False, scale: float = 1.0
) -> Figure:  # fmt: skip
    """The law of the next code: its likeliest values, and the one that was drawn.

    Args:
        probabilities: (K,).
        drawn: the code that was drawn.
        most: how many are shown.
        dark, scale: see `app.figures.theme`.
    """
    order = np.argsort(-probabilities, kind="stable")[:most]
    if drawn not in order:
        order = np.append(order[:-1], drawn)
    kind = np.where(order == drawn, "drawn", "other")
    table = columns(rank=np.arange(len(order)), code=order, p=probabilities[order].astype(float), kind=kind)
    return Figure(_next_spec(dark, scale), {"codes": table})


@lru_cache(maxsize=8)
def _next_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    hues = alt.Scale(domain=["drawn", "other"], range=[accent("data", dark), accent("model", dark)])
    tips = [alt.Tooltip("code:Q", title="code"), alt.Tooltip("p:Q", format=".4f", title="probability")]
    bars = source("codes").mark_bar().encode(
        alt.X("rank:O", title="codes, likeliest first", axis=alt.Axis(labels=False)),
        alt.Y("p:Q", title="probability", axis=alt.Axis(tickCount=4)),
        alt.Color("kind:N", scale=hues, legend=None),
        tooltip=tips,
    )  # fmt: skip
    described = "Probabilities of the next code, the drawn one in another colour"
    return layered(bars, description=described, height=160, dark=dark, scale=scale)
