"""The Check section: what theory fixes beside what the shown flow gives, measured in a worker."""

from __future__ import annotations

from app.furniture import measured_checks
from app.trained import Trained, seen_by_view
from dgm_core.cnf.views import FlowChecks


def check(trained: Trained) -> None:
    """Draw the table for the flow shown; it is measured once and kept."""
    measured_checks(FlowChecks(**seen_by_view(trained)))
