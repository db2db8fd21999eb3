"""VGG networks from weights that the user brings: what the paper on precision and recall embeds photographs with.

The weights are read from a safetensors file alone, which holds numbers and no code. The names of the tensors say what
the network is: both torchvision's (``features.0.weight``, ``classifier.3.weight``) and timm's
(``pre_logits.fc2.weight``) are known. Where the pooling stands follows from the numbers that the names leave out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from dgm_core.errors import DataError
from dgm_core.precision_recall.classifier import fitted

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in [0, 1], red, green, blue: how all of these weights were trained."""
MAX_BYTES = 1_200_000_000
"""Of a file of weights; VGG-19 has 575 MB."""
EPSILON = 1e-5
"""Of batch normalisation."""


class VGG(nn.Module):
    """3 × 3 convolutions with ReLU and 2 × 2 maximum pooling; then the hidden layers of the classifier, where given.

    Args:
        convolutions: (weight (O, I, 3, 3), bias (O,), whether pooling follows), in order.
        hidden: (weight (O, I), bias (O,)), in order; none: the features' mean over the places is the embedding.
        size: side to which images are brought.

    Example:
        >>> net = VGG([(torch.ones(4, 3, 3, 3), torch.zeros(4), True)], [], size=8)
        >>> net.embed(torch.rand(5, 1, 16, 16)).shape
        torch.Size([5, 4])
    """

    def __init__(
        self, convolutions: list[tuple[Tensor, Tensor, bool]], hidden: list[tuple[Tensor, Tensor]], size: int = 224
    ) -> None:
        super().__init__()
        self.convolutions, self.hidden, self.size = convolutions, hidden, size

    @torch.no_grad()
    def embed(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1], of any size, grey or in colour → (N, F): after the last hidden layer's ReLU."""
        return torch.cat([self._embed(block) for block in images.split(16)])

    def _embed(self, images: Tensor) -> Tensor:
        x = fitted(images, (3, self.size, self.size))
        x = (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(DEVIATION)[:, None, None]
        for weight, bias, pooled in self.convolutions:
            x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
            x = functional.max_pool2d(x, 2) if pooled else x
        if not self.hidden:
            return x.mean(dim=(2, 3))
        side = round((self.hidden[0][0].shape[1] / x.shape[1]) ** 0.5)
        x = functional.adaptive_avg_pool2d(x, side).flatten(1)
        for weight, bias in self.hidden:
            x = functional.relu(functional.linear(x, weight, bias))
        return x


def read_vgg(path: Path) -> VGG:
    """A VGG network of any depth, with or without batch normalisation, from a safetensors file.

    Args:
        path: the file; its last layer, which names classes, is not used.

    Raises:
        DataError: when it is missing, damaged, or holds another network, with one plain sentence.

    References:
        Simonyan and Zisserman: Very deep convolutional networks for large-scale image recognition, 2015.
        Kynkäänniemi et al.: Improved precision and recall metric for assessing generative models, 2019, section 3.
    """
    if path.suffix.lower() in (".pth", ".pt", ".bin", ".pkl"):
        raise DataError(
            f"{path.name} may hold code that runs when it is read; save its state_dict with "
            "safetensors.torch.save_file, and bring that file."
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path.name} is larger than {MAX_BYTES // 10**6} MB, more than any VGG network.")
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    except OSError as error:
        raise DataError(f"The weights {path.name} cannot be read ({error.strerror or error}).") from error
    except SafetensorError as error:
        raise DataError(f"{path.name} is no safetensors file: {str(error)[:120]}.") from error
    network = VGG(_convolutions(tensors, path.name), _hidden(tensors))
    try:
        network.embed(torch.zeros(1, 3, 8, 8))
    except RuntimeError as error:
        raise DataError(f"The layers in {path.name} do not go together: {str(error).splitlines()[0][:120]}.") from error
    return network


def _convolutions(tensors: Mapping[str, Tensor], name: str) -> list[tuple[Tensor, Tensor, bool]]:
    at = sorted(int(found[1]) for key in tensors if (found := re.fullmatch(r"features\.(\d+)\.weight", key)))
    at = [place for place in at if tensors[f"features.{place}.weight"].shape[2:] == (3, 3)]
    if not at or tensors[f"features.{at[0]}.weight"].shape[1] != 3:
        raise DataError(f"{name} holds no VGG network: its tensors are not named features.0.weight and so on.")
    layers: list[tuple[Tensor, Tensor, bool]] = []
    for place, following in zip(at, [*at[1:], None], strict=True):
        weight = tensors[f"features.{place}.weight"]
        bias = tensors.get(f"features.{place}.bias", weight.new_zeros(len(weight)))
        normalised = f"features.{place + 1}.running_mean" in tensors
        if normalised:
            weight, bias = _folded(weight, bias, {k: tensors[f"features.{place + 1}.{k}"] for k in NORMALISATION})
        # Convolution, normalisation and ReLU take a number each; so does pooling, which has no tensor.
        pooled = following is None or following - place > (3 if normalised else 2)
        layers.append((weight, bias, pooled))
    return layers


NORMALISATION = ("weight", "bias", "running_mean", "running_var")


def _folded(weight: Tensor, bias: Tensor, norm: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """A convolution with the batch normalisation that follows it in one."""
    factor = norm["weight"] / (norm["running_var"] + EPSILON).sqrt()
    return weight * factor[:, None, None, None], norm["bias"] + (bias - norm["running_mean"]) * factor


def _hidden(tensors: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    names = [("classifier.0", "classifier.3"), ("pre_logits.fc1", "pre_logits.fc2")]
    for pair in names:
        if all(f"{layer}.{part}" in tensors for layer in pair for part in ("weight", "bias")):
            return [(tensors[f"{layer}.weight"].flatten(1), tensors[f"{layer}.bias"]) for layer in pair]
    return []
