"""Fetching published data sets, only when asked to, each file checked against the checksum its publishers give."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from urllib3.exceptions import ReadTimeoutError

from dgm_core.data.images import cifar, idx
from dgm_core.data.images.folder import data_folder
from dgm_core.errors import DataError

CONNECT, SILENCE, WHOLE = 10.0, 30.0, 1800.0
"""Seconds to reach a server, without a byte from it, and for one file."""


@dataclass(frozen=True)
class Remote:
    """One file of a data set.

    Args:
        place: where it belongs in the data folder.
        urls: where it is published, tried in turn.
        checksum: ``"md5:…"`` or ``"sha256:…"`` as its publishers or their mirrors give it.
        size: bytes that it has at most; more are refused while they come in.
    """

    place: str
    urls: tuple[str, ...]
    checksum: str
    size: int


# Given by torchvision's loader, which fetches the same files.
_MNIST = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
# Given by the set's own repository, zalandoresearch/fashion-mnist.
_FASHION = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
_MNIST_HOSTS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FASHION_HOSTS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)


def _idx_files(name: str, checksums: dict[str, str], hosts: tuple[str, ...]) -> tuple[Remote, ...]:
    return tuple(
        Remote(f"{idx.FOLDERS[name][0]}/{file}", tuple(host + file for host in hosts), checksum, 40 * 2**20)
        for file, checksum in checksums.items()
    )


REMOTES: dict[str, tuple[Remote, ...]] = {
    "mnist": _idx_files("mnist", _MNIST, _MNIST_HOSTS),
    "fashion-mnist": _idx_files("fashion-mnist", _FASHION, _FASHION_HOSTS),
    "cifar10": (
        Remote(
            cifar.ARCHIVE,
            (f"https://www.cs.toronto.edu/~kriz/{cifar.ARCHIVE}",),
            "md5:c32a1d4ab5d03f1284b67883e8d87530",  # given on that site
            180 * 2**20,
        ),
    ),
}
"""What can be fetched. The Frey faces cannot: their publisher gives no checksum."""

Report = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that came so far, and those expected (0 where the server does not say)."""


def fetch_files(remotes: Sequence[Remote], report: Report | None = None) -> list[Path]:
    """Fetch what is not there as published into the data folder; a file appears whole and checked, or not at all.

    Args:
        remotes: the files; those that are there and have their checksums are left alone.
        report: told of progress.

    Returns:
        Where the files lie.

    Raises:
        DataError: when a file cannot be had from any of its addresses, or the folder takes none.
    """
    root, paths = data_folder(), []
    for remote in remotes:
        path = root / remote.place
        _fetch(remote, path, report)
        paths.append(path)
    return paths


def _fetch(remote: Remote, path: Path, report: Report | None) -> None:
    reasons = []
    pooch.get_logger().setLevel("WARNING")  # progress is reported otherwise
    for url in remote.urls:
        meter = _Meter(path.name, remote.size, report)
        # Not unpacked on the way: the checksum is that of the packed file.
        downloader = pooch.HTTPDownloader(
            progressbar=meter, chunk_size=2**16, timeout=(CONNECT, SILENCE), headers={"Accept-Encoding": "identity"}
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pooch.retrieve(url, remote.checksum, fname=path.name, path=path.parent, downloader=downloader)
            return
        except requests.exceptions.HTTPError as error:
            reasons.append(f"the server answered {error.response.status_code if error.response is not None else error}")
        except requests.exceptions.Timeout:
            reasons.append("the server did not answer in time")
        except requests.exceptions.ChunkedEncodingError:
            reasons.append("the transfer broke off")
        except requests.exceptions.RequestException as error:
            silent = any(isinstance(cause, ReadTimeoutError) for cause in error.args)
            reasons.append("the server fell silent" if silent else "the server cannot be reached")
        except DataError as error:
            reasons.append(str(error))
        except ValueError:
            reasons.append("what came has another checksum than what was published")
        except OSError as error:
            raise DataError(f"{path} cannot be written ({error.strerror or error}).") from error
    why = "; ".join(dict.fromkeys(reasons))
    raise DataError(f"{path.name} could not be fetched: {why}. Put the file into {path.parent} by hand.")


class _Meter:
    """What pooch calls a progress bar: it reports, and ends what is too large or takes too long.

    Args:
        name: the file's.
        most: bytes that it has at most.
        report: told of progress.
    """

    total: int = 0

    def __init__(self, name: str, most: int, report: Report | None) -> None:
        self.name, self.most, self.report = name, most, report
        self.done, self.started = 0, time.monotonic()

    def update(self, size: int) -> None:
        """Count so many bytes more.

        Raises:
            DataError: when the file is larger than it should be, or slower than anyone would wait for.
        """
        self.done += size
        # The last block may be counted larger than it is.
        if max(self.total, self.done - 2**16) > self.most:
            raise DataError(f"what came is larger than the published {self.name}")
        if time.monotonic() - self.started > WHOLE:
            raise DataError(f"it took longer than {WHOLE / 60:.0f} minutes")
        if self.report is not None:
            self.report(self.name, min(self.done, self.total or self.done), self.total)

    def reset(self) -> None:
        """Pooch starts over to show the exact end."""
        self.done = 0

    def close(self) -> None:
        """Nothing is held open."""
