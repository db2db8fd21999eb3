"""A | B: two settings side by side, with the one changed field named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from app.bones.notes import notes
from app.bones.switch import from_address, to_address
from app.controls import controls
from app.memory import Memory
from dgm_core.experiment import Experiment, problem

E = TypeVar("E", bound=Experiment)


def ab_section(left: Experiment, right: Experiment, draw: Callable[[Any, str], None]) -> None:
    """Draw A and B beside each other, under a line that names what differs.

    Args:
        left, right: two Experiments of one class.
        draw: called with an Experiment and ``"a"`` or ``"b"`` (for keys), inside that side's column.
    """
    st.markdown(difference(left, right))
    for side, experiment, column in zip("ab", (left, right), st.columns(2), strict=True):
        with column:
            st.markdown(f"**{side.upper()}** · {_values(left, right)[side == 'b']}")
            draw(experiment, side)


def ab_controls(experiment: E, fields: Sequence[str], *, prefix: str = "b_") -> E:
    """Choose one field and its other value; returns B, which differs from A in that field alone."""
    titles = {parameter.name: parameter.title for parameter in type(experiment).parameters()}
    key = f"{prefix}field"
    from_address(key, fields, fields[0])
    name = st.selectbox("B differs in", list(fields), format_func=titles.__getitem__, key=key, persist_state="session")
    to_address(key, name, fields[0])
    Memory(type(experiment), prefix).remember(experiment.model_dump(exclude={name}))  # B is A but for one field
    other = controls(type(experiment), prefix=prefix, only=[name], basic_first=False)
    try:
        return type(experiment)(**{**experiment.model_dump(), name: getattr(other, name)})
    except ValidationError as error:
        notes([f"B cannot be: {problem(error)}."])
        return experiment


def difference(left: Experiment, right: Experiment) -> str:
    """What differs, as one line of Markdown."""
    titles = {parameter.name: parameter.title for parameter in type(left).parameters()}
    changed = [titles[name] for name in left.differences(right)]
    if not changed:
        return "A and B are the same; change one setting of B."
    return f"Only **{changed[0]}** differs." if len(changed) == 1 else f"**{', '.join(changed)}** differ."


def _values(left: Experiment, right: Experiment) -> tuple[str, str]:
    changed = left.differences(right).values()
    return tuple(", ".join(str(pair[side]) for pair in changed) or "as A" for side in (0, 1))  # type: ignore[return-value]
