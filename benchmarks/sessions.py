"""Thirty students on one page: how long an interaction takes on a server that all of them share.

Each session holds a websocket, as a browser does, and asks for another shipped flow every two seconds; what is timed
is from the request to the message that the script has finished, with everything in between received. All of them were
shown before, and what they made the workers compute has ended: what is timed is what is cached.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dgm_core import zoo
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.runs import RunStore

ROOT = Path(__file__).resolve().parents[1]


def rows(sessions: int = 30, pause: float = 2.0, rounds: int = 10) -> list[dict[str, Any]]:
    """Median and 95th percentile over all interactions, in milliseconds."""
    with server() as (port, home):
        asyncio.run(_visit_all(port))
        _await_workers(home)
        alone = asyncio.run(_many(port, 1, 0.3, rounds))
        together = asyncio.run(_many(port, sessions, pause, rounds))
    return [_row("one session", alone), _row(f"{sessions} sessions, one interaction each {pause:g} s", together)]


@contextlib.contextmanager
def server() -> Iterator[tuple[int, Path]]:
    """The app on a free port of this machine and its run store's folder, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "main.py"), "--server.headless", "true"]
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
            env={**os.environ, "DGM_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
                    break
                time.sleep(0.1)
            yield port, Path(home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


async def _visit_all(port: int) -> None:
    """Show every flow once: the first visitor pays for imports, and all pictures are made."""
    async with _connected(port) as connection:
        await _rerun(connection, "")
        for name in _targets():
            if not await _rerun(connection, _link(name), name):
                raise RuntimeError(f"the page does not show {name} when it is asked for")


def _await_workers(home: Path, seconds: float = 300.0) -> None:
    """Wait until no run is queued or running.

    Raises:
        TimeoutError: when that takes too long.
    """
    store, end = RunStore(home), time.monotonic() + seconds
    while any(run.live for run in store.list()):
        if time.monotonic() > end:
            raise TimeoutError(f"the workers are still busy after {seconds:g} s")
        time.sleep(0.5)


async def _many(port: int, sessions: int, pause: float, rounds: int) -> list[float]:
    """Seconds of each interaction; nobody starts before all have the page."""
    opened = asyncio.Barrier(sessions)
    found = await asyncio.gather(*(_session(port, pause, rounds, seed, opened) for seed in range(sessions)))
    return [seconds for one in found for seconds in one]


async def _session(port: int, pause: float, rounds: int, seed: int, opened: asyncio.Barrier) -> list[float]:
    draw, took = random.Random(seed), []
    async with _connected(port) as connection:
        await _rerun(connection, "")
        await opened.wait()
        await asyncio.sleep(pause * draw.random())
        for _ in range(rounds):
            await asyncio.sleep(pause * draw.uniform(0.5, 1.5))
            started = time.perf_counter()
            await _rerun(connection, _link(draw.choice(_targets())))
            took.append(time.perf_counter() - started)
    return took


def _connected(port: int) -> Any:
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    return websockets.connect(address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]


def _targets() -> list[str]:
    """The shipped flows that differ in their target alone, so that the address says all that has changed."""
    usual = DensityFlow()
    return [name for name in zoo.names() if set(zoo.experiment(name).differences(usual)) <= {"target"}]


def _link(name: str) -> str:
    """The address of a shipped flow."""
    return urlencode(zoo.experiment(name).to_query())


async def _rerun(connection: Any, query: str, name: str = "") -> bool:
    """Go to an address as the browser's history does, and wait for the end of the script; whether it named ``name``."""
    message, seen = BackMsg(), False
    message.rerun_script.query_string = query
    message.rerun_script.page_name = "cnf"
    message.rerun_script.is_history_navigation = bool(query)
    await connection.send(message.SerializeToString())
    while True:
        packed = await connection.recv()
        seen = seen or name.encode() in packed
        received = ForwardMsg.FromString(packed)
        kind = received.WhichOneof("type")
        if kind == "script_finished" and received.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return seen


def _row(name: str, seconds: list[float]) -> dict[str, Any]:
    milliseconds = 1000 * np.array(seconds)
    return {
        "what": name,
        "interactions": len(seconds),
        "median ms": round(float(np.median(milliseconds)), 1),
        "p95 ms": round(float(np.quantile(milliseconds, 0.95)), 1),
    }
