"""``python -m benchmarks TOPIC [--json FILE] [--quick | --full]``: every topic's figures against its peers."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import cnf, cnf_training, gumbel, gumbel_vae, neural_ode, precision_recall, sessions, vqvae
from benchmarks.measure import Row, show


def main() -> None:
    """Run a topic's benchmark, print its tables, and write them where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topic", choices=["cnf", "gumbel", "neural_ode", "precision_recall", "sessions", "vqvae"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows there")
    parser.add_argument("--quick", action="store_true", help="fewer models, frames and seeds; no slow peers")
    parser.add_argument("--full", action="store_true", help="time the plain way on all 60 frames")
    parser.add_argument("--threads", type=int, help="for torch's operators; torch's own choice by default")
    chosen = parser.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    topics: dict[str, Callable[[], dict[str, list[Row]]]] = {
        "cnf": lambda: _cnf(chosen.quick, chosen.full),
        "gumbel": lambda: _gumbel(chosen.quick),
        "neural_ode": lambda: _neural_ode(chosen.quick),
        "precision_recall": lambda: _precision_recall(chosen.quick),
        "sessions": _sessions,
        "vqvae": lambda: _vqvae(chosen.quick, chosen.full),
    }
    found = topics[chosen.topic]()
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine(), "tables": found}, indent=1))


def machine() -> Row:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(), "torch": torch.__version__, "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
    }  # fmt: skip


def _cnf(quick: bool, full: bool) -> dict[str, list[Row]]:
    found = cnf.tables(quick=quick, full=full)
    for title, rows in found.items():
        show(title, rows)
    title = "8 Gaussians: gap to the entropy (nats) after seconds of training"
    found[title] = cnf_training.rows(quick=quick)
    show(title, found[title])
    return found


def _gumbel(quick: bool) -> dict[str, list[Row]]:
    found = {**gumbel.tables(quick=quick), **gumbel_vae.tables(quick=quick)}
    for title, rows in found.items():
        show(title, rows)
    return found


def _neural_ode(quick: bool) -> dict[str, list[Row]]:
    found = neural_ode.tables(quick=quick)
    for title, rows in found.items():
        show(title, rows)
    return found


def _precision_recall(quick: bool) -> dict[str, list[Row]]:
    found = precision_recall.tables(quick=quick)
    for title, rows in found.items():
        show(title, rows)
    return found


def _vqvae(quick: bool, full: bool) -> dict[str, list[Row]]:
    found = vqvae.tables(quick=quick, full=full)
    for title, rows in found.items():
        show(title, rows)
    return found


def _sessions() -> dict[str, list[Row]]:
    title = "Sessions on the page: milliseconds from a request to the end of its script"
    found = {title: sessions.rows()}
    show(title, found[title])
    return found


if __name__ == "__main__":
    main()
