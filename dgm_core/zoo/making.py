"""Makes what is shipped, by the Experiment's own training."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from dgm_core.device import resolve
from dgm_core.experiment import Experiment, Progress
from dgm_core.zoo.exhibit import exhibit_of
from dgm_core.zoo.reading import METRICS, RECORD, ROOT, WEIGHTS, experiment
from dgm_core.zoo.storage import tightened


def make(
    name: str, device: str = "auto", *, root: Path = ROOT, report: Callable[[Progress], object] | None = None
) -> Path:
    """Train one checkpoint anew and put it in place of the old one; returns its folder.

    Args:
        name: of the recipe.
        device: where to train.
        root: in which folder.
        report: called with every Progress.

    Raises:
        KeyError: when there is no such recipe.
    """
    recipe, target = experiment(name), resolve(device)
    exhibit = exhibit_of(recipe)
    model, reports, seconds = recipe.build(), list[Progress](), list[float]()
    start = time.perf_counter()
    for progress in recipe.train(model, target):
        reports.append(replace(progress, checkpoint=None))  # nobody resumes this one
        seconds.append(time.perf_counter() - start)
        if report is not None:
            report(progress)
    files = exhibit.files(recipe, model.eval(), reports)
    weights = exhibit.weights(recipe, _weights(model))
    with tempfile.TemporaryDirectory(dir=root, prefix=".making-") as temporary:
        fresh = Path(temporary) / name
        fresh.mkdir()
        save_file({key: tensor.cpu().contiguous() for key, tensor in weights.items()}, fresh / WEIGHTS)
        np.savez_compressed(fresh / METRICS, **_columns(reports, seconds))  # type: ignore[arg-type]
        for file, content in files.items():
            (fresh / file).write_bytes(tightened(content))
        (fresh / RECORD).write_text(json.dumps(_record(recipe, reports[-1], seconds[-1], target), indent=1) + "\n")
        shutil.rmtree(root / name, ignore_errors=True)
        fresh.rename(root / name)
    return root / name


def _weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    # In training all parameters may share one memory, which safetensors does not write.
    return {key: tensor.detach().clone() for key, tensor in model.state_dict().items()}


def _columns(reports: Sequence[Progress], seconds: Sequence[float]) -> dict[str, np.ndarray]:
    """Each metric over all reports, NaN where it was not measured."""
    keys = dict.fromkeys(key for report in reports for key in report.metrics)
    columns = {key: np.array([r.metrics.get(key, np.nan) for r in reports], np.float32) for key in keys}
    return {"step": np.array([r.step for r in reports]), "seconds": np.array(seconds, np.float32), **columns}


def _record(recipe: Experiment, last: Progress, seconds: float, device: torch.device) -> dict[str, Any]:
    exhibit = exhibit_of(recipe)
    return {
        "experiment": json.loads(recipe.canonical()),
        "figures": {key: last.metrics[key] for key in exhibit.recorded if key in last.metrics},
        **exhibit.notes(recipe),
        "seconds": round(seconds, 1),
        "device": device.type,
        "torch": torch.__version__,
    }
