"""``python -m dgm_core runs``: what was trained here."""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING

from dgm_core.cli.parser import Parser, UsageError, note

if TYPE_CHECKING:
    from dgm_core.runs.record import Run
    from dgm_core.runs.store import RunStore

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def run(argv: list[str]) -> int:
    """List, show, delete or prune runs."""
    parsed = _parser().parse_args(argv or ["list"])

    from dgm_core.runs.store import RunStore

    try:
        store = RunStore()
    except OSError as error:
        note(f"the folder of the runs cannot be used: {error}")
        return 1
    try:
        status: int = {"list": _list, "show": _show, "delete": _delete, "prune": _prune}[parsed.action](store, parsed)
    finally:
        for problem in store.problems:
            note(problem)
        store.close()
    return status


def size(text: str) -> int:
    """Bytes of a size such as ``500MB``.

    Raises:
        argparse.ArgumentTypeError: when it is none.

    Example:
        >>> size("500MB"), size("1.5 g"), size("0")
        (500000000, 1500000000, 0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for instance 500MB or 2GB")
    return int(float(match[1]) * UNITS[match[2]])


def _parser() -> Parser:
    parser = Parser(prog="python -m dgm_core runs", description="What was trained here (DGM_HOME names the folder).")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="every run, newest first (the default)")
    actions.add_parser("show", help="one run with its settings and last numbers").add_argument("id", metavar="ID")
    actions.add_parser("delete", help="remove a run and its files").add_argument("id", metavar="ID", nargs="+")
    prune = actions.add_parser("prune", help="remove the oldest runs that nobody asked to keep, until all fit")
    prune.add_argument("size", type=size, metavar="SIZE", help="for instance 500MB")
    return parser


def _list(store: RunStore, parsed: argparse.Namespace) -> int:
    from dgm_core.cli.tables import bytes_text, show

    rows = [
        (run.id, run.state, f"{run.step}/{run.total}", _when(run.created), bytes_text(run.size), _marks(run))
        for run in store.list()
    ]
    show(str(store.root), ("run", "state", "step", "created", "size", "remarks"), rows)
    return 0


def _show(store: RunStore, parsed: argparse.Namespace) -> int:
    import json

    from dgm_core.cli.tables import bytes_text, show

    run = _get(store, parsed.id)
    times = {"created": run.created, "started": run.started, "finished": run.finished}
    facts = {
        "state": f"{run.state} {run.reason}".strip(), "step": f"{run.step} of {run.total}", "device": run.device,
        "folder": str(store.folder(run.id)), "size": bytes_text(run.size), "remarks": _marks(run),
        "changed by hand": "; ".join(json.dumps(dict(event)) for event in run.events),
        **{name: _when(at) for name, at in times.items() if at is not None},
    }  # fmt: skip
    settings = json.loads(run.canonical)["fields"]
    columns = store.metrics(run.id)
    last = {name: values[values == values] for name, values in columns.items()}
    show(run.id, ("", ""), [(name, text) for name, text in facts.items() if text])
    show("settings", ("", ""), [(name, str(value)) for name, value in settings.items()])
    show("last numbers", ("", ""), [(name, f"{values[-1]:.6g}") for name, values in last.items() if len(values)])
    return 0


def _delete(store: RunStore, parsed: argparse.Namespace) -> int:
    for run in [_get(store, name) for name in parsed.id]:
        try:
            store.delete(run.id)
        except ValueError as error:
            note(str(error))
            return 1
        print(f"deleted {run.id}")
    return 0


def _prune(store: RunStore, parsed: argparse.Namespace) -> int:
    for run in store.prune(parsed.size):
        print(f"deleted {run.id}")
    return 0


def _get(store: RunStore, name: str) -> Run:
    try:
        return store.get(name)
    except KeyError as error:
        raise UsageError(f"there is no run {name!r}; `python -m dgm_core runs list` names them") from error


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _marks(run: Run) -> str:
    marks = {"kept": run.keep, "changed by hand": run.touched and run.parent is None}
    words = [word for word, holds in marks.items() if holds]
    return ", ".join([*words, *([f"continues {run.parent}"] if run.parent else [])])
