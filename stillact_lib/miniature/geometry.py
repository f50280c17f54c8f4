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


_HALF_TURN = np.linspace(-np.pi / 2, np.pi / 2, 7)
_CAP = np.stack([np.cos(_HALF_TURN), np.sin(_HALF_TURN)], axis=1)


def capsule(length: float, r0: float, r1: float) -> np.ndarray:
    """Tapered capsule in limb coordinates: x from 0 (start cap) to 1 (end cap), y in units of the larger radius."""
    outline = np.concatenate([r1 * _CAP + (length, 0), -r0 * _CAP])
    return np.add(outline, (r0, 0)) / (length + r0 + r1, max(r0, r1))


def tones(colour: Colour) -> tuple[Colour, Colour, Colour]:
    """Shade, base and highlight of a colour: shades go a little blue, highlights a little warm."""
    c = np.asarray(colour, float)
    return tuple(c * (0.66, 0.66, 0.74)), tuple(c), tuple(c + (255 - c) * 0.22 + (5, 3, -4))


def shaded(
    outline: np.ndarray, colour: Colour, frame: np.ndarray, pivot: tuple[float, float] = (0.5, 0.0)
) -> list[Shape]:
    """One outline three times: whole in shade, narrower in its colour, a lit stripe. The lit side faces the light,
    smoothly in the limb's direction, so that shading never jumps."""
    shade, base, light = tones(colour)
    across = frame[:, :, 1] / np.linalg.norm(frame[:, :, 1], axis=1, keepdims=True).clip(1e-6)
    lit = np.stack([np.zeros(len(frame)), across @ LIGHT], axis=1)

    def narrowed(x: float, y: float) -> np.ndarray:
        return (outline - pivot) * (x, y) + pivot

    return [
        Shape(outline, shade),
        Shape(narrowed(1.0, 0.8), base, lit * 0.13),
        Shape(narrowed(0.84, 0.3), light, lit * 0.36),
    ]


def segment(
    view: View, start: np.ndarray, end: np.ndarray, r0: float, r1: float, colour: Colour, label: int, near: float = 0.0
) -> Part:
    """A shaded capsule between two tracks [T, 3]; radii in body heights; `near` brings it forward when drawn.
    Foreshortening shrinks it along its axis only."""
    a, b = view.point(start), view.point(end)
    seen = np.linalg.norm(b - a, axis=-1, keepdims=True)
    unit = (b - a) / np.maximum(seen, 1e-6)
    frame = np.empty((len(a), 2, 3))
    frame[:, :, 0] = unit * (seen + (r0 + r1) * view.scale)
    frame[:, 0, 1], frame[:, 1, 1] = -unit[:, 1], unit[:, 0]
    frame[:, :, 1] *= max(r0, r1) * view.scale
    frame[:, :, 2] = a - unit * r0 * view.scale
    lengths = np.sort(np.linalg.norm(end - start, axis=-1))
    length = float(lengths[len(lengths) // 2] + lengths[~(len(lengths) // 2)]) / 2  # the median
    depth = view.depth((start + end) / 2) + near
    return Part(label, frame, depth, shaded(capsule(max(length, 1e-3), r0, r1), colour, frame))
