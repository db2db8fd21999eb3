"""What a worker does, without a process: messages, inbox, the sentences for what goes wrong."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.errors import DataError
from dgm_core.runs import files
from dgm_core.runs.frames import LENGTH, read_frame, write_frame
from dgm_core.runs.inbox import Inbox
from dgm_core.runs.job import Job, perform, sentence
from tests.dgm_core.runs.toys import Line


class Told:
    """Collects what a job reports."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.pictures: list[int] = []

    def __call__(self, meta: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self.messages.append(meta)
        if arrays:
            self.pictures.append(meta["step"])

    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.messages]


def perform_here(experiment: Line, folder: Path, inbox: Inbox | None = None, *, resume: bool = False) -> Told:
    told = Told()
    threads = torch.get_num_threads()
    job = Job("run", experiment.canonical(), "cpu", str(folder), resume=resume, threads=threads)
    perform(job, inbox or Inbox(), told)
    return told


def test_a_job_reports_in_order_and_leaves_its_files(tmp_path: Path) -> None:
    told = perform_here(Line(steps=20), tmp_path)
    assert told.kinds()[0] == "started"
    assert told.kinds()[-3:] == ["trained", "artifact", "end"]
    assert told.messages[-1] == {"kind": "end", "run": "run", "state": "done", "reason": ""}
    assert told.pictures == [5, 10, 15, 20]  # though all came within a moment
    assert [m["step"] for m in told.messages if m["kind"] == "checkpoint"][-1] == 20
    expected = Line(steps=20).fit("cpu").state_dict()
    found = files.read_tensors(tmp_path / "weights.safetensors")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_stopped_job_resumes_to_the_same_weights(tmp_path: Path) -> None:
    inbox = Inbox()
    inbox.take({"kind": "stop", "run": "run"})
    told = perform_here(Line(steps=20), tmp_path, inbox)
    assert "stopping" in told.kinds()
    assert told.messages[-1]["state"] == "cancelled"
    assert "trained" not in told.kinds()


def test_a_control_reaches_the_training_once(tmp_path: Path) -> None:
    inbox = Inbox()
    inbox.take({"kind": "control", "run": "other", "change": {"learning_rate": 9.0}})
    inbox.take({"kind": "control", "run": "run", "change": {"learning_rate": 0.5}})
    inbox.take({"kind": "control", "run": "run", "change": {"learning_rate": 0.02}})
    told = perform_here(Line(steps=20), tmp_path, inbox)
    (control,) = [message for message in told.messages if message["kind"] == "control"]
    assert (control["step"], control["learning_rate"]) == (1, 0.02)
    last = [message for message in told.messages if message["kind"] == "progress"][-1]
    assert last["metrics"]["rate"] == 0.02


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "The GPU is out of memory"),
        (MemoryError(), "This machine is out of memory"),
        (DataError("The file is empty; choose another."), "The file is empty; choose another."),
        (KeyError(), "The training stopped with KeyError: no message."),
        (ValueError("one\ntwo"), "The training stopped with ValueError: one."),
    ],
)
def test_every_failure_is_one_sentence(error: BaseException, text: str) -> None:
    assert sentence(error).startswith(text)
    assert "\n" not in sentence(error)
    assert sentence(error).endswith(".")


def test_a_declaration_that_nobody_knows_fails_with_a_sentence(tmp_path: Path) -> None:
    told = Told()
    job = Job("run", '{"topic": "x", "class": "Y", "version": 1, "fields": {}}', "cpu", str(tmp_path))
    threads = torch.get_num_threads()
    perform(job, Inbox(), told)
    torch.set_num_threads(threads)
    assert told.messages[-1]["state"] == "failed"
    assert "x/Y" in told.messages[-1]["reason"]


def test_weights_that_are_no_numbers_do_not_replace_good_ones(tmp_path: Path) -> None:
    perform_here(Line(steps=5), tmp_path)
    before = (tmp_path / "weights.safetensors").read_bytes()
    checkpoint = files.read_tensors(tmp_path / "checkpoint.safetensors")
    checkpoint["model/weight"] *= float("nan")
    files.write_tensors(tmp_path / "checkpoint.safetensors", checkpoint, {"step": "5"})
    perform_here(Line(steps=7), tmp_path, resume=True)
    assert (tmp_path / "weights.safetensors").read_bytes() == before


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=3), max_size=4))
def test_messages_come_out_as_they_went_in(metas: list[dict[str, Any]]) -> None:
    pipe = io.BytesIO()
    for number, meta in enumerate(metas):
        write_frame(pipe, {"meta": meta}, {"x": np.arange(number)})
    pipe.seek(0)
    for number, meta in enumerate(metas):
        message = read_frame(pipe)
        assert message is not None
        assert message[0] == {"meta": meta}
        assert message[1]["x"].tolist() == list(range(number))
    assert read_frame(pipe) is None


def test_a_message_that_breaks_off_is_the_end() -> None:
    pipe = io.BytesIO()
    write_frame(pipe, {"kind": "stop"}, {"x": np.zeros(100)})
    whole = pipe.getvalue()
    for length in range(0, len(whole), 37):
        assert read_frame(io.BytesIO(whole[:length])) is None
    with pytest.raises(ValueError, match="longest"):
        read_frame(io.BytesIO(LENGTH.pack(1 << 60)))
