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
    unframed: bool = False  # may leave the image
    adrift: bool = False  # has left the thing it came from, as smoke or a bubble has


@dataclass
class Drawing:
    """Parts made ready to draw: by part, its polygons in fixed point; look-up tables by id."""

    polygons: list[list[tuple[np.ndarray, int, np.ndarray | None]]]  # (vertices [T, N, 2], id, shown [T] or always)
    palette: np.ndarray  # uint8 [256, 3]
    part_of_id: np.ndarray  # int [256], -1 for background and shadow
    order: list[list[int]]  # of each frame: parts, far to near


def prepare(parts: Sequence[Part], scale: float) -> Drawing:
    """Transform all vertices of all frames; `scale`: map pixels per output pixel.

    An id is a colour of a part, and there are 254: in a crowded picture that has more, colours of a part that are
    nearly alike become one. ValueError where there are more than 254 parts.
    """
    coarseness = _coarseness(parts)
    palette = np.zeros((256, 3), np.uint8)
    part_of_id = np.full(256, -1)
    polygons = []
    used = 0
    for number, part in enumerate(parts):
        linear, offset = part.frame[:, :, :2], part.frame[:, None, :, 2]
        points = np.concatenate([shape.outline for shape in part.shapes]) @ linear.transpose(0, 2, 1) + offset
        known: dict[tuple[int, ...], int] = {}
        drawn, at = [], 0
        for shape in part.shapes:
            colour = _levels(shape)
            near = tuple(level // coarseness for level in colour)
            if near not in known:
                used += 1
                known[near], palette[used], part_of_id[used] = used, colour, number
            own = points[:, at : at + len(shape.outline)]
            at += len(shape.outline)
            if shape.shift is not None:
                own = own + (linear @ shape.shift[:, :, None]).transpose(0, 2, 1)
            # pixel centres: output pixel x covers map pixels around scale * (x + .5) - .5
            own = (scale * (own + 0.5) - 0.5) * (1 << _FRACTION_BITS)
            drawn.append((np.rint(own).clip(-3e4, 3e4).astype(np.int32), known[near], shape.visible))
        polygons.append(drawn)
    order = np.argsort(np.stack([part.depth for part in parts], axis=1), axis=1, kind="stable")
    return Drawing(polygons, palette, part_of_id, order.tolist())


def _coarseness(parts: Sequence[Part]) -> int:
    """Levels of colour that count as one, so that the ids suffice: 1 in all but the most crowded pictures."""
    for levels in (1, 4, 8, 16, 32, 64, 128, 256):
        if sum(len({tuple(c // levels for c in _levels(s)) for s in part.shapes}) for part in parts) < SHADOW:
            return levels
    raise ValueError(f"a picture may hold at most {SHADOW - 1} parts, not {len(parts)}")


def _levels(shape: Shape) -> tuple[int, ...]:
    return tuple(int(min(255, max(0, c))) for c in shape.colour)


def draw_ids(drawing: Drawing, t: int, canvas: np.ndarray) -> None:
    """Draw frame t far to near into a uint8 map, over what it holds."""
    for part in drawing.order[t]:
        for vertices, number, shown in drawing.polygons[part]:
            if shown is None or shown[t]:
                cv2.fillPoly(canvas, [vertices[t]], number, cv2.LINE_8, _FRACTION_BITS)


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


def squared(frames: np.ndarray) -> np.ndarray:
    """Affine maps [..., 2, 3] as [..., 3, 3], so that they can be multiplied and inverted."""
    last = np.broadcast_to([[0, 0, 1.0]], (*frames.shape[:-2], 1, 3))
    return np.concatenate([frames, last], axis=-2)


def exact_flow(parts: Sequence[Part], owner: np.ndarray, camera: np.ndarray, t: int) -> np.ndarray:
    """Flow from t to t+1, float32 [H, W, 2] in pixels: owner [H, W] of part numbers, -1 where the camera moves all."""
    square = squared(np.stack([part.frame[t : t + 2] for part in parts] + [camera[t : t + 2]]))
    step = square[:, 1] @ np.linalg.inv(square[:, 0])
    moves = step[owner, :2]  # -1 picks the camera, which is last
    height, width = owner.shape
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u = moves[..., 0, 0] * x + moves[..., 0, 1] * y + moves[..., 0, 2] - x
    v = moves[..., 1, 0] * x + moves[..., 1, 1] * y + moves[..., 1, 2] - y
    return np.stack([u, v], axis=-1).astype(np.float32)
