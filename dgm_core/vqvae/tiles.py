"""What a code looks like: the patch that the decoder makes of it."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.vqvae.model import QuantisedAutoencoder

_CODES = 1_024


def as_bytes(values: Tensor) -> Tensor:
    """Brightness in [0, 1] as bytes, rounded: any shape → the same, uint8 on the CPU.

    Example:
        >>> as_bytes(torch.tensor([-1.0, 0.5, 1.0])).tolist()
        [0, 128, 255]
    """
    return (values * 255).round().clamp(0, 255).to(torch.uint8).cpu()


@torch.no_grad()
def code_tiles(model: QuantisedAutoencoder) -> Tensor:
    """Each code's tile: the middle patch of a map that holds this code everywhere.

    A decoder with 3 × 3 convolutions looks at neighbours too; here all of them are the same code, as far as it looks.

    Returns:
        (K, C, patch, patch) uint8.
    """
    side, codes = 2 * model.reach + 1, model.quantiser.codes
    device = next(model.parameters()).device
    first, last = model.reach * model.patch, (model.reach + 1) * model.patch
    found = []
    for block in torch.arange(codes, device=device).split(_CODES):
        images = model.decode_codes(block.view(-1, 1, 1).expand(-1, side, side))
        found.append(as_bytes(images[:, :, first:last, first:last]))
    return torch.cat(found)
