"""The first two nouns of the house: an Experiment is a frozen declaration, Progress is what its training reports.

One declaration gives the widgets, the permalink, the command line's options, the message for a value out of bounds, and
the key under which a run is stored.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

import annotated_types
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from dgm_core.device import resolve


class TrainingFailedError(RuntimeError):
    """A training that cannot go on; its message is one plain sentence for the screen."""


@dataclass(frozen=True)
class Control:
    """What may be changed while a training runs; sent into the generator. ``None`` leaves a thing as it is."""

    learning_rate: float | None = None


@dataclass(frozen=True)
class Progress:
    """What a training reports a few times a second.

    Args:
        step: steps done, 1…total.
        total: steps asked for.
        metrics: scalars by name, e.g. ``{"nll": 1.93}``; units stand in the Experiment's documentation.
        preview: small arrays by name, the picture of this moment; empty at most steps.
        checkpoint: everything needed to resume, as a flat mapping of CPU tensors; None at most steps.
    """

    step: int
    total: int
    metrics: Mapping[str, float]
    preview: Mapping[str, np.ndarray] = field(default_factory=dict)
    checkpoint: Mapping[str, torch.Tensor] | None = None


Training = Generator[Progress, Control | None, None]


@dataclass(frozen=True)
class Parameter:
    """One field of an Experiment as a control, an option or a table row needs it.

    Args:
        name: the field's name, also the query parameter and the command line's option.
        kind: ``"int"``, ``"float"``, ``"bool"``, ``"choice"`` or ``"text"``.
        title: a short label.
        help: one line.
        default: the value that an empty link means.
        low, high: inclusive bounds of a number, None where there is none.
        choices: of a choice, in order.
        unit: e.g. ``"nats"``; empty for none.
        basic: shown at once; others stand under "More".
        log: bounds span decades, so the control is logarithmic.
        when: the field matters only while other fields hold one of these values.
        labels: what a person reads instead of a choice's bare name.
    """

    name: str
    kind: Literal["int", "float", "bool", "choice", "text"]
    title: str
    help: str
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    unit: str
    basic: bool
    log: bool
    when: Mapping[str, tuple[Any, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)

    def matters(self, values: Mapping[str, Any]) -> bool:
        """Whether the field changes anything while the others hold ``values``."""
        return all(values.get(name) in allowed for name, allowed in self.when.items())


class Experiment(BaseModel):
    """What is learned, by what, how, with which seed: a frozen value.

    A subclass declares fields with bounds, a title and a description (``pydantic.Field``); ``json_schema_extra`` may
    hold ``unit``, ``basic``, ``log``, ``when`` and ``labels`` (see `Parameter`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    topic: ClassVar[str] = ""
    """The topic's one word; page, package and command line use it."""
    schema_version: ClassVar[int] = 1
    """Raised when a field changes its meaning; part of the key and of every link."""
    lane: ClassVar[Literal["train", "view"]] = "train"
    """Which queue it waits in: long trainings do not hold up short pictures."""

    def build(self) -> torch.nn.Module:
        """The untrained model, its weights drawn from ``seed``."""
        raise NotImplementedError

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, torch.Tensor] | None = None
    ) -> Training:
        """Train ``model`` in place, reporting `Progress` and taking `Control`.

        Args:
            model: from `build`; holds usable weights whenever the generator is closed, exhausted or has raised.
            device: where to compute.
            resume: a checkpoint that an earlier training of the same model reported; goes on from its step.

        Raises:
            TrainingFailedError: when the numbers break down, with one plain sentence.
        """
        raise NotImplementedError

    def artifacts(self, model: torch.nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """What else a finished run keeps, such as films: plain file names and their bytes, made one after the other.

        Args:
            model: trained, in evaluation mode.
            device: where to compute.
        """
        return iter(())

    def fit(self, device: str = "auto") -> torch.nn.Module:
        """Train to the end in this process and return the model, in evaluation mode."""
        model, target = self.build(), resolve(device)
        for _ in self.train(model, target):
            pass
        return model.eval()

    @property
    def key(self) -> str:
        """The run's name in the store: equal exactly for equal Experiments (64 hexadecimal digits)."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """The declaration as canonical JSON, with topic, class and schema version."""
        head = {"topic": self.topic, "class": type(self).__name__, "version": self.schema_version}
        return json.dumps({**head, "fields": self.model_dump(mode="json")}, sort_keys=True, separators=(",", ":"))

    @classmethod
    @cache
    def parameters(cls) -> tuple[Parameter, ...]:
        """The fields in order, as controls need them."""
        return tuple(_parameter(name, info) for name, info in cls.model_fields.items())

    @classmethod
    def from_query(cls, query: Mapping[str, str | Sequence[str]]) -> tuple[Self, list[str]]:
        """Read a link's parameters; whatever is no good is ignored and named.

        Args:
            query: parameter names and their decimal text, as in a URL. Names that are no field are passed over, since
                a page may have parameters of its own.

        Returns:
            The Experiment, defaults where a value was ignored, and one sentence for each value ignored.
        """
        values: dict[str, Any] = {}
        notes: list[str] = []
        for parameter in cls.parameters():
            if parameter.name not in query:
                continue
            raw = query[parameter.name]
            text = raw if isinstance(raw, str) else (raw[-1] if raw else "")
            values[parameter.name] = text
            try:
                cls.__pydantic_validator__.validate_assignment(cls.model_construct(), parameter.name, text)
            except ValidationError as error:
                # An error located elsewhere is a rule that joins fields; it is looked at below, with all of them.
                if any(part["loc"][:1] == (parameter.name,) for part in error.errors()):
                    del values[parameter.name]
                    notes.append(f"{parameter.title}: “{text[:40]}” is ignored ({problem(error)})")
        while True:
            try:
                return cls(**values), notes
            except ValidationError as error:
                if not values:
                    raise
                located = [str(part["loc"][0]) for part in error.errors() if part["loc"]]
                dropped = next((name for name in located if name in values), None) or cls._culprit(values)
                del values[dropped]
                notes.append(f"{dropped} is ignored ({problem(error)})")

    @classmethod
    def _culprit(cls, values: Mapping[str, Any]) -> str:
        """Of values that a rule forbids together, the first without which the rest stand; else the last of all."""
        for name in values:
            try:
                cls(**{other: value for other, value in values.items() if other != name})
            except ValidationError:
                continue
            return name
        return next(reversed(list(values)))

    def to_query(self) -> dict[str, str]:
        """Every value as a link writes it, with the schema version as ``v``."""
        texts = {name: _text(value) for name, value in self.model_dump(mode="json").items()}
        return {"v": str(self.schema_version), **texts}

    def differences(self, other: Experiment) -> dict[str, tuple[Any, Any]]:
        """The fields in which two Experiments of one class differ: ``{name: (mine, theirs)}``."""
        mine, theirs = self.model_dump(), other.model_dump()
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}


def problem(error: ValidationError) -> str:
    """The first thing that pydantic found wrong, as a short clause."""
    first = error.errors()[0]
    return str(first["msg"]).removeprefix("Value error, ").rstrip(".")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return str(value)


def _parameter(name: str, info: Any) -> Parameter:
    extra = info.json_schema_extra or {}
    annotation, choices = info.annotation, ()
    kind: Any = {bool: "bool", int: "int", float: "float", str: "text"}.get(annotation)
    if get_origin(annotation) is Literal:
        kind, choices = "choice", tuple(get_args(annotation))
    if kind is None:
        raise TypeError(f"field {name!r} has type {annotation}; a control needs bool, int, float, str or Literal")
    low = high = None
    for rule in info.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = float(rule.ge)  # type: ignore[arg-type]
        if isinstance(rule, annotated_types.Le):
            high = float(rule.le)  # type: ignore[arg-type]
    if kind in ("int", "float") and (low is None or high is None or not math.isfinite(high - low)):
        raise TypeError(f"field {name!r} is a number without bounds; give it ge and le")
    when = {other: tuple(values) for other, values in extra.get("when", {}).items()}
    return Parameter(
        name=name, kind=kind, title=info.title or name.replace("_", " "), help=info.description or "",
        default=info.default, low=low, high=high, choices=choices, unit=extra.get("unit", ""),
        basic=bool(extra.get("basic", False)), log=bool(extra.get("log", False)), when=when,
        labels=dict(extra.get("labels", {})),
    )  # fmt: skip
