"""What a page asks about images and a trained hierarchy: each level's codes, what it adds, what it costs, mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.pixels import as_bytes, as_floats
from dgm_core.nn.code_usage import code_counts, perplexity
from dgm_core.nn.threads import alone
from dgm_core.vqvae2.model import Codes, HierarchicalAutoencoder
from dgm_core.vqvae2.training import level_bits


@dataclass(frozen=True, eq=False)
class Levels:
    """n images, what L levels keep of them and what each level adds; top first everywhere.

    Args:
        images: (n, C, H, W) uint8.
        codes: of each level, (n, h, w) int64.
        reconstructions: from the first 1, 2, …, L levels, (n, C, H, W) uint8 each.
        added: signed, in brightness from −1 to 1: the top's picture less the mean brightness of its image's channels,
            what each further level changes, and what is still missing in the end; L + 1 of (n, C, H, W) float32. Each
            image's mean and its L + 1 pictures add up to the image.
        differences: ``added`` as pictures, (n, C, H, W) uint8: 128 + 127 · added / scale.
        scale: of each of the L + 1 kinds of picture, the largest |added| of all images, (L + 1,) float32.
        psnr: from the first 1, …, L levels, (n, L) float32 dB.
        bits: h w log₂ K of each level, (L,) float64.
        entropy_bits: h w H of each level, (L,) float64; H is the entropy of the histogram of these images' codes, so
            of few images it comes out too low.
    """

    images: np.ndarray
    codes: tuple[np.ndarray, ...]
    reconstructions: tuple[np.ndarray, ...]
    added: tuple[np.ndarray, ...]
    differences: tuple[np.ndarray, ...]
    scale: np.ndarray
    psnr: np.ndarray
    bits: np.ndarray
    entropy_bits: np.ndarray

    @property
    def levels(self) -> int:
        """L."""
        return len(self.codes)

    @property
    def cumulative_bits(self) -> np.ndarray:
        """Of the first 1, …, L levels together, (L,)."""
        return np.cumsum(self.bits)


@torch.no_grad()
def browse_levels(model: HierarchicalAutoencoder, images: np.ndarray) -> Levels:
    """Encode images and decode them from more and more of the levels.

    Args:
        model: trained.
        images: (n, C, H, W) uint8 of the model's shape, n at least 1.

    Raises:
        ValueError: when these are no such images.
    """
    x = as_floats(checked_images(model, images))
    with alone():
        codes = model.codes(x)
        prefixes = [model.decode_codes(codes, level + 1) for level in range(model.levels)]
    mse = torch.stack([(prefix - x).square().flatten(1).mean(1) for prefix in prefixes], dim=1)
    # The decoder's pictures add up from the image's mean, so that the top's own share can be seen around grey.
    stages = [x.mean((2, 3), keepdim=True).expand_as(x), *prefixes, x]
    added = [later - earlier for earlier, later in pairwise(stages)]
    scale = torch.stack([picture.abs().max() for picture in added])
    return Levels(
        images, tuple(_array(level) for level in codes), tuple(as_bytes(prefix).numpy() for prefix in prefixes),
        tuple(_array(picture) for picture in added),
        tuple(around_grey(picture, float(size)) for picture, size in zip(added, scale, strict=True)),
        _array(scale), _array(-10 * mse.clamp_min(1e-10).log10()), np.array(level_bits(model)),
        entropy_bits(model, codes),
    )  # fmt: skip


def around_grey(signed: Tensor, scale: float) -> np.ndarray:
    """A signed picture as bytes, 0 as 128 and ±scale as 255 and 1: any shape → the same, uint8.

    Example:
        >>> around_grey(torch.tensor([-0.5, 0.0, 0.5]), 0.5).tolist()
        [1, 128, 255]
    """
    return as_bytes((128 + 127 * signed / max(scale, 1e-6)) / 255).numpy()


def entropy_bits(model: HierarchicalAutoencoder, codes: Sequence[Tensor]) -> np.ndarray:
    """h w H(c) of each level, H from the histogram of these maps, every place alike: (L,) bits.

    Args:
        model: trained.
        codes: (n, h, w) int64 of each level, top first.
    """
    found = [perplexity(code_counts(level, size)) for level, size in zip(codes, model.sizes, strict=True)]
    places = [height * width for height, width in model.grids]
    return np.array(places) * np.log2(np.maximum(found, 1.0))


@dataclass(frozen=True, eq=False)
class Mixture:
    """The upper levels of some images with the lower levels of others.

    Args:
        codes: of each level, (n, h, w) int64, top first.
        pictures: what the decoder makes of them, (n, C, H, W) uint8.
        changed: the share of the lower levels' codes that differ from those the other images have by themselves, (n,);
            0 where they are taken over as they are.
    """

    codes: tuple[np.ndarray, ...]
    pictures: np.ndarray
    changed: np.ndarray


@torch.no_grad()
def mix(
    model: HierarchicalAutoencoder, top_of: np.ndarray, bottom_of: np.ndarray, *, kept: int = 1,
    requantise: bool = False,
) -> Mixture:  # fmt: skip
    """The first levels of some images with the further levels of others.

    The lower codes of an image are made knowing its own upper codes. Either they are taken over as they are, so that
    the decoder gets two halves that do not know each other; or the other image is encoded again with the first one's
    upper codes above it, so that its lower codes can make up for them.

    Args:
        model: trained.
        top_of, bottom_of: (n, C, H, W) uint8 of the model's shape; image i of one is mixed with image i of the other.
        kept: how many levels come from ``top_of``, 1…L−1.
        requantise: whether ``bottom_of`` is encoded again.

    Raises:
        ValueError: when these are no such images, not equally many, or there is no such number of levels.
    """
    if not 1 <= kept < model.levels:
        raise ValueError(f"Of {model.levels} levels 1 to {model.levels - 1} can be kept, not {kept}.")
    if len(top_of) != len(bottom_of):
        raise ValueError(f"{len(top_of)} images cannot be mixed with {len(bottom_of)} others one by one.")
    upper_x, lower_x = (as_floats(checked_images(model, images)) for images in (top_of, bottom_of))
    with alone():
        upper, own = model.codes(upper_x)[:kept], model.codes(lower_x)
        codes = model.codes(lower_x, upper) if requantise else (*upper, *own[kept:])
        pictures = as_bytes(model.decode_codes(codes)).numpy()
    return Mixture(tuple(_array(level) for level in codes), pictures, _array(changed_share(codes[kept:], own[kept:])))


def changed_share(codes: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """The share of codes that differ, of each image over all maps given: (n, h, w) int64 each, twice → (n,)."""
    differ = torch.cat([(a != b).flatten(1) for a, b in zip(codes, others, strict=True)], dim=1)
    return differ.float().mean(1)


def checked_images(model: HierarchicalAutoencoder, images: np.ndarray) -> Tensor:
    """Images on the model's device, (n, C, H, W) uint8.

    Raises:
        ValueError: when they are none of the model's shape, or there is none, in a sentence.
    """
    if images.ndim != 4 or images.shape[1:] != model.shape or images.dtype != np.uint8:
        raise ValueError(
            f"The model takes uint8 images of shape {model.shape}; these have the shape {images.shape[1:]} "
            f"and are {images.dtype}."
        )
    if not len(images):
        raise ValueError("There is no image here.")
    return torch.from_numpy(np.array(images)).to(next(model.parameters()).device)


def checked_codes(model: HierarchicalAutoencoder, codes: Sequence[np.ndarray]) -> Codes:
    """Code maps on the model's device, (n, h, w) int64 each, of the first levels, top first.

    Raises:
        ValueError: when they are no maps of the model's levels, in a sentence.
    """
    if not 1 <= len(codes) <= model.levels or len({len(level) for level in codes}) > 1:
        raise ValueError(f"1 to {model.levels} code maps of equally many images are meant; here are {len(codes)}.")
    for name, (level, grid, size) in enumerate(zip(codes, model.grids, model.sizes, strict=False), start=1):
        if level.ndim != 3 or level.shape[1:] != grid or not np.issubdtype(level.dtype, np.integer):
            raise ValueError(f"Level {name} has maps of whole numbers of shape (n, {grid[0]}, {grid[1]}); "
                             f"these are {level.dtype} of {level.shape}.")  # fmt: skip
        if level.size and not (level.min() >= 0 and level.max() < size):
            raise ValueError(f"A code's number is 0 to {size - 1}; here there are {level.min()} to {level.max()}.")
    device = next(model.parameters()).device
    return tuple(torch.from_numpy(np.asarray(level, np.int64)).to(device) for level in codes)


def _array(tensor: Tensor) -> np.ndarray:
    found: np.ndarray = tensor.cpu().numpy()
    return found
