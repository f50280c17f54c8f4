"""Images as networks want them. Used by the networks of every chapter."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def as_network_input(images: Tensor, side: int | None = None) -> Tensor:
    """Images uint8 [B, 3, H, W] -> float in [-1, 1], brought to `side` x `side` where one is given."""
    scaled = images.float() / 127.5 - 1
    return scaled if side is None else at_side(scaled, side)


def at_side(images: Tensor, side: int) -> Tensor:
    """Images [B, C, H, W], float, at the side that a network was made for."""
    if tuple(images.shape[-2:]) == (side, side):
        return images
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)


def resized(images: Tensor, side: int) -> Tensor:
    """Images uint8 [B, 3, H, W] at another side, uint8."""
    if tuple(images.shape[-2:]) == (side, side):
        return images
    return at_side(images.float(), side).round().clamp(0, 255).to(images.dtype)
