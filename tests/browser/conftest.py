"""A Streamlit server for a script, and a page of a real Chromium that remembers what went wrong on its console."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HARMLESS = ("favicon", "WebGL", "preload")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_health(url: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: when it ended or did not answer in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("the server did not answer in time")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """``serve(script, **environment) -> url``: a server for one script, ended after the module's tests.

    The server's output goes to a file, so a full pipe cannot stop it; ``DGM_HOME`` is an empty folder unless given.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(script: Path, **environment: str) -> str:
        folder, port = tmp_path_factory.mktemp("server"), free_port()
        command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
        command += ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
        own = {"DGM_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
        with open(folder / "log.txt", "wb") as log:
            running.append(
                subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT)
            )
        url = f"http://127.0.0.1:{port}"
        await_health(url, running[-1])
        return url

    yield start
    for server in running:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium: the system's own, else the one that Playwright has installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=system, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """``new_page(**context) -> page``: a page in a context of its own; ``page.problems`` lists console errors."""
    contexts: list[Any] = []

    def make(**options: Any) -> Any:
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(error.stack or str(error)))
        page.on("console", lambda message: note(page, message))
        return page

    yield make
    for context in contexts:
        context.close()


def note(page: Any, message: Any) -> None:
    """Keep a console error, unless it is one that every headless browser without network prints.

    Streamlit itself asks for its health below the page's path first, gets 404, and then asks at the root.
    """
    probing = "/_stcore/" in message.location.get("url", "")
    if message.type == "error" and not probing and not any(word in message.text for word in HARMLESS):
        page.problems.append(message.text)


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """A page of 1280 × 900 pixels in the light theme."""
    return new_page()
