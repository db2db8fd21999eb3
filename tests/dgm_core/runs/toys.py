"""Small Experiments for the tests of runs: one that learns, and ones that go wrong in a stated way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from dgm_core.experiment import Experiment, Progress, Training, TrainingFailedError
from dgm_core.home import home
from dgm_core.training.checkpoints import flatten, restore

PATH = "toy=tests.dgm_core.runs.toys:Line toy=tests.dgm_core.runs.toys:Picture"


class Line(Experiment):
    """Fit a line by noisy gradient steps; ``trouble`` comes at half-time."""

    topic = "toy"
    steps: int = Field(20, ge=1, le=100_000, title="Steps")
    pause: float = Field(0.0, ge=0.0, le=60.0, title="Pause", json_schema_extra={"unit": "s"})
    rate: float = Field(0.1, ge=1e-4, le=1.0, title="Learning rate", json_schema_extra={"log": True})
    trouble: Literal["none", "nan", "crash", "die", "hang", "film", "print"] = Field("none", title="Trouble")
    seed: int = Field(0, ge=0, le=1000, title="Seed")

    def build(self) -> nn.Module:
        model = nn.Linear(2, 1)
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator))
        return model

    def train(
        self, model: nn.Module, device: torch.device, resume: Mapping[str, torch.Tensor] | None = None
    ) -> Training:
        optimizer = torch.optim.Adam(model.parameters(), lr=self.rate)
        noise = torch.Generator().manual_seed(self.seed)
        done = 0
        if resume is not None:
            done = restore(resume, model=model, optimizer=optimizer, noise=noise)["step"]
        for step in range(done + 1, self.steps + 1):
            x = torch.randn(32, 2, generator=noise)
            loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            time.sleep(self.pause)
            if step == (self.steps + 1) // 2:
                self._make_trouble()
            control = yield Progress(
                step,
                self.steps,
                {"loss": loss.item(), "rate": optimizer.param_groups[0]["lr"]},
                preview={"line": model.weight.detach().numpy().copy()} if step % 5 == 0 else {},
                checkpoint=flatten(model=model, optimizer=optimizer, noise=noise, step=step) if step % 5 == 0 else None,
            )
            if control is not None and control.learning_rate is not None:
                optimizer.param_groups[0]["lr"] = control.learning_rate

    def artifacts(self, model: nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        if self.trouble == "film":
            raise RuntimeError("no film today")
        yield "slope.txt", repr(model.weight.tolist()).encode()

    def _make_trouble(self) -> None:
        match self.trouble:
            case "nan":
                raise TrainingFailedError("The loss is no number any more; try a smaller learning rate.")
            case "crash":
                raise RuntimeError("the ceiling came down\nwith a second line")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(60)
            case "print":
                print("this must not reach the messages")
                os.write(1, b"nor this")


class Picture(Line):
    """A short job of the other lane."""

    lane = "view"

    def train(
        self, model: nn.Module, device: torch.device, resume: Mapping[str, torch.Tensor] | None = None
    ) -> Training:
        for step in range(1, self.steps + 1):
            time.sleep(self.pause)
            yield Progress(step, self.steps, {}, preview={"frame": np.full((4, 4), step, dtype=np.uint8)})

    def artifacts(self, model: nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        yield "home.txt", str(home()).encode()
