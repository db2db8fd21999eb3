"""The badge with the device in use."""

from __future__ import annotations

import streamlit as st

from dgm_core.device import available, resolve

DEVICE_KEY = "device"
NAMES = {"cuda": "CUDA", "mps": "MPS", "cpu": "CPU"}


def chosen_device() -> str:
    """What the viewer chose: ``"auto"`` or a device that this machine has."""
    choice = st.session_state.get(DEVICE_KEY, "auto")
    return choice if choice in available() else "auto"


def device_badge() -> str:
    """Show the device in use and let one choose; drawn in ``app/main.py``, it holds on all pages.

    Returns:
        ``"auto"`` or a device's name, as `dgm_core.device.resolve` takes it.
    """
    in_use = resolve(chosen_device()).type
    with st.popover(NAMES[in_use], icon=":material/memory:", help="Where models are trained and run", type="tertiary"):
        st.radio(
            "Compute on",
            ["auto", *available()],
            format_func=lambda name: describe(name),
            key=DEVICE_KEY,
            persist_state="session",
        )
        st.caption("Links leave this out: another machine has other devices.")
    return chosen_device()


def describe(name: str) -> str:
    """A device's name for the screen."""
    return f"best here ({NAMES[resolve().type]})" if name == "auto" else NAMES[name]
