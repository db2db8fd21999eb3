"""What all sessions share: the run store, the runner, and how torch runs."""

from __future__ import annotations

import streamlit as st
import torch

from dgm_core.runs import Runner, RunStore


@st.cache_resource(show_spinner=False)
def settle() -> bool:
    """Once a process, before the first page: torch with one thread, for the server only draws.

    Many threads on few cores would wait for each other; trainings run in processes of their own.
    """
    torch.set_num_threads(1)
    return True


@st.cache_resource(show_spinner=False)
def runner() -> Runner:
    """The one Runner of this server; it alone writes the store."""
    return Runner(RunStore())
