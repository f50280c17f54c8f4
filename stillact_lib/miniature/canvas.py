"""A canvas in unit coordinates and the few strokes that places are painted with."""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.miniature.geometry import ellipse

Rng = np.random.Generator


class Canvas:
    """An image being painted in unit coordinates: x and y in fractions of width and height."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.image = np.zeros((height, width, 3), np.uint8)

    def _points(self, points: list[tuple[float, float]] | np.ndarray) -> np.ndarray:
        return np.rint(np.asarray(points, float) * (self.width, self.height) * 16).astype(np.int32)

    @property
    def painted(self) -> np.ndarray:
        """Where something that is not black has been painted, bool [H, W]."""
        return self.image.max(axis=-1) > 0

    @property
    def sprite(self) -> np.ndarray:
        """What has been painted, with its opacity: uint8 [H, W, 4]."""
        return np.dstack([self.image, self.painted.astype(np.uint8) * 255])

    def fill(self, points: list[tuple[float, float]] | np.ndarray, colour: tuple) -> None:
        cv2.fillPoly(self.image, [self._points(points)], clipped(colour), cv2.LINE_AA, 4)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple) -> None:
        self.fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: tuple) -> None:
        self.fill(ellipse(rx, ry, (x, y), 24), colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: tuple, width: float) -> None:
        a, b = self._points([(x0, y0), (x1, y1)])
        thick = max(1, round(width * self.height))
        cv2.line(self.image, a.tolist(), b.tolist(), clipped(colour), thick, cv2.LINE_AA, 4)

    def gradient(self, y0: float, y1: float, top: tuple, bottom: tuple) -> None:
        a, b = round(y0 * self.height), round(y1 * self.height)
        if b > a:
            ramp = np.linspace(0, 1, b - a)[:, None]
            rows = (1 - ramp) * np.asarray(top, float) + ramp * np.asarray(bottom, float)
            self.image[a:b] = rows[:, None].clip(0, 255).astype(np.uint8)

    def grain(
        self, rng: Rng, amplitude: float, y0: float = 0.0, y1: float = 1.0, cells: int = 40, stretch: float = 1.0
    ) -> None:
        """Smooth noise of about `cells` blobs across, plus a finer octave: amplitude in grey levels."""
        a, b = round(y0 * self.height), round(y1 * self.height)
        if b <= a:
            return
        noise = np.zeros((b - a, self.width), np.float32)
        for octave, weight in ((1, 0.65), (2.5, 0.35)):
            rows = max(2, round(cells * octave * (b - a) / self.height))
            columns = max(2, round(cells * octave * stretch))
            blobs = rng.standard_normal((rows, columns), dtype=np.float32)
            noise += weight * cv2.resize(blobs, (self.width, b - a), interpolation=cv2.INTER_LINEAR)
        signed = np.rint(noise * amplitude).clip(-90, 90).astype(np.int16)[..., None]
        self.image[a:b] = (self.image[a:b].astype(np.int16) + signed).clip(0, 255).astype(np.uint8)


def strokes(image: np.ndarray, starts: np.ndarray, ends: np.ndarray, colour: tuple, width: int = 1) -> None:
    """Straight lines between places in pixels, [N, 2] each."""
    for start, end in np.rint(np.stack([starts, ends], axis=1) * 16).astype(int).tolist():
        cv2.line(image, start, end, colour, width, cv2.LINE_AA, 4)


def clipped(colour: tuple) -> tuple[int, int, int]:
    return tuple(int(min(255, max(0, c))) for c in colour)


def vary(rng: Rng, colour: tuple, amount: float = 9) -> tuple:
    return tuple(np.asarray(colour, float) + rng.normal(0, amount) + rng.normal(0, amount * 0.4, 3))


def choose(rng: Rng, *colours: tuple) -> tuple:
    return vary(rng, colours[int(rng.integers(len(colours)))])
