"""A reel as the few bytes that the browser's player reads.

Every prefix of a reel has a digest of its own, made from the one before it. So what a browser holds is known by one
short word, and a reel that has grown since is sent as its new frames.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dgm_core.pack import pack
from dgm_core.reel import Reel

DIGEST_SIZE = 12
"""Bytes of a digest: two of 2⁴⁸ reels are taken for each other with a chance of one half."""


@dataclass(frozen=True)
class ReelBytes:
    """A reel ready to send: the digests of its first 1, 2, …, T frames, and the arrays they stand for."""

    chain: tuple[str, ...]
    times: np.ndarray
    frames: np.ndarray

    @property
    def digest(self) -> str:
        """The whole reel's."""
        return self.chain[-1]

    def held(self, digest: str | None) -> int:
        """How many frames a browser holds that has the reel of this digest: 0 where that is no prefix of this one."""
        return self.chain.index(digest) + 1 if digest in self.chain else 0

    def since(self, count: int) -> bytes:
        """The frames from ``count`` on, compressed."""
        arrays = {"times": np.asarray(self.times[count:], np.float64), "frames": self.frames[count:]}
        return pack({}, arrays, compress=True)


def encode(reel: Reel) -> ReelBytes:
    """Digest a reel; the same Reel object is digested once."""
    known = _encoded.get(id(reel))
    if known is not None and known[0]() is reel:
        return known[1]
    made = ReelBytes(_chain(reel), reel.times, reel.frames)
    key = id(reel)
    _encoded[key] = (weakref.ref(reel, lambda _: _encoded.pop(key, None)), made)
    return made


def message(reel: ReelBytes, options: Mapping[str, Any], held: str | None) -> bytes:
    """Everything for one call of the player: options and the frames that the browser lacks.

    Args:
        reel: encoded.
        options: JSON-serialisable; ``base`` is added, the digest of what the browser must hold already, or None.
        held: the digest of what was sent to this browser last, or None.
    """
    count = reel.held(held)
    arrays = {}
    if count < len(reel.chain):
        arrays["reel"] = np.frombuffer(reel.since(count), np.uint8)
    return pack({**options, "base": held if count else None}, arrays)


_encoded: dict[int, tuple[weakref.ref[Reel], ReelBytes]] = {}


def _chain(reel: Reel) -> tuple[str, ...]:
    """The digests of all prefixes; the words that stand beside the images are sent with every message instead."""
    digest = json.dumps([reel.frames.shape[1:]]).encode()
    chain = []
    for time, frame in zip(np.asarray(reel.times, np.float64), reel.frames, strict=True):
        fresh = hashlib.blake2b(digest, digest_size=DIGEST_SIZE)
        fresh.update(time.tobytes())
        fresh.update(np.ascontiguousarray(frame).data)
        digest = fresh.digest()
        chain.append(digest.hex())
    return tuple(chain)
