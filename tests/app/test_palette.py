"""Colours: enough contrast on both grounds, apart for every kind of colour vision, the same in the theme's file."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.figures.palette import ACCENTS, GRID, GROUND, INK, PANEL, Accent, accent

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
MAIN = ("data", "model", "base", "latent")

# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency",
# table 1, severity 1.0; applied to linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ @ np.ones(3)


def linear(colour: str) -> np.ndarray:
    """``#rrggbb`` as linear RGB (IEC 61966-2-1)."""
    encoded = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    lights = sorted(float(XYZ[1] @ linear(colour)) + 0.05 for colour in (one, other))
    return lights[1] / lights[0]


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (1976) of linear RGB under D65."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_oracle_knows_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=1e-3)
    np.testing.assert_allclose(lab(linear("#ffffff")), [100, 0, 0], atol=0.02)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("meaning", sorted(ACCENTS))
def test_an_accent_stands_out_from_the_page_and_from_panels(meaning: Any, dark: bool) -> None:
    for ground in (GROUND, PANEL):
        assert contrast(accent(meaning, dark), ground.on(dark)) >= 3.0


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read(dark: bool) -> None:
    for ground in (GROUND, PANEL):
        assert contrast(INK.on(dark), ground.on(dark)) >= 7.0
        for meaning in ("good", "bad", "muted", *MAIN):
            assert contrast(accent(meaning, dark), ground.on(dark)) >= 4.5  # type: ignore[arg-type]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", sorted(VISION))
def test_meanings_differ_for_every_kind_of_colour_vision(vision: str, dark: bool) -> None:
    seen = {meaning: lab(VISION[vision] @ linear(accent(meaning, dark))) for meaning in MAIN}  # type: ignore[arg-type]
    for one, other in itertools.combinations(MAIN, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 18, (one, other)


def test_an_unknown_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="no accent is called 'truth'; there are data"):
        accent("truth", False)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_has_the_palettes_colours(mode: str) -> None:
    theme = tomllib.loads(CONFIG.read_text())["theme"][mode]
    want: dict[str, Accent] = {
        "backgroundColor": GROUND, "secondaryBackgroundColor": PANEL, "textColor": INK, "borderColor": GRID,
        "greenTextColor": ACCENTS["good"], "redTextColor": ACCENTS["bad"], "orangeTextColor": ACCENTS["data"],
        "blueTextColor": ACCENTS["model"], "violetTextColor": ACCENTS["latent"], "grayTextColor": ACCENTS["muted"],
    }  # fmt: skip
    assert {name: theme[name] for name in want} == {name: colour.on(mode == "dark") for name, colour in want.items()}
    order = ("model", "data", "base", "latent")
    assert theme["chartCategoricalColors"][:4] == [accent(meaning, mode == "dark") for meaning in order]  # type: ignore[arg-type]
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= 4.5
    assert len(theme["chartSequentialColors"]) == 10


def test_garbage_is_not_collected_after_every_rerun() -> None:
    config = tomllib.loads(CONFIG.read_text())
    assert config["runner"]["postScriptGC"] is False
    assert config["global"]["maxCachedMessageAge"] >= 20
    assert config["server"]["address"] == "127.0.0.1"
