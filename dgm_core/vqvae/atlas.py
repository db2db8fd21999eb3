"""Everything about a codebook that a browser shows, computed once: tiles, usage, neighbours, places, projection."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.pixels import as_floats
from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.nearest import require_codebook
from dgm_core.nn.threads import alone
from dgm_core.pack import pack, unpack
from dgm_core.vqvae.browse import checked_images
from dgm_core.vqvae.layout import CROWD, Layout, neighbour_map, principal_plane
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.tiles import code_tiles

BATCH = 64
"""Images of the batches whose perplexity is set beside that of the whole set."""


@dataclass(frozen=True)
class CodeAtlas:
    """K codes of D numbers, and N images' maps of h × w of them.

    Args:
        tiles: each code decoded, (K, C, p, p) uint8.
        vectors: (K, D) float32.
        codes: (N, h, w) uint16.
        counts: how often each code occurs, (K,) int32.
        batch_perplexity: of each batch of `BATCH` images, (N // BATCH or 1,) float32.
        neighbours: each code's nearest other codes, nearest first, (K, J) uint16.
        neighbour_distances: ‖e − e'‖ to them, (K, J) float32.
        places: (K, P, 3) int32: image, row and column of the P outputs nearest to each code among those that chose it;
            −1 where there are fewer.
        patches: the images' pixels there, (K, P, C, p, p) uint8, 0 where there are fewer.
        projection: codes in the plane, of the outputs' two largest principal components or of a map of neighbours,
            (K, 2) float32.
        outputs: M of the encoder's outputs there, (M, 2) float32.
        output_codes: which code each of them chose, (M,) uint16.
        explained: the two largest principal components' shares of the outputs' variance, (2,) float32.
        by_usage: codes, most used first, (K,) uint16.
        by_similarity: codes in an order in which neighbours look alike, (K,) uint16.
        perplexity: over all N images.
        used: the share of codes that occur.
    """

    tiles: np.ndarray
    vectors: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    batch_perplexity: np.ndarray
    neighbours: np.ndarray
    neighbour_distances: np.ndarray
    places: np.ndarray
    patches: np.ndarray
    projection: np.ndarray
    outputs: np.ndarray
    output_codes: np.ndarray
    explained: np.ndarray
    by_usage: np.ndarray
    by_similarity: np.ndarray
    perplexity: float
    used: float

    def images_with(self, code: int) -> np.ndarray:
        """Indices of the images in which a code fires, those where it fires most first."""
        often = (self.codes == code).sum((1, 2))
        order = np.argsort(-often, kind="stable")
        found: np.ndarray = order[: int((often > 0).sum())]
        return found

    def to_bytes(self) -> bytes:
        """The atlas as compressed bytes without loss (`dgm_core.pack`)."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        return pack({"perplexity": self.perplexity, "used": self.used}, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no atlas.
        """
        meta, arrays = unpack(packed)
        values: dict[str, Any] = {**meta, **arrays}
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"these bytes are no atlas of codes: {error}") from error


@torch.no_grad()
def chart_codes(
    model: QuantisedAutoencoder, images: np.ndarray, *, patches: int = 8, neighbours: int = 8, shown: int = 2_000,
    layout: Layout = "pca", seed: int = 0,
) -> CodeAtlas:  # fmt: skip
    """Look at a trained model's codebook through images.

    Args:
        model: trained.
        images: (N, C, H, W) uint8, at least one.
        patches: P, kept of each code.
        neighbours: J, at most K − 1.
        shown: M, encoder outputs that are projected, drawn by chance; no more than `CROWD` in a map of neighbours.
        layout: how codes and outputs come into the plane.
        seed: of that draw.

    Raises:
        ValueError: when these are no such images, or a code is not finite.
        DataError: when the layout needs a package that is not installed.
    """
    x = checked_images(model, images)
    quantiser, grid, codes = model.quantiser, model.grid, model.quantiser.codes
    require_codebook(quantiser.vectors())
    with alone():
        z = torch.cat([model.encode(as_floats(block)) for block in x.split(256)])
        outputs, vectors = quantiser.compared(z).reshape(-1, quantiser.dimension).cpu(), quantiser.vectors().cpu()
        indices = quantiser.nearest(z).cpu()
        tiles = code_tiles(model).numpy()
    flat, counts = indices.reshape(-1), code_counts(indices, codes)
    apart = (outputs - vectors[flat]).square().sum(1).numpy()
    places = nearest_places(flat.numpy(), apart, codes, patches, grid)
    others, distances = nearest_others(vectors, neighbours)
    most = shown if layout == "pca" else min(shown, CROWD)
    chosen = torch.randperm(len(outputs), generator=torch.Generator().manual_seed(seed))[:most]
    flat_codes, flat_outputs, explained = in_the_plane(vectors, outputs, chosen, layout, seed)
    return CodeAtlas(
        tiles=tiles, vectors=vectors.numpy(), codes=indices.numpy().astype(np.uint16),
        counts=counts.int().numpy(), batch_perplexity=_by_batches(indices, codes), neighbours=others,
        neighbour_distances=distances, places=places, patches=cut_patches(images, places, model.patch),
        projection=flat_codes, outputs=flat_outputs,
        output_codes=flat[chosen].numpy().astype(np.uint16), explained=explained.numpy(),
        by_usage=np.argsort(-counts.numpy(), kind="stable").astype(np.uint16),
        by_similarity=chain_of_neighbours(vectors.numpy(), int(counts.argmax())).astype(np.uint16),
        perplexity=perplexity(counts), used=share_used(counts),
    )  # fmt: skip


def nearest_places(
    flat: np.ndarray, squared: np.ndarray, codes: int, most: int, grid: tuple[int, int]
) -> np.ndarray:  # fmt: skip
    """Where the outputs are that chose a code and are nearest to it.

    Args:
        flat: (N h w,) each output's code, images one after the other, row by row.
        squared: (N h w,) its squared distance to the code.
        codes: K.
        most: P.
        grid: (h, w).

    Returns:
        (K, P, 3) int32: image, row, column; −1 where a code was chosen less often.
    """
    order = np.lexsort((squared, flat))
    counts = np.bincount(flat, minlength=codes)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    slots = np.arange(most)
    there = slots < counts[:, None]
    rows = order[np.minimum(starts[:, None] + slots, len(order) - 1)]
    height, width = grid
    found = np.stack([rows // (height * width), rows // width % height, rows % width], -1)
    return np.where(there[..., None], found, -1).astype(np.int32)


def cut_patches(images: np.ndarray, places: np.ndarray, patch: int) -> np.ndarray:
    """The pixels at places (K, P, 3) of images (N, C, H, W): (K, P, C, patch, patch), 0 where a place is −1."""
    image, row, column = np.moveaxis(np.maximum(places, 0), -1, 0)
    count, channels, height, width = images.shape
    cells = images.reshape(count, channels, height // patch, patch, width // patch, patch)
    found = cells[image, :, row, :, column, :]
    return np.where((places[..., 0] >= 0)[..., None, None, None], found, 0).astype(images.dtype)


def nearest_others(vectors: Tensor, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Each code's nearest other codes, (K, J) uint16, and the distances, (K, J) float32; J at most K − 1."""
    apart = torch.cdist(vectors.double(), vectors.double()).fill_diagonal_(torch.inf)
    found = apart.topk(min(most, len(vectors) - 1), largest=False)
    return found.indices.numpy().astype(np.uint16), found.values.float().numpy()


def in_the_plane(
    vectors: Tensor, outputs: Tensor, chosen: Tensor, layout: Layout, seed: int
) -> tuple[np.ndarray, np.ndarray, Tensor]:  # fmt: skip
    """Codes (K, 2), the chosen outputs (M, 2), and two principal components' shares of all outputs' variance, (2,)."""
    mean, axes, explained = principal_plane(outputs)
    if layout == "pca":
        return ((vectors - mean) @ axes).numpy(), ((outputs[chosen] - mean) @ axes).numpy(), explained
    both = neighbour_map(torch.cat([vectors, outputs[chosen]]).numpy(), layout, seed)
    return both[: len(vectors)], both[len(vectors) :], explained


def chain_of_neighbours(vectors: np.ndarray, first: int) -> np.ndarray:
    """An order of all codes in which each is followed by the nearest that has not been yet: (K, D) → (K,)."""
    left, order = np.ones(len(vectors), bool), np.empty(len(vectors), np.int64)
    here = first
    for place in range(len(vectors)):
        order[place], left[here] = here, False
        apart = ((vectors - vectors[here]) ** 2).sum(1)
        here = int(np.argmin(np.where(left, apart, np.inf)))
    return order


def _by_batches(indices: Tensor, codes: int) -> np.ndarray:
    batches = indices.split(BATCH)
    whole = [batch for batch in batches if len(batch) == BATCH] or batches[:1]
    return np.array([perplexity(code_counts(batch, codes)) for batch in whole], np.float32)
