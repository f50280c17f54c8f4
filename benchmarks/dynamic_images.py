"""Dynamic images of a whole clip beside a Python loop over its windows and their frames.

Run by `make bench`. Asked of it: at least 10 times the loop's speed, equal to the direct weighted sum in float64 within
1e-5. A clip is 180 frames of UCF-101's size, a typical length; windows of 10 frames, 6 apart, over all of it. The limit
is the memory's: every frame read once (a byte a value), every dynamic image written once (four). It is not reached, as
every window turns its ten frames from bytes into numbers and weighs them, one after the other, while the mean goes in
and out of the cache: 67 million values of 41 million bytes. Products with a matrix of weights, which turn each frame
into numbers once, took twice as long, as a window has too few rows for them.
"""

from __future__ import annotations

import os

import numpy as np
from measuring import best_of, copy_bandwidth, print_table

from stillact_lib.vision.dynamic_images import dynamic_images, rank_pooling_coefficients

FRAMES, HEIGHT, WIDTH, WINDOW, STRIDE = 180, 240, 320, 10, 6


def loop(frames: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The definition: a weighted sum of each window's frames, in float64."""
    pooled = np.zeros((len(starts), *frames.shape[1:]))
    for row, start in enumerate(starts):
        for t, weight in enumerate(rank_pooling_coefficients(WINDOW)):
            pooled[row] += weight * (frames[start + t].astype(np.float64) / 255)
    return pooled


def main() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    starts = np.arange(0, FRAMES - WINDOW + 1, STRIDE)
    cores = os.cpu_count() or 1
    apart = np.abs(dynamic_images(frames, starts, WINDOW) - loop(frames, starts)).max()
    assert apart <= 1e-5, f"the fast dynamic images are {apart:.1e} from the direct sum"
    work = {"loop": lambda: loop(frames, starts), "1 core": lambda: dynamic_images(frames, starts, WINDOW)}
    if cores > 1:
        work[f"{cores} cores"] = lambda: dynamic_images(frames, starts, WINDOW, threads=cores)
    seconds = best_of(work, rounds=3)
    bandwidth = copy_bandwidth()
    moved = frames.size + 4 * len(starts) * frames[0].size
    rows = [
        (name, f"{1e3 * taken:.0f} ms", f"{seconds['loop'] / taken:.1f}x", f"{moved / bandwidth / taken:.0%}")
        for name, taken in seconds.items()
    ]
    title = f"{len(starts)} dynamic images of {FRAMES} frames, {WIDTH}x{HEIGHT}; copying at {bandwidth / 1e9:.1f} GB/s"
    print_table(f"{title}; within {apart:.0e} of float64", ("what", "time", "over the loop", "of the limit"), rows)


if __name__ == "__main__":
    main()
