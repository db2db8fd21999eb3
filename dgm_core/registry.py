"""Which Experiments there are: a topic's word, and where its classes stand. Nothing is imported before it is asked for.

More can be named without touching this file: ``DGM_EXPERIMENTS="mytopic=my_package.my_module:MyExperiment"``, several
separated by spaces. They then train from the command line and in the app's workers like the built-in ones.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dgm_core.experiment import Experiment

BUILT_IN: dict[str, tuple[str, ...]] = {
    "neural_ode": (
        "dgm_core.neural_ode.experiment:NeuralODE",
        "dgm_core.neural_ode.classification:FlowClassifier",
        "dgm_core.neural_ode.views:FlowPassage",
        "dgm_core.neural_ode.views:FlowDepths",
        "dgm_core.neural_ode.views:LearningChecks",
        "dgm_core.neural_ode.residual_view:ResidualDepths",
        "dgm_core.neural_ode.solver_view:SolverRun",
        "dgm_core.neural_ode.solver_view:SolverWork",
        "dgm_core.neural_ode.solver_view:SolverChecks",
        "dgm_core.neural_ode.adjoint_view:AdjointRun",
        "dgm_core.neural_ode.adjoint_view:GradientTable",
        "dgm_core.neural_ode.adjoint_view:AdjointChecks",
        "dgm_core.neural_ode.adjoint_view:GradientCost",
    ),
    "cnf": (
        "dgm_core.cnf.experiment:DensityFlow",
        "dgm_core.cnf.views:FlowFilm",
        "dgm_core.cnf.views:FlowChecks",
    ),
    "gumbel": (
        "dgm_core.gumbel.experiment:DiscreteVAE",
        "dgm_core.gumbel.vae_measured:VAEMeasured",
        "dgm_core.gumbel.views:ConcreteChecks",
        "dgm_core.gumbel.views:TriangleChecks",
        "dgm_core.gumbel.views:CategoryChecks",
        "dgm_core.gumbel.views:EstimatorBench",
        "dgm_core.gumbel.views:EstimatorRace",
        "dgm_core.gumbel.vae_measured:VAEMeasured",
    ),
    "vqvae": (
        "dgm_core.vqvae.experiment:VQVAE",
        "dgm_core.vqvae.prior:CodePrior",
        "dgm_core.vqvae.plane_view:CodebookPlane",
        "dgm_core.vqvae.views:CodebookAtlas",
        "dgm_core.vqvae.views:CodebookChecks",
        "dgm_core.vqvae.views:PriorChecks",
    ),
    "vqvae2": (
        "dgm_core.vqvae2.experiment:VQVAE2",
        "dgm_core.vqvae2.views:HierarchyChecks",
        "dgm_core.vqvae2.prior:HierarchicalPrior",
        "dgm_core.vqvae2.prior_views:LayeredPriorChecks",
    ),
    "precision_recall": (
        "dgm_core.precision_recall.embedding:ImageClassifier",
        "dgm_core.precision_recall.clouds:CloudPair",
        "dgm_core.precision_recall.views:PairChecks",
        "dgm_core.precision_recall.views:PairFigures",
        "dgm_core.precision_recall.curves:MetricCurves",
        "dgm_core.precision_recall.comparison:SetComparison",
        "dgm_core.precision_recall.trade_off:TradeOff",
    ),
}
VARIABLE = "DGM_EXPERIMENTS"


def paths() -> dict[str, tuple[str, ...]]:
    """The classes of each topic as ``"module:Class"``; a topic's first is the one that is trained.

    Raises:
        ValueError: when the environment variable is not of the form described above.
    """
    found = dict(BUILT_IN)
    for entry in os.environ.get(VARIABLE, "").split():
        topic, _, path = entry.partition("=")
        if not (topic and path.count(":") == 1):
            raise ValueError(f"{VARIABLE} holds {entry!r}; an entry is written topic=module:Class")
        found[topic] = (*found.get(topic, ()), path)
    return found


def topics() -> tuple[str, ...]:
    """The topics' words, in order.

    Example:
        >>> "cnf" in topics()
        True
    """
    return tuple(paths())


def classes(topic: str) -> tuple[type[Experiment], ...]:
    """A topic's Experiment classes.

    Raises:
        KeyError: when there is no such topic.
    """
    return tuple(_load(path) for path in _paths_of(topic))


def trained(topic: str) -> type[Experiment]:
    """The class that ``python -m dgm_core train TOPIC`` trains.

    Raises:
        KeyError: when there is no such topic.
    """
    return _load(_paths_of(topic)[0])


def from_canonical(text: str) -> Experiment:
    """The Experiment that `Experiment.canonical` wrote.

    Only classes of the registry are ever made, so text from anywhere is safe to read.

    Raises:
        ValueError: when the text is none, or its class is unknown, of another version, or has no such values.
    """
    try:
        head: dict[str, Any] = json.loads(text)
        topic, name, version, fields = head["topic"], head["class"], head["version"], head["fields"]
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"this is no Experiment's declaration: {text[:80]!r}") from error
    path = next((path for path in paths().get(topic, ()) if path.rpartition(":")[2] == name), None)
    if path is None:
        raise ValueError(f"there is no Experiment {topic}/{name} in this version of the program")
    cls = _load(path)
    if version != cls.schema_version:
        raise ValueError(
            f"it was declared for version {version} of {name}; this program has version {cls.schema_version}"
        )
    return cls(**fields)


def preload() -> None:
    """Import every topic's module now; one that cannot be imported is logged and costs only its own topic."""
    for topic, entries in paths().items():
        for path in entries:
            try:
                _load(path)
            except Exception:
                logging.getLogger(__name__).warning("topic %s: %s cannot be imported", topic, path, exc_info=True)


def _paths_of(topic: str) -> tuple[str, ...]:
    known = paths()
    if topic not in known:
        raise KeyError(f"there is no topic {topic!r}; there are {', '.join(known)}")
    return known[topic]


def _load(path: str) -> type[Experiment]:
    module, _, name = path.partition(":")
    cls: type[Experiment] = getattr(importlib.import_module(module), name)
    return cls
