"""What comes back from the manifolds stage in the browser, taken for what it is: anything at all."""

from __future__ import annotations

from collections.abc import Mapping

MOST = 1000
"""Neighbours that a stage may have."""


def k_of(sent: object) -> int | None:
    """Read the component's value; what is no number of neighbours counts as nothing.

    Args:
        sent: ``{"k": k, "n": number}``, as the browser sent it.

    Example:
        >>> k_of({"k": 7, "n": 1}), k_of({"k": 7.5}), k_of("nonsense")
        (7, None, None)
    """
    k = sent.get("k") if isinstance(sent, Mapping) else None
    return k if type(k) is int and 1 <= k <= MOST else None
