"""Parts to pixels: a supersampled part-id map, a colour look-up, an area average down; and the truth of that map.

Every part (a forearm, a wheel, a drum) carries one 2x3 affine frame an instant, from its own coordinates to the image.
Its polygons are drawn through that frame into a map of small integers, so colour, masks and flow come from one drawing
and agree: the exact flow of a pixel is `frame(t+1) @ inverse(frame(t))` of the part on top of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

SHADOW = 255  # the id of the soft shadow: background for the truth, darkened background for the eye
_FRACTION_BITS = 4


@dataclass
class Shape:
    """One polygon of a part: outline [N, 2] in the part's coordinates, optionally shifted [T, 2] or hidden [T]."""

    outline: np.ndarray
    colour: tuple[float, float, float]
    shift: np.ndarray | None = None
    visible: np.ndarray | None = None


@dataclass
class Part:
    """Shapes that move together: frame [T, 2, 3] (part to image, pixels), depth [T] (larger is nearer), label."""

    label: int
    frame: np.ndarray
    depth: np.ndarray
    shapes: list[Shape] = field(default_factory=list)
    visible: np.ndarray | None = None
    unframed: bool = False  # may leave the image


@dataclass
class Drawing:
    """Parts made ready to draw: vertices in fixed point, one id a colour and part, look-up tables by id."""

    vertices: list[np.ndarray]
    owner: list[int]
    ids: list[int]
    shown: list[np.ndarray | None]
    palette: np.ndarray  # uint8 [256, 3]
    part_of_id: np.ndarray  # int [256], -1 for background and shadow
    order: np.ndarray  # int [T, parts], far to near


def prepare(parts: Sequence[Part], scale: float) -> Drawing:
    """Transform all vertices of all frames; `scale`: map pixels per output pixel. ValueError past 254 colours."""
    palette = np.zeros((256, 3), np.uint8)
    part_of_id = np.full(256, -1)
    vertices, owner, ids, shown = [], [], [], []
    known: dict[tuple, int] = {}
    for number, part in enumerate(parts):
        for shape in part.shapes:
            colour = tuple(int(min(255, max(0, c))) for c in shape.colour)
            key = (number, colour)
            if key not in known:
                known[key] = len(known) + 1
                if known[key] >= SHADOW:
                    raise ValueError("a clip may hold at most 254 part colours")
                palette[known[key]] = colour
                part_of_id[known[key]] = number
            linear, offset = part.frame[:, :, :2], part.frame[:, :, 2]
            points = np.einsum("tij,nj->tni", linear, shape.outline)
            if shape.shift is not None:
                offset = offset + np.einsum("tij,tj->ti", linear, shape.shift)
            points += offset[:, None]
            # pixel centres: output pixel x covers map pixels around scale * (x + .5) - .5
            points = (scale * (points + 0.5) - 0.5) * (1 << _FRACTION_BITS)
            vertices.append(np.rint(points.clip(-3e4, 3e4)).astype(np.int32))
            owner.append(number)
            ids.append(known[key])
            seen = shape.visible if part.visible is None else part.visible
            shown.append(seen if shape.visible is None or part.visible is None else seen & shape.visible)
    order = np.argsort(np.stack([part.depth for part in parts], axis=1), axis=1, kind="stable")
    return Drawing(vertices, owner, ids, shown, palette, part_of_id, order)


def draw_ids(drawing: Drawing, t: int, canvas: np.ndarray) -> None:
    """Draw frame t far to near into a uint8 map, over what it holds."""
    by_part: dict[int, list[int]] = {}
    for item, part in enumerate(drawing.owner):
        by_part.setdefault(part, []).append(item)
    for part in drawing.order[t]:
        for item in by_part.get(int(part), ()):
            seen = drawing.shown[item]
            if seen is None or seen[t]:
                cv2.fillPoly(canvas, [drawing.vertices[item][t]], drawing.ids[item], cv2.LINE_8, _FRACTION_BITS)


def compose(background: np.ndarray, ids: np.ndarray, palette: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Background and id map (both supersampled) to one frame: uint8 [H, W, 3], area-averaged to size (H, W)."""
    frame = background.copy()
    rows = np.flatnonzero(ids.any(axis=1))
    if len(rows):
        columns = np.flatnonzero(ids.any(axis=0))
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        region = np.ascontiguousarray(ids[window])
        target = np.ascontiguousarray(frame[window])
        shadow = cv2.compare(region, SHADOW, cv2.CMP_EQ)
        cv2.copyTo(cv2.convertScaleAbs(target, alpha=0.74), shadow, target)
        solid = cv2.inRange(region, 1, SHADOW - 1)
        cv2.copyTo(np.take(palette, region, axis=0), solid, target)
        frame[window] = target
    return cv2.resize(frame, (size[1], size[0]), interpolation=cv2.INTER_AREA)


def pixel_parts(ids: np.ndarray, part_of_id: np.ndarray, supersample: int) -> np.ndarray:
    """The part on top at each output pixel's centre: int [H, W], -1 where the background shows."""
    half = supersample // 2
    return part_of_id[ids[half::supersample, half::supersample]]


def exact_flow(parts: Sequence[Part], owner: np.ndarray, camera: np.ndarray, t: int) -> np.ndarray:
    """Flow from t to t+1, float32 [H, W, 2] in pixels: owner [H, W] of part numbers, -1 where the camera moves all."""
    frames = np.stack([part.frame[t : t + 2] for part in parts] + [camera[t : t + 2]])
    square = np.zeros((*frames.shape[:2], 3, 3))
    square[:, :, :2], square[:, :, 2, 2] = frames, 1
    step = square[:, 1] @ np.linalg.inv(square[:, 0])
    moves = step[owner, :2]  # -1 picks the camera, which is last
    height, width = owner.shape
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u = moves[..., 0, 0] * x + moves[..., 0, 1] * y + moves[..., 0, 2] - x
    v = moves[..., 1, 0] * x + moves[..., 1, 1] * y + moves[..., 1, 2] - y
    return np.stack([u, v], axis=-1).astype(np.float32)
