"""Figures of the page ``vqvae2``: quality by levels as they learn, what codes cost by each law, the trade-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source
from app.figures.palette import accent
from app.figures.theme import layered

LEVEL_HUES = ("latent", "base", "model")
"""Meanings whose colours stand for the levels, the top first."""


def levels_curve(
    steps: np.ndarray,
    psnr: Mapping[str, np.ndarray],
    *,
    total: int,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """How well images come back from more and more of the levels, as the training goes on.

    Args:
        steps: (T,).
        psnr: name of a prefix of the levels → (T,) dB on held-out images.
        total: the steps asked for.
        dark, scale: see `app.figures.theme`.
    """
    names = np.repeat(list(psnr) or [""], len(steps))
    values = np.concatenate([np.asarray(series, float) for series in psnr.values()] or [np.zeros(0)])
    lines = columns(step=np.tile(np.asarray(steps, float), max(len(psnr), 1))[: len(values)], value=values,
                    name=names[: len(values)])  # fmt: skip
    last = [series[-1] for series in psnr.values() if len(series)]
    at = float(steps[-1]) if len(steps) else 0.0
    ends = columns(
        step=np.full(len(last), at), value=np.array(last, float), name=np.array(list(psnr)[: len(last)], "U")
    )
    tables = {"span": columns(step=np.array([0.0, float(total)])), "psnr": lines, "ends": ends}
    return Figure(_levels_spec(tuple(psnr), dark, scale), tables)


@lru_cache(maxsize=32)
def _levels_spec(names: tuple[str, ...], dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("step:Q", title="training step", axis=alt.Axis(format=",d", tickCount=4))
    y = alt.Y("value:Q", title="PSNR (dB)", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4))
    hues = [accent(LEVEL_HUES[k % 3], dark) for k in range(len(names))]  # type: ignore[arg-type]
    colour = alt.Color("name:N", scale=alt.Scale(domain=list(names), range=hues), legend=alt.Legend(columns=2))
    tips = [alt.Tooltip("step:Q", format=",d"), alt.Tooltip("value:Q", format=".2f", title="dB"), alt.Tooltip("name:N")]
    return layered(
        source("span").mark_point(opacity=0).encode(x),
        source("psnr").mark_line().encode(x, y, colour, tooltip=tips),
        source("ends").mark_point(size=40 * scale).encode(x, y, colour),
        description="PSNR on held-out images from more and more of the levels, by training step",
        height=170,
        dark=dark,
        scale=scale,
    )


def bits_by_level(
    names: Sequence[str],
    bits: np.ndarray,
    errors: np.ndarray,
    levels: Sequence[str],
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """What it takes to write an image's codes down by each law, the levels one after the other.

    Args:
        names: (P,) of the laws.
        bits: (P, L) an image.
        errors: (P,) standard errors of the sums; a whisker spans ± 2.
        levels: (L,) names, the top first.
        dark, scale: see `app.figures.theme`.
    """
    start = np.cumsum(bits, 1) - bits
    rows, parts = len(names), len(levels)
    bars = columns(
        name=np.repeat(list(names), parts), level=np.tile(list(levels), rows), low=start.ravel(),
        high=(start + bits).ravel(), bits=bits.ravel(),
    )  # fmt: skip
    total = bits.sum(1)
    errors = np.nan_to_num(np.asarray(errors, float))
    said = [f"{t:.0f} ± {e:.1f}" if e else f"{t:.0f}" for t, e in zip(total, errors, strict=True)]
    ends = columns(name=np.array(list(names)), total=total, low=total - 2 * errors, high=total + 2 * errors,
                   text=np.array(said))  # fmt: skip
    return Figure(_bits_spec(tuple(names), tuple(levels), dark, scale), {"bars": bars, "ends": ends})


@lru_cache(maxsize=16)
def _bits_spec(names: tuple[str, ...], levels: tuple[str, ...], dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=260, grid=False))
    bar = alt.X("low:Q", title="bits an image", axis=alt.Axis(tickCount=5))
    hues = [accent(LEVEL_HUES[k % 3], dark) for k in range(len(levels))]  # type: ignore[arg-type]
    colour = alt.Color("level:N", scale=alt.Scale(domain=list(levels), range=hues))
    tips = [alt.Tooltip("name:N", title="law"), alt.Tooltip("level:N"), alt.Tooltip("bits:Q", format=".1f")]
    words = source("ends").mark_text(align="left", dx=8 * scale, fontWeight=600)
    return layered(
        source("bars").mark_bar(height={"band": 0.55}).encode(bar, alt.X2("high:Q"), y, colour, tooltip=tips),
        source("ends").mark_rule(color=accent("muted", dark)).encode(alt.X("low:Q"), alt.X2("high:Q"), y),
        words.encode(alt.X("high:Q"), y, alt.Text("text:N")),
        description="Bits of an image's codes by each law, the levels one after the other",
        height=38 * len(names) + 20,
        dark=dark,
        scale=scale,
    )


def against_temperature(
    title: str,
    temperatures: np.ndarray,
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    marks: Mapping[str, float],
    chosen: float,
    domain: tuple[float, float],
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """One measure of samples against their temperature, between what real images and uniform codes reach.

    Args:
        title: the measure's name.
        temperatures, values: (P,).
        low, high: (P,) of their intervals.
        marks: what else has this measure, such as real images against real ones: dashed lines.
        chosen: the temperature that is marked.
        domain: of the temperature's axis, which stays as it is while places are measured.
        dark, scale: see `app.figures.theme`.
    """
    curve = columns(t=np.asarray(temperatures, float), value=values, low=low, high=high)
    lines = columns(value=np.array(list(marks.values()), float), name=np.array(list(marks), "U"),
                    t=np.full(len(marks), domain[1]))  # fmt: skip
    tables = {"curve": curve, "marks": lines, "chosen": columns(t=np.array([chosen])),
              "zero": columns(value=np.array([0.0]))}  # fmt: skip
    return Figure(_temperature_spec(title, domain, dark, scale), tables)


@lru_cache(maxsize=32)
def _temperature_spec(title: str, domain: tuple[float, float], dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("t:Q", title="temperature", scale=alt.Scale(domain=list(domain), nice=False), axis=alt.Axis(tickCount=4))
    y = alt.Y("value:Q", title=title, axis=alt.Axis(tickCount=3))
    marks, hue, quiet = source("marks"), accent("model", dark), accent("muted", dark)
    tips = [alt.Tooltip("t:Q", title="temperature"), alt.Tooltip("value:Q", format=".3f", title=title)]
    return layered(
        source("zero").mark_point(opacity=0).encode(y),
        source("chosen").mark_rule(color=accent("data", dark), strokeWidth=2 * scale).encode(x),
        marks.mark_rule(color=quiet, strokeDash=[5, 4]).encode(y),
        marks.mark_text(align="right", dy=-7 * scale, color=quiet, fontSize=11 * scale).encode(x, y, text="name:N"),
        source("curve").mark_line(color=hue).encode(x, y),
        source("curve").mark_rule(color=hue).encode(x, alt.Y("low:Q"), alt.Y2("high:Q")),
        source("curve").mark_point(color=hue).encode(x, y, tooltip=tips),
        description=f"{title} of the samples against their temperature",
        height=180,
        dark=dark,
        scale=scale,
    )
