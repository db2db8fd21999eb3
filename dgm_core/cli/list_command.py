"""``python -m dgm_core list``: the topics and their settings."""

from __future__ import annotations

import inspect

from dgm_core.cli.parser import Parser, UsageError


def run(argv: list[str]) -> int:
    """Print the settings of one topic or of all."""
    parser = Parser(prog="python -m dgm_core list", description="The topics, and every setting with its bounds.")
    parser.add_argument("topic", nargs="?", help="only this one")
    chosen = parser.parse_args(argv).topic

    from dgm_core import registry
    from dgm_core.cli.tables import console

    known = registry.topics()
    if chosen is not None and chosen not in known:
        raise UsageError(f"there is no topic {chosen!r}; there are {', '.join(known)}")
    for topic in [chosen] if chosen else known:
        _show(topic)
    console().print("Train one: python -m dgm_core train TOPIC --out FILE", style="dim", markup=False)
    return 0


def _show(topic: str) -> None:
    from dgm_core import registry
    from dgm_core.cli.options import bounds, condition
    from dgm_core.cli.tables import show

    cls = registry.trained(topic)
    first_line = (inspect.getdoc(cls) or "").splitlines()[0]
    rows = [
        ("--" + p.name.replace("_", "-"), str(p.default), bounds(p), p.help, condition(p)) for p in cls.parameters()
    ]
    show(f"{topic}: {first_line}", ("option", "default", "bounds", "what it is", "matters when"), rows)
