"""A one-click experiment that asks for a prediction first: data that the page shows and the tests run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """One item of a page's Try section.

    Args:
        name: short, unique on its page; it goes into links.
        question: asked before anything is shown.
        options: the predictions to choose from.
        answer: the right one's index in ``options``.
        reveal: one or two sentences shown afterwards.
        settings: field values for the page's Experiment.
        against: a single field with its other value, for an A | B view; empty for none.
    """

    name: str
    question: str
    options: tuple[str, ...]
    answer: int
    reveal: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.options):
            raise ValueError(
                f"preset {self.name!r}: answer {self.answer} is not one of its {len(self.options)} options"
            )
