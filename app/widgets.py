"""One widget for one parameter of an Experiment, bound to the query parameter of its name."""

from __future__ import annotations

import math
from typing import Any

import annotated_types
import streamlit as st

from dgm_core.experiment import Experiment, Parameter

WIDEST_SLIDER = 2000
"""A slider with more integers than this cannot be set to one of them; such a field is typed."""


def label(parameter: Parameter) -> str:
    """The title with its unit, unless the title says it already.

    Example:
        >>> from dgm_core.experiment import Parameter
        >>> label(Parameter("t", "float", "Time", "", 0.0, 0.0, 1.0, (), "s", True, False, {}))
        'Time (s)'
    """
    said = parameter.unit.lower() in parameter.title.lower()
    return parameter.title if said else f"{parameter.title} ({parameter.unit})"


def log_grid(low: float, high: float, *extra: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, several a decade, with both bounds and ``extra``; increasing.

    Every one is the float that its short decimal text means, so that it survives a link unchanged.

    Example:
        >>> log_grid(1, 100, 42)
        [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 42.0, 50.0, 70.0, 100.0]
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    mantissas = ("1", "1.5", "2", "3", "5", "7") if math.log10(high / low) <= 3 else ("1", "2", "5")
    marks = {float(f"{mantissa}e{decade}") for decade in decades for mantissa in mantissas}
    return sorted({mark for mark in marks if low <= mark <= high} | {float(low), float(high), *map(float, extra)})


def short(value: float) -> str:
    """The shortest usual text that reads back as the same number.

    Example:
        >>> short(0.0005), short(2000), short(0.1 + 0.2)
        ('0.0005', '2000', '0.30000000000000004')
    """
    text = f"{value:g}"
    return text if float(text) == value else repr(value)


def nice_step(low: float, high: float) -> float:
    """A power of ten that divides a range into 100 to 1,000 steps.

    Example:
        >>> nice_step(0.0, 1.0), nice_step(-3.0, 3.0)
        (0.01, 0.01)
    """
    return float(f"1e{math.floor(math.log10((high - low) / 100))}")


def widget(cls: type[Experiment], parameter: Parameter, key: str, current: Any) -> Any:
    """Draw the widget that suits a parameter and return its value.

    Args:
        cls: where the parameter is declared.
        parameter: what it is.
        key: widget key and query parameter.
        current: the value now; a logarithmic slider has it among its stops.
    """
    shared: dict[str, Any] = {"key": key, "help": parameter.help or None}
    shared |= {"bind": "query-params"} if is_bound(parameter) else {"persist_state": "session"}
    title = label(parameter)
    if parameter.kind == "bool":
        return st.toggle(title, parameter.default, **shared)
    if parameter.kind == "text":
        return st.text_input(title, parameter.default, max_chars=longest(cls, parameter.name), **shared)
    if parameter.kind == "choice":
        return _choice(title, parameter, shared)
    return _number(title, parameter, shared, current)


def is_bound(parameter: Parameter) -> bool:
    """Whether Streamlit itself keeps the address in step.

    It would write a choice's label there, which is for people and may change; `app.memory` writes the name instead.
    """
    return not parameter.labels


def longest(cls: type[Experiment], name: str) -> int | None:
    """How many characters a text field may have, None for any number."""
    for rule in cls.model_fields[name].metadata:
        if isinstance(rule, annotated_types.MaxLen):
            return rule.max_length
    return None


def _choice(title: str, parameter: Parameter, shared: dict[str, Any]) -> Any:
    options, names = list(parameter.choices), parameter.labels
    letters = sum(len(names.get(option, option)) for option in options)
    if names:
        shared = {**shared, "format_func": lambda option: names.get(option, option)}
    if len(options) <= 4 and letters <= 44:
        return st.segmented_control(title, options, default=parameter.default, required=True, **shared)
    if len(options) <= 8 and letters <= 64:
        return st.pills(title, options, default=parameter.default, required=True, **shared)
    return st.selectbox(title, options, index=options.index(parameter.default), **shared)


def _number(title: str, parameter: Parameter, shared: dict[str, Any], current: Any) -> Any:
    kind: Any = int if parameter.kind == "int" else float
    # `Parameter` promises bounds for every number.
    low, high, default = kind(parameter.low), kind(parameter.high), kind(parameter.default)
    if parameter.log and low > 0:
        stops = [kind(stop) for stop in log_grid(low, high, default, current) if kind(stop) == stop]
        return st.select_slider(title, stops, value=default, format_func=short, **shared)
    if kind is int and high - low > WIDEST_SLIDER:
        return st.number_input(title, low, high, default, step=1, **shared)
    step = 1 if kind is int else nice_step(low, high)
    return st.slider(title, low, high, default, step=step, format=None if kind is int else _decimals(step), **shared)


def _decimals(step: float) -> str:
    return f"%.{max(0, -math.floor(math.log10(step)))}f"
