"""What all sessions share: the run store, the runner, and a process made ready for many short reruns."""

from __future__ import annotations

import gc

import streamlit as st
import torch

from dgm_core.runs import Runner, RunStore


@st.cache_resource(show_spinner=False)
def settle() -> bool:
    """Once a process: move all that is imported out of the garbage collector's sight, so that reruns stay short."""
    torch.set_num_threads(1)  # the server only draws; many threads on few cores would wait for each other
    gc.collect()
    gc.freeze()
    return True


@st.cache_resource(show_spinner=False)
def runner() -> Runner:
    """The one Runner of this server; it alone writes the store."""
    return Runner(RunStore())
