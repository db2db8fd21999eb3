"""Words as densities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.data.densities import word_target
from dgm_core.data.words import SIDE, word_ink
from dgm_core.errors import DataError


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 25, "25 letters; at most 24"),
        ("日本", "no sign for “日”, “本”"),
        ("a\x00b", "no sign for U+0000"),
        ("π", "no sign for “π”"),
    ],
)
def test_what_cannot_be_drawn_gets_its_sentence(text: str, part: str):
    with pytest.raises(DataError) as caught:
        word_target(text)
    assert part in str(caught.value)


def test_letters_stand_upright_and_in_order():
    # An L has its ink at the left and at the bottom; in the plane the bottom is at negative y.
    x = word_target("L").sample(4000, seed=0)
    assert x[:, 0].median() < 0
    assert x[:, 1].median() < 0
    # “lo” begins with the narrow letter: the columns of ink are those of l, a gap, those of o.
    columns = word_ink("lo").max(axis=0) > 0.5
    runs = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int), [0]])))
    assert len(runs) == 4
    assert runs[1] - runs[0] < runs[3] - runs[2]


def test_upper_and_lower_case_differ():
    assert word_ink("flow").shape != word_ink("FLOW").shape


def test_several_words_are_broken_into_lines():
    flat, broken = word_ink("generative"), word_ink("deep generative models")
    assert flat.shape[0] < SIDE / 3
    assert broken.shape[0] > SIDE / 3
    assert torch.equal(word_target(" a  b ").sample(9, 1), word_target("a b").sample(9, 1))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=24))
def test_printable_ascii_always_works(text: str):
    if not text.strip():
        return
    ink = word_ink(text)
    assert 1 <= min(ink.shape) <= max(ink.shape) == SIDE
    assert ink.max() > 0.3
    law = word_target(text)
    assert torch.isfinite(law.log_prob(law.sample(500, seed=1))).all()
