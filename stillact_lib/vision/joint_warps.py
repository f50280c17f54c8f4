"""Images and masks turned, zoomed and mirrored together, each pair by its own amount (chapter 02, §4)."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

#: §4: flips, rotations of up to 10 degrees, zooms of .9 to 1.1
MOST_DEGREES, ZOOMS = 10.0, (0.9, 1.1)
#: what lies outside of an image: grey, nobody
OUTSIDE = (127, 127, 127, 0)


def random_warps(
    count: int, rng: np.random.Generator, degrees: float = MOST_DEGREES, zooms: tuple[float, float] = ZOOMS
) -> np.ndarray:
    """Linear maps float32 [N, 2, 2] of the output's coordinates to the input's, about the middle: a turn either way, a
    zoom, and in half of them a mirror."""
    angle = np.radians(rng.uniform(-degrees, degrees, count))
    zoom = rng.uniform(*zooms, count)
    side = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    rows = [np.stack([np.cos(angle) * side, -np.sin(angle)], 1), np.stack([np.sin(angle) * side, np.cos(angle)], 1)]
    return (np.stack(rows, axis=1) / zoom[:, None, None]).astype(np.float32)


def layered(images: Tensor, masks: Tensor) -> np.ndarray:
    """Images uint8 [N, 3, S, S] with masks float [N, 1, S, S] in [0, 1] as a fourth channel of bytes: [N, S, S, 4]."""
    layers = np.empty((len(images), *images.shape[-2:], 4), np.uint8)
    layers[..., :3] = images.permute(0, 2, 3, 1).numpy()
    layers[..., 3] = (masks[:, 0] * 255).round().numpy()
    return layers


def warped(layers: np.ndarray, warps: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images uint8 [N, 3, S, S] and masks float [N, 1, S, S] in [0, 1] of `layered`, both through the same maps
    [N, 2, 2]. What comes from outside is grey in the image and nobody in the mask."""
    side = layers.shape[1]
    middle = np.full(2, (side - 1) / 2)
    to_source = np.concatenate([warps, (middle - warps.astype(np.float64) @ middle)[:, :, None]], axis=2)
    found = np.empty_like(layers)
    for source, target, matrix in zip(layers, found, to_source, strict=True):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(source, matrix, (side, side), target, flags, cv2.BORDER_CONSTANT, OUTSIDE)
    images, masks = np.ascontiguousarray(found[..., :3]), np.ascontiguousarray(found[..., 3])
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks)[:, None].float() / 255
