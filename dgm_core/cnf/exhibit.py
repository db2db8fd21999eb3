"""What is shipped of a density flow: two films and the figures on held-out points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from dgm_core import zoo
from dgm_core.checks import Check
from dgm_core.cnf.careful_film import careful_film, last_frame_error
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.preview import EXACT, Flow, log_density
from dgm_core.cnf.training_film import training_film as film_of
from dgm_core.experiment import Experiment, Progress
from dgm_core.film import Film
from dgm_core.zoo.codec import decode, encode
from dgm_core.zoo.exhibit import Exhibit, Read

FILM, TRAINING = "film.bin", "training.bin"
SAMPLES = 256
"""Samples in a shipped training film."""


class FlowExhibit(Exhibit):
    """The film of p_t by `careful_film`, and the film of the training, both rounded as `codec.STEPS` says."""

    recorded = ("nll", "gap", "nll_error")

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        flow = declared(recipe), trained(model)
        training = _thinned(film_of((p.step, p.preview) for p in reports if p.preview))
        return {TRAINING: _pack(training), FILM: _pack(careful_film(flow[1], seed=flow[0].seed))}

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """How many points the figures were measured on."""
        return {"held_out": len(declared(recipe).held_out().points)}

    def artifact(self, kind: str, read: Read) -> bytes | None:
        """The film as a run keeps it."""
        return _unpack(read(FILM)).to_bytes() if kind == "film" else None

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """Measure again, on the same held-out points, so only rounding may differ.

        The film's last frame is p_1 within the composed map's error and rounding.
        """
        flow, held_out = trained(model), declared(recipe).held_out()
        found = held_out.figures(log_density(flow, held_out.points, EXACT))
        return [
            *super().checks(recipe, model, record, read),
            Check(
                "held-out NLL", found["nll"], record["figures"]["nll"], 0.005, "tolerance", "nats",
                source="recorded when it was made",
            ),
            Check(
                "film's last frame against log p", last_frame_error(_unpack(read(FILM)), flow, 0.95), 0.0, 0.15,
                "at most", "nats", note="95 % of the visible cells; the sharpest targets need it, others within 0.05",
            ),
            Check(
                "training film's end", float(_unpack(read(TRAINING)).times[-1]), declared(recipe).steps, 0.0,
                "tolerance",
            ),
        ]  # fmt: skip


EXHIBIT = FlowExhibit()


def declared(experiment: Experiment) -> DensityFlow:
    """The Experiment, once it is known to be a density flow.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(experiment, DensityFlow):
        raise TypeError(f"a density flow is meant here, not a {type(experiment).__name__}")
    return experiment


def trained(model: torch.nn.Module) -> Flow:
    """The model, once it is known to be a flow.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, Flow):
        raise TypeError(f"a flow is meant here, not a {type(model).__name__}")
    return model


def film(name: str) -> Film:
    """The shipped film of p_t: 60 frames with particles, arrows and grid."""
    return _unpack(zoo.read(name, FILM))


def training_film(name: str) -> Film:
    """The shipped film of the training; its times are steps."""
    return _unpack(zoo.read(name, TRAINING))


def _thinned(film: Film) -> Film:
    """The film with fewer samples."""
    particles = film.particles[:, :SAMPLES] if film.particles is not None else None
    return Film(film.times, film.log_prob, film.extent, particles=particles)


def _pack(film: Film) -> bytes:
    arrays = {name: getattr(film, name) for name in ("log_prob", "particles", "arrows", "grid")}
    meta = {"times": film.times.tolist(), "extent": list(film.extent)}
    return encode(meta, {name: array for name, array in arrays.items() if array is not None})


def _unpack(packed: bytes) -> Film:
    meta, arrays = decode(packed)
    return Film(np.array(meta["times"]), extent=tuple(meta["extent"]), **arrays)
