"""A codebook whose every number is known: k-means on patches of real images, decoded by laying patches side by side.

A patch is its own encoder output. So the nearest code, its distance, the decoded image and the effect of every edit
have an oracle in a few lines of NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits, load_sample_images

from app.codebook import CodebookView


@dataclass(frozen=True, eq=False)
class PatchCodes:
    """Codes (K, D) as patches of a × b pixels, the encoder outputs of the images shown, and the view of it all."""

    codes: np.ndarray
    outputs: np.ndarray
    tile: tuple[int, ...]
    view: CodebookView

    def decode(self, maps: np.ndarray) -> np.ndarray:
        """(n, h, w) codes → pictures: each cell is its code's patch."""
        return lay(self.codes[maps], self.tile)

    def reassign(self, left: np.ndarray) -> np.ndarray:
        """The nearest of the codes that are left to every patch of the images shown, (B, h, w)."""
        apart = squared(self.outputs, self.codes)
        apart[:, ~left] = np.inf
        return apart.argmin(1).reshape(-1, *self.view.grid)


def digits() -> np.ndarray:
    """(1797, 8, 8) uint8."""
    return np.rint(load_digits().images * (255 / 16)).astype(np.uint8)


def photos(count: int, side: int = 32, seed: int = 0) -> np.ndarray:
    """(count, side, side, 3) uint8, random crops of the two sample photos at half their size."""
    rng = np.random.default_rng(seed)
    pictures = [image[::2, ::2] for image in load_sample_images().images]
    crops = []
    for index in range(count):
        picture = pictures[index % 2]
        top, left = (rng.integers(0, extent - side) for extent in picture.shape[:2])
        crops.append(picture[top : top + side, left : left + side])
    return np.stack(crops)


def cut(images: np.ndarray, patch: int) -> np.ndarray:
    """(N, H, W[, 3]) → (N, h, w, D): the patches as vectors."""
    n, height, width = images.shape[:3]
    split = images.reshape(n, height // patch, patch, width // patch, patch, -1).swapaxes(2, 3)
    return split.reshape(n, height // patch, width // patch, -1).astype(np.float64)


def lay(patches: np.ndarray, tile: tuple[int, ...]) -> np.ndarray:
    """(N, h, w, D) patches → (N, H, W[, 3]) uint8; undoes `cut`."""
    n, h, w = patches.shape[:3]
    split = np.rint(patches).reshape(n, h, w, tile[0], tile[1], -1).swapaxes(2, 3)
    pictures = split.reshape(n, h * tile[0], w * tile[1], -1).astype(np.uint8)
    return pictures if len(tile) == 3 else pictures[..., 0]


def squared(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N, K) squared distances."""
    return np.maximum((x * x).sum(1)[:, None] + (codes * codes).sum(1) - 2 * x @ codes.T, 0)


def perplexity(counts: np.ndarray) -> float:
    """exp H of a histogram."""
    p = counts[counts > 0] / counts.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


def patch_codes(
    images: np.ndarray, patch: int, count: int, shown: int = 48, dead: int = 0, seed: int = 0
) -> PatchCodes:
    """k-means codes of the images' patches; ``dead`` of them are moved to where no patch is."""
    outputs = cut(images, patch)
    grid, flat = outputs.shape[1:3], outputs.reshape(-1, outputs.shape[-1])
    rng = np.random.default_rng(seed)
    some = flat[rng.permutation(len(flat))[:20_000]]
    history = []
    model = MiniBatchKMeans(
        count, random_state=seed, n_init=1, batch_size=2048, init=some[rng.permutation(len(some))[:count]]
    )
    for step in range(12):
        model.partial_fit(some[(step * 1600) % len(some) :][:2048] if step else some[:2048])
        history.append(np.bincount(model.predict(some[:4000]), minlength=count))
    codes = np.clip(model.cluster_centers_, 0, 255)
    codes[:dead] = 255 * (np.arange(dead * flat.shape[1]).reshape(dead, flat.shape[1]) % 2)
    nearest, second, maps = [], [], []
    for block in np.array_split(flat, max(1, len(flat) // 8192)):
        apart = squared(block, codes)
        two = np.argpartition(apart, 1, axis=1)[:, :2]
        two = np.take_along_axis(two, np.take_along_axis(apart, two, 1).argsort(1), 1)
        maps.append(two[:, 0])
        nearest.append(np.sqrt(np.take_along_axis(apart, two[:, :1], 1)[:, 0]))
        second.append(np.sqrt(np.take_along_axis(apart, two[:, 1:], 1)[:, 0]))
    owner = np.concatenate(maps)
    usage = np.bincount(owner, minlength=count)
    mean = some.mean(0)
    axes = np.linalg.svd(some[:4000] - mean, full_matrices=False)[2][:2].T
    tile = (patch, patch) if images.ndim == 3 else (patch, patch, 3)
    chosen = rng.permutation(len(flat))[:3000]
    between = squared(codes, codes)
    np.fill_diagonal(between, np.inf)
    view_maps = owner.reshape(-1, *grid).astype(np.int32)
    per_batch = [perplexity(np.bincount(m.ravel(), minlength=count)) for m in np.array_split(view_maps[:512], 8)]
    view = CodebookView(
        tiles=np.rint(codes).reshape(count, *tile).astype(np.uint8), usage=usage,
        batch_perplexity=float(np.mean(per_batch)), set_perplexity=perplexity(usage),
        positions=((codes - mean) @ axes).astype(np.float32), outputs=((flat[chosen] - mean) @ axes).astype(np.float32),
        owner=owner[chosen].astype(np.int32), neighbours=between.argsort(1)[:, :8].astype(np.int32),
        images=images[:shown], reconstructions=lay(codes[view_maps[:shown]], tile), maps=view_maps,
        first=np.concatenate(nearest).reshape(-1, *grid).astype(np.float32)[:shown],
        second=np.concatenate(second).reshape(-1, *grid).astype(np.float32)[:shown],
        patches=places(owner, count, 24), crops=None, usage_over_training=np.stack(history),
        steps=np.arange(len(history)) * 100,
    )  # fmt: skip
    return PatchCodes(codes, flat[: shown * grid[0] * grid[1]], tile, view)


def places(owner: np.ndarray, count: int, most: int) -> np.ndarray:
    """(K, most) int64: where each code was chosen first, −1 where there are fewer places."""
    out = np.full((count, most), -1, np.int64)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(count + 1))
    for code in range(count):
        found = order[starts[code] : starts[code + 1]][:most]
        out[code, : len(found)] = found
    return out
