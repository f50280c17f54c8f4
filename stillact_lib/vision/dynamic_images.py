"""Dynamic images: a few frames summed up in one image that shows how they change (Bilen et al., CVPR 2016).

Rank pooling asks for the image whose inner product with the running means of the frames grows with time; its first
gradient step has a closed form, a weighted sum of the frames ("approximate rank pooling"). The weights sum to zero, so
that what does not move disappears. Chapter 05; worker processes import this module, so it imports no torch.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from stillact_lib.errors import StillactError

Variant = Literal["harmonic", "linear"]
#: values of a frame weighted at a time, and windows: what was fastest on a core with 1 MiB of cache
_AT_ONCE, _TOGETHER = 8192, 2


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
    """The dynamic image of `window` frames from each of `starts`: uint8 [T, ...] -> float32 [K, ...], of levels in
    [0, 1]. A window that goes beyond the last frame repeats it, as the authors' code does.

    A piece of the image at a time, each frame is turned into numbers once, however many windows hold it; then a few
    neighbouring windows at a time are one product with a banded matrix.
    """
    if not len(starts):
        return np.empty((0, *frames.shape[1:]), np.float32)
    held = np.minimum(np.asarray(starts)[:, None] + np.arange(window), len(frames) - 1)
    first, flat = int(held.min()), frames.reshape(len(frames), -1)[held.min() : held.max() + 1]
    bands = [_band(held[at : at + _TOGETHER] - first, window, variant) for at in range(0, len(held), _TOGETHER)]
    pooled = np.empty((len(held), flat.shape[1]), np.float32)

    def pool_columns(begin: int, end: int) -> None:
        numbers = np.empty((len(flat), min(_AT_ONCE, end - begin)), np.float32)
        for left in range(begin, end, _AT_ONCE):
            right = min(left + _AT_ONCE, end)
            numbers[:, : right - left] = flat[:, left:right]
            for number, (used, weights) in enumerate(bands):
                rows = slice(number * _TOGETHER, number * _TOGETHER + len(weights))
                np.matmul(weights, numbers[used, : right - left], out=pooled[rows, left:right])

    edges = np.linspace(0, flat.shape[1], threads + 1).astype(int).tolist()
    with threadpool_limits(1):  # the products are too small to share out
        if threads == 1:
            pool_columns(*edges)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(pool_columns, edges[:-1], edges[1:]))
    return pooled.reshape(len(held), *frames.shape[1:])


def _band(held: np.ndarray, window: int, variant: Variant) -> tuple[slice, np.ndarray]:
    """The frames that some windows use, and the windows' weights over these: frames' indices int [K, window] -> float32
    [K, frames used], for frames of levels from 0 to 255."""
    first = held.min()
    weights = np.zeros((len(held), held.max() + 1 - first))
    for row, frames in enumerate(held - first):
        np.add.at(weights[row], frames, rank_pooling_coefficients(window, variant) / 255)
    return slice(first, held.max() + 1), weights.astype(np.float32)


def as_levels(pooled: np.ndarray) -> np.ndarray:
    """Dynamic images [K, ...] to uint8: each stretched, all channels alike, from its least value (0) to its greatest
    (255); one in which nothing changes, and so all values are equal, is grey."""
    axes = tuple(range(1, pooled.ndim))
    low, high = pooled.min(axis=axes, keepdims=True), pooled.max(axis=axes, keepdims=True)
    still = high - low < 1e-5  # rounding alone
    scaled = (pooled - low) / np.where(still, 1, high - low)
    return np.where(still, 128, np.rint(255 * scaled)).astype(np.uint8)
