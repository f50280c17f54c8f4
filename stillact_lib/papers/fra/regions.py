"""Where an action object may be: windows to look at again, and candidate regions (FRA, Rosenfeld and Ullman 2016, §3.1
and §3.2). Chapter 01.

Maps are probabilities float [L, H, W] over the labels background, face, hand and the objects. Boxes are x0 y0 x1 y1 in
pixels, the far edges past the last pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: §3.1: windows that the fine network sees, and how many pixels their middles lie apart
WINDOWS, APART = 5, 20
#: labels before the objects: background, face, hand
BEFORE_OBJECTS = 3


@dataclass(frozen=True)
class Region:
    """A candidate: box (x0, y0, x1, y1), mask bool [y1 - y0, x1 - x0], the object label it was found for, and how:
    "argmax" or "otsu"."""

    box: tuple[int, int, int, int]
    mask: np.ndarray
    label: int
    found: str


def local_maxima(plane: np.ndarray, most: int, apart: float) -> np.ndarray:
    """The greatest local maxima of a map [H, W], rows and columns int [K, 2], the greatest first; none nearer than
    `apart` pixels to a greater one. A plateau counts once, and where all is equal there is none."""
    plane = np.asarray(plane, np.float32)
    peaks = (plane == cv2.dilate(plane, np.ones((3, 3), np.uint8))) & (plane > plane.min())
    count, numbered, _, middles = cv2.connectedComponentsWithStats(peaks.astype(np.uint8), connectivity=8)
    heights = np.zeros(count, np.float32)
    heights[numbered[peaks]] = plane[peaks]
    places = middles[1:, ::-1].round().astype(int)  # 0 is what is no peak
    kept: list[np.ndarray] = []
    for number in np.argsort(-heights[1:], kind="stable"):
        if len(kept) == most:
            break
        if not kept or (np.hypot(*(np.array(kept) - places[number]).T) >= apart).all():
            kept.append(places[number])
    return np.array(kept).reshape(-1, 2)


def windows_about(places: np.ndarray, size: tuple[int, int], share: float) -> np.ndarray:
    """Boxes int [K, 4] about places (row, column), `share` of an image's (height, width), moved inside the image."""
    height, width = size
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    top = (places[:, 0] - rows // 2).clip(0, height - rows)
    left = (places[:, 1] - columns // 2).clip(0, width - columns)
    return np.stack([left, top, left + columns, top + rows], axis=1)


def averaged(windows: list[np.ndarray], boxes: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Maps of the whole image from those of windows: each [L, h, w], of any size, is put into its box; where windows
    overlap they are averaged, and where there is none `outside` [L, H, W] stays."""
    total, number = np.zeros_like(outside), np.zeros(outside.shape[1:], outside.dtype)
    for maps, (x0, y0, x1, y1) in zip(windows, boxes.tolist(), strict=True):
        total[:, y0:y1, x0:x1] += resized(maps, (y1 - y0, x1 - x0))
        number[y0:y1, x0:x1] += 1
    return np.where(number > 0, total / np.maximum(number, 1), outside)


def resized(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps [L, h, w] at (height, width), bilinear; those of equal size as they are."""
    if maps.shape[1:] == size:
        return maps
    return np.stack([cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in maps])


def predicted_regions(maps: np.ndarray) -> list[Region]:
    """R_pred (Eq. 3): connected components of what the network says of each pixel, those of objects. The argmax is over
    all labels: over the objects alone, as printed, every pixel of the image would belong to some object."""
    said = maps.argmax(axis=0)
    found = []
    for label in range(BEFORE_OBJECTS, len(maps)):
        found += _components(said == label, label, "argmax")
    return found


def otsu_regions(maps: np.ndarray, most: int, apart: float = APART) -> list[Region]:
    """R_m: of each object's map above its own Otsu threshold, the connected components that hold one of its `most`
    greatest local maxima."""
    found = []
    for label in range(BEFORE_OBJECTS, len(maps)):
        plane = maps[label]
        peaks = local_maxima(plane, most, apart)
        if not len(peaks):
            continue
        scaled = np.rint(255 * (plane - plane.min()) / np.ptp(plane)).astype(np.uint8)
        _, above = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        for region in _components(above > 0, label, "otsu"):
            x0, y0, x1, y1 = region.box
            inside = [(r - y0, c - x0) for r, c in peaks if y0 <= r < y1 and x0 <= c < x1]
            if any(region.mask[place] for place in inside):
                found.append(region)
    return found


def _components(mask: np.ndarray, label: int, how: str) -> list[Region]:
    """Connected components (eight neighbours) of a mask bool [H, W]."""
    _, numbered, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for number, (x0, y0, width, height, _) in enumerate(statistics[1:].tolist(), start=1):  # 0 is what is not in it
        box = (x0, y0, x0 + width, y0 + height)
        found.append(Region(box, numbered[y0 : box[3], x0 : box[2]] == number, label, how))
    return found


def overlap(boxes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Intersection over union of each box [R, 4] with its best of `wanted` [G, 4], [R]; 0 where none is wanted."""
    if not len(wanted):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], wanted[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], wanted[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(some[:, 2:] - some[:, :2]).prod(axis=1) for some in (boxes, wanted)]
    return (shared / (areas[0][:, None] + areas[1][None] - shared)).max(axis=1)
