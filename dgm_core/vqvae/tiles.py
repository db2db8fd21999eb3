"""What a code looks like: the patch that the decoder makes of it."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.data.pixels import as_bytes
from dgm_core.vqvae.model import QuantisedAutoencoder

_CODES = 1_024


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
