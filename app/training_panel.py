"""The training panel: train, watch, stop, resume, go on longer, change the learning rate on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import streamlit as st

from app.bones.device import chosen_device
from app.bones.notes import notes
from app.bones.text import plain
from app.services import runner
from app.widgets import log_grid, short
from dgm_core.experiment import Experiment
from dgm_core.runs import DamagedFileError, QueueFullError, Run, Snapshot

POLL = 0.2
"""Seconds between two looks at a live run."""

Draw = Callable[[Snapshot], None]
Turn = Callable[[bool], None]
"""Told True when a run has been started and False when it has ended, before the page is drawn anew."""


def active_run(experiment: Experiment) -> str | None:
    """The run that this session started or continued for these settings, or one of equal settings that is live."""
    key, run = st.session_state.get(_slot(experiment), (None, None))
    if key == experiment.key:
        return run
    found = runner().find(experiment)
    return found.id if found is not None and found.live else None


def is_live(experiment: Experiment) -> bool:
    """Whether a run for these settings is queued or running."""
    run = active_run(experiment)
    return run is not None and runner().watch(run).live


def training_panel(experiment: Experiment, draw: Draw, *, idle: str = "", on_change: Turn) -> None:
    """Draw the panel for an Experiment; while its run is live the panel looks at it five times a second.

    Args:
        experiment: what the controls say.
        draw: draws a run's figures.
        idle: shown while nothing has been trained here.
        on_change: see `Turn`.
    """
    run = active_run(experiment)
    live = run is not None and runner().watch(run).live
    _tell_end(experiment, run, live, on_change)

    @st.fragment(run_every=POLL if live else None)
    def panel() -> None:
        if run is None:
            _offer(experiment, idle, on_change)
            return
        snapshot = runner().watch(run)
        if live != snapshot.live:
            # It has ended, or a callback has just resumed it: only a run of the whole page sets the timer anew.
            st.rerun()
        _state(snapshot)
        _buttons(experiment, snapshot, on_change)
        draw(snapshot)

    panel()


def _tell_end(experiment: Experiment, run: str | None, live: bool, on_change: Turn) -> None:
    """Say once that the run seen live has ended, whichever part of the page has noticed it and run the page anew."""
    slot = f"{_slot(experiment)}:live"
    if live:
        st.session_state[slot] = run
    elif st.session_state.pop(slot, None) == run and run is not None:
        on_change(False)


def _slot(experiment: Experiment) -> str:
    return f"dgm:active:{experiment.topic}"


def _activate(experiment: Experiment, run: str) -> None:
    st.session_state[_slot(experiment)] = (experiment.key, run)


def _start(experiment: Experiment, on_change: Turn) -> None:
    """Join the run of equal settings that is under way, or start a fresh one."""
    known = runner().find(experiment)
    fresh = known is None or not known.live
    run = _attempt(experiment, lambda: runner().submit(experiment, device=chosen_device(), fresh=fresh))
    if run is not None:
        _activate(experiment, run.id)
        on_change(True)


def _extend(experiment: Experiment, run: str, on_change: Turn) -> None:
    """Go on for as many steps again, as a run of its own."""
    child = _attempt(experiment, lambda: runner().extend(run, int(getattr(experiment, "steps", 1000))))
    if child is not None:
        _activate(experiment, child.id)
        on_change(True)


def _resume(experiment: Experiment, run: str, on_change: Turn) -> None:
    """Go on from the last checkpoint, under the same run."""
    if _attempt(experiment, lambda: runner().resume(run)) is not None:
        on_change(True)


def _attempt(experiment: Experiment, act: Callable[[], Run]) -> Run | None:
    """Do something to a run; what hinders it is kept to be said, and nothing else changes."""
    try:
        return act()
    except (QueueFullError, DamagedFileError, ValueError) as error:
        st.session_state[f"{_slot(experiment)}:complaint"] = str(error)
        return None


def _offer(experiment: Experiment, idle: str, on_change: Turn) -> None:
    if idle:
        st.caption(idle)
    start_button(experiment, "Train it live", on_change)


def start_button(experiment: Experiment, label: str, on_change: Turn, *, key: str = "train") -> None:
    """A button that starts a fresh run; what hinders it is said beneath."""
    complaint = st.session_state.pop(f"{_slot(experiment)}:complaint", None)
    if st.button(
        label, icon=":material/play_arrow:", type="primary", key=key, on_click=_start, args=(experiment, on_change)
    ):
        st.rerun()
    if complaint:
        notes([complaint])


def _state(snapshot: Snapshot) -> None:
    """One line and a bar: how far, how long, what is left; or how it ended and why."""
    share = min(1.0, snapshot.step / max(1, snapshot.total))
    st.progress(share, text=describe(snapshot))
    if snapshot.reason and not snapshot.live:
        notes([snapshot.reason], icon=":material/warning:")


def describe(snapshot: Snapshot) -> str:
    """Where a run stands, as one line of Markdown."""
    steps = f"step {snapshot.step:,} of {snapshot.total:,}"
    if snapshot.finishing:
        return f"{steps} · {snapshot.seconds:.1f} s · making the film"
    if snapshot.state == "queued":
        return f"Waiting, place {snapshot.place} in the queue" if snapshot.place else "Starting"
    if snapshot.state == "running":
        left = "" if snapshot.seconds_left is None else f" · {snapshot.seconds_left:.0f} s left"
        return f"{steps} · {snapshot.seconds:.1f} s{left}"
    ended = {"done": "Trained", "failed": "Failed", "cancelled": "Stopped", "interrupted": "Interrupted"}
    return f"{ended[snapshot.state]} · {steps} · {snapshot.seconds:.1f} s on {plain(snapshot.run.device.upper())}"


def _buttons(experiment: Experiment, snapshot: Snapshot, on_change: Turn) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if snapshot.live:
            st.button("Stop", icon=":material/stop:", key="stop", on_click=runner().stop, args=(snapshot.run.id,))
            _learning_rate(experiment, snapshot)
            return
        start_button(experiment, "Train again" if snapshot.state == "done" else "Train anew", on_change)
        if snapshot.run.resumable and st.button(
            "Resume",
            icon=":material/resume:",
            key="resume",
            on_click=_resume,
            args=(experiment, snapshot.run.id, on_change),
        ):
            st.rerun()
        if snapshot.state == "done" and st.button(
            "Continue longer", icon=":material/fast_forward:", key="extend",
            help="As many steps again, from where it ended.",
            on_click=_extend, args=(experiment, snapshot.run.id, on_change),
        ):  # fmt: skip
            st.rerun()


def _learning_rate(experiment: Experiment, snapshot: Snapshot) -> None:
    parameter = next((p for p in experiment.parameters() if p.name == "learning_rate"), None)
    if parameter is None or parameter.low is None or parameter.high is None:
        return
    key = f"live_rate:{snapshot.run.id}"
    start = float(getattr(experiment, "learning_rate"))  # noqa: B009  an Experiment need not have one

    def send() -> None:
        # Where the run has ended meanwhile there is nothing left to change.
        with contextlib.suppress(ValueError):
            runner().control(snapshot.run.id, learning_rate=float(st.session_state[key]))

    st.select_slider(
        "Learning rate now", log_grid(parameter.low, parameter.high, start), value=start, key=key, format_func=short,
        on_change=send,
    )  # fmt: skip
