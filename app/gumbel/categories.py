"""K categories: logits under the finger, noise, winner and softmax, one draw at a time or thousands."""

from __future__ import annotations

import math

import streamlit as st

from app.controls import apply_settings
from app.furniture import code_section, copy_link, in_classroom, measured_checks, try_section
from app.gumbel.resting import Resting
from app.race import category_race
from app.takeaway import rest_of_address
from dgm_core.gumbel.presets import CATEGORIES
from dgm_core.gumbel.views import CategoryChecks, ConcreteChecks
from dgm_core.presets import Preset

PREFIX = "k_"


def categories() -> None:
    """Draw the part."""
    now = _stage()
    st.header("Check", anchor="check")
    measured_checks(now, key="categories")
    st.header("Try", anchor="try")
    try_section(CATEGORIES, _apply, key="try_categories")
    st.header("Take it home", anchor="home")
    copy_link(now, rest_of_address(now), key="link_categories")
    code_section(_code(now), key="code_categories")


def _stage() -> ConcreteChecks:
    stage = Resting(CategoryChecks, PREFIX)
    number, given = stage.given()
    logits = [math.log(p) if p > 0 else -math.inf for p in given.pi]
    event = category_race(key=f"race:{number}", logits=logits, tau=given.tau, seed=given.seed, classroom=in_classroom())
    top = max(event.logits)
    return stage.rests([math.exp(logit - top) for logit in event.logits], event.tau, event.seed)


def _apply(preset: Preset) -> None:
    apply_settings(CategoryChecks, preset.settings, prefix=PREFIX)


def _code(now: ConcreteChecks) -> str:
    return f"""import torch
from dgm_core.gumbel import sample_gumbel, weights_to_logits

logits = weights_to_logits(torch.tensor([{now.weights}]))
noise = sample_gumbel((10_000, len(logits)), torch.Generator().manual_seed({now.seed}))
winner = (logits + noise).argmax(1)
print("pi       ", logits.exp())
print("frequency", winner.bincount(minlength=len(logits)) / len(winner))
print("E[z]     ", torch.softmax((logits + noise) / {now.tau or 0.01:g}, 1).mean(0))
"""
