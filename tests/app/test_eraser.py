"""What is erased of a code map: masks through links and browsers, and what a law puts in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app import trained as store
from app.eraser import lower_half, mask_of, validated, word_of
from app.trained import Trained
from app.vqvae.drawing import completed, held_out
from dgm_core import zoo
from dgm_core.nn.code_model import CodeModel
from tests.app.test_pages import no_failure, opened

PRIOR = Trained("shipped", "vqvae-shapes-prior", zoo.experiment("vqvae-shapes-prior"))
HOSTILE = ["", "<b>", "f" * 15, "f" * 17, "F" * 16, "g" * 16, "ffff\nffffffffffff", "ﬀ" * 16, None, 5]


@given(arrays(bool, st.tuples(st.integers(1, 17), st.integers(1, 17))))
def test_a_mask_survives_its_word(mask: np.ndarray) -> None:
    """The same mask comes back, and cell i is bit i of the word, counted by Python's own integers."""
    word = word_of(mask)
    again = mask_of(word, mask.shape)
    assert again is not None
    np.testing.assert_array_equal(again, mask)
    bits = bin(int("1" + word, 16))[3:]
    assert [bit == "1" for bit in bits[: mask.size]] == mask.ravel().tolist()


@pytest.mark.parametrize("word", HOSTILE)
def test_no_mask(word: object) -> None:
    assert mask_of(word, (8, 8)) is None


def test_a_bit_beyond_the_last_cell_is_no_mask() -> None:
    assert mask_of("f", (1, 3)) is None
    assert mask_of("e", (1, 3)) is not None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)))
@settings(max_examples=60)
def test_whatever_a_browser_sends(cells: object) -> None:
    """A mask comes of a list of cells alone."""
    found = validated({"rows": 2, "columns": 2, "cells": cells}, (2, 2))
    fits = isinstance(cells, list) and len(cells) <= 4 and all(type(c) is int and 0 <= c < 4 for c in cells)
    assert (found is not None) == fits
    if found is not None:
        assert set(np.flatnonzero(found)) == set(cells)  # type: ignore[call-overload]


@pytest.mark.parametrize("region", ["lower", "left", "centre", "one", "all"])
def test_what_is_given_stays_and_what_is_erased_is_drawn(region: str) -> None:
    """Pixels far from what is erased are those of the whole map; frames uncover one cell each, in raster order."""
    mask = np.zeros((8, 8), bool)
    where: dict[str, Any] = {
        "lower": np.s_[4:],
        "left": np.s_[:, :4],
        "centre": np.s_[2:6, 2:6],
        "one": np.s_[3, 3],
        "all": np.s_[:],
    }
    mask[where[region]] = True
    found, held = completed(PRIOR, 6, word_of(mask), 1.0, 0, 1), held_out(PRIOR)
    assert not isinstance(found, str)
    assert not isinstance(held, str)
    assert found.cells.tolist() == np.flatnonzero(mask).tolist()
    assert found.probabilities.shape == (mask.sum(), 256)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-4)
    assert (found.probabilities[np.arange(len(found.cells)), found.codes] > 0).all()
    assert (found.fewest is None) == (region in ("lower", "all"))
    frames = found.reel.frames
    assert len(frames) == mask.sum() + 1
    covered = [(frame[0, 0].reshape(8, 4, 8, 4, 3) == 96).all((1, 3, 4)) for frame in frames]
    for step, now in enumerate(covered):
        assert np.flatnonzero(now).tolist() == found.cells[step:].tolist()


def test_laws_of_missing_codes_are_the_laws_own() -> None:
    """One code is missing: the law of it, given those before it, from the model's conditionals in one pass (1e-5)."""
    mask = np.zeros((8, 8), bool)
    mask[3, 5] = True
    found, held, law = completed(PRIOR, 2, word_of(mask), 0.7, 0, 0), held_out(PRIOR), store.model(PRIOR)
    assert not isinstance(found, str)
    assert not isinstance(held, str)
    assert isinstance(law, CodeModel)
    with torch.no_grad():
        expected = (law.logits(held.maps[2:3])[0, 3, 5].double() / 0.7).softmax(0)
    np.testing.assert_allclose(found.probabilities[0], expected, atol=1e-5)


def test_the_lower_half_goes_on_as_the_law_does() -> None:
    """Codes that are given before all missing ones need no weights: the same noise gives the law's own draw."""
    held, law = held_out(PRIOR), store.model(PRIOR)
    assert not isinstance(held, str)
    assert isinstance(law, CodeModel)
    found = completed(PRIOR, 4, word_of(lower_half((8, 8))), 1.0, 0, 9)
    assert not isinstance(found, str)
    given_ = held.maps[4].clone()
    given_[4:] = -1
    drawn = law.draw(4, 1.0, torch.Generator().manual_seed(9), given=given_).codes
    assert found.codes.tolist() == drawn[0, 4:].flatten().tolist()


@pytest.mark.parametrize("word", ["00003c3c3c3c0000", "0" * 16, "nonsense", "f" * 40])
def test_the_page_opens_on_an_erased_image(word: str) -> None:
    app = opened("vqvae", {"part": "prior", "r_way": "erased", "r_erased": word, "r_image": "3"})
    no_failure(app)
    assert app.number_input(key="r_image").value == 3
    nothing = any(caption.value.startswith("Nothing is erased") for caption in app.caption)
    assert nothing == (word == "0" * 16)
