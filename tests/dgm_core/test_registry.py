"""The registry: from a declaration's text back to the Experiment, and to nothing else."""

import json

import pytest

from dgm_core import registry

TOY = "toy=tests.dgm_core.runs.toys:Line toy=tests.dgm_core.runs.toys:Picture"


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.VARIABLE, TOY)


def test_a_declaration_comes_back_as_the_same_experiment() -> None:
    for cls in registry.classes("toy"):
        experiment = cls(steps=7, seed=3)
        again = registry.from_canonical(experiment.canonical())
        assert type(again) is cls
        assert (again, again.key) == (experiment, experiment.key)
    assert registry.trained("toy").__name__ == "Line"


def test_every_built_in_class_is_there_and_of_its_topic() -> None:
    for topic in registry.BUILT_IN:
        for cls in registry.classes(topic):
            assert cls.topic == topic
            assert registry.from_canonical(cls().canonical()) == cls()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class": "os.system"}, "no Experiment toy/os.system"),
        ({"class": "toys:Line"}, "no Experiment"),
        ({"topic": "../toy"}, "no Experiment"),
        ({"version": 7}, "for version 7"),
        ({"fields": {"steps": 0}}, "greater than or equal to 1"),
        ({"fields": {"other": 0}}, "Extra inputs"),
    ],
)
def test_a_declaration_that_is_no_good_is_refused(change: dict[str, object], message: str) -> None:
    text = json.loads(registry.trained("toy")().canonical())
    with pytest.raises(ValueError, match=message):
        registry.from_canonical(json.dumps({**text, **change}))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "7", '{"topic": "toy"}'])
def test_text_that_is_no_declaration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no Experiment's declaration"):
        registry.from_canonical(text)


@pytest.mark.parametrize("entry", ["toy", "toy=", "=a:b", "toy=module", "toy=a:b:c"])
def test_a_variable_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    monkeypatch.setenv(registry.VARIABLE, entry)
    with pytest.raises(ValueError, match="topic=module:Class"):
        registry.paths()


def test_a_topic_that_cannot_be_imported_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.VARIABLE, f"broken=no.such.module:Thing {TOY}")
    registry.preload()
    assert registry.trained("toy").__name__ == "Line"
    with pytest.raises(KeyError, match="no topic 'nothing'"):
        registry.trained("nothing")
