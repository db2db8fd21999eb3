"""The command line. A command's module is imported when it is called, so that help comes at once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from dgm_core.cli.parser import Parser, UsageError, note

COMMANDS = {
    "list": "the topics, and every setting with its default and bounds",
    "train": "train a topic's model and write its weights: train TOPIC --out FILE",
    "zoo": "re-make the shipped models, or --check that they meet their recorded figures",
    "runs": "what the app has trained here: list, show ID, delete ID, prune SIZE",
    "data": "the image data sets: which are here, fetch NAME, own PATH for a folder or a zip of pictures",
    "prdc": "precision, recall, density and coverage of two sets: prdc REAL FAKE --k 5",
    "devices": "what torch can compute on here",
}


def main(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: the words after ``python -m dgm_core``.

    Returns:
        The exit status: 0 when it worked, 1 when the work failed, 2 when the words were no good, 130 after Ctrl-C.
    """
    try:
        chosen = _choose(argv)
        module = importlib.import_module(f"dgm_core.cli.{chosen}_command")
        status: int = module.run(list(argv[1:]))
    except UsageError as error:
        note(str(error))
        return 2
    except KeyboardInterrupt:
        note("stopped")
        return 130
    except BrokenPipeError:  # the reader, such as head, has gone
        sys.stderr.close()
        return 0
    return status


def _choose(argv: Sequence[str]) -> str:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {words}" for name, words in COMMANDS.items())
    parser = Parser(
        prog="python -m dgm_core",
        description="Deep generative models, from the shell.",
        epilog=f"commands:\n{lines}\n\n`python -m dgm_core COMMAND --help` tells more.",
    )
    parser.add_argument("command", choices=tuple(COMMANDS), metavar="COMMAND", help="one of those below")
    return str(parser.parse_args(argv[:1] or ["--help"]).command)
