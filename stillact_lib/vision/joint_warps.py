"""Images and masks turned, zoomed and mirrored together, each pair by its own amount (chapter 02, §4)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

#: §4: flips, rotations of up to 10 degrees, zooms of .9 to 1.1
MOST_DEGREES, ZOOMS = 10.0, (0.9, 1.1)


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


def warped(images: Tensor, masks: Tensor, warps: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images float [N, 3, S, S] in [-1, 1] and masks float [N, 1, S, S] in [0, 1], through the same maps [N, 2, 2].
    What comes from outside is grey in the image and nobody in the mask."""
    theta = torch.from_numpy(np.concatenate([warps, np.zeros((len(warps), 2, 1), np.float32)], axis=2))
    both = torch.cat([images, masks], dim=1)
    grid = F.affine_grid(theta, both.shape, align_corners=False)
    found = F.grid_sample(both, grid, padding_mode="zeros", align_corners=False)
    return found[:, :3], found[:, 3:]
