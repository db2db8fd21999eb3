"""Every page runs: as it opens, with every preset, with every shipped target, and whatever the address says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dgm_core import zoo
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.presets import PRESETS

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"
PAGES = sorted(path.stem for path in (MAIN.parents[1] / "pages").glob("*.py"))


def opened(page: str, query: dict[str, str] | None = None) -> Any:
    """The app on a page, after its first run."""
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    for name, text in (query or {}).items():
        app.query_params[name] = text
    return app.switch_page(f"../pages/{page}.py").run()


def no_failure(app: Any) -> None:
    assert not app.exception, [element.message for element in app.exception]


def said(app: Any) -> str:
    """All the calm notes on the page."""
    return " ".join(element.value for element in app.info)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_opens(page: str) -> None:
    app = opened(page)
    no_failure(app)
    assert app.title


@pytest.mark.parametrize("target", ["moons", "checkerboard", "word", "photo-china"])
def test_a_shipped_target_is_shown_at_once(target: str) -> None:
    app = opened("cnf", {"target": target})
    no_failure(app)
    assert not any("not trained yet" in caption.value for caption in app.caption)


def test_the_default_flow_is_shipped() -> None:
    assert zoo.find(DensityFlow()) == "cnf-8gaussians"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_shows_something_trained(preset: Any) -> None:
    settings = DensityFlow(**preset.settings)
    app = opened("cnf", settings.to_query())
    no_failure(app)
    assert zoo.find(settings) is not None


HOSTILE = [
    {"target": "<script>alert(1)</script>"},
    {"steps": "1e400"},
    {"steps": "-5"},
    {"width": "NaN"},
    {"learning_rate": "inf"},
    {"seed": "9" * 400},
    {"target": "points"},
    {"target": "points", "data": "0" * 64},
    {"target": "image", "data": "../../etc/passwd"},
    {"target": "word", "word": ""},
    {"target": "word", "word": "\u202e" * 24},
    {"model": "planar", "objective": "flow-matching"},
    {"v": "999", "target": "moons"},
    {"view": "<b>", "target": "moons"},
    {"classroom": "maybe"},
    {"classroom": "true", "steps": "-5"},
]


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: ",".join(f"{k}={v[:12]}" for k, v in query.items()))
def test_a_hostile_address_opens_the_page(query: dict[str, str]) -> None:
    app = opened("cnf", query)
    no_failure(app)
    assert app.title


@pytest.mark.parametrize("name", ["steps", "width", "learning_rate", "target"])
def test_what_is_ignored_is_said(name: str) -> None:
    app = opened("cnf", {name: "nonsense"})
    no_failure(app)
    assert "is ignored" in said(app)
    assert DensityFlow.model_fields[name].title in said(app)
