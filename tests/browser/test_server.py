"""The server as it is started from anywhere: it reads this project's settings, and ends at once when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dgm_core.cnf.experiment import DensityFlow
from dgm_core.runs import RunStore
from tests.browser.conftest import ROOT, await_health, free_port

PROBE = """
import sys
from streamlit import config
from streamlit.web import bootstrap
bootstrap.load_config_options({})
config._main_script_path = sys.argv[1]
config.get_config_options(force_reparse=True)
print(config.get_option("runner.postScriptGC"), config.get_option("server.address"))
"""
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from app.services import runner
from dgm_core.cnf.experiment import DensityFlow

if __name__ == "__main__":
    run = runner().submit(DensityFlow(steps=20_000, objective="likelihood"), keep=True)
    st.text(runner().watch(run.id).state)
"""


@pytest.mark.parametrize("where", [ROOT, Path("/")], ids=["at home", "from another folder"])
def test_the_garbage_is_not_collected_after_every_rerun(where: Path) -> None:
    command = [sys.executable, "-c", PROBE, str(ROOT / "app" / "main.py")]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "127.0.0.1"]


@pytest.mark.browser
def test_the_server_ends_while_a_training_runs(tmp_path: Path, page: object) -> None:
    script, port = tmp_path / "script.py", free_port()
    script.write_text(SCRIPT.format(root=str(ROOT)))
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
    environment = {**os.environ, "DGM_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with open(tmp_path / "log.txt", "wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        await_health(f"http://127.0.0.1:{port}", server)
        page.goto(f"http://127.0.0.1:{port}")  # type: ignore[attr-defined]
        store, end = RunStore(tmp_path / "home"), time.monotonic() + 60
        while not any(run.state == "running" and run.step > 0 for run in store.list()):
            assert time.monotonic() < end, "the training does not start"
            time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        server.wait(15)  # a guard against hanging: the job would go on for minutes
    finally:
        server.kill()
        server.wait()
    (run,) = store.list()
    assert (run.state, run.experiment) == ("interrupted", DensityFlow(steps=20_000, objective="likelihood"))
