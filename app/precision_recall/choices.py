"""Which set and which network: lists of what there is, and people's own files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.bones.notes import notes
from app.memory import Memory
from app.precision_recall.generators import generators, title_of
from app.services import runner
from dgm_core import zoo
from dgm_core.data.images import INFO, available
from dgm_core.data.images.own import keep, read_images
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment
from dgm_core.precision_recall.spaces import own_networks
from dgm_core.precision_recall.vectors import put, read_vectors

FILES = ["npz", "npy", "csv", "zip", "png", "jpg", "jpeg", "webp"]
NUMBERS = (".npz", ".npy", ".csv")
OWN, TURN, COMPLAINT = (f"dgm:precision_recall:{name}" for name in ("own", "turn", "complaint"))


BRING = (
    "A VGG network of your own, as the paper uses: put its weights as `NAME.safetensors` into the folder `networks` of "
    "the program's data folder (`DGM_HOME`). Features of any other network can be compared as NPZ."
)


def choose_network(cls: type[Experiment], *, prefix: str) -> None:
    """The list of networks, and how one brings one's own."""
    choose(cls, "network", "Network", prefix=prefix, help=BRING)


def choose(cls: type[Experiment], field: str, title: str, *, prefix: str, help: str | None = None) -> None:
    """A list for one field; the choice goes into the declaration."""
    memory = Memory(cls, prefix)
    names, now = networks() if field == "network" else known_sets(), memory.values[field]
    if now not in names:
        names[now] = now
    key = f"{prefix}list_{field}"

    def take() -> None:
        Memory(cls, prefix).remember({field: st.session_state[key]})

    st.session_state[key] = now  # an upload, a link or a prediction may have chosen as well
    st.selectbox(
        title, list(names), format_func=lambda name: names.get(name, name), key=key, help=help, on_change=take
    )  # fmt: skip


def known_sets() -> dict[str, str]:
    """Sets by name: halves of image sets that are here, discrete VAEs, this session's own."""
    found: dict[str, str] = {}
    for name, info in INFO.items():
        if name != "own" and not available(name):
            found |= {
                f"set:{name}-train": f"{info.title}, training half",
                f"set:{name}-test": f"{info.title}, held out",
            }
    found |= {
        f"zoo:{name}": f"{name.removeprefix('gumbel-')}: samples of a discrete VAE" for name in zoo.names("gumbel")
    }
    for run in runner().store.list():
        if run.experiment.topic == "gumbel" and run.experiment.lane == "train" and run.state == "done":
            found[f"run:{run.id}"] = f"samples of a discrete VAE trained here ({run.id[:6]})"
    found |= {source: f"{title_of(each)}: samples" for source, each in generators().items()}
    return {**found, **st.session_state.get(OWN, {})}


def networks() -> dict[str, str]:
    """Classifiers that are shipped or were trained here, and networks whose weights were brought."""
    found = {f"zoo:{name}": f"{name.partition('-')[2]} (shipped)" for name in zoo.names("precision_recall")}
    for run in runner().store.list():
        if run.experiment.topic == "precision_recall" and run.experiment.lane == "train" and run.state == "done":
            found[f"run:{run.id}"] = f"trained here ({run.id[:6]})"
    return found | {f"file:{name}": f"{name} (your weights)" for name in own_networks()}


def upload(cls: type[Experiment], *, prefix: str) -> None:
    """Take in files: N × D numbers, or pictures; the set can then be chosen."""
    with st.expander("Your own files", icon=":material/upload:"):
        as_what = st.segmented_control(
            "Take it as", ["real", "generated"], default="generated", required=True, key=f"{prefix}as"
        )
        files = st.file_uploader(
            "NPZ or NPY of N × D numbers, or pictures, or a zip of them", FILES, accept_multiple_files=True,
            key=f"{prefix}files{st.session_state.get(TURN, 0)}",
        )  # fmt: skip
        if files:
            _take(cls, prefix, str(as_what), files)
        notes([st.session_state[COMPLAINT]] if st.session_state.get(COMPLAINT) else [])


def _take(cls: type[Experiment], prefix: str, field: str, files: list[Any]) -> None:
    """Keep an upload, or say what is wrong with it; either way the next one finds the box empty."""
    st.session_state[COMPLAINT] = ""
    try:
        name, title = _kept(files)
        st.session_state.setdefault(OWN, {})[name] = title
        Memory(cls, prefix).remember({field: name})
    except DataError as error:
        st.session_state[COMPLAINT] = str(error)
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    st.rerun()


def _kept(files: list[Any]) -> tuple[str, str]:
    """The name of the set that an upload has become, and what to call it."""
    first = files[0].name
    if first.lower().endswith(NUMBERS):
        if len(files) > 1:
            raise DataError("One file of numbers at a time; the other one is taken as the other set.")
        array = read_vectors(first, files[0])
        return f"vectors:{put(array)}", f"{first}: {len(array):,} × {array.shape[1]:,}"
    images = read_images([(file.name, file) for file in files]).images
    return f"own:{keep(images)}", f"{first}: {len(images):,} images"
