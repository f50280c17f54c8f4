"""Windows cut out of images at any place and size, many at once: crops around faces and things, enlarged. Chapter 01.

Boxes are x0 y0 x1 y1 in pixels, the far edges past the last pixel; what lies outside the image is filled.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

#: a window larger by less than this share is not shrunk
SLIGHTLY = 0.05


def cut(images: Tensor, boxes: np.ndarray, size: int, outside: float = 0.0, nearest: bool = False) -> Tensor:
    """One window of each image, squashed to a square: images float [N, C, H, W], boxes [N, 4] -> [N, C, size, size].

    Pixels are sampled at the middles of the window's cells, between their neighbours or (`nearest`) from the nearest
    one; where a window is shrunk, a cell is the mean of as many samples as keep all pixels in sight. `outside` stands
    for what is not in the image.
    """
    boxes = np.asarray(boxes, float)
    if nearest:
        return _sampled(images, boxes, size, outside, "nearest")
    shrunk = np.abs(boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) / size
    samples = np.ceil(shrunk - SLIGHTLY).clip(1).astype(int)
    found = images.new_empty(len(boxes), images.shape[1], size, size)
    for number in np.unique(samples).tolist():
        rows = np.flatnonzero(samples == number)
        some = _sampled(images[torch.from_numpy(rows)], boxes[rows], number * size, outside, "bilinear")
        found[torch.from_numpy(rows)] = F.avg_pool2d(some, number)
    return found


def _sampled(images: Tensor, boxes: np.ndarray, size: int, outside: float, mode: str) -> Tensor:
    height, width = images.shape[-2:]
    corner = torch.as_tensor(boxes, dtype=torch.float32)
    share = (torch.arange(size) + 0.5) / size
    x = corner[:, :1] + (corner[:, 2:3] - corner[:, :1]) * share
    y = corner[:, 1:2] + (corner[:, 3:4] - corner[:, 1:2]) * share
    # grid_sample counts from -1 to 1, edge to edge
    across, down = 2 * x / width - 1, 2 * y / height - 1
    grid = torch.stack([across[:, None, :].expand(-1, size, -1), down[:, :, None].expand(-1, -1, size)], dim=-1)
    return F.grid_sample(images - outside, grid, mode=mode, padding_mode="zeros", align_corners=False) + outside


def whole(images: Tensor) -> np.ndarray:
    """The box of all of each image of [N, C, H, W]: [N, 4]."""
    return np.tile([[0.0, 0.0, images.shape[-1], images.shape[-2]]], (len(images), 1))


def about(boxes: np.ndarray, times: float, square: bool = False) -> np.ndarray:
    """Boxes [N, 4] about the same middles, `times` as wide and high; `square`: both as the longer side."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * times / 2
    if square:
        half = np.repeat(half.max(axis=1, keepdims=True), 2, axis=1)
    return np.concatenate([middle - half, middle + half], axis=1)


def jittered(boxes: np.ndarray, rng: np.random.Generator, shift: float, scale: float) -> np.ndarray:
    """Boxes [N, 4] moved by up to `shift` of their sides and scaled by up to 1 +- `scale`, uniformly."""
    sides = boxes[:, 2:] - boxes[:, :2]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * rng.uniform(-shift, shift, (len(boxes), 2))
    half = sides / 2 * rng.uniform(1 - scale, 1 + scale, (len(boxes), 1))
    return np.concatenate([middle - half, middle + half], axis=1)
