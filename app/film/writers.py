"""Pictures one after the other as files that play anywhere: GIF and MP4. Arrays in, bytes out."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

MP4_RATE = 30
"""Pictures a second of an MP4."""
BT709 = 1
"""The number of ITU-R BT.709 in H.264's tables of colour spaces, primaries and transfer curves."""
LIMITED = 1
"""H.264's number for luma from 16 to 235."""


def timeline(frames: int, between: int, ping_pong: bool) -> list[float]:
    """The moments that are shown, ``between`` for each step from a frame to the next.

    The way back leaves out both ends, which a loop would show twice.

    Raises:
        ValueError: for a film without frames.

    Example:
        >>> timeline(3, 1, ping_pong=True)
        [0.0, 1.0, 2.0, 1.0]
        >>> timeline(2, 2, ping_pong=False)
        [0.0, 0.5, 1.0]
    """
    if frames < 1:
        raise ValueError("the film has no frames")
    forward = [k / between for k in range((frames - 1) * between + 1)]
    return forward + forward[-2:0:-1] if ping_pong else forward


def png(pixels: np.ndarray) -> bytes:
    """Pixels (H, W, 3) uint8 as PNG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


def gif(images: Sequence[Image.Image], milliseconds: Sequence[int]) -> bytes:
    """Indexed images of one size as an endless GIF, each shown for so long."""
    out = io.BytesIO()
    images[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=list(milliseconds),
        loop=0,
        optimize=False,
        disposal=1,
    )
    return out.getvalue()


def mp4(pictures: Iterable[np.ndarray], shape: tuple[int, int], crf: int) -> bytes:
    """Pictures as H.264 in an MP4 that starts to play before it is loaded whole.

    Args:
        pictures: each (height, width, 3) uint8.
        shape: height and width, both even.
        crf: x264's constant rate factor, 0 to 51; lower is finer and larger.
    """
    # The index goes to the file's front in a second pass over it, which needs a real file.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = _stream(container, shape, crf)
            for picture in pictures:
                container.mux(stream.encode(_coded(picture)))
            container.mux(stream.encode())
        return path.read_bytes()


def _stream(container: Any, shape: tuple[int, int], crf: int) -> Any:
    """An H.264 stream whose colours every player reads the same way."""
    stream = container.add_stream("libx264", rate=Fraction(MP4_RATE), options={"crf": str(crf), "preset": "veryfast"})
    stream.height, stream.width = shape
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    return stream


def _coded(pixels: np.ndarray) -> Any:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
