"""A store in an empty folder, the toys in the registry, and one Runner a module, since workers take seconds to warm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm_core.registry import VARIABLE
from dgm_core.runs import Runner, RunStore
from tests.dgm_core.runs.toys import PATH


@pytest.fixture(autouse=True, scope="session")
def _toys_are_registered() -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = PATH
    yield
    os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    made = RunStore(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    made = Runner(RunStore(tmp_path_factory.mktemp("home")), threads=1, queue=3)
    yield made
    made.close()
