"""``python -m dgm_core devices``: what torch can compute on here."""

from __future__ import annotations

import os
import platform

from dgm_core.cli.parser import Parser


def run(argv: list[str]) -> int:
    """Print the devices, best first."""
    Parser(prog="python -m dgm_core devices", description="What torch can compute on here.").parse_args(argv)

    import torch

    from dgm_core.cli.tables import show
    from dgm_core.device import available, resolve

    auto = resolve("auto").type
    rows = [(name, "auto" if name == auto else "", _describe(name)) for name in available()]
    show(f"torch {torch.__version__}", ("device", "", "what it is"), rows)
    return 0


def _describe(name: str) -> str:
    import torch

    from dgm_core.cli.tables import bytes_text

    if name == "cuda":
        cards = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        return "; ".join(f"{card.name}, {bytes_text(card.total_memory)}" for card in cards)
    processor = platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {torch.get_num_threads()} threads" if name == "cpu" else processor
