"""How the decoder's gradient at a code q gets to the encoder's output z, since choosing a code has no derivative."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_TINY = 1e-12


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, q: Tensor) -> Tensor:
        return q.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _Rotation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, q: Tensor) -> Tensor:
        ctx.save_for_backward(z, q)
        return q.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return pull_back(gradient, *ctx.saved_tensors), None


def straight_through(z: Tensor, q: Tensor) -> Tensor:
    """q, with the gradient of z: ∂L/∂z = ∂L/∂q, copied (Bengio et al. 2013; van den Oord et al. 2017, section 3.2).

    Args:
        z: (…, D).
        q: (…, D), gets no gradient.

    Returns:
        (…, D), equal to q to the last bit.

    Example:
        >>> z = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> straight_through(z, torch.tensor([0.0, 3.0])).mul(torch.tensor([5.0, 7.0])).sum().backward()
        >>> z.grad
        tensor([5., 7.])
    """
    found: Tensor = _StraightThrough.apply(z, q)
    return found


def rotate(z: Tensor, q: Tensor) -> Tensor:
    """q = (‖q‖/‖z‖) R z, R the rotation from z's direction to q's in their plane; both held constant behind.

    The gradient is turned and scaled as z is to become q, so its angle to q is, at z, its angle to z. Where the
    rotation is not defined (z or q is 0, or they are opposite) the gradient is copied.

    Args:
        z: (…, D).
        q: (…, D), gets no gradient.

    Returns:
        (…, D), equal to q to the last bit.

    References:
        Restructuring Vector Quantization with the Rotation Trick (Fifty et al. 2024), section 4.

    Example:
        >>> z = torch.tensor([2.0, 0.0], requires_grad=True)
        >>> rotate(z, torch.tensor([0.0, 2.0])).mul(torch.tensor([0.0, 1.0])).sum().backward()
        >>> (z.grad - torch.tensor([1.0, 0.0])).abs().max().item() < 1e-6
        True
    """
    found: Tensor = _Rotation.apply(z, q)
    return found


def pull_back(gradient: Tensor, z: Tensor, q: Tensor) -> Tensor:
    """(‖q‖/‖z‖) Rᵀ g with R = I − 2rrᵀ + 2q̂ẑᵀ, r the direction of ẑ + q̂ (Fifty et al. 2024, equation 4).

    Args:
        gradient: g, (…, D).
        z, q: (…, D).

    Returns:
        (…, D); g itself where R is not defined.
    """
    length_z, length_q = z.norm(dim=-1, keepdim=True), q.norm(dim=-1, keepdim=True)
    z_hat, q_hat = z / length_z.clamp_min(_TINY), q / length_q.clamp_min(_TINY)
    between = z_hat + q_hat
    size = between.norm(dim=-1, keepdim=True)
    r = between / size.clamp_min(_TINY)
    turned = (
        gradient - 2 * r * (r * gradient).sum(-1, keepdim=True) + 2 * z_hat * (q_hat * gradient).sum(-1, keepdim=True)
    )
    defined = (length_z > _TINY) & (length_q > _TINY) & (size > 1e-6)
    return torch.where(defined, turned * (length_q / length_z.clamp_min(_TINY)), gradient)
