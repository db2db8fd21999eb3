"""Where a user's runs and data are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder for all that outlives a process: ``DGM_HOME`` where that is set, else the platform's data folder.

    The folder is made when it is missing.

    Raises:
        OSError: when it can neither be found nor made.

    Example:
        >>> home().is_dir()
        True
    """
    chosen = os.environ.get("DGM_HOME", "").strip()
    folder = Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("dgm-live", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
