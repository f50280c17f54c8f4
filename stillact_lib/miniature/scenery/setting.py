"""What every moving scene is painted with: its chance, its size, colours, wrapping textures to be carried along.

Lengths are shares of the canvas, times are frames, speeds are shares of the canvas a frame. The canvas is larger than
the image, so that a camera can move over it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stillact_lib.miniature.canvas import Canvas, choose, vary

Moment = Callable[[float], np.ndarray]  # time in frames -> uint8 RGB [H, W, 3], the canvas at that time
TILE = 256  # pixels a side of a texture


class Setting:
    """One video's chance and canvas; `x` and `y` are the pixels' places, float32 [H, W] in 0 to 1."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int], frames: int) -> None:
        self.rng, self.frames = rng, frames
        self.height, self.width = size
        self.size = np.array([self.width, self.height])
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        self.x, self.y = (x + 0.5) / self.width, (y + 0.5) / self.height
        self.tempo = self.between(0.8, 1.25)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def either(self) -> int:
        """-1 or 1."""
        return 1 if self.rng.random() < 0.5 else -1

    def canvas(self) -> Canvas:
        return Canvas(self.height, self.width)

    def texture(self, across: int, down: int) -> np.ndarray:
        """Smooth wrapping noise with about `across` x `down` blobs and two finer octaves, uint8 [TILE, TILE]."""
        total = np.zeros((TILE, TILE), np.float32)
        for octave, weight in ((1, 1.0), (2, 0.6), (4, 0.4)):
            cells = self.rng.standard_normal((max(2, down * octave), max(2, across * octave)), dtype=np.float32)
            rows, columns = cells.shape
            wide = np.pad(cells, 2, mode="wrap")
            v = (np.arange(TILE, dtype=np.float32) + 0.5) * rows / TILE + 1.5
            u = (np.arange(TILE, dtype=np.float32) + 0.5) * columns / TILE + 1.5
            total += weight * cv2.remap(wide, *np.meshgrid(u, v), cv2.INTER_CUBIC)
        total *= 58 / total.std()
        return np.clip(total + 128, 0, 255).astype(np.uint8)

    def sky_over(self, canvas: Canvas, horizon: float) -> None:
        """A bright day's sky down to the horizon."""
        top = choose(self.rng, (96, 156, 220), (136, 184, 226), (168, 186, 204), (84, 132, 196))
        canvas.gradient(0, horizon, top, vary(self.rng, (222, 232, 238), 5))

    def land_below(self, canvas: Canvas, horizon: float) -> None:
        """Meadow or earth with some grain."""
        ground = choose(self.rng, (104, 142, 76), (132, 148, 84), (150, 132, 92), (86, 122, 74))
        canvas.gradient(horizon, 1, tuple(np.add(ground, 14)), tuple(np.subtract(ground, 18)))
        canvas.grain(self.rng, 13, horizon, 1, 40)

    def trees_along(self, canvas: Canvas, base: float, count: int, size: float) -> None:
        """A row of trees whose feet stand at `base`."""
        for x in np.linspace(0, 1, count) + self.rng.normal(0, 0.3 / count, count):
            height = size * self.between(0.7, 1.25)
            colour = choose(self.rng, (62, 104, 58), (84, 120, 60), (50, 88, 62))
            canvas.box(x - 0.08 * height, base - 0.4 * height, x + 0.08 * height, base, (92, 72, 54))
            for dx, dy in ((-0.2, 0.55), (0.22, 0.6), (0, 0.8)):
                crown = vary(self.rng, colour, 6)
                canvas.disc(x + dx * height, base - dy * height, 0.3 * height, 0.28 * height, crown)


def carried(texture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A wrapping texture seen at places (u, v), float32 [H, W] in tiles; uint8 [H, W]."""
    u, v = (u - np.floor(u)) * TILE, (v - np.floor(v)) * TILE
    return cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def ramp(*colours: tuple) -> np.ndarray:
    """Colours in even steps as a table, uint8 [256, 3]."""
    at = np.linspace(0, len(colours) - 1, 256)
    table = [np.interp(at, np.arange(len(colours)), [colour[k] for colour in colours]) for k in range(3)]
    return np.stack(table, axis=1).clip(0, 255).astype(np.uint8)


def blend(under: np.ndarray, over: np.ndarray | tuple, share: np.ndarray) -> np.ndarray:
    """`over` laid on `under`, with share [H, W] in 0 to 1; uint8 [H, W, 3]."""
    share = share.astype(np.float32)[..., None]
    return (under + (np.asarray(over, np.float32) - under) * share).astype(np.uint8)


def lay(under: np.ndarray, sprite: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A sprite, uint8 [h, w, 4] with its opacity last, laid on an image through an affine map [2, 3]."""
    size = under.shape[1::-1]
    moved = cv2.warpAffine(sprite, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
    return blend(under, moved[..., :3], moved[..., 3] / np.float32(255))


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
