"""The declaration: keys, links, bounds, and what a hostile link can do (nothing)."""

import json
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from dgm_core.experiment import Experiment


class Toy(Experiment):
    topic = "toy"
    target: Literal["ring", "grid"] = Field("ring", title="Target", json_schema_extra={"basic": True})
    width: int = Field(8, ge=1, le=64, title="Width", json_schema_extra={"unit": "units", "when": {"target": ["ring"]}})
    rate: float = Field(1e-3, ge=1e-5, le=1.0, title="Learning rate", json_schema_extra={"log": True})
    exact: bool = Field(True, title="Exact")
    word: str = Field("", max_length=6, title="Word")

    @model_validator(mode="after")
    def grid_is_narrow(self) -> "Toy":
        if self.target == "grid" and self.width > 32:
            raise ValueError("a grid needs a width of at most 32")
        return self


EXPERIMENTS = st.builds(
    Toy,
    target=st.just("ring"),
    width=st.integers(1, 64),
    rate=st.floats(1e-5, 1.0),
    exact=st.booleans(),
    word=st.text(max_size=6),
)


@settings(max_examples=100, deadline=None)
@given(EXPERIMENTS)
def test_a_link_gives_back_the_same_experiment(experiment: Toy) -> None:
    read, notes = Toy.from_query(experiment.to_query())
    assert (read, notes) == (experiment, [])
    assert read.key == experiment.key


@settings(max_examples=100, deadline=None)
@given(EXPERIMENTS, EXPERIMENTS)
def test_keys_are_equal_exactly_for_equal_experiments(one: Toy, other: Toy) -> None:
    assert (one.key == other.key) == (one == other)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*Toy.model_fields, "v", "other"]), st.text(max_size=30)))
def test_any_link_gives_a_valid_experiment(query: dict[str, str]) -> None:
    experiment, _ = Toy.from_query(query)
    assert Toy(**experiment.model_dump()) == experiment


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("width", "0"), ("width", "65"), ("width", "1e400"), ("width", "eight"), ("width", ""),
        ("rate", "nan"), ("rate", "inf"), ("rate", "-1"), ("rate", "1e400"),
        ("target", "<script>alert(1)</script>"), ("exact", "perhaps"), ("word", "far too long"),
    ],
)  # fmt: skip
def test_a_bad_value_is_ignored_and_named(name: str, text: str) -> None:
    experiment, notes = Toy.from_query({name: text})
    assert experiment == Toy()
    assert len(notes) == 1
    assert "is ignored" in notes[0]
    assert Toy.model_fields[name].title in notes[0]


def test_a_rule_that_joins_fields_drops_one_and_says_so() -> None:
    experiment, notes = Toy.from_query({"target": "grid", "width": "40", "exact": "false"})
    assert experiment.exact is False or experiment.target == "ring" or experiment.width <= 32
    assert any("at most 32" in note for note in notes)


def test_what_the_rule_does_not_forbid_stays_as_the_link_has_it() -> None:
    experiment, notes = Toy.from_query({"target": "grid", "width": "40", "exact": "false", "rate": "0.02"})
    assert experiment == Toy(width=40, exact=False, rate=0.02)
    assert len(notes) == 1


def test_parameters_carry_bounds_units_and_conditions() -> None:
    target, width, rate, exact, word = Toy.parameters()
    assert (target.kind, target.choices, target.basic) == ("choice", ("ring", "grid"), True)
    assert (width.kind, width.low, width.high, width.unit) == ("int", 1.0, 64.0, "units")
    assert width.matters({"target": "ring"})
    assert not width.matters({"target": "grid"})
    assert rate.log
    assert (exact.kind, word.kind) == ("bool", "text")


def test_a_number_without_bounds_is_no_declaration() -> None:
    class Unbounded(Experiment):
        width: int = 3

    with pytest.raises(TypeError, match="without bounds"):
        Unbounded.parameters()


def test_an_experiment_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Toy().width = 9  # type: ignore[misc]


def test_the_key_depends_on_topic_and_version() -> None:
    class Other(Toy):
        topic = "other"

    assert json.loads(Toy().canonical())["fields"]["width"] == 8
    assert Other().key != Toy().key
