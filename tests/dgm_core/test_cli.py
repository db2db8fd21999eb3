"""The command line: what it writes can be loaded, and bad words give one sentence and exit status 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import dgm_core
from dgm_core import registry
from dgm_core.checks import Check
from dgm_core.cli import COMMANDS, main
from dgm_core.cli.options import bounds, condition
from dgm_core.runs import RunStore
from tests.dgm_core.runs.toys import PATH, Line

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(registry.VARIABLE, PATH)
    monkeypatch.setenv("DGM_HOME", str(tmp_path / "home"))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence with which these words are refused."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dgm_core: ")
    assert err.count("\n") == 1
    return err


def test_training_writes_weights_with_their_declaration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "line.safetensors"
    assert main(["train", "toy", "--steps", "25", "--rate", "0.05", "--seed", "3", "--out", str(out), "--json"]) == 0
    experiment = Line(steps=25, rate=0.05, seed=3)
    told = json.loads(capsys.readouterr().out)
    assert (told["key"], told["finished"], told["out"]) == (experiment.key, True, str(out))
    assert told["metrics"]["rate"] == 0.05
    expected = experiment.fit("cpu").state_dict()
    weights = load_file(out)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    with safe_open(out, "pt") as file:
        assert registry.from_canonical(file.metadata()["experiment"]) == experiment


def test_training_tells_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "line.safetensors"
    assert main(["train", "toy", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "trained in" in told
    assert "loss" in told
    assert str(out) in told


def test_a_training_that_breaks_down_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "line.safetensors"
    assert main(["train", "toy", "--trouble", "nan", "--out", str(out)]) == 1
    assert capsys.readouterr().err == "dgm_core: The loss is no number any more; try a smaller learning rate.\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("paint",), "'paint'"),
        (("train", "nothing"), "'nothing'"),
        (("train", "toy"), "--out"),
        (("train", "toy", "--out", "no/such/folder/x"), "no folder no/such/folder"),
        (("train", "toy", "--out", "."), "is a folder"),
        (("train", "toy", "--out", "x", "--steps", "0"), "--steps '0'"),
        (("train", "toy", "--out", "x", "--steps", "many"), "--steps 'many'"),
        (("train", "toy", "--out", "x", "--rate", "nan"), "--rate 'nan'"),
        (("train", "toy", "--out", "x", "--trouble", "<b>"), "--trouble '<b>'"),
        (("train", "toy", "--out", "x", "--step", "3"), "--step"),
        (("train", "toy", "--out", "x", "--device", "tpu"), "no tpu device"),
        (("list", "nothing"), "no topic 'nothing'"),
        (("runs", "show", "nobody"), "no run 'nobody'"),
        (("runs", "delete", "../.."), "no run '../..'"),
        (("runs", "prune", "much"), "'much' is no size"),
        (("runs", "prune", "-5"), "SIZE"),
        (("runs", "burn"), "'burn'"),
        (("devices", "all"), "all"),
    ],
)
def test_bad_words_give_one_sentence(
    words: tuple[str, ...],
    part: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert part in refused(capsys, *words)


@pytest.mark.parametrize("topic", registry.topics())
def test_help_names_every_setting_with_its_words(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", topic, "--help"])
    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for parameter in registry.trained(topic).parameters():
        dashes = "--" if len(parameter.name) > 1 else "-"  # a single letter has a single dash
        assert dashes + parameter.name.replace("_", "-") in told
        assert parameter.help.split(".")[0].split("-")[0].split(" ")[0] in told


def test_list_shows_every_setting_with_default_and_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    told = capsys.readouterr().out
    for topic in registry.topics():
        assert f"{topic}: " in told
        for parameter in registry.trained(topic).parameters():
            assert "--" + parameter.name.replace("_", "-") in told
            assert str(parameter.default) in told
            if parameter.kind in ("int", "float"):
                assert bounds(parameter) in told


def test_bounds_and_conditions_are_put_in_words() -> None:
    steps, pause, rate, trouble, _ = Line.parameters()
    assert (bounds(steps), bounds(pause), bounds(rate)) == ("1 … 100000", "0 … 60 s", "0.0001 … 1")
    assert bounds(trouble).startswith("none, nan")
    assert condition(steps) == ""


def test_runs_are_listed_shown_deleted_and_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    store = RunStore()
    runs = [store.create(Line(seed=seed), keep=seed == 2) for seed in range(4)]
    for run in runs[:3]:
        store.save_artifact(run.id, "film.bin", bytes(10_000))
        store.set_state(run.id, "done")

    assert main(["runs"]) == 0
    told = capsys.readouterr().out
    assert all(run.id in told for run in runs)
    assert (told.count("done"), told.count("queued"), told.count("kept")) == (3, 1, 1)

    assert main(["runs", "show", runs[1].id]) == 0
    told = capsys.readouterr().out
    assert str(store.folder(runs[1].id)) in told
    assert "seed" in told

    assert main(["runs", "delete", runs[0].id]) == 0
    assert [run.id for run in store.list()] == [run.id for run in reversed(runs[1:])]
    assert main(["runs", "delete", runs[3].id]) == 1  # queued by this process, which is alive
    assert "stop it first" in capsys.readouterr().err

    assert main(["runs", "prune", "1MB"]) == 0
    assert len(store.list()) == 3
    assert main(["runs", "prune", "0"]) == 0
    assert {run.id for run in store.list()} == {runs[2].id, runs[3].id}
    store.close()


def test_a_damaged_store_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "runs.sqlite").write_text("no database")
    assert main(["runs"]) == 0
    assert "runs.sqlite was damaged" in capsys.readouterr().err


class Zoo:
    """Two shipped models; the second may no longer meet its figure, or not load."""

    def __init__(self, second: float | Exception) -> None:
        self.second = second
        self.made: list[tuple[str, str]] = []

    def names(self) -> list[str]:
        return ["one", "two"]

    def make(self, name: str, device: str) -> None:
        self.made.append((name, device))

    def check(self, name: str) -> list[Check]:
        measured = 1.0 if name == "one" else self.second
        if isinstance(measured, Exception):
            raise measured
        return [Check("gap", measured, 1.0, 0.1, "tolerance", "nats")]


@pytest.mark.parametrize(
    ("second", "status", "part"),
    [(1.05, 0, "1.05"), (1.2, 1, "✗"), (float("nan"), 1, "nan"), (ValueError("half a file"), 1, "half a file")],
)
def test_the_zoo_is_checked(
    second: float | Exception,
    status: int,
    part: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dgm_core, "zoo", Zoo(second), raising=False)
    assert main(["zoo", "--check"]) == status
    out, err = capsys.readouterr()
    assert part in out
    assert err == ("" if status == 0 else "dgm_core: 1 of 2 checks failed\n")
    assert main(["zoo", "--check", "one"]) == 0


def test_the_zoo_is_made_again(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    zoo = Zoo(1.0)
    monkeypatch.setattr(dgm_core, "zoo", zoo, raising=False)
    assert main(["zoo", "two", "--device", "cpu"]) == 0
    assert main(["zoo"]) == 0
    assert zoo.made == [("two", "cpu"), ("one", "auto"), ("two", "auto")]
    capsys.readouterr()
    assert "no shipped model 'three'" in refused(capsys, "zoo", "three")
    assert "no tpu device" in refused(capsys, "zoo", "--device", "tpu")


def test_devices_name_the_automatic_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    told = capsys.readouterr().out
    assert "cpu" in told
    assert "auto" in told


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], []):
        with pytest.raises(SystemExit) as end:
            main(words)
        assert end.value.code == 0
        told = capsys.readouterr().out
        assert all(f"{name} " in told for name in COMMANDS)


def test_as_a_program(tmp_path: Path) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "dgm_core", *words], capture_output=True, text=True, env=environment, cwd=tmp_path
        )

    bad = call("train", "toy", "--out", "x", "--steps", "0")
    assert (bad.returncode, bad.stdout, bad.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in bad.stderr
    good = call("train", "toy", "--out", "x.safetensors", "--json")
    assert good.returncode == 0
    assert json.loads(good.stdout)["finished"] is True
    assert (tmp_path / "x.safetensors").exists()


def test_help_comes_without_torch() -> None:
    code = "import sys; from dgm_core.cli import main\ntry: main(['list', '--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode == 0
