"""Several small ES modules as the one script that an inline Streamlit component takes."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path

from app.figures.colourmaps import COLOUR_MAPS, table

IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
BAR = Path(__file__).with_name("bar.html")
"""The buttons, the slider and the time, the same for every player."""
EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def bundle(files: Sequence[Path]) -> str:
    """Join ES modules in the order given, each after those that it imports.

    The modules share one scope afterwards: imports and named exports go, the last file's ``export default`` stays. So
    top-level names must differ between files.

    Raises:
        ValueError: when an import is left that this simple join cannot take away.
    """
    script = "\n".join(EXPORT.sub("", IMPORT.sub("", path.read_text("utf-8"))) for path in files)
    if re.search(r"^\s*import\b", script, re.MULTILINE):
        raise ValueError(f"an import is left in the bundle of {', '.join(path.name for path in files)}")
    return script


def markup(file: Path) -> str:
    """A player's HTML with the bar of buttons in place of its comment ``bar``."""
    return file.read_text("utf-8").replace("<!-- bar -->", BAR.read_text("utf-8").strip())


def colour_tables() -> str:
    """The colour maps as JavaScript: ``const COLOUR_TABLES = {viridis: "<base64 of 256·3 bytes>", …}``."""
    entries = [f'{name}: "{base64.b64encode(table(name).tobytes()).decode()}"' for name in COLOUR_MAPS]
    return f"const COLOUR_TABLES = {{ {', '.join(entries)} }};\n"
