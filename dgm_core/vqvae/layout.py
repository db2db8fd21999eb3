"""Codes and encoder outputs in the plane: a linear projection, or a map that keeps who is near whom."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dgm_core.errors import DataError

Layout = Literal["pca", "tsne", "umap"]
CROWD = 1_000
"""Outputs that a map of neighbours is made of: its time grows with them."""
NEIGHBOURS = {"tsne": 30, "umap": 15}
"""Both libraries' own defaults: t-SNE's perplexity, UMAP's neighbours."""


def has_umap() -> bool:
    """Whether the package umap-learn is installed; nothing else needs it."""
    return importlib.util.find_spec("umap") is not None


def principal_plane(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (D,), the two directions of largest variance (D, 2), and their shares of the variance (2,).

    A direction's largest entry is positive, so that the same points give the same picture.
    """
    mean = points.double().mean(0)
    centred = points.double() - mean
    values, axes = torch.linalg.eigh(centred.T @ centred)
    axes = axes[:, [-1, -2]]
    axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    shares = values[[-1, -2]] / values.sum().clamp_min(1e-30)
    return mean.to(points), axes.to(points), shares.to(points)


def neighbour_map(points: np.ndarray, how: Layout, seed: int = 0) -> np.ndarray:
    """Points in the plane, near ones near each other; distances between groups mean nothing.

    Args:
        points: (N, D), N at least 4.
        how: ``"tsne"`` or ``"umap"``; both start from principal components or the graph's spectrum.
        seed: of what is drawn.

    Returns:
        (N, 2) float32.

    Raises:
        DataError: when there are fewer than four points, or the package that does it is not installed.

    References:
        Visualizing Data using t-SNE (van der Maaten, Hinton 2008).
        UMAP: Uniform Manifold Approximation and Projection (McInnes, Healy, Melville 2018).
    """
    if len(points) < 4:
        raise DataError(f"A map of neighbours needs at least four points; these are {len(points)}.")
    near = min(NEIGHBOURS[how], (len(points) - 1) // 3)
    if how == "tsne":
        from sklearn.manifold import TSNE

        found = TSNE(perplexity=near, init="pca", max_iter=500, random_state=seed).fit_transform(points)
    else:
        if not has_umap():
            raise DataError("UMAP needs the package umap-learn, which is not installed here.")
        umap = importlib.import_module("umap")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a seed means one thread
            found = umap.UMAP(n_neighbors=max(near, 2), random_state=seed).fit_transform(points)
    return np.asarray(found, np.float32)
