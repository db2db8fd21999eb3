"""``python -m dgm_core data``: the image data sets; fetching published ones, taking in people's own."""

from __future__ import annotations

from pathlib import Path

from dgm_core.cli.parser import Parser, UsageError, note
from dgm_core.errors import DataError


def run(argv: list[str]) -> int:
    """List the sets, fetch one, or keep the pictures of a folder or a zip."""
    parser = Parser(prog="python -m dgm_core data", description="The image data sets.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="the sets, and whether they are here (what no command does)")
    fetch = commands.add_parser("fetch", help="download a published set, checked against its checksum")
    fetch.add_argument("name", help="of the set")
    own = commands.add_parser("own", help="keep the pictures of a folder or a zip, and print their key")
    own.add_argument("path", type=Path, help="the folder, or the zip")
    own.add_argument("--size", type=int, default=32, help="pixels a side that each becomes (default 32)")
    own.add_argument("--grey", action="store_true", help="one channel, not three")
    chosen = parser.parse_args(argv)
    try:
        if chosen.command == "fetch":
            return _fetch(chosen.name)
        if chosen.command == "own":
            return _own(chosen.path, chosen.size, not chosen.grey)
    except DataError as error:
        note(str(error))
        return 1
    return _list()


def _list() -> int:
    from dgm_core.cli.tables import console, show
    from dgm_core.data.images import INFO, available
    from dgm_core.data.images.folder import data_folder

    rows = []
    for name, info in INFO.items():
        shape = " × ".join(map(str, info.shape)) if info.shape else "as you choose"
        sizes = f"{info.sizes[0]:,} + {info.sizes[1]:,}" if info.sizes else ""
        here = "data own PATH" if name == "own" else "no" if available(name) else "yes"
        rows.append((name, info.title, shape, sizes, here, info.source))
    show("Image data sets", ("name", "title", "shape", "train + held out", "here", "source"), rows)
    console().print(f"Published files belong into {data_folder()} (DGM_DATA).", style="dim", markup=False)
    return 0


def _fetch(name: str) -> int:
    from rich.progress import Progress, TaskID

    from dgm_core.cli.tables import console
    from dgm_core.data.images import INFO, fetch, load

    if name not in INFO:
        raise UsageError(f"there is no image data set {name!r}; there are {', '.join(INFO)}")
    progress = Progress(console=console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}

    def report(file: str, done: int, total: int) -> None:
        progress.start()  # not before, since a bar without a task leaves an empty line
        if file not in tasks:
            tasks[file] = progress.add_task(file)
        progress.update(tasks[file], completed=done, total=total or None)

    try:
        fetch(name, report)
    finally:
        if tasks:
            progress.stop()
    images = load(name)
    print(f"{images.title}: {len(images.train):,} images to train with and {len(images.test):,} held out are here.")
    return 0


def _own(path: Path, size: int, colour: bool) -> int:
    from dgm_core.data.images import keep, read_images

    read = read_images(path, size, colour)
    if read.note:
        note(read.note)
    print(keep(read.images))
    return 0
