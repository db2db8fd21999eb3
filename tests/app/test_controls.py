"""Controls: the address in, a validated Experiment out, whatever the address says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from tests.app.demo_experiment import Demo

USUAL = Demo().model_dump()


def page() -> None:
    import streamlit as st

    from app.controls import apply_settings, controls, enter_page
    from app.permalink import link
    from tests.app.demo_experiment import Demo

    enter_page("demo")
    experiment = controls(Demo)
    settings = {"model": "planar", "rate": 0.00042, "units": 5}
    st.button("preset", key="preset", on_click=apply_settings, args=(Demo, settings))
    st.json(experiment.model_dump(), expanded=False)
    st.text(link(experiment))


def opened(**query: str | list[str]) -> AppTest:
    at = AppTest.from_function(page, default_timeout=30)
    for name, text in query.items():
        at.query_params[name] = text
    at.run()
    assert not at.exception
    return at


def values(at: AppTest) -> dict[str, Any]:
    return dict(json.loads(at.json[0].value))


def said(at: AppTest) -> str:
    return " ".join(note.value for note in at.info).replace("\\", "")


def test_an_empty_address_is_the_default() -> None:
    at = opened()
    assert values(at) == USUAL
    assert not at.info
    assert not at.query_params


def test_every_value_of_a_link_is_taken_and_nothing_is_said() -> None:
    experiment = Demo(
        target="word", word="Hallo Ü", model="planar", trace="gaussian", units=7, steps=345, rate=0.00042,
        temperature=0.37, adjoint=True, seed=2**31 - 1,
    )  # fmt: skip
    at = opened(**experiment.to_query())
    assert Demo(**values(at)) == experiment
    assert not at.info


def test_the_link_of_a_page_opens_the_same_page() -> None:
    at = opened(model="planar", units="7", rate="4.2e-4")
    query = at.text[0].value.split("?")[1]
    again = opened(**dict(part.split("=") for part in query.split("&")))
    assert values(again) == values(at)
    assert f"v={Demo.schema_version}" in query


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("steps", "99", "greater than or equal to 100"),
        ("steps", "1e400", "integer"),
        ("steps", "", "integer"),
        ("rate", "nan", "finite"),
        ("rate", "1e400", "finite"),
        ("rate", "-1", "greater than or equal"),
        ("temperature", "2.0000001", "less than or equal to 2"),
        ("target", "nineteen gaussians", "Input should be"),
        ("model", "MLP", "Input should be"),
        ("adjoint", "maybe", "boolean"),
        ("seed", "0x10", "integer"),
        ("target", "<script>alert(1)</script>", "Input should be"),
    ],
)
def test_a_bad_value_is_ignored_and_named(name: str, text: str, reason: str) -> None:
    at = opened(**{name: text, "trace": "gaussian"})
    assert values(at) == {**USUAL, "trace": "gaussian"}
    assert Demo.model_fields[name].title in said(at)
    assert reason in said(at)
    assert name not in at.query_params


def test_a_word_that_is_too_long_is_ignored_and_shown_as_plain_text() -> None:
    at = opened(target="word", word="<b>$x$</b> **bold**")
    assert values(at)["word"] == "flow"
    assert "\\<b\\>\\$x\\$" in at.info[0].value


def test_a_link_of_another_version_gives_the_defaults() -> None:
    at = opened(v="2", steps="300", model="planar")
    assert values(at) == USUAL
    assert "version 2" in said(at)
    assert not at.query_params


def test_values_of_a_link_that_contradict_each_other_are_sorted_out() -> None:
    at = opened(model="discrete", adjoint="true")
    taken = Demo(**values(at))
    assert taken in (Demo(model="discrete"), Demo(adjoint=True))
    assert "a discrete flow has no adjoint" in said(at)


def test_a_contradiction_on_the_page_keeps_the_last_good_settings() -> None:
    at = opened(trace="gaussian", adjoint="true")
    at.segmented_control(key="model").set_value("discrete").run()
    assert values(at) == {**USUAL, "trace": "gaussian", "adjoint": True}
    assert "a discrete flow has no adjoint" in said(at)
    at.toggle(key="adjoint").set_value(False).run()
    assert values(at) == {**USUAL, "trace": "gaussian", "model": "discrete"}
    assert not at.info


def test_notes_about_the_link_go_when_a_control_is_moved() -> None:
    at = opened(steps="5")
    assert at.info
    at.toggle(key="adjoint").set_value(True).run()
    assert not at.info


def test_widgets_follow_the_declaration() -> None:
    at = opened()
    assert at.number_input(key="seed").max == 2**31 - 1
    assert at.slider(key="temperature").label == "Temperature (nats)"
    assert (at.slider(key="temperature").min, at.slider(key="temperature").max) == (0.0, 2.0)
    assert at.select_slider(key="rate").options[0] == "1e-05"
    assert at.selectbox(key="target").help == "What is learned."
    assert list(at.segmented_control(key="model").options) == ["MLP", "Planar field", "Discrete"]


def test_a_labelled_choice_keeps_its_bare_name_in_the_address() -> None:
    at = opened()
    at.segmented_control(key="model").set_value("planar").run()
    assert at.query_params["model"] == "planar"
    at.segmented_control(key="model").set_value("mlp").run()
    assert "model" not in at.query_params


def test_a_field_that_does_not_matter_is_hidden_and_keeps_its_value() -> None:
    at = opened(model="planar", units="7")
    assert at.slider(key="units").value == 7
    at.segmented_control(key="model").set_value("mlp").run()
    assert "units" not in [slider.key for slider in at.slider]
    assert values(at)["units"] == 7
    at.run()
    at.segmented_control(key="model").set_value("planar").run()
    assert at.slider(key="units").value == 7
    assert values(at)["units"] == 7


def test_a_preset_sets_every_field_and_the_address() -> None:
    at = opened(seed="9")
    at.button(key="preset").click().run()
    assert values(at) == {**USUAL, "model": "planar", "rate": 0.00042, "units": 5}
    assert dict(at.query_params) == {"model": "planar", "rate": "0.00042", "units": "5"}
    at.run()
    assert values(at)["rate"] == 0.00042


MAIN = """
import streamlit as st
from app.controls import enter_page

page = st.navigation([st.Page("demo.py", default=True), st.Page("other.py")])
enter_page(page.url_path)
page.run()
"""
PAGE = """
import streamlit as st
from app.controls import controls
from tests.app.demo_experiment import Demo, Other

st.json(controls({cls}).model_dump(), expanded=False)
"""


def test_topics_with_fields_of_one_name_keep_their_own_values(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "demo.py").write_text(PAGE.format(cls="Demo"))
    (tmp_path / "other.py").write_text(PAGE.format(cls="Other"))
    at = AppTest.from_file(str(tmp_path / "main.py"), default_timeout=30)
    at.query_params["steps"], at.query_params["model"] = "345", "planar"
    at.run()
    assert values(at)["steps"] == 345
    at.slider(key="units").set_value(9).run()
    at.switch_page("other.py").run()
    assert not at.exception
    assert not at.info
    assert values(at) == {"steps": 7}
    at.slider(key="steps").set_value(3).run()
    at.switch_page("demo.py").run()
    assert not at.exception
    assert not at.info
    assert values(at) == {**USUAL, "steps": 345, "model": "planar", "units": 9}
    at.switch_page("other.py").run()
    assert values(at) == {"steps": 3}


def second() -> None:
    import streamlit as st

    from app.furniture import ab_controls, ab_section
    from tests.app.demo_experiment import Demo

    left = Demo(trace="exact")
    right = ab_controls(left, ["trace", "steps"])
    ab_section(left, right, lambda experiment, side: st.text(f"{side} {experiment.trace}"))


def both() -> None:
    import streamlit as st

    from app.controls import controls
    from tests.app.demo_experiment import Demo

    st.json(controls(Demo).model_dump(), expanded=False)
    st.text(controls(Demo, prefix="b_", only=["trace"]).trace)


def test_a_stale_link_is_stale_for_a_second_experiment_too() -> None:
    for version, trace in (("2", "exact"), ("3", "gaussian")):
        at = AppTest.from_function(both, default_timeout=30)
        at.query_params["v"], at.query_params["steps"], at.query_params["b_trace"] = version, "300", "gaussian"
        at.run()
        assert not at.exception
        assert at.text[0].value == trace
        assert values(at)["steps"] == (300 if version == "3" else 2000)


def test_the_link_names_the_field_in_which_b_differs() -> None:
    at = AppTest.from_function(second, default_timeout=30)
    at.query_params["b_field"], at.query_params["b_steps"] = "steps", "300"
    at.run()
    assert not at.exception
    assert at.selectbox(key="b_field").value == "steps"
    assert "**Steps**" in at.markdown[0].value
    at.selectbox(key="b_field").set_value("trace").run()
    assert "b_field" not in at.query_params
    at.selectbox(key="b_field").set_value("steps").run()
    assert at.query_params["b_field"] == "steps"


def test_a_and_b_differ_in_one_named_field() -> None:
    at = AppTest.from_function(second, default_timeout=30)
    at.query_params["b_trace"] = "gaussian"
    at.run()
    assert not at.exception
    assert [text.value for text in at.text] == ["a exact", "b gaussian"]
    assert any("Only **Trace** differs" in mark.value for mark in at.markdown)
    at.segmented_control(key="b_trace").set_value("exact").run()
    assert any("the same" in mark.value for mark in at.markdown)


NAMES = st.sampled_from([*Demo.model_fields, "v", "stranger"])
TEXTS = st.one_of(
    st.sampled_from(
        ["nan", "-inf", "1e400", "0", "-0", "true", "word", "planar", "exact", "'; DROP TABLE", "${7*7}", "%00", "١"]
    ),
    st.text(max_size=30),
    st.floats().map(repr),
    st.integers().map(str),
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, TEXTS, max_size=6))
def test_no_address_breaks_the_page(query: dict[str, str]) -> None:
    at = opened(**query)
    expected, notes = Demo.from_query({name: text for name, text in query.items() if name in USUAL})
    if query.get("v", "3") == "3":
        assert Demo(**values(at)) == expected
        assert len(at.info) == bool(notes)
    else:
        assert values(at) == USUAL
