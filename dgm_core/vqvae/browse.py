"""What a page asks about images and a trained model: code maps, distances, edits, what comes back. All fast arrays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.pixels import as_bytes, as_floats
from dgm_core.nn.nearest import nearest_two, nearest_unchecked
from dgm_core.nn.threads import alone
from dgm_core.vqvae.model import QuantisedAutoencoder


@dataclass(frozen=True)
class Browsed:
    """Images, their code maps and what comes back.

    Args:
        images: (B, C, H, W) uint8.
        outputs: what is compared with the codes, (B, h, w, D) float32.
        codes: (B, h, w) int64, each output's nearest code.
        second: (B, h, w) int64, its second nearest.
        first_distance, second_distance: ‖z − e‖ to both, (B, h, w) float32.
        reconstructions: (B, C, H, W) uint8.
        psnr: of each image as it comes back, (B,) dB.
    """

    images: np.ndarray
    outputs: np.ndarray
    codes: np.ndarray
    second: np.ndarray
    first_distance: np.ndarray
    second_distance: np.ndarray
    reconstructions: np.ndarray
    psnr: np.ndarray


@torch.no_grad()
def browse(model: QuantisedAutoencoder, images: np.ndarray) -> Browsed:
    """Encode images, look the codes up, decode.

    Args:
        model: trained.
        images: (B, C, H, W) uint8 of the model's shape.

    Raises:
        ValueError: when these are no such images.
    """
    x = as_floats(checked_images(model, images))
    with alone():
        outputs = model.quantiser.compared(torch.cat([model.encode(block) for block in x.split(512)]))
        codes, squared = nearest_two(outputs.reshape(-1, outputs.shape[-1]), model.quantiser.vectors())
        grid = outputs.shape[:3]
        decoded = model.decode_codes(codes[:, 0].view(grid))
    mse = (decoded - x).square().flatten(1).mean(1).clamp_min(1e-10)
    first, second = (_array(squared[:, k].sqrt().view(grid)) for k in (0, 1))
    return Browsed(
        images, _array(outputs), _array(codes[:, 0].view(grid)), _array(codes[:, 1].view(grid)), first, second,
        as_bytes(decoded).numpy(), _array(-10 * mse.log10()),
    )  # fmt: skip


def decode(model: QuantisedAutoencoder, codes: np.ndarray) -> np.ndarray:
    """The images of code maps, also of edited ones and of maps of another size.

    Args:
        model: trained.
        codes: (B, h, w) integers, 0…K−1.

    Returns:
        (B, C, h·patch, w·patch) uint8.

    Raises:
        ValueError: when these are no such maps.
    """
    with alone():
        return as_bytes(model.decode_codes(checked_codes(model, codes))).numpy()


def repaint(codes: np.ndarray, places: np.ndarray, code: int) -> np.ndarray:
    """A copy of a code map with one code at some places.

    Args:
        codes: (h, w) integers.
        places: (P, 2) integers, row and column; those outside are passed over.
        code: the new one.

    Example:
        >>> repaint(np.zeros((2, 2), int), np.array([[0, 1], [9, 9]]), 7).tolist()
        [[0, 7], [0, 0]]
    """
    edited, places = codes.copy(), np.asarray(places, np.int64).reshape(-1, 2)
    inside = ((places >= 0) & (places < codes.shape)).all(1)
    edited[tuple(places[inside].T)] = code
    return edited


def swap(codes: np.ndarray, one: int, other: int) -> np.ndarray:
    """A copy of code maps (…) with two codes exchanged everywhere.

    Example:
        >>> swap(np.array([0, 1, 2]), 0, 2).tolist()
        [2, 1, 0]
    """
    edited = codes.copy()
    edited[codes == one], edited[codes == other] = other, one
    return edited


@torch.no_grad()
def drop(model: QuantisedAutoencoder, outputs: np.ndarray, dropped: Collection[int]) -> np.ndarray:
    """Code maps as they are without some of the codes: each output takes the nearest of those left.

    Args:
        model: trained.
        outputs: `Browsed.outputs`, (…, D) float32.
        dropped: codes, at least one of K must be left.

    Returns:
        (…) int64, numbered as before.

    Raises:
        ValueError: when no code is left, or a code is none of the codebook's.
    """
    vectors = model.quantiser.vectors()
    if not all(0 <= code < len(vectors) for code in dropped):
        raise ValueError(f"A code's number is 0 to {len(vectors) - 1}.")
    kept = torch.tensor(sorted(set(range(len(vectors))) - set(dropped)), dtype=torch.long, device=vectors.device)
    if not len(kept):
        raise ValueError("All codes are dropped; leave at least one.")
    flat = torch.from_numpy(np.ascontiguousarray(outputs, np.float32)).reshape(-1, vectors.shape[1]).to(vectors)
    return _array(kept[nearest_unchecked(flat, vectors[kept])].view(outputs.shape[:-1]))


def checked_images(model: QuantisedAutoencoder, images: np.ndarray) -> Tensor:
    """Images on the model's device, (B, C, H, W) uint8.

    Raises:
        ValueError: when they are none of the model's shape, in a sentence.
    """
    if images.ndim != 4 or images.shape[1:] != model.shape or images.dtype != np.uint8:
        raise ValueError(
            f"The model takes uint8 images of shape {model.shape}; these have the shape {images.shape[1:]} "
            f"and are {images.dtype}."
        )
    return torch.from_numpy(np.array(images)).to(next(model.parameters()).device)


def checked_codes(model: QuantisedAutoencoder, codes: np.ndarray) -> Tensor:
    """Code maps on the model's device, (B, h, w) int64.

    Raises:
        ValueError: when they are no maps of the model's codes, in a sentence.
    """
    known, most = np.asarray(codes), model.quantiser.codes
    if known.ndim != 3 or not np.issubdtype(known.dtype, np.integer):
        raise ValueError(f"Code maps are whole numbers of shape (B, h, w); these are {known.dtype} of {known.shape}.")
    if known.size and not (known.min() >= 0 and known.max() < most):
        raise ValueError(f"A code's number is 0 to {most - 1}; here there are {known.min()} to {known.max()}.")
    return torch.from_numpy(known.astype(np.int64)).to(next(model.parameters()).device)


def _array(tensor: Tensor) -> np.ndarray:
    found: np.ndarray = tensor.cpu().numpy()
    return found
