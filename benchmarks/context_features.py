"""Context features of all regions of an image beside a loop over regions and cells.

Run by `make bench`. Asked of it: at least 20 times the loop's speed, and equal to it. An image of 384 x 512 pixels with
eight channels and forty candidate regions, two grids of 5 x 5 cells each, as chapter 01 computes them.
"""

from __future__ import annotations

import numpy as np
from measuring import best_of, print_table

from stillact_lib.vision.region_grids import CELLS, SHORT, context_features, long_range
from stillact_lib.vision.windows import about

CHANNELS, HEIGHT, WIDTH, REGIONS = 8, 384, 512, 40


def covered(low: float, high: float, size: int) -> tuple[slice, np.ndarray]:
    """The pixels of a line that [low, high] touches, and how much of each it covers."""
    low, high = min(max(low, 0.0), size), min(max(high, 0.0), size)
    first, last = int(low), min(int(np.ceil(high)), size)
    edges = np.arange(first, last)
    return slice(first, last), np.minimum(high, edges + 1) - np.maximum(low, edges)


def loop(maps: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The definition: for each region, range and cell, the weighted mean of the pixels it covers."""
    found = []
    for box in boxes:
        for window in (about(box[None], SHORT)[0], long_range(box[None], maps.shape[1:])[0]):
            x, y = np.linspace(window[0], window[2], CELLS + 1), np.linspace(window[1], window[3], CELLS + 1)
            for row in range(CELLS):
                rows, down = covered(y[row], y[row + 1], maps.shape[1])
                for column in range(CELLS):
                    columns, across = covered(x[column], x[column + 1], maps.shape[2])
                    area = down.sum() * across.sum()
                    total = np.einsum("chw,h,w->c", maps[:, rows, columns], down, across, optimize=True)
                    found.append(total / area if area > 0 else np.zeros(len(maps)))
    return np.array(found).reshape(len(boxes), -1)


def main() -> None:
    rng = np.random.default_rng(0)
    maps = rng.uniform(size=(CHANNELS, HEIGHT, WIDTH)).astype(np.float32)
    corner = rng.uniform(0, (WIDTH - 80, HEIGHT - 80), (REGIONS, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(6, 80, (REGIONS, 2))], axis=1)
    apart = np.abs(context_features(maps, boxes) - loop(maps, boxes)).max()
    assert apart < 1e-5, f"the features are {apart:.1e} from the loop's"
    seconds = best_of(
        {"loop": lambda: loop(maps, boxes), "integral images": lambda: context_features(maps, boxes)}, rounds=3
    )
    rows = [(name, f"{1e3 * taken:.1f} ms", f"{seconds['loop'] / taken:.1f}x") for name, taken in seconds.items()]
    title = f"Context of {REGIONS} regions, {CHANNELS} channels of {HEIGHT}x{WIDTH}; within {apart:.0e} of the loop"
    print_table(title, ("what", "time", "over the loop"), rows)


if __name__ == "__main__":
    main()
