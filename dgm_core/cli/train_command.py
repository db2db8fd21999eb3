"""``python -m dgm_core train TOPIC --out FILE``: train in this process and write the weights."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgm_core.cli.parser import Parser, UsageError, note

if TYPE_CHECKING:
    import torch
    from rich.progress import Progress as Bar

    from dgm_core.experiment import Experiment


def run(argv: list[str]) -> int:
    """Train one Experiment."""
    from dgm_core import registry

    known = registry.topics()
    words = f"TOPIC is one of: {', '.join(known)}. `python -m dgm_core train TOPIC --help` lists its settings."
    top = Parser(prog="python -m dgm_core train", usage="%(prog)s TOPIC --out FILE [SETTING ...]", description=words)
    top.add_argument("topic", choices=known, metavar="TOPIC")
    topic = top.parse_args(argv[:1] or ["--help"]).topic

    from dgm_core.cli.options import Options

    parser = Parser(prog=f"python -m dgm_core train {topic}")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the weights (safetensors)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    options = Options(registry.trained(topic), parser)
    parsed = vars(parser.parse_args(argv[1:]))
    return _train(options.experiment(parsed), parsed["out"], parsed["device"], as_json=parsed["json"])


def _train(experiment: Experiment, out: Path, device: str, *, as_json: bool) -> int:
    import torch

    from dgm_core.device import resolve
    from dgm_core.errors import DataError
    from dgm_core.experiment import TrainingFailedError
    from dgm_core.runs import files
    from dgm_core.runs.job import sentence

    if not out.parent.is_dir():
        raise UsageError(f"--out: there is no folder {out.parent}")
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder; name a file in it")
    try:
        target = resolve(device)
    except ValueError as error:
        raise UsageError(f"--device: {error}") from error
    began = time.monotonic()
    try:
        model = experiment.build().to(target)
        metrics, finished = _run(experiment, model, target)
    except (TrainingFailedError, DataError, torch.OutOfMemoryError) as error:
        note(sentence(error))
        return 1
    metadata = {"experiment": experiment.canonical(), "metrics": json.dumps(metrics), "finished": str(finished).lower()}
    try:
        files.write_tensors(out, model.state_dict(), metadata)
    except OSError as error:
        note(f"{out} cannot be written: {error}")
        return 1
    _tell(experiment, out, metrics, time.monotonic() - began, finished=finished, as_json=as_json)
    return 0 if finished else 130


def _run(experiment: Experiment, model: torch.nn.Module, device: torch.device) -> tuple[dict[str, float], bool]:
    """Train under a progress bar; the last value of each metric, and False when Ctrl-C ended it early."""
    training = experiment.train(model, device)
    metrics: dict[str, float] = {}
    with _bar() as bar:
        task = bar.add_task(experiment.topic, total=None, numbers="")
        try:
            for progress in training:
                metrics.update({name: float(value) for name, value in progress.metrics.items()})
                bar.update(task, total=progress.total, completed=progress.step, numbers=_numbers(metrics))
        except KeyboardInterrupt:
            training.close()  # leaves what was learned so far in the model
            return metrics, False
    return metrics, True


def _bar() -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from dgm_core.cli.tables import console

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
    )  # fmt: skip
    screen = console(stderr=True)
    return Bar(*columns, console=screen, disable=not screen.is_terminal)


def _numbers(metrics: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _tell(
    experiment: Experiment, out: Path, metrics: Mapping[str, float], seconds: float, *, finished: bool, as_json: bool
) -> None:
    if as_json:
        result: dict[str, Any] = {
            "out": str(out), "finished": finished, "seconds": round(seconds, 3), "metrics": dict(metrics),
            "experiment": json.loads(experiment.canonical()), "key": experiment.key,
        }  # fmt: skip
        sys.stdout.write(json.dumps(result) + "\n")
        return
    from dgm_core.cli.tables import console

    words = "trained" if finished else "stopped early"
    console().print(f"{experiment.topic}: {words} in {seconds:.1f} s; {_numbers(metrics)}", markup=False)
    console().print(f"weights: {out}", markup=False, soft_wrap=True)
