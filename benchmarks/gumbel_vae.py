"""The discrete VAE on 8 × 8 digits: seconds until it beats independent pixels, the hard ELBO after so many seconds.

Time is that of training alone; the ELBO is measured afterwards, on held-out images with the averaged weights. Every
budget is a training of its own, its learning rate falling to zero and its temperature to the least at the budget's end.
The peer is what one writes with PyTorch's own parts. Everything on one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from benchmarks.measure import Row
from dgm_core.gumbel.binary_images import BinaryBatches, BinaryImages
from dgm_core.gumbel.elbo import bound, independent_bernoulli
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.temperature import Temperature
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_training import NegativeElbo
from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, cosine, flatten_parameters

PARTS = 1_000_000
"""A budget in steps as fine as the clock is read."""
PEER = "PyTorch: Adam, F.gumbel_softmax, autograd"
TRIES = 400
"""Steps within which a training has to beat independent pixels."""

Step = Callable[[float], None]
"""One training step at a part of the budget, 0…1."""


@dataclass(frozen=True)
class Run:
    """One training that is stepped from outside.

    Args:
        step: see `Step`.
        elbo: the hard ELBO of the weights as they are, on held-out images, nats.
    """

    step: Step
    elbo: Callable[[], float]


def tables(*, quick: bool = False) -> dict[str, list[Row]]:
    """All tables by title.

    Args:
        quick: three estimators, one seed, budgets up to 5 s.
    """
    names = ["gumbel-softmax", "st-gumbel-softmax", "reinmax"] if quick else [*ESTIMATORS]
    seeds = (0,) if quick else (0, 1)
    plain = _independent()
    with alone():
        return {
            f"Discrete VAE, 8 × 8 digits: seconds until the hard ELBO is above independent pixels, {plain:.2f} nats": [
                beaten_row(name, plain, seeds) for name in [*names, PEER]
            ],
            "Discrete VAE, 8 × 8 digits: held-out hard ELBO (nats) after seconds of training": [
                budget_row(name, (1, 5) if quick else (1, 5, 10, 30), seeds) for name in [*names, PEER]
            ],
        }


def beaten_row(name: str, plain: float, seeds: tuple[int, ...]) -> Row:
    """Seconds of training until the held-out hard ELBO is first above independent pixels, looked at every 5 steps."""
    found = [_until(name, plain, seed) for seed in seeds]
    return {
        "way": _title(name), "s": statistics.median(seconds for seconds, _ in found),
        "steps": int(statistics.median(steps for _, steps in found)),
    }  # fmt: skip


def budget_row(name: str, budgets: tuple[int, ...], seeds: tuple[int, ...]) -> Row:
    """The median ELBO over seeds after each budget, and the milliseconds of a step in the longest."""
    row: Row = {"way": _title(name)}
    for budget in budgets:
        runs = [_for(name, budget, seed) for seed in seeds]
        row[f"{budget} s"] = statistics.median(elbo for elbo, _ in runs)
        row["ms a step"] = 1e3 * budget / statistics.median(steps for _, steps in runs)
    return row


def _until(name: str, plain: float, seed: int) -> tuple[float, int]:
    run, spent = _run(name, seed), 0.0
    for step in range(1, TRIES + 1):
        start = time.perf_counter()
        run.step(step / declaration(name, seed).steps)
        spent += time.perf_counter() - start
        if step % 5 == 0 and run.elbo() > plain:
            return spent, step
    return float("inf"), TRIES


def _for(name: str, budget: float, seed: int) -> tuple[float, int]:
    run, steps, spent, start = _run(name, seed), 0, 0.0, time.perf_counter()
    while spent < budget:
        run.step(spent / budget)
        steps, spent = steps + 1, time.perf_counter() - start
    return run.elbo(), steps


def declaration(name: str, seed: int) -> DiscreteVAE:
    """The default with another estimator; the peer stands for Gumbel-Softmax."""
    return DiscreteVAE.model_validate({"estimator": "gumbel-softmax" if name == PEER else name, "seed": seed})


def _run(name: str, seed: int) -> Run:
    chosen = declaration(name, seed)
    images = chosen.images()
    return _plain(chosen, images) if name == PEER else _ours(chosen, images)


def _ours(chosen: DiscreteVAE, images: BinaryImages) -> Run:
    model, temperature = chosen.build(), Temperature(chosen.schedule, chosen.tau, chosen.tau_min, PARTS)
    model.centre(images.mean)
    weights = flatten_parameters(model)
    gradient = torch.zeros_like(weights)
    batches = BinaryBatches(images.train, chosen.batch, torch.Generator().manual_seed(chosen.seed))
    objective = NegativeElbo(model, batches, gradient, ESTIMATORS[chosen.estimator], temperature)
    optimiser = AveragedAdam(weights, gradient)

    def step(part: float) -> None:
        objective(round(PARTS * part))
        optimiser.step(chosen.learning_rate * cosine(round(PARTS * part), PARTS))

    def elbo() -> float:
        trained = weights.clone()
        weights.copy_(optimiser.average)
        found = _elbo(model, images)
        weights.copy_(trained)
        return found

    return Run(step, elbo)


def _plain(chosen: DiscreteVAE, images: BinaryImages) -> Run:
    """The same network and rates from PyTorch's own parts."""
    torch.manual_seed(chosen.seed)
    code, size, pixels = chosen.latents * chosen.categories, chosen.width, images.train.shape[1]
    encoder = nn.Sequential(nn.Linear(pixels, size), nn.ReLU(), nn.Linear(size, code))
    decoder = nn.Sequential(nn.Linear(code, size), nn.ReLU(), nn.Linear(size, pixels))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=chosen.learning_rate)
    temperature = Temperature(chosen.schedule, chosen.tau, chosen.tau_min, PARTS)
    prior = Categorical(logits=torch.zeros(chosen.latents, chosen.categories))

    def step(part: float) -> None:
        x = torch.bernoulli(images.train[torch.randint(len(images.train), (chosen.batch,))])
        logits = encoder(x).view(-1, chosen.latents, chosen.categories)
        z = F.gumbel_softmax(logits, tau=temperature.at(round(PARTS * part)))
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z.flatten(1)), x, reduction="none").sum(1)
        loss = (reconstruction + kl_divergence(Categorical(logits=logits), prior).sum(1)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.param_groups[0]["lr"] = chosen.learning_rate * cosine(round(PARTS * part), PARTS)
        optimiser.step()

    def elbo() -> float:
        model = chosen.build()
        model.mean.zero_()
        model.encoder.load_state_dict(encoder.state_dict())
        model.decoder.load_state_dict(decoder.state_dict())
        return _elbo(model, images)

    return Run(step, elbo)


def _elbo(model: CategoricalVAE, images: BinaryImages) -> float:
    return bound(model, images.held_out, 1.0, 8, torch.Generator().manual_seed(0)).figures()["elbo"]


def _independent() -> float:
    images = DiscreteVAE().images()
    plain: Tensor = independent_bernoulli(images.held_out, images.mean)
    return float(plain.mean())


def _title(name: str) -> str:
    return ESTIMATORS[name].title if name in ESTIMATORS else name
