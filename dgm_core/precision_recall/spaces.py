"""The spaces in which distances are taken: raw numbers, principal components, a network's last hidden layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dgm_core import sources
from dgm_core.errors import DataError
from dgm_core.home import home
from dgm_core.precision_recall.vgg import read_vgg

NETWORK_PATTERN = r"^(zoo|run|file):[A-Za-z0-9_.-]{1,80}$"
"""``zoo:NAME``, ``run:ID``, or ``file:NAME`` of one's own weights."""
SpaceName = Literal["pixels", "pca", "classifier"]
SPACES: dict[str, str] = {"pixels": "raw numbers", "pca": "PCA", "classifier": "network"}
BLOCK = 500
"""Images that go through a network at once."""


class Embedder(Protocol):
    """A network whose hidden layer is an embedding."""

    def embed(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1] → (N, F)."""
        ...


def embedder(source: str) -> Embedder:
    """The network ``zoo:NAME`` or ``run:ID``, or ``file:NAME``, weights that the user has put into `networks_folder`.

    Raises:
        DataError: when there is none, or it embeds no images, with one plain sentence.
    """
    kind, _, name = source.partition(":")
    if kind == "file":
        return read_vgg(networks_folder() / f"{Path(name).name}.safetensors")
    network: Any = sources.load(source)[1]
    if not hasattr(network, "embed"):
        raise DataError(f"{source} embeds no images; choose a classifier.")
    found: Embedder = network
    return found


def networks_folder() -> Path:
    """Where people put weights of their own: ``networks`` in the folder of `dgm_core.home`."""
    return home() / "networks"


def own_networks() -> tuple[str, ...]:
    """The names of the weights that are there, without their endings."""
    found = sorted(path.stem for path in networks_folder().glob("*.safetensors"))
    return tuple(name for name in found if re.fullmatch(NETWORK_PATTERN, f"file:{name}"))


@torch.no_grad()
def through(network: Embedder, images: Tensor) -> np.ndarray:
    """A network's embedding of many images: (N, C, H, W) in [0, 1] → (N, F) float32."""
    embedded: np.ndarray = torch.cat([network.embed(block) for block in images.split(BLOCK)]).numpy()
    return embedded


def fitted_space(real: Tensor, space: SpaceName, *, network: str, components: int) -> Callable[[Tensor], np.ndarray]:
    """What takes sets into the space of the distances, as the real set fixes it.

    Args:
        real: (N, C, H, W) in [0, 1] or (N, D).
        space: which.
        network: ``zoo:NAME`` or ``run:ID``, of the classifier.
        components: F at most, of the principal components.

    Returns:
        A function of sets of the same kind: (M, …) → (M, F) float32.

    Raises:
        DataError: when there is no such network.
    """
    if space == "classifier":
        found = embedder(network)
        return lambda images: through(found, images)
    if space == "pixels":
        return lambda rows: rows.flatten(1).numpy()
    rows = real.flatten(1).double()
    mean, axes = rows.mean(0), principal_axes(rows, components)
    return lambda other: ((other.flatten(1).double() - mean) @ axes.T).float().numpy()


def principal_axes(rows: Tensor, components: int) -> Tensor:
    """The directions in which a set varies most, unit vectors by decreasing variance.

    The eigenvectors of the smaller of XᵀX and XXᵀ, X centred: a full decomposition of 1,000 × 3,072 numbers would take
    seconds. Directions without variance, to half of float64's digits, are left out.

    Args:
        rows: (N, D) float64.
        components: F at most.

    Returns:
        (≤ F, D) float64, at least one.
    """
    centred = rows - rows.mean(0)
    wide = centred.shape[0] < centred.shape[1]
    product = centred @ centred.T if wide else centred.T @ centred
    values, vectors = (found.flip(-1) for found in torch.linalg.eigh(product))
    kept = min(components, max(1, int((values > 1e-14 * values[0]).sum())))
    if not wide:
        return vectors.T[:kept]
    return functional.normalize((centred.T @ vectors[:, :kept]).T, dim=1)
