"""A warm worker process: ``python -m dgm_core.runs.worker``, messages in on stdin, messages out on stdout.

It imports torch and the topics, says ``ready``, and then performs one job after another. It never outlives the server:
the operating system closes its stdin however the server ends, and at the end of stdin it exits at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from dgm_core.runs.frames import write_frame
from dgm_core.runs.inbox import Inbox


def main() -> None:
    """Serve until the server is gone."""
    stdin, stdout = take_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server to handle
    inbox, lock = Inbox(), threading.Lock()
    inbox.listen(stdin)
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the server answers its users first

    def send(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        with lock:
            write_frame(stdout, meta, arrays)

    warm_up()
    from dgm_core.runs.job import Job, perform

    send({"kind": "ready", "pid": os.getpid()}, {})
    while True:
        perform(Job(**inbox.jobs.get()), inbox, send)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for messages; whatever else is printed goes to stderr and cannot corrupt them."""
    sys.stdout.flush()
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stdin, stdout


def warm_up() -> None:
    """Import torch and the topics and wake the device, so that a job starts at once."""
    import torch

    from dgm_core import registry
    from dgm_core.device import resolve

    registry.preload()
    weight = torch.ones(8, 8, requires_grad=True, device=resolve("auto"))
    (weight @ weight).sum().backward()
    torch.optim.Adam([weight]).step()  # the first one imports much
    gc.collect()
    gc.freeze()  # what is imported is never garbage; collections are short from here on


if __name__ == "__main__":
    main()
