"""What maps hold around regions: means over the cells of a grid, all regions at once (FRA, Rosenfeld and Ullman 2016,
§3.2, Eq. 5). Chapter 01.

A cell's edges seldom fall between pixels. A pixel that a cell covers in part counts with the covered part of its area,
and what lies outside the image does not count at all: the mean is over the area inside. A cell wholly outside is 0.
"""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.vision.windows import about

#: §3.2: cells a side; the short-range window is the region's box so many times as wide and high; the long-range one is
#: this share of the image's width and height
CELLS, SHORT, LONG = 5, 3.0, 1 / 3


def integral(maps: np.ndarray) -> np.ndarray:
    """Sums over all pixels above and to the left: maps [C, H, W] -> float64 [C, H + 1, W + 1]."""
    channels, height, width = maps.shape
    table = np.empty((channels, height + 1, width + 1))
    for number, one in enumerate(np.asarray(maps, np.float32)):
        cv2.integral(one, table[number], cv2.CV_64F)
    return table


def grid_means(table: np.ndarray, windows: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """Means of maps over the cells of windows: `integral` table [C, H + 1, W + 1], windows float [R, 4] as x0 y0 x1 y1
    in pixels, which may leave the image -> float64 [R, cells, cells, C], rows of cells first.

    Between its corners the integral of a map that is constant within each pixel is bilinear, so reading the table at
    fractional places is exact.
    """
    height, width = table.shape[1] - 1, table.shape[2] - 1
    share = np.linspace(0, 1, cells + 1)
    x = (windows[:, :1] + (windows[:, 2:3] - windows[:, :1]) * share).clip(0, width)
    y = (windows[:, 1:2] + (windows[:, 3:4] - windows[:, 1:2]) * share).clip(0, height)
    left, top = np.minimum(x.astype(int), width - 1), np.minimum(y.astype(int), height - 1)
    right, down = (x - left)[:, None, :], (y - top)[:, :, None]
    rows, columns = top[:, :, None], left[:, None, :]
    above = (1 - right) * table[:, rows, columns] + right * table[:, rows, columns + 1]
    below = (1 - right) * table[:, rows + 1, columns] + right * table[:, rows + 1, columns + 1]
    corners = (1 - down) * above + down * below  # [C, R, cells + 1, cells + 1]
    sums = np.diff(np.diff(corners, axis=2), axis=3)
    areas = np.diff(y)[:, :, None] * np.diff(x)[:, None, :]
    inside = areas > 0
    return np.moveaxis(np.where(inside, sums / np.where(inside, areas, 1), 0), 0, -1)


def long_range(boxes: np.ndarray, size: tuple[int, int], share: float = LONG) -> np.ndarray:
    """Windows [R, 4] about the middles of boxes [R, 4], of `share` of an image's (height, width)."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, np.array([size[1], size[0]]) * share / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def context_features(maps: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Short-range and long-range context of regions: probability maps [L, H, W], boxes [R, 4] -> [R, 2 * 25 * L]."""
    table = integral(maps)
    windows = (about(boxes, SHORT), long_range(boxes, maps.shape[1:]))
    return np.concatenate([grid_means(table, window).reshape(len(boxes), -1) for window in windows], axis=1)
