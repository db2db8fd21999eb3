"""Thirty students on one page: how long an interaction takes on a server that all of them share.

Each session holds a websocket, as a browser does, and asks for another shipped target every two seconds; what is timed
is from the request to the message that the script has finished, with everything in between received.
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

import numpy as np
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("8gaussians", "moons", "circles", "checkerboard", "2spirals", "pinwheel")


def rows(sessions: int = 30, pause: float = 2.0, rounds: int = 10) -> list[dict[str, Any]]:
    """Median and 95th percentile over all interactions, in milliseconds."""
    with server() as port:
        asyncio.run(_session(port, 0.0, 2, 0))  # the first visitor pays for the imports
        alone = asyncio.run(_session(port, 0.3, rounds, 1))
        together = asyncio.run(_many(port, sessions, pause, rounds))
    return [_row("one session", alone), _row(f"{sessions} sessions, one interaction each {pause:g} s", together)]


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The app on a free port of this machine, ended afterwards."""
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
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


async def _many(port: int, sessions: int, pause: float, rounds: int) -> list[float]:
    found = await asyncio.gather(*(_session(port, pause, rounds, seed) for seed in range(sessions)))
    return [seconds for one in found for seconds in one]


async def _session(port: int, pause: float, rounds: int, seed: int) -> list[float]:
    draw = random.Random(seed)
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None) as socket_:  # type: ignore[list-item]
        await _rerun(socket_, "")
        took = []
        for _ in range(rounds):
            await asyncio.sleep(pause * draw.uniform(0.5, 1.5))
            started = time.perf_counter()
            await _rerun(socket_, f"target={draw.choice(TARGETS)}")
            took.append(time.perf_counter() - started)
        return took


async def _rerun(connection: Any, query: str) -> None:
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_name = "cnf"
    await connection.send(message.SerializeToString())
    while True:
        received = ForwardMsg.FromString(await connection.recv())
        if received.WhichOneof("type") == "script_finished":
            return


def _row(name: str, seconds: list[float]) -> dict[str, Any]:
    milliseconds = 1000 * np.array(seconds)
    return {
        "what": name,
        "interactions": len(seconds),
        "median ms": round(float(np.median(milliseconds)), 1),
        "p95 ms": round(float(np.quantile(milliseconds, 0.95)), 1),
    }
