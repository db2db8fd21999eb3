"""A small convolutional classifier whose last hidden layer embeds images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

GREY = (0.299, 0.587, 0.114)
"""Luminance of red, green and blue (ITU-R BT.601)."""


class Classifier(nn.Module):
    """Three convolutions with stride 2 but for the first, a hidden layer, and a logit a class.

    Args:
        shape: (C, H, W) of the images that it learns.
        channels: of the first convolution; the others have twice as many.
        features: F, size of the embedding.
        classes: how many.
        generator: of the first weights.

    Example:
        >>> net = Classifier((1, 8, 8), 4, 16, 10, torch.Generator().manual_seed(0))
        >>> net.embed(torch.rand(5, 1, 8, 8)).shape, net(torch.rand(5, 1, 8, 8)).shape
        (torch.Size([5, 16]), torch.Size([5, 10]))
    """

    def __init__(
        self, shape: tuple[int, int, int], channels: int, features: int, classes: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.shape = shape
        inputs, height, width = shape
        for _ in range(2):
            height, width = (height + 1) // 2, (width + 1) // 2
        self.convolutions = nn.Sequential(
            nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(2 * channels, 2 * channels, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        self.hidden = nn.Linear(2 * channels * height * width, features)
        self.output = nn.Linear(features, classes)
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_uniform_(parameter, nonlinearity="relu", generator=generator)
            else:
                nn.init.zeros_(parameter)

    def embed(self, images: Tensor) -> Tensor:
        """The hidden layer: (N, C, H, W) in [0, 1], of any size and of one or three channels → (N, F)."""
        embedded: Tensor = functional.relu(self.hidden(self.convolutions(fitted(images, self.shape))))
        return embedded

    def forward(self, images: Tensor) -> Tensor:
        """Logits: (N, C, H, W) → (N, classes)."""
        logits: Tensor = self.output(self.embed(images))
        return logits


def fitted(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Images resized by area or bilinearly, grey or repeated in three channels, so that they have a shape.

    Args:
        images: (N, C, H, W), C is 1 or 3.
        shape: (C', H', W').

    Example:
        >>> fitted(torch.rand(2, 3, 32, 32), (1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """
    channels, *size = shape
    if images.shape[1] != channels:
        grey = (images * images.new_tensor(GREY)[:, None, None]).sum(1, keepdim=True) if channels == 1 else images
        images = grey.expand(-1, channels, -1, -1)
    if list(images.shape[2:]) == size:
        return images
    return functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
