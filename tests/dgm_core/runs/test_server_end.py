"""However the server ends, its workers end with it, and its runs can be resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dgm_core.runs import RunStore
from tests.dgm_core.runs.toys import PATH

ROOT = Path(__file__).resolve().parents[3]
SERVER = """
import json, signal, sys, time
from pathlib import Path
from dgm_core.runs import Runner, RunStore
from tests.dgm_core.runs.toys import Line

if sys.argv[2] == "handled":  # as a web server does: leave the main loop, then the interpreter ends in the ordinary way
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
runner = Runner(RunStore(Path(sys.argv[1])), workers={"train": 1}, spare=0, threads=1)
run = runner.submit(Line(steps=100_000, pause=0.01))
while runner.watch(run.id).run.checkpoint is None:
    time.sleep(0.02)
print(json.dumps({"run": run.id, "workers": [worker.pid for worker in runner._pool.all]}), flush=True)
while True:
    time.sleep(0.1)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
@pytest.mark.parametrize(("how", "number"), [("handled", signal.SIGTERM), ("killed", signal.SIGKILL)])
def test_workers_end_with_the_server(tmp_path: Path, how: str, number: int) -> None:
    environment = {**os.environ, "DGM_EXPERIMENTS": PATH, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), how], stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        assert all(alive(pid) for pid in told["workers"])
        server.send_signal(number)
        server.wait(30)  # a guard against hanging, no measure
    finally:
        server.kill()
        server.wait()
        server.stdout.close()  # type: ignore[union-attr]
    end = time.monotonic() + 30
    while any(alive(pid) for pid in told["workers"]):
        assert time.monotonic() < end, "a worker outlives its server"
        time.sleep(0.02)

    store = RunStore(tmp_path)
    if how == "handled":
        assert store.get(told["run"]).state == "interrupted"
    else:
        assert [run.id for run in store.sweep()] == [told["run"]]
    run = store.get(told["run"])
    assert run.state == "interrupted"
    assert run.resumable
    assert store.checkpoint_step(run.id) is not None
    assert not list(store.folder(run.id).rglob("*.partial"))
