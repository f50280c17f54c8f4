"""The view of a clip (orthographic, turned and slightly raised) and the outlines and frames that parts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stillact_lib.miniature.rendering import Part, Shape

Colour = tuple[float, float, float]
LIGHT = np.array([-0.55, -0.83])  # on the image: from above, left


@dataclass
class View:
    """Orthographic camera: azimuth 0 sees the figure's right side, heading right; 90 sees its face (degrees)."""

    azimuth: float
    elevation: float
    scale: float  # pixels a body height
    origin: np.ndarray  # image point of the world's origin: [2] or [T, 2]
    mirror: bool = False
    slack: float = 0.0  # image width left free beside everything, pixels

    def __post_init__(self) -> None:
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        self.rightward = np.array([np.cos(a), np.sin(a), 0.0]) * (-1 if self.mirror else 1)
        self.nearer = np.array([np.sin(a), -np.cos(a), 0.0])
        down = np.sin(e) * self.nearer - np.cos(e) * np.array([0, 0, 1.0])
        self._image = np.stack([self.rightward, down])  # 2 x 3

    def direction(self, vector: np.ndarray) -> np.ndarray:
        """World vectors [..., 3] to image vectors [..., 2], pixels."""
        return self.scale * vector @ self._image.T

    def point(self, position: np.ndarray) -> np.ndarray:
        """World points [..., 3] to image points [..., 2], pixels."""
        return self.direction(position) + self.origin

    def depth(self, position: np.ndarray) -> np.ndarray:
        """How near the viewer, in body heights."""
        return position @ self.nearer


@lru_cache(maxsize=64)
def circle(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of equally spaced angles, kept: outlines ask for the same few thousands of times."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.cos(angle), np.sin(angle)


def ellipse(rx: float = 1.0, ry: float = 1.0, centre: tuple[float, float] = (0.0, 0.0), points: int = 20) -> np.ndarray:
    x, y = circle(points)
    return np.stack([centre[0] + rx * x, centre[1] + ry * y], axis=1)


_CAP = np.cos(np.linspace(-np.pi / 2, np.pi / 2, 7)), np.sin(np.linspace(-np.pi / 2, np.pi / 2, 7))


def capsule(length: float, r0: float, r1: float) -> np.ndarray:
    """Tapered capsule in limb coordinates: x from 0 (start cap) to 1 (end cap), y in units of the larger radius."""
    x, y = _CAP
    end = np.stack([length + r1 * x, r1 * y], axis=1)
    start = np.stack([-r0 * x, -r0 * y], axis=1)
    outline = np.concatenate([end, start])
    return (outline + np.array([r0, 0])) / (length + r0 + r1, max(r0, r1))


def tones(colour: Colour) -> tuple[Colour, Colour, Colour]:
    """Shade, base and highlight of a colour: shades go a little blue, highlights a little warm."""
    c = np.asarray(colour, float)
    shade = c * (0.66, 0.66, 0.74)
    light = c + (255 - c) * 0.22 + (5, 3, -4)
    return tuple(shade), tuple(c), tuple(light)


def limb_frame(view: View, start: np.ndarray, end: np.ndarray, r0: float, r1: float) -> np.ndarray:
    """Frames [T, 2, 3] of a segment between two tracks [T, 3]; foreshortening shrinks it along its axis only."""
    a, b = view.point(start), view.point(end)
    axis = b - a
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    unit = axis / np.maximum(length, 1e-6)
    frame = np.empty((len(a), 2, 3))
    frame[:, :, 0] = unit * (length + (r0 + r1) * view.scale)
    frame[:, 0, 1], frame[:, 1, 1] = -unit[:, 1], unit[:, 0]
    frame[:, :, 1] *= max(r0, r1) * view.scale
    frame[:, :, 2] = a - unit * r0 * view.scale
    return frame


def lit_shift(frame: np.ndarray, amount: float) -> np.ndarray:
    """How far across a limb [T, 2] its lit side lies: smooth in the limb's direction, so shading never jumps."""
    across = frame[:, :, 1] / np.linalg.norm(frame[:, :, 1], axis=1, keepdims=True).clip(1e-6)
    return np.stack([np.zeros(len(frame)), amount * across @ LIGHT], axis=1)


def shaded(
    outline: np.ndarray, colour: Colour, frame: np.ndarray, pivot: tuple[float, float] = (0.5, 0.0)
) -> list[Shape]:
    """One outline three times: whole in shade, narrower in its colour, a lit stripe; the lit side faces the light."""
    shade, base, light = tones(colour)
    lit = lit_shift(frame, 1.0)
    pivot_at = np.asarray(pivot)

    def narrowed(x: float, y: float) -> np.ndarray:
        return (outline - pivot_at) * (x, y) + pivot_at

    return [
        Shape(outline, shade),
        Shape(narrowed(1.0, 0.8), base, lit * 0.13),
        Shape(narrowed(0.84, 0.3), light, lit * 0.36),
    ]


def segment(
    view: View, start: np.ndarray, end: np.ndarray, r0: float, r1: float, colour: Colour, label: int, near: float = 0.0
) -> Part:
    """A shaded capsule between two tracks [T, 3]; radii in body heights; `near` brings it forward when drawn."""
    frame = limb_frame(view, start, end, r0, r1)
    lengths = np.sort(np.linalg.norm(end - start, axis=-1))
    length = float(lengths[len(lengths) // 2] + lengths[~(len(lengths) // 2)]) / 2  # the median
    depth = view.depth((start + end) / 2) + near
    return Part(label, frame, depth, shaded(capsule(max(length, 1e-3), r0, r1), colour, frame))


def plate_frame(view: View, origin: np.ndarray, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Frames [T, 2, 3] of a flat thing spanned by two world vectors; kept invertible where it is seen edge-on."""
    frame = np.stack([view.direction(along), view.direction(across), view.point(origin)], axis=-1)
    thin = np.abs(np.linalg.det(frame[:, :, :2])) < (0.02 * view.scale) ** 2
    if thin.any():
        side = np.stack([-frame[:, 1, 0], frame[:, 0, 0]], axis=-1)
        side /= np.linalg.norm(side, axis=-1, keepdims=True).clip(1e-6)
        frame[thin, :, 1] += 0.03 * view.scale * side[thin]
    return frame


def plate(
    view: View,
    origin: np.ndarray,
    along: np.ndarray,
    across: np.ndarray,
    shapes: list[Shape],
    label: int,
    near: float = 0.0,
) -> Part:
    """A flat thing in space: shapes in the coordinates of (along, across), all tracks [T, 3]."""
    frame = plate_frame(view, origin, along, across)
    return Part(label, frame, view.depth(origin) + near, shapes)


def sprite(
    view: View, origin: np.ndarray, shapes: list[Shape], label: int, near: float = 0.0, angle: np.ndarray | float = 0.0
) -> Part:
    """A picture that faces the viewer, in body heights (y down), turned by `angle` [T] radians: balls, cups."""
    frames = len(origin)
    angle = np.broadcast_to(np.asarray(angle, float), (frames,)) * (-1 if view.mirror else 1)
    flip = -1.0 if view.mirror else 1.0
    frame = np.empty((frames, 2, 3))
    frame[:, 0, 0], frame[:, 1, 0] = flip * np.cos(angle), flip * np.sin(angle)
    frame[:, 0, 1], frame[:, 1, 1] = -np.sin(angle), np.cos(angle)
    frame[:, :, :2] *= view.scale
    frame[:, :, 2] = view.point(origin)
    return Part(label, frame, view.depth(origin) + near, shapes)
