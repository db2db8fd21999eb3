"""Figures of the page ``gumbel``: what the temperature moves, a code's logits, relaxed against hard."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source
from app.figures.palette import INK, accent
from app.figures.theme import layered

HEIGHT = 240
SOFT, HARD = "relaxed", "hard"


def expectation_chart(
    taus: np.ndarray,
    expected: np.ndarray,
    pi: np.ndarray,
    tau: float,
    measured: np.ndarray | None = None,
    errors: np.ndarray | None = None,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """E[z_k] against the temperature: from π_k, where draws are hard, to 1/K; P(argmax = k) stays at π_k.

    Args:
        taus: (T,), increasing.
        expected: (T, K), by quadrature.
        pi: (K,).
        tau: the temperature now.
        measured: (K,), E[z] by Monte Carlo at ``tau``, or None.
        errors: (K,), its standard errors; a whisker spans ± 2.
        dark, scale: see `app.figures.theme`.
    """
    count = len(pi)
    names = np.array([f"{k + 1}" for k in range(count)])
    curves = columns(tau=np.tile(taus, count), value=expected.T.ravel(), name=np.repeat(names, len(taus)))
    ends = np.array([taus[0], taus[-1]])
    flat = columns(tau=np.tile(ends, count), value=np.repeat(pi, 2), name=np.repeat(names, 2))
    now = columns(tau=np.array([float(np.clip(tau, taus[0], taus[-1]))]))
    tables = {"curves": curves, "flat": flat, "now": now}
    if measured is not None:
        spread = 2 * (np.zeros(count) if errors is None else errors)
        tables["measured"] = columns(
            tau=np.full(count, now["tau"][0]), value=measured, low=measured - spread, high=measured + spread, name=names
        )
    return Figure(_expectation_spec(count, measured is not None, dark, scale), tables)


@lru_cache(maxsize=16)
def _expectation_spec(count: int, has_measured: bool, dark: bool, scale: float) -> Mapping[str, Any]:
    domain = [f"{k + 1}" for k in range(count)]
    hues = [accent(m, dark) for m in ("model", "data", "base", "latent", "bad", "good")]
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=domain, range=[hues[k % len(hues)] for k in range(count)]),
        legend=alt.Legend(symbolType="stroke") if count <= 6 else None,
    )
    x = alt.X("tau:Q", title="temperature τ", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(tickCount=6))
    y = alt.Y("value:Q", title="E[zₖ]; dashed P(argmax = k)", scale=alt.Scale(domainMin=0))
    tips = [
        alt.Tooltip("name:N", title="category"),
        alt.Tooltip("tau:Q", format=".3g"),
        alt.Tooltip("value:Q", format=".4f"),
    ]
    layers = [
        source("now").mark_rule(color=accent("muted", dark)).encode(x),
        source("flat").mark_line(strokeDash=[5, 4], opacity=0.7).encode(x, y, colour),
        source("curves").mark_line().encode(x, y, colour, tooltip=tips),
    ]
    if has_measured:
        dots = source("measured")
        layers.append(dots.mark_rule().encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), colour))
        layers.append(dots.mark_point(size=55 * scale).encode(x, y, colour, tooltip=tips))
    described = "Expectation of each coordinate of z against the temperature, and the probability of each category"
    return layered(*layers, description=described, height=HEIGHT, dark=dark, scale=scale)


def code_map(
    probabilities: np.ndarray, code: np.ndarray, *, dark: bool = False, scale: float = 1.0
) -> Figure:  # fmt: skip
    """The encoder's probabilities as a heat map, one row a latent, with the code that is decoded ringed.

    Args:
        probabilities: (N, K), rows sum to 1.
        code: (N,) integers below K.
        dark, scale: see `app.figures.theme`.
    """
    latents, categories = probabilities.shape
    row, column = np.divmod(np.arange(latents * categories), categories)
    cells = columns(latent=row + 1, category=column + 1, p=probabilities.ravel())
    ring = columns(latent=np.arange(latents) + 1, category=np.asarray(code) + 1)
    return Figure(_code_spec(latents, dark, scale), {"cells": cells, "code": ring})


@lru_cache(maxsize=32)
def _code_spec(latents: int, dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("category:O", title="category", axis=alt.Axis(labelAngle=0))
    y = alt.Y("latent:O", title="latent")
    shade = alt.Color(
        "p:Q",
        scale=alt.Scale(domain=[0, 1], scheme="viridis"),
        legend=alt.Legend(title="q(k | x)", orient="top", gradientLength=120, tickCount=3),
    )
    tips = [alt.Tooltip("latent:O"), alt.Tooltip("category:O"), alt.Tooltip("p:Q", format=".4f", title="q(k | x)")]
    chosen = alt.selection_point(name="cell", fields=["latent", "category"], on="click", empty=False, toggle=False)
    cells = source("cells").mark_rect(cursor="pointer").encode(x, y, shade, tooltip=tips).add_params(chosen)
    rim = source("code").mark_point(shape="circle", filled=False, size=130 * scale, strokeWidth=4.4 * scale)
    ring = source("code").mark_point(shape="circle", filled=False, size=130 * scale, strokeWidth=2 * scale)
    return layered(
        cells.properties(name="code_cells"),
        # White on black is seen on every shade.
        rim.encode(x, y, color=alt.value("black")),
        ring.encode(x, y, color=alt.value("white")),
        description="Probability of each category for each latent; the code that is decoded is ringed",
        height=max(120, 26 * latents),
        dark=dark,
        scale=scale,
    )


def elbo_curves(
    x: np.ndarray,
    relaxed: np.ndarray,
    hard: np.ndarray,
    baseline: float,
    *,
    against: Literal["step", "tau"],
    errors: np.ndarray | None = None,
    now: float | None = None,
    span: tuple[float, float] | None = None,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The ELBO with relaxed codes, which training sees, and with hard ones, which is a bound.

    Args:
        x: (T,), increasing: training steps or temperatures.
        relaxed, hard: (T,) nats an image.
        baseline: log-likelihood of independent Bernoulli pixels, nats.
        against: what ``x`` is.
        errors: (T,) standard errors of ``relaxed``, drawn as a band of ± 2, or None.
        now: where to stand a line, None for none.
        span: what the axis covers, so that it does not grow; ``x``'s own range if None.
        dark, scale: see `app.figures.theme`.
    """
    x, relaxed, hard = (np.asarray(values, dtype=float) for values in (x, relaxed, hard))
    low, high = span or ((x[0], x[-1]) if len(x) else (1.0, 10.0))
    kind = np.repeat([SOFT, HARD], len(x))
    spread = np.zeros(len(x)) if errors is None else 2 * np.asarray(errors)
    tables = {
        "span": columns(x=np.array([low, high])),
        "curves": columns(x=np.concatenate([x, x]), value=np.concatenate([relaxed, hard]), kind=kind),
        "band": columns(x=x, low=relaxed - spread, high=relaxed + spread),
        "base": columns(
            value=np.array([baseline]), text=np.array([f"independent pixels {baseline:.2f}".replace("-", "−")])
        ),
        "now": columns(x=np.array([] if now is None else [float(np.clip(now, low, high))])),
    }
    return Figure(_elbo_spec(against, dark, scale), tables)


@lru_cache(maxsize=16)
def _elbo_spec(against: str, dark: bool, scale: float) -> Mapping[str, Any]:
    free, muted = alt.Scale(zero=False), accent("muted", dark)
    if against == "tau":
        log = alt.Scale(type="log", nice=False)
        x = alt.X("x:Q", title="temperature τ", scale=log, axis=alt.Axis(tickCount=6))
    else:
        x = alt.X("x:Q", title="training step", axis=alt.Axis(format=",d", tickCount=5))
    y = alt.Y("value:Q", title="ELBO (nats an image)", scale=free, axis=alt.Axis(tickCount=5))
    hues = [accent("model", dark), accent("data", dark)]
    kinds, key = alt.Scale(domain=[SOFT, HARD], range=hues), alt.Legend(symbolType="stroke")
    colour = alt.Color("kind:N", scale=kinds, legend=key)
    nats = alt.Tooltip("value:Q", format=".3f", title="nats")
    tips = [alt.Tooltip("kind:N"), alt.Tooltip("x:Q", format=".4~g", title=against), nats]
    area, base = source("band").mark_area(color=hues[0], opacity=0.18), source("base")
    return layered(
        source("span").mark_point(opacity=0).encode(x),
        source("now").mark_rule(color=INK.on(dark), opacity=0.4).encode(x),
        area.encode(x, alt.Y("low:Q", scale=free), alt.Y2("high:Q")),
        base.mark_rule(color=muted, strokeDash=[5, 4]).encode(y),
        base.mark_text(align="right", baseline="bottom", dy=-4, color=muted).encode(
            y, x=alt.value("width"), text="text:N"
        ),
        source("curves").mark_line().encode(x, y, colour, tooltip=tips),
        description="ELBO with relaxed and with hard codes",
        height=HEIGHT,
        dark=dark,
        scale=scale,
    )
