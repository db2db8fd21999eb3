"""The Check: what theory fixes beside what was measured just now."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dgm_core.checks import Check

STYLE = """<style>
.st-key-check { overflow-x: auto; }
.st-key-check table { width: 100%; font-variant-numeric: tabular-nums; border-collapse: collapse; }
.st-key-check table .katex { font-size: 1em; }
.st-key-check th, .st-key-check td { border: 0; border-bottom: 1px solid var(--st-border-color, #8884);
  padding: .45rem 1rem .45rem 0; vertical-align: baseline; }
.st-key-check th { font-weight: 500; opacity: .72; font-size: .875em; white-space: nowrap; }
.st-key-check td:nth-child(2) { min-width: 9rem; }
.st-key-check td:nth-child(3) { min-width: 7.5rem; }
.st-key-check td:first-child, .st-key-check td:nth-child(n+4):nth-child(-n+5) { white-space: nowrap; }
.st-key-check td:first-child { font-weight: 600; }
.st-key-check td:last-child { font-size: .875em; opacity: .8; padding-right: 0; }
</style>"""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
HEAD = "| | what | measured | theory | allowed | source |\n|:--|:--|--:|--:|:--|:--|\n"


def check_table(checks: Sequence[Check], sampled_at: datetime | str | None = None) -> None:
    """Draw a row for each check: verdict in words and colour, measured, expected, what is allowed, where it stands.

    Args:
        checks: the numbers.
        sampled_at: when or with what they were measured, shown beneath.
    """
    if not checks:
        st.caption("Nothing has been measured yet.")
        return
    with st.container(key="check", gap="small"):
        st.html(STYLE)
        st.markdown(table(checks))
        st.caption(summary(checks, sampled_at))


def table(checks: Sequence[Check]) -> str:
    """The checks as a Markdown table."""
    return HEAD + "\n".join(row(check) for check in checks)


def row(check: Check) -> str:
    """One check as a row of a Markdown table."""
    verdict = ":green[✓ holds]" if check.passed else ":red[✗ fails]"
    unit = f" {check.unit}" if check.unit else ""
    what = check.name + (f" :gray[:small[{check.note}]]" if check.note else "")
    cells = [verdict, what, number(check.measured, check.error) + unit, theory(check), allowed(check), check.source]
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def theory(check: Check) -> str:
    """The expected value, with ≤ where it is a bound."""
    return ("≤ " if check.kind == "at most" else "") + number(check.expected, check.error)


def allowed(check: Check) -> str:
    """How far measured and expected may differ, in words.

    Example:
        >>> allowed(Check("mass", 1.0, 1.0, 1e-3, "tolerance"))
        '± 0.001'
        >>> allowed(Check("mean", 1.0, 1.0, 0.02, "standard error"))
        '± 4 × 0.02'
    """
    error = powers(f"{check.error:.2g}")
    if check.kind == "standard error":
        return f"± 4 × {error}"
    if check.kind == "at most":
        if not check.error:
            return "none"
        return f"{'−' if check.error < 0 else '+'} {error.removeprefix('−')}"
    return f"± {error}"


def number(value: float, error: float) -> str:
    """A value with the digits that its error leaves, and one more.

    Example:
        >>> number(1.000412, 1e-3), number(2.8e-7, 1e-5), number(float("nan"), 1.0)
        ('1.0004', '2.8 · 10⁻⁷', 'not a number')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        return powers(f"{value:.1e}")
    digits = 1 - math.floor(math.log10(error)) if error > 0 and math.isfinite(error) else 4
    return f"{value:.{min(max(digits, 0), 6)}f}".replace("-", "−")


def powers(text: str) -> str:
    """A number's text with its power of ten as one reads it.

    Example:
        >>> powers("-1.5e-05"), powers("1e-07"), powers("0.02")
        ('−1.5 · 10⁻⁵', '10⁻⁷', '0.02')
    """
    mantissa, e, power = text.partition("e")
    head = mantissa.replace("-", "−")
    if not e:
        return head
    return ("" if head == "1" else f"{head} · ") + f"10{str(int(power)).translate(SUPERSCRIPTS)}"


def cell(text: str) -> str:
    """Text that does not end its table cell: bars and line breaks are written otherwise."""
    parts = re.split(r"(\$[^$]*\$)", " ".join(text.split()))
    return "".join(_bars(part) for part in parts)


def _bars(part: str) -> str:
    if not part.startswith("$"):
        return part.replace("|", r"\|")
    return part.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def summary(checks: Sequence[Check], sampled_at: datetime | str | None = None) -> str:
    """How many hold, and when they were measured."""
    held = sum(check.passed for check in checks)
    when = f"{sampled_at:%H:%M:%S}" if isinstance(sampled_at, datetime) else sampled_at
    errors = any(check.kind == "standard error" for check in checks)
    parts = [f"{held} of {len(checks)} hold", f"measured {when}" if when else "", "4 × : four standard errors" * errors]
    return " · ".join(part for part in parts if part)
