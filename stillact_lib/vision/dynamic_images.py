"""Dynamic images: a few frames summed up in one image that shows how they change (Bilen et al., CVPR 2016).

Rank pooling asks for the image whose inner product with the running means of the frames grows with time; its first
gradient step has a closed form, a weighted sum of the frames ("approximate rank pooling"). The weights sum to zero, so
that what does not move disappears. Chapter 05; worker processes import this module, so it imports no torch.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import cv2
import numpy as np

from stillact_lib.errors import StillactError

Variant = Literal["harmonic", "linear"]


def rank_pooling_coefficients(window: int, variant: Variant = "harmonic") -> np.ndarray:
    """Weights float64 [window] of the frames, first to last; their sum is 0 (of a single frame: 1).

    "harmonic": of frame i of N, the sum over t from i to N of (2t - N - 1) / t, which is
    2(N - i + 1) - (N + 1)(H_N - H_{i-1}) with harmonic numbers H (Bilen et al. 2016, their Eq. 4): running means of the
    frames are pooled. "linear": 2i - N - 1 (Bilen et al., TPAMI 2018): the frames themselves are.
    """
    if window < 1:
        raise StillactError(f"window = {window}: a dynamic image is made of one frame at least")
    if window == 1:
        return np.ones(1)
    frame = np.arange(1, window + 1)
    if variant == "linear":
        return (2 * frame - window - 1).astype(float)
    return np.cumsum(((2 * frame - window - 1) / frame)[::-1])[::-1].copy()


def middle_windows(frames: int, window: int, stride: int, count: int) -> np.ndarray:
    """First frames int [K] of at most `count` windows, `stride` apart, about the middle of a clip of `frames` frames;
    fewer where the clip is too short for all, and one at 0 where it is shorter than a window."""
    fitting = 1 + max(0, frames - window) // stride
    kept = min(count, fitting)
    first = (max(0, frames - window) - (kept - 1) * stride) // 2
    return first + stride * np.arange(kept)


def dynamic_images(
    frames: np.ndarray, starts: np.ndarray, window: int = 10, variant: Variant = "harmonic", threads: int = 1
) -> np.ndarray:
    """The dynamic image of `window` frames from each of `starts`: uint8 [T, H, ...] -> float32 [K, H, ...], of levels
    from 0 to 1. A window that goes beyond the last frame repeats it, as the authors' code does.

    The weights of either sign, divided by their sum, make a running mean, which OpenCV takes of bytes as they are; the
    dynamic image is the difference of the two means, as the sums are equal but for their sign.
    """
    pooled = np.empty((len(starts), *frames.shape[1:]), np.float32)
    if not len(starts):
        return pooled
    held = np.minimum(np.asarray(starts)[:, None] + np.arange(window), len(frames) - 1)
    images, flat = pooled.reshape(len(held), frames.shape[1], -1), frames.reshape(len(frames), frames.shape[1], -1)
    weights = rank_pooling_coefficients(window, variant) / 255
    risen, fallen = weights.clip(0).sum(), (-weights).clip(0).sum()

    def pool(some: np.ndarray) -> None:
        lower = np.empty_like(images[0])
        for number in some:
            _running_mean(flat, held[number], weights, images[number])
            _running_mean(flat, held[number], -weights, lower)
            cv2.addWeighted(images[number], risen, lower, -fallen, 0, dst=images[number])

    shares = np.array_split(np.arange(len(held)), threads)
    if threads == 1:
        pool(shares[0])
    else:
        with ThreadPoolExecutor(threads) as workers:
            list(workers.map(pool, shares))
    return pooled


def _running_mean(frames: np.ndarray, held: np.ndarray, weights: np.ndarray, mean: np.ndarray) -> None:
    """The weighted mean of some frames uint8 [T, H, W], those of a weight above 0 (without any: 0), into float32
    [H, W]."""
    total = 0.0
    mean[:] = 0
    for frame, weight in zip(held[weights > 0], weights[weights > 0], strict=True):
        total += weight
        cv2.accumulateWeighted(frames[frame], mean, weight / total)


def as_levels(pooled: np.ndarray) -> np.ndarray:
    """Dynamic images [K, ...] to uint8: each stretched, all channels alike, from its least value (0) to its greatest
    (255); one in which nothing changes, and so all values are equal, is grey."""
    axes = tuple(range(1, pooled.ndim))
    low, high = pooled.min(axis=axes, keepdims=True), pooled.max(axis=axes, keepdims=True)
    still = high - low < 1e-5  # rounding alone
    scaled = (pooled - low) / np.where(still, 1, high - low)
    return np.where(still, 128, np.rint(255 * scaled)).astype(np.uint8)
