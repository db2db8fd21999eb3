"""What one takes home: the code that makes the picture, and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Export:
    """A file to take home.

    Args:
        label: on the button, e.g. ``"MP4"``.
        filename: suggested to the browser.
        mime: its type.
        make: called when the button is pressed, not before; it may not call Streamlit.
    """

    label: str
    filename: str
    mime: str
    make: Callable[[], bytes]


def export_section(items: Sequence[Export], *, key: str = "export") -> None:
    """Draw a button for each file; its bytes are made on demand."""
    with st.container(horizontal=True, key=key, gap="small"):
        for item in items:
            st.download_button(
                item.label,
                item.make,
                item.filename,
                item.mime,
                key=f"{key}:{item.filename}",
                icon=":material/download:",
                on_click="ignore",
            )


@st.fragment
def code_section(code: str, *, title: str = "The code that makes this picture", key: str = "code") -> None:
    """Show Python that runs as it stands, and the same as one paste into a shell, once the section is opened.

    Streamlit's code box loads 1.5 MB of script into the browser: the picture shall not wait for that.

    Args:
        code: Python.
        title: of the section that opens.
        key: unique on the page.
    """
    section = st.expander(title, icon=":material/code:", key=key, on_change="rerun")
    if not section.open:
        return
    with section:
        python, shell = st.tabs(["Python", "Shell"])
        python.code(code.strip(), language="python")
        shell.code(shell_form(code), language="bash")


def shell_form(code: str, interpreter: str = ".venv/bin/python") -> str:
    """The code as one command for a shell at the root of the repository.

    Example:
        >>> print(shell_form("print(1)"))
        .venv/bin/python - <<'END'
        print(1)
        END
    """
    return f"{interpreter} - <<'END'\n{code.strip()}\nEND"
