"""What carries or follows people: bicycle, horse, kayak, dog."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.kinematics import speed, unit
from stillact_lib.miniature.props.stage import DARK, METAL, UP, Stage, ellipse, flat
from stillact_lib.miniature.rendering import Part, Shape


def bicycle(s: Stage) -> list[Part]:
    ahead = s.ahead
    hub = s.floor + 0.175 * UP
    crank, head = hub + 0.06 * ahead + 0.06 * UP, hub + 0.3 * ahead + 0.33 * UP
    rear, front = hub - 0.27 * ahead, hub + 0.36 * ahead
    saddle = s["pelvis"] - 0.075 * UP - 0.01 * ahead
    tubes = [
        *((crank, saddle), (crank, head - 0.06 * UP), (saddle - 0.07 * UP, head - 0.02 * UP)),
        *((rear, crank), (rear, saddle - 0.07 * UP), (front, head)),
    ]
    colour = s.bright()
    parts = [s.stick(a, b, 0.012, colour, -0.005) for a, b in tubes]
    parts.append(s.stick(head, s.middle("wrist"), 0.011, DARK))
    parts.append(s.stick(saddle - 0.06 * ahead, saddle + 0.07 * ahead, 0.02, DARK, 0.0, 0.6))
    turn = (2 * np.pi * s.phase * 1.5)[:, None]
    along, across = np.cos(turn) * ahead - np.sin(turn) * UP, np.sin(turn) * ahead + np.cos(turn) * UP
    parts += [s.plate(centre, 0.175 * along, 0.175 * across, _wheel(), -0.03) for centre in (rear, front)]
    for side, near in (("l", -0.05), ("r", 0.05)):
        parts.append(s.stick(crank, s[side + "_ankle"] - 0.045 * UP + 0.02 * ahead, 0.01, METAL, near))
    return parts


def _wheel() -> list[Shape]:
    """A tyre drawn as ring segments (so that one sees through the wheel), spokes and a reflector."""
    shapes = []
    for k in range(16):
        a = 2 * np.pi * (k + np.array([0, 0.5, 1.02])) / 16
        rim = np.stack([np.cos(a), np.sin(a)], 1)
        shapes.append(Shape(np.concatenate([rim, 0.86 * rim[::-1]]), (40, 42, 48)))
        if k % 3 == 0:
            d = rim[0]
            n = 0.018 * np.array([-d[1], d[0]])
            shapes.append(Shape(np.array([n, 0.88 * d + n, 0.88 * d - n, -n]), (200, 206, 212)))
    shapes.append(Shape(ellipse(0.09, 0.12, (0.5, 0.0), 8), (240, 150, 50)))
    return [*shapes, Shape(ellipse(0.1, 0.1, points=10), (120, 126, 134))]


def horse(s: Stage) -> list[Part]:
    ahead = s.ahead
    coat = [(142, 88, 52), (96, 62, 46), (206, 178, 140), (222, 218, 210), (70, 62, 62)][int(s.rng.integers(5))]
    mane = tuple(np.multiply(coat, 0.5)) if np.mean(coat) > 90 else (30, 28, 30)
    cycle = 2 * np.pi * s.phase
    rock = 0.07 * np.sin(cycle + 0.6)
    back = s["pelvis"] - 0.17 * UP
    along = np.cos(rock)[:, None] * ahead + np.sin(rock)[:, None] * UP
    chest, rump = back + 0.25 * along - 0.02 * UP, back - 0.27 * along - 0.01 * UP
    parts = [s.stick(rump, chest, 0.135, coat, -0.02, 0.9)]
    parts[-1].shapes += flat(np.array([(0.42, -1.02), (0.66, -1.02), (0.64, 0.3), (0.44, 0.3)]), s.bright())
    neck = chest + 0.2 * along + 0.27 * UP + 0.03 * np.sin(cycle)[:, None] * along
    nose = neck + 0.19 * ahead - 0.13 * UP
    parts.append(s.stick(chest + 0.03 * along, neck, 0.1, coat, -0.01, 0.62))
    parts.append(s.stick(neck, nose, 0.066, coat, 0.0, 0.62))
    parts[-1].shapes.append(Shape(ellipse(0.035, 0.18, (0.36, -0.3), 8), (24, 20, 22)))
    parts[-1].shapes.append(Shape(ellipse(0.02, 0.14, (0.94, -0.1), 8), mane))
    drift = speed(s["pelvis"]) + 0.5 * s["wind"]
    parts.append(s.stick(neck + 0.05 * UP, neck + 0.1 * UP + 0.015 * ahead, 0.024, coat, 0.005, 0.3))
    for k in range(4):
        root = chest + (0.25 + 0.25 * k) * (neck - chest) + 0.075 * UP - 0.045 * ahead
        parts.append(s.stick(root, root - 0.07 * ahead - 0.045 * UP - 2.5 * drift, 0.034, mane, 0.008, 0.4))
    root = rump - 0.12 * ahead + 0.05 * UP
    middle = root - 0.1 * ahead - 0.05 * UP
    tail = -0.22 * UP - 0.1 * ahead - 4 * drift + 0.06 * np.sin(cycle - 1)[:, None] * s.left
    parts += [s.stick(root, middle, 0.025, mane, -0.03, 1.3), s.stick(middle, middle + tail, 0.034, mane, -0.03, 0.4)]
    for at, offset in ((chest, 0.0), (rump, 0.45)):
        for side, lag in ((1, 0.0), (-1, 0.22)):
            swing = 0.62 * np.sin(cycle + 2 * np.pi * (offset + lag))
            top = at + 0.05 * side * s.left - 0.06 * UP
            shade = coat if side < 0 else tuple(np.multiply(coat, 0.82))
            parts += _animal_leg(s, top, 0.42, swing, shade, DARK, -0.06 if side > 0 else 0.03, 0.042)
    return [*parts, s.stick(s.middle("wrist"), nose - 0.06 * ahead + 0.02 * UP, 0.005, (60, 40, 30), 0.09)]


def _animal_leg(
    s: Stage, top: np.ndarray, length: float, swing: np.ndarray, colour: tuple, hoof: tuple, near: float, thick: float
) -> list[Part]:
    bend = np.maximum(0, -np.gradient(swing)) * 6
    knee = top + length * 0.5 * (np.sin(swing)[:, None] * s.ahead - np.cos(swing)[:, None] * UP)
    low = swing - np.minimum(bend, 1.1)
    foot = knee + length * 0.48 * (np.sin(low)[:, None] * s.ahead - np.cos(low)[:, None] * UP)
    tip = foot + 0.06 * length * s.ahead - 0.03 * length * UP
    return [
        s.stick(top, knee, thick * 1.5, colour, near, 0.62),
        s.stick(knee, foot, thick * 0.9, colour, near, 0.7),
        s.stick(foot, tip, thick * 0.8, hoof, near),
    ]


def dog(s: Stage) -> list[Part]:
    ahead = s.ahead
    coat = [(196, 140, 84), (236, 226, 210), (84, 66, 56), (150, 150, 152)][int(s.rng.integers(4))]
    cycle = 2 * np.pi * s.phase * 2
    body = s.floor + 0.4 * ahead - 0.16 * s.left + (0.19 + 0.012 * np.sin(cycle))[:, None] * UP
    chest, rump = body + 0.1 * ahead, body - 0.1 * ahead
    neck = chest + 0.07 * ahead + 0.09 * UP
    head = s.stick(neck, neck + 0.085 * ahead - 0.02 * UP, 0.046, coat, 0.11, 0.6)
    head.shapes.append(Shape(ellipse(0.06, 0.2, (0.42, -0.3), 8), (24, 20, 22)))
    head.shapes.append(Shape(ellipse(0.07, 0.25, (0.96, 0), 8), (24, 20, 22)))
    drift = speed(body) + 0.5 * s["wind"]
    ear = neck + 0.035 * UP - 0.015 * ahead
    wag = 0.5 * np.sin(2 * cycle)[:, None] * s.left
    parts = [
        s.stick(rump, chest, 0.052, coat, 0.1, 1.12),
        s.stick(chest, neck, 0.042, coat, 0.1),
        head,
        s.stick(ear, ear - 0.05 * UP - 3 * drift - 0.01 * ahead, 0.02, tuple(np.multiply(coat, 0.7)), 0.12),
        s.stick(rump, rump - 0.09 * ahead + 0.1 * UP + 0.08 * wag - 2 * drift, 0.02, coat, 0.09, 0.5),
    ]
    for at, offset in ((chest, 0.0), (rump, 0.5)):
        for side in (1, -1):
            swing = 0.6 * np.sin(cycle + 2 * np.pi * (offset + (0.5 if side > 0 else 0)))
            top = at + 0.025 * side * s.left - 0.03 * UP
            parts += _animal_leg(s, top, 0.16, swing, coat, coat, 0.1 - 0.02 * side, 0.02)
    return [*parts, s.stick(s["r_hand"], neck - 0.02 * UP, 0.006, (190, 50, 50), 0.12)]


def kayak(s: Stage) -> list[Part]:
    middle = s["pelvis"] - 0.06 * UP
    bottom = [(0.7, -0.5), (0.3, -0.7), (-0.3, -0.7), (-0.7, -0.5)]
    hull = np.array([(-1, 0.1), (-0.75, 0.02), (0, 0.0), (0.75, 0.02), (1, 0.12), *bottom])
    stripe = np.array([(-0.95, 0.06), (0, -0.08), (0.95, 0.06), (0.9, -0.06), (0, -0.2), (-0.9, -0.06)])
    shapes = [*flat(hull, s.bright()), Shape(stripe, (250, 246, 238))]
    centre, reach = s.middle("wrist"), unit(s["l_wrist"] - s["r_wrist"])
    left, right = centre + 0.44 * reach, centre - 0.44 * reach
    wake = np.array([(-1, 0), (-0.6, -0.5), (0.6, -0.5), (1, 0), (0.5, 0.5), (-0.5, 0.5)])
    foam = [Shape(wake, (176, 216, 226)), Shape(wake * 0.82, (120, 180, 200))]
    return [
        s.plate(middle + 0.06 * UP, 0.62 * s.ahead, 0.2 * UP, shapes, 0.3),
        s.stick(left, right, 0.011, (60, 60, 66), 0.32),
        s.stick(left, left + 0.15 * reach, 0.04, (246, 200, 70), 0.33),
        s.stick(right, right - 0.15 * reach, 0.04, (246, 200, 70), 0.33),
        s.plate(middle - 0.09 * UP, 0.66 * s.ahead, 0.16 * s.left, foam, -1),
    ]
