"""``python -m dgm_core prdc REAL FAKE``: the four numbers of two sets of images or of embedded points."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgm_core.cli.parser import Parser, UsageError, note
from dgm_core.errors import DataError

if TYPE_CHECKING:
    import numpy as np

EMBEDDINGS = ("pixels", "classifier")
NETWORK = "zoo:precision_recall-mnist"
SIZE, VGG_SIZE = 32, 224


def run(argv: list[str]) -> int:
    """Compare two sets and print the result as JSON."""
    parser = Parser(
        prog="python -m dgm_core prdc",
        description="Precision, recall, density and coverage of generated against real samples, as JSON.",
    )
    parser.add_argument("real", type=Path, metavar="REAL", help="NPZ or NPY of N × D numbers, or a folder or zip")
    parser.add_argument("fake", type=Path, metavar="FAKE", help="likewise, M × D")
    parser.add_argument("--k", type=int, default=5, help="neighbours that set a ball's radius (default 5)")
    parser.add_argument("--embed", choices=EMBEDDINGS, default="pixels", help="of images (default pixels)")
    parser.add_argument(
        "--network", default=NETWORK,
        help=f"what embeds with --embed classifier: zoo:NAME, run:ID, or a safetensors file of your own with the "
        f"weights of a VGG network (default {NETWORK})",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=int, help=f"pixels a side that each image becomes (default {SIZE}, for VGG {VGG_SIZE})"
    )
    parser.add_argument(
        "--most", type=int, default=50_000, help="rows of either set; of more, so many are drawn (default 50000)"
    )
    parser.add_argument("--strict", action="store_true", help="leave points on a ball's rim out")
    parser.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")
    parsed = parser.parse_args(argv)
    if parsed.k < 1:
        raise UsageError(f"--k: {parsed.k} is no number of neighbours; at least 1")
    if parsed.most < 2:
        raise UsageError(f"--most: {parsed.most} rows cannot be compared; at least 2")
    try:
        result = _compare(parsed)
    except DataError as error:
        note(str(error))
        return 1
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _compare(parsed: Any) -> dict[str, Any]:
    from dgm_core.metrics import frechet_distance, prdc

    with _bar(4) as step:
        sets = []
        for path in (parsed.real, parsed.fake):
            step(f"reading {path.name}")
            sets.append(_thinned(path.name, _embedded(path, parsed), parsed.most))
        step("precision, recall, density, coverage")
        numbers = prdc(sets[0], sets[1], parsed.k, strict=parsed.strict, device=parsed.device)
        step("Fréchet distance")
        distance = frechet_distance(sets[0], sets[1])
    return {
        **asdict(numbers), "k": parsed.k, "strict": parsed.strict, "real": len(sets[0]), "fake": len(sets[1]),
        "dimensions": int(sets[0].shape[1]), "frechet": distance,
    }  # fmt: skip


def _embedded(path: Path, parsed: Any) -> np.ndarray:
    """A file of numbers as it is; pictures through the embedding.

    Raises:
        DataError: when it is neither.
    """
    from dgm_core.precision_recall.vectors import MAX_BYTES, read_vectors

    if path.suffix.lower() in (".npz", ".npy", ".csv", ".tsv", ".txt"):
        try:
            with path.open("rb") as file:
                return read_vectors(path.name, file)
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror or error}).") from error
    if not path.exists():
        raise DataError(f"There is no {path}; name an NPZ or NPY file, a folder of pictures or a zip of them.")
    import torch

    from dgm_core.data.images.own import read_images

    own = read_images(path, size=parsed.size or (VGG_SIZE if _brought(parsed) else SIZE))
    if own.note:
        note(own.note)
    if parsed.embed == "pixels":
        if 4 * own.images.size > MAX_BYTES * 8:
            raise DataError(f"{path.name}: too many pixels to compare; take a smaller --size.")
        return torch.from_numpy(own.images).float().div_(255).flatten(1).numpy()
    return _through(parsed.network, own.images)


def _brought(parsed: Any) -> bool:
    """Whether the network is a file of the user's."""
    return bool(parsed.embed == "classifier" and not parsed.network.startswith(("zoo:", "run:")))


def _thinned(name: str, rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows, the same ones every time."""
    if len(rows) <= most:
        return rows
    import numpy as np

    note(f"{name}: {most:,} of {len(rows):,} rows are compared, drawn at random; --most takes more")
    chosen: np.ndarray = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:most])]
    return chosen


def _through(network: str, images: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) uint8 through a network; bytes become numbers block by block, to bound the memory."""
    import numpy as np
    import torch

    from dgm_core.precision_recall.spaces import BLOCK, embedder, through
    from dgm_core.precision_recall.vgg import read_vgg

    known = network.startswith(("zoo:", "run:", "file:"))
    found = embedder(network) if known else read_vgg(Path(network))
    blocks = [images[start : start + BLOCK] for start in range(0, len(images), BLOCK)]
    return np.concatenate([through(found, torch.from_numpy(block).float().div_(255)) for block in blocks])


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    """A progress bar on the terminal; nothing where there is none."""
    from rich.progress import Progress

    from dgm_core.cli.tables import console

    screen = console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("", total=total)
        done = iter(range(total))
        yield lambda text: progress.update(task, description=text, completed=next(done, total))
