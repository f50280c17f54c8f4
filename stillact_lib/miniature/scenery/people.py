"""Small walkers for streets, races and malls: a few strokes each, dozens to a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stillact_lib.miniature.canvas import choose, clipped
from stillact_lib.miniature.figure import BOTTOMS, HAIR, SKIN, TOPS


@dataclass(frozen=True)
class Walker:
    """What one small person looks like, and where in the stride it starts."""

    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    stride: float


def some_walker(rng: np.random.Generator) -> Walker:
    return Walker(*(clipped(choose(rng, *table)) for table in (TOPS, BOTTOMS, SKIN, HAIR)), float(rng.random()))


def draw_walker(
    image: np.ndarray,
    who: Walker,
    foot: tuple[float, float],
    tall: float,
    swing: float,
    facing: int,
    reach: float = 1.0,
) -> None:
    """Draws a person `tall` pixels high, feet at `foot` (x, y pixels), `swing` cycles into the stride.

    `reach` 0 stands still, 1 walks, 1.6 runs; `facing` -1 or 1 is the way they go, 0 towards the viewer.
    """
    x, y = foot
    angle = 2 * np.pi * (swing + who.stride)
    y = y - 0.03 * tall * reach * abs(np.sin(angle))
    lean = 0.05 * facing * reach * tall
    hip, neck, head = (x, y - 0.48 * tall), (x + lean, y - 0.8 * tall), (x + 1.2 * lean, y - 0.9 * tall)
    limbs = []
    for side in (-1, 1):
        turn = side * np.sin(angle) * reach
        if facing:
            knee = (x + 0.11 * tall * turn + 0.02 * facing * tall, y - 0.25 * tall)
            ankle = (x + 0.2 * tall * turn, y - 0.1 * tall * max(0.0, side * np.cos(angle)) * reach)
            hand = (neck[0] - 0.17 * tall * turn, y - 0.5 * tall - 0.08 * tall * (reach > 1.3))
        else:
            knee = (x + 0.05 * side * tall, y - 0.25 * tall - 0.06 * tall * max(0.0, turn))
            ankle = (x + 0.05 * side * tall, y - 0.16 * tall * max(0.0, turn))
            hand = (x + 0.13 * side * tall, y - 0.52 * tall + 0.1 * tall * turn)
        limbs += [(hip, knee, who.bottom, 0.1), (knee, ankle, who.bottom, 0.08), (neck, hand, who.top, 0.07)]
    for a, b, colour, thick in [*limbs, (hip, neck, who.top, 0.2)]:
        points = [(round(px * 16), round(py * 16)) for px, py in (a, b)]
        cv2.line(image, *points, colour, max(1, round(thick * tall)), cv2.LINE_AA, 4)
    centre = (round(head[0] * 16), round(head[1] * 16))
    cv2.circle(image, centre, max(12, round(0.088 * tall * 16)), who.skin, -1, cv2.LINE_AA, 4)
    cap = (centre[0], centre[1] - round(0.035 * tall * 16))
    cv2.circle(image, cap, max(8, round(0.075 * tall * 16)), who.hair, -1, cv2.LINE_AA, 4)
