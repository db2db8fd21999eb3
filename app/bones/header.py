"""The head of a page: its question, the lecture's formula, and what the colours in it mean."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st

from app.figures.palette import Meaning, accent
from app.theme import is_dark

Legend = Mapping[str, tuple[Meaning, str]]
"""LaTeX symbol → (meaning, a word or two), e.g. ``{r"p_1": ("data", "the data")}``."""


def page_header(question: str, formula: str, legend: Legend | None = None) -> None:
    """Draw the question, and beneath it the formula, its symbols coloured as they are in the picture.

    Args:
        question: one line; the page's title.
        formula: LaTeX without dollar signs.
        legend: what the coloured symbols mean.
    """
    legend, dark = legend or {}, is_dark()
    st.html("<style>.st-key-page_head p { line-height: 2.7; }</style>")  # a formula that wraps needs the room
    line = f"$\\displaystyle {coloured(formula, legend, dark)}$"
    with st.container(key="page_head", gap="xsmall"):
        st.title(question, anchor=False)
        st.markdown(f"{line} &emsp; {legend_line(legend, dark)}" if legend else line)


def coloured(formula: str, legend: Legend, dark: bool) -> str:
    """The formula with each of the legend's symbols in its meaning's colour.

    A symbol is found as a whole: ``z`` is not found in ``\\frac{dz}{dt}`` nor in ``\\zeta``.

    Example:
        >>> coloured("p(x) = x", {"x": ("data", "a point")}, dark=False)
        'p(\\\\textcolor{#b3471b}{x}) = \\\\textcolor{#b3471b}{x}'
    """
    if not legend:
        return formula
    symbols = sorted(legend, key=len, reverse=True)
    pattern = re.compile("|".join(f"(?<![A-Za-z\\\\]){re.escape(s)}{_end(s)}" for s in symbols))
    return pattern.sub(lambda found: paint(found.group(), legend[found.group()][0], dark), formula)


def paint(latex: str, meaning: Meaning, dark: bool) -> str:
    """LaTeX in a meaning's colour."""
    return f"\\textcolor{{{accent(meaning, dark)}}}{{{latex}}}"


def legend_line(legend: Legend, dark: bool) -> str:
    """One line of Markdown: each symbol in its colour and its word."""
    return " &ensp; ".join(f"${paint(symbol, meaning, dark)}$ {word}" for symbol, (meaning, word) in legend.items())


def _end(symbol: str) -> str:
    return "(?![A-Za-z])" if symbol[-1].isalpha() else ""
