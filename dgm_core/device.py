"""Which devices there are, and which one ``"auto"`` means."""

from __future__ import annotations

import torch


def available() -> tuple[str, ...]:
    """Names of the devices that torch can use here, best first.

    Example:
        >>> "cpu" in available()
        True
    """
    names = []
    if torch.cuda.is_available():
        names.append("cuda")
    if torch.backends.mps.is_available():
        names.append("mps")
    return (*names, "cpu")


def resolve(name: str = "auto") -> torch.device:
    """The torch device for a name; ``"auto"`` is the best there is.

    Raises:
        ValueError: when this machine has no such device.
    """
    if name == "auto":
        return torch.device(available()[0])
    if name.split(":")[0] not in available():
        raise ValueError(f"this machine has no {name} device; it has {', '.join(available())}")
    return torch.device(name)
