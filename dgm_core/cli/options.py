"""An Experiment's fields as command-line options, made from its declaration by pydantic-settings."""

from __future__ import annotations

from copy import copy
from typing import Any

from pydantic import ValidationError, create_model
from pydantic_settings import BaseSettings, CliSettingsSource

from dgm_core.cli.parser import Parser, UsageError
from dgm_core.experiment import Experiment, Parameter


class Options:
    """Adds an Experiment's options to a parser, and reads them back.

    Args:
        cls: the Experiment.
        parser: may have options of its own, under other names.
    """

    def __init__(self, cls: type[Experiment], parser: Parser) -> None:
        self._cls = cls
        fields: dict[str, Any] = {p.name: _field(cls, p) for p in cls.parameters()}
        twin = create_model(f"{cls.__name__}Options", __base__=BaseSettings, **fields)
        self._source: CliSettingsSource[Parser] = CliSettingsSource(
            twin, root_parser=parser, cli_kebab_case=True, cli_implicit_flags=True, cli_exit_on_error=False
        )

    def experiment(self, parsed: dict[str, Any]) -> Experiment:
        """The Experiment that the parsed options declare.

        Raises:
            UsageError: when a value is no good.
        """
        names = {parameter.name for parameter in self._cls.parameters()}
        given = {name.replace("-", "_"): value for name, value in parsed.items() if value is not None}
        try:
            return self._cls(**{name: value for name, value in given.items() if name in names})
        except ValidationError as error:
            raise UsageError(_sentence(error)) from error


def bounds(parameter: Parameter) -> str:
    """What a field may hold, in a few characters."""
    if parameter.choices:
        return ", ".join(parameter.choices)
    if parameter.low is not None and parameter.high is not None:
        return f"{parameter.low:g} … {parameter.high:g} {parameter.unit}".rstrip()
    return {"bool": "true, false", "text": "text"}.get(parameter.kind, "")


def condition(parameter: Parameter) -> str:
    """When a field matters, in a few words; empty for always."""
    return " and ".join(f"{name} is {' or '.join(map(str, values))}" for name, values in parameter.when.items())


def _field(cls: type[Experiment], parameter: Parameter) -> tuple[Any, Any]:
    info = copy(cls.model_fields[parameter.name])
    limits = bounds(parameter) if parameter.kind in ("int", "float") else ""
    matters = condition(parameter)
    parts = [parameter.help, limits and f"{limits}.", matters and f"Matters when {matters}."]
    info.description = " ".join(part for part in parts if part)
    return info.annotation, info


def _sentence(error: ValidationError) -> str:
    """What is wrong with which option."""
    first = error.errors()[0]
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    if not first["loc"]:
        return message
    option = "--" + str(first["loc"][0]).replace("_", "-")
    return f"{option} {str(first['input'])[:40]!r} is no good: it should be {message}"
