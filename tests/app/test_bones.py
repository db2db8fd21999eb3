"""The page's bones: what they say, what they escape, what a click does."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.bones.check_table import cell, number, row, summary, table
from app.bones.compare import difference
from app.bones.export import shell_form
from app.bones.header import coloured, legend_line
from app.bones.text import plain
from app.figures.palette import accent
from app.permalink import full_link
from dgm_core.checks import Check
from dgm_core.device import available
from tests.app.demo_experiment import Demo

ROOT = Path(__file__).resolve().parents[2]


def run(script: object, **query: str) -> AppTest:
    at = AppTest.from_function(script, default_timeout=30)  # type: ignore[arg-type]
    for name, text in query.items():
        at.query_params[name] = text
    at.run()
    assert not at.exception
    return at


def header() -> None:
    from app.furniture import page_header

    page_header("How does a density flow?", r"\frac{dz}{dt} = f(z)", {"f": ("model", "the field")})


def test_the_header_has_question_formula_and_legend() -> None:
    at = run(header)
    assert at.title[0].value == "How does a density flow?"
    blue = f"\\textcolor{{{accent('model', False)}}}{{f}}"
    assert at.markdown[0].value == f"$\\displaystyle \\frac{{dz}}{{dt}} = {blue}(z)$ &emsp; ${blue}$ the field"


def test_symbols_are_coloured_whole_and_once() -> None:
    legend = {"p": ("model", ""), "p_0": ("base", ""), r"\zeta": ("latent", ""), "z": ("data", "")}
    green, blue, rose, orange = (accent(m, True) for m in ("base", "model", "latent", "data"))  # type: ignore[arg-type]
    assert coloured(r"p p_0 \zeta dz z \operatorname{p}", legend, True) == (  # type: ignore[arg-type]
        f"\\textcolor{{{blue}}}{{p}} \\textcolor{{{green}}}{{p_0}} \\textcolor{{{rose}}}{{\\zeta}} dz "
        f"\\textcolor{{{orange}}}{{z}} \\operatorname{{\\textcolor{{{blue}}}{{p}}}}"
    )
    assert coloured("x", {}, False) == "x"
    assert legend_line({"z": ("data", "a point")}, True) == f"$\\textcolor{{{orange}}}{{z}}$ a point"


GOOD = Check("mass", 1.0004, 1.0, 1e-3, "tolerance", source="a density")
BAD = Check("NLL − entropy", 0.081, 0.0, 0.05, "at most", "nats")
NOISY = Check("mean", -1.23, -1.2293, 0.004, "standard error")


def test_a_check_says_its_verdict_in_words_and_colour() -> None:
    assert row(GOOD) == "| :green[✓ holds] | mass | 1.0004 | 1.0000 | ± 0.001 | a density |"
    assert row(BAD) == "| :red[✗ fails] | NLL − entropy | 0.081 nats | ≤ 0 | + 0.05 |  |"
    assert row(NOISY) == "| :green[✓ holds] | mean | −1.2300 | −1.2293 | ± 4 × 0.004 |  |"
    assert summary([GOOD, BAD], "14:02") == "1 of 2 hold · measured 14:02"
    assert "four standard errors" in summary([NOISY])


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_row(name: str, source: str) -> None:
    made = table([Check(name, 1.0, 1.0, 0.1, "tolerance", source=source)])
    assert len(made.split("\n")) == 3
    assert made.split("\n")[2].replace(r"\|", "").count("|") == 7


def test_bars_inside_mathematics_stay_bars() -> None:
    assert cell("$|x|$ a|b") == r"$\vert x\vert $ a\|b"


READ = re.compile(r"(-?)(?:([\d.]+) · )?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@given(st.floats(min_value=-1e300, max_value=1e300), st.floats(min_value=1e-9, max_value=1e3))
def test_a_number_is_shown_within_its_error(value: float, error: float) -> None:
    shown = number(value, error).replace("−", "-")
    power = READ.fullmatch(shown)
    if power:
        assert math.isclose(float(f"{power[1]}{power[2] or 1}e{power[3].translate(DIGITS)}"), value, rel_tol=0.051)
    else:
        assert abs(float(shown) - value) <= max(0.1 * error, 1e-6)


def checks() -> None:
    from app.furniture import check_table
    from dgm_core.checks import Check

    check_table([])
    check_table([Check("mass", float("nan"), 1.0, 1e-3, "tolerance")], "just now")


def test_the_check_table_stands_on_the_page() -> None:
    at = run(checks)
    assert "not a number" in at.markdown[0].value
    assert [caption.value for caption in at.caption] == [
        "Nothing has been measured yet.", "0 of 1 hold · measured just now",
    ]  # fmt: skip


def tries() -> None:
    import streamlit as st

    from app.controls import apply_settings, controls
    from app.furniture import try_section
    from dgm_core.presets import Preset
    from tests.app.demo_experiment import Demo

    experiment = controls(Demo)
    st.text(experiment.trace)
    presets = [
        Preset("probe", "Will it train?", ("yes", "no"), 0, "It is unbiased.", {"trace": "gaussian"}),
        Preset("units", "Are 4 enough?", ("yes", "no", "by luck"), 1, "Each bends once.", {"units": 4}),
    ]
    try_section(presets, lambda preset: apply_settings(Demo, preset.settings))


def test_a_prediction_comes_before_the_answer() -> None:
    at = run(tries)
    words = " ".join(mark.value for mark in at.markdown)
    assert "Will it train?" in words
    assert "unbiased" not in words
    assert not [button for button in at.button if button.key.endswith(":show")]
    at.button(key="try:probe:1").click().run()
    words = " ".join(mark.value for mark in at.markdown)
    assert "✗ No: yes." in words
    assert "It is unbiased." in words
    assert "Each bends once." not in words
    at.button(key="try:probe:show").click().run()
    assert not at.exception
    assert at.text[0].value == "gaussian"
    at.button(key="try:probe:again").click().run()
    assert "unbiased" not in " ".join(mark.value for mark in at.markdown)


def test_the_right_prediction_is_called_right() -> None:
    at = run(tries)
    at.button(key="try:units:1").click().run()
    assert any("✓ Right." in mark.value for mark in at.markdown)


def take_home() -> None:
    import streamlit as st

    from app.furniture import Export, code_section, copy_link, export_section, pipeline_caption
    from tests.app.demo_experiment import Demo

    def never() -> bytes:
        raise AssertionError("made before it was asked for")

    export_section([Export("CSV", "a.csv", "text/csv", never), Export("PNG", "a.png", "image/png", never)])
    code_section("print(1 + 1)\n")
    pipeline_caption(["<i>8</i>", "p_t"])
    copy_link(Demo(seed=4))
    st.text("end")


def test_files_are_made_on_demand_only() -> None:
    at = run(take_home)
    assert [button.proto.label for button in at.get("download_button")] == ["CSV", "PNG"]
    assert at.text[0].value == "end"
    assert at.caption[0].value == "\\<i\\>8\\</i\\> → p\\_t"


def test_code_is_sent_when_its_section_is_opened() -> None:
    at = run(take_home)
    assert len(at.code) == 0
    at.session_state["code"] = True
    at.run()
    assert [block.value for block in at.code] == ["print(1 + 1)", shell_form("print(1 + 1)")]


def test_the_code_runs_as_it_stands_in_a_shell() -> None:
    command = shell_form("import sys\nprint(sys.version_info[0], '$HOME')\n", sys.executable)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    assert done.stdout == "3 $HOME\n"


def test_a_link_writes_every_value_even_the_defaults() -> None:
    assert full_link("http://h/cnf", Demo(seed=4, word="a b&c"), {"b_trace": "gaussian"}) == (
        "http://h/cnf?v=3&target=8gaussians&word=a+b%26c&model=mlp&trace=exact&units=32&steps=2000&rate=0.005"
        "&temperature=1.0&adjoint=false&seed=4&b_trace=gaussian"
    )


def shell() -> None:
    import streamlit as st

    from app.furniture import chosen_device, classroom_toggle, device_badge, scale

    device_badge()
    classroom_toggle()
    st.text(f"{chosen_device()} {scale()}")


def test_the_classroom_is_in_the_link() -> None:
    at = run(shell, classroom="true")
    assert at.text[0].value == "auto 1.3"
    at.toggle(key="classroom").set_value(False).run()
    assert at.text[0].value == "auto 1.0"


def test_the_device_can_be_chosen() -> None:
    at = run(shell)
    assert len(at.radio(key="device").options) == 1 + len(available())
    at.radio(key="device").set_value("cpu").run()
    assert at.text[0].value == "cpu 1.0"


def test_a_device_that_is_not_here_is_not_taken() -> None:
    at = AppTest.from_function(shell, default_timeout=30)
    at.session_state["device"] = "tpu"
    at.run()
    assert at.text[0].value.startswith("auto")


@pytest.mark.parametrize(
    "text", ["<script>", "$x$", "**b**", ":red[x]", "[a](b)", "`c`", "# h", "- l", "a\n\nb", "&lt;"]
)
def test_text_from_users_is_shown_as_it_is(text: str) -> None:
    escaped = plain(text)
    assert "\n" not in escaped
    bare = escaped.replace("\\", "")
    assert bare == " ".join(text.split())
    for mark in "<>$*[]`#&:":
        assert escaped.count(mark) == escaped.count("\\" + mark)


def test_what_differs_is_named() -> None:
    assert difference(Demo(), Demo()) == "A and B are the same; change one setting of B."
    assert difference(Demo(), Demo(trace="gaussian")) == "Only **Trace** differs."
    assert difference(Demo(), Demo(trace="gaussian", seed=2)) == "**Trace, Seed** differ."
