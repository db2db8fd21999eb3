"""Fetching, against a server on this machine: whole files, wrong ones, broken transfers, no server, a full disk."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from dgm_core.data.images import INFO, available, catalogue, download, fetch, load
from dgm_core.data.images.download import REMOTES, Remote, fetch_files
from dgm_core.errors import DataError


def packed_idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


RANDOM = np.random.default_rng(0)
FILES = {
    "train-images-idx3-ubyte.gz": packed_idx(RANDOM.integers(0, 256, (9, 28, 28), dtype=np.uint8)),
    "train-labels-idx1-ubyte.gz": packed_idx(RANDOM.integers(0, 10, 9, dtype=np.uint8)),
    "t10k-images-idx3-ubyte.gz": packed_idx(RANDOM.integers(0, 256, (4, 28, 28), dtype=np.uint8)),
    "t10k-labels-idx1-ubyte.gz": packed_idx(RANDOM.integers(0, 10, 4, dtype=np.uint8)),
}
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


class Site(ThreadingHTTPServer):
    """What a first folder of the address does is what it is called; asked counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[str] = []
        self.release = threading.Event()

    def url(self, what: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{what}/"


class Answers(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        _, what, name = self.path.split("/")
        content = FILES[name]
        if what.isdigit():
            self.send_error(int(what))
            return
        if what == "endless":
            content = bytes(2**20)
        self.send_response(200)
        if what != "endless":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            if what == "good":
                self.wfile.write(content)
            elif what == "other":
                self.wfile.write(content[:-1] + bytes([content[-1] ^ 1]))
            elif what == "cut":
                self.wfile.write(content[: len(content) // 2])
            elif what == "silent":
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.server.release.wait(10)
            elif what == "endless":
                while not self.server.release.is_set():
                    self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DGM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def remote(name: str, *urls: str, size: int = 2**20) -> Remote:
    checksum = hashlib.md5(FILES[name], usedforsecurity=False).hexdigest()
    return Remote(f"MNIST/raw/{name}", tuple(url + name for url in urls), f"md5:{checksum}", size)


def publish(monkeypatch: pytest.MonkeyPatch, *urls: str) -> None:
    monkeypatch.setitem(REMOTES, "mnist", tuple(remote(name, *urls) for name in FILES))


def files_in(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refusal(*remotes: Remote) -> str:
    with pytest.raises(DataError) as caught:
        fetch_files(remotes)
    return str(caught.value)


def test_a_set_is_fetched_once_and_then_loads(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, site.url("good"))
    assert "data fetch mnist" in available("mnist")
    told: dict[str, list[tuple[int, int]]] = {}
    fetch("mnist", lambda name, done, total: told.setdefault(name, []).append((done, total)))
    assert files_in(root) == FILES
    assert {name: calls[-1] for name, calls in told.items()} == {name: (len(c), len(c)) for name, c in FILES.items()}
    assert available("mnist") == ""
    assert load("mnist").train.shape == (9, 1, 28, 28)
    assert load("mnist").note == "These files of MNIST hold 9 images to train with and 4 held out."
    fetch("mnist")
    assert len(site.asked) == 4


def test_only_what_is_missing_is_asked_for(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, site.url("good"))
    fetch("mnist")
    (root / "MNIST/raw" / IMAGES).unlink()
    fetch("mnist")
    assert site.asked[4:] == [f"/good/{IMAGES}"]
    assert files_in(root) == FILES


def test_damaged_files_are_fetched_again(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, site.url("good"))
    fetch("mnist")
    (root / "MNIST/raw" / LABELS).write_bytes(FILES[LABELS][:-3])
    with pytest.raises(DataError, match="fetch it again"):
        load("mnist")
    fetch("mnist")
    assert site.asked[4:] == [f"/good/{LABELS}"]
    assert len(load("mnist").train) == 9
    # One that hides the fetched one is named.
    (root / "MNIST/raw" / LABELS.removesuffix(".gz")).write_bytes(b"no labels")
    with pytest.raises(DataError, match="train-labels-idx1-ubyte "):
        fetch("mnist")


@pytest.mark.parametrize(
    ("what", "part"),
    [
        ("other", "another checksum than what was published"),
        ("404", "the server answered 404"),
        ("503", "the server answered 503"),
        ("cut", "the transfer broke off"),
        ("endless", "larger than the published"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_leaves_nothing(site: Site, root: Path, what: str, part: str) -> None:
    sentence = refusal(remote(IMAGES, site.url(what)))
    assert sentence.startswith(f"{IMAGES} could not be fetched: ")
    assert part in sentence
    assert str(root / "MNIST/raw") in sentence
    assert files_in(root) == {}


def test_a_file_larger_than_published_is_not_waited_for(site: Site, root: Path) -> None:
    assert "larger than the published" in refusal(remote(IMAGES, site.url("good"), size=100))
    assert files_in(root) == {}


def test_the_next_address_is_tried(site: Site, root: Path) -> None:
    urls = [site.url(what) for what in ("404", "cut", "other", "good")]
    assert fetch_files([remote(IMAGES, *urls)]) == [root / "MNIST/raw" / IMAGES]
    assert [path.split("/")[1] for path in site.asked] == ["404", "cut", "other", "good"]
    assert files_in(root) == {IMAGES: FILES[IMAGES]}
    everything = refusal(remote(LABELS, site.url("404"), site.url("other")))
    assert "404; what came has another checksum" in everything


def test_no_network_is_a_sentence(root: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert "the server cannot be reached" in refusal(remote(IMAGES, url))
    assert files_in(root) == {}


def test_a_server_that_falls_silent_is_left(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SILENCE", 0.3)
    assert "fell silent" in refusal(remote(IMAGES, site.url("silent")))
    assert files_in(root) == {}


def test_a_server_that_dribbles_is_left(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WHOLE", 0.0)
    assert "took longer than" in refusal(remote(IMAGES, site.url("good")))
    assert files_in(root) == {}


def test_a_folder_that_takes_nothing_is_a_sentence(site: Site, root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    root.write_bytes(b"a file where the folder should be")
    assert "cannot be written" in refusal(remote(IMAGES, site.url("good")))


@pytest.mark.parametrize(("name", "part"), [("frey", "no checksum"), ("own", "No images are chosen yet")])
def test_what_is_not_published_with_a_checksum_is_not_fetched(name: str, part: str) -> None:
    with pytest.raises(DataError, match=part):
        fetch(name)


def test_what_needs_no_files_needs_no_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "fetch_files", lambda *_: pytest.fail("asked the network"))
    for name in ("digits", "photos", "shapes"):
        fetch(name)


def test_every_published_file_has_a_checksum_and_a_place_where_it_is_found(root: Path) -> None:
    assert set(REMOTES) <= set(INFO)
    for name, remotes in REMOTES.items():
        for file in remotes:
            kind, _, digest = file.checksum.partition(":")
            assert len(bytes.fromhex(digest)) == hashlib.new(kind).digest_size
            assert all(url.endswith("/" + Path(file.place).name) for url in file.urls)
            (root / file.place).parent.mkdir(parents=True, exist_ok=True)
            (root / file.place).write_bytes(b"-")
        assert available(name) == ""
