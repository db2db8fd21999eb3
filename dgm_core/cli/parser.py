"""How the command line takes words and says what is wrong with them: in one sentence, with exit status 2."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn


class UsageError(Exception):
    """The words were no good; the message is one sentence."""


class Parser(argparse.ArgumentParser):
    """argparse, but an error is one sentence, and no option is guessed from its beginning."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message} (try {self.prog} --help)")


def note(text: str) -> None:
    """One line on stderr."""
    print(f"dgm_core: {text}", file=sys.stderr)
