"""A number that theory fixes beside the number measured just now."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """One line of a page's Check table.

    Args:
        name: what is measured, in words or LaTeX.
        measured: the value found just now.
        expected: what theory or the paper says.
        error: how far the two may differ: a tolerance, or a standard error.
        kind: how ``error`` is meant. ``"tolerance"``: |measured − expected| ≤ error. ``"standard error"``: ≤ 4 error,
            so that a true statement fails once in 16,000 looks. ``"at most"``: measured ≤ expected + error.
        unit: of all three numbers, e.g. ``"nats"``.
        source: equation, slide or paper that fixes the expected value.
        note: one short sentence, where the line needs one.

    Example:
        >>> Check("mass", 1.0004, 1.0, 1e-3, "tolerance").passed
        True
        >>> Check("mass", float("nan"), 1.0, 1e-3, "tolerance").passed
        False
    """

    name: str
    measured: float
    expected: float
    error: float
    kind: Literal["tolerance", "standard error", "at most"]
    unit: str = ""
    source: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether measured and expected agree within the error; NaN never does."""
        if not (math.isfinite(self.measured) and math.isfinite(self.error)):
            return False
        if self.kind == "at most":
            return self.measured <= self.expected + self.error
        return abs(self.measured - self.expected) <= self.error * (4.0 if self.kind == "standard error" else 1.0)


def write_checks(checks: Sequence[Check]) -> bytes:
    """Checks as JSON."""
    return json.dumps([dataclasses.asdict(check) for check in checks]).encode()


def read_checks(text: bytes) -> list[Check]:
    """Read what `write_checks` wrote.

    Raises:
        ValueError: when it is no table of checks.

    Example:
        >>> check = Check("mass", 1.0, 1.0, 1e-3, "tolerance")
        >>> read_checks(write_checks([check])) == [check]
        True
    """
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        return [Check(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"this is no table of checks: {error}") from error
