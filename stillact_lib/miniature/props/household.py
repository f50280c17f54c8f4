"""Furniture, tools and small things of the house; those at the face can be made larger or smaller."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.kinematics import length, speed, unit
from stillact_lib.miniature.props.stage import DARK, METAL, UP, WOOD, Stage, box, ellipse, flat, loop, panel, rings
from stillact_lib.miniature.rendering import Part, Shape


def chair(s: Stage) -> list[Part]:
    pelvis = s["pelvis"]
    low = pelvis[np.argmin(pelvis[:, 2])]
    return _chair_at(s, np.broadcast_to(low - (0, 0, 0.075), pelvis.shape))


def _chair_at(s: Stage, seat: np.ndarray, colour: tuple = WOOD) -> list[Part]:
    floor, back = seat * (1, 1, 0), seat - 0.155 * s.ahead + 0.22 * UP
    parts = []
    for side in (-1, 1):
        near, edge = -0.07 if side > 0 else -0.02, 0.11 * side * s.left
        for fore in (-0.13, 0.12):
            parts.append(s.stick(floor + edge + fore * s.ahead, seat + edge + fore * s.ahead, 0.013, colour, near))
        top = seat + edge - 0.16 * s.ahead + 0.34 * UP
        parts.append(s.stick(seat + edge - 0.13 * s.ahead, top, 0.013, colour, near))
    parts.append(s.stick(seat - 0.13 * s.ahead, seat + 0.12 * s.ahead, 0.024, colour, -0.09))
    return [*parts, s.plate(back, 0.12 * s.left, 0.08 * UP, panel(colour), -0.05)]


def seated_partner_chair(s: Stage) -> list[Part]:
    return _chair_at(s, s["pelvis"] - 0.075 * UP, (120, 130, 150))


def desk(s: Stage) -> list[Part]:
    top = s.place(0.36, 0, 0.415)
    parts = _chair_at(s, s["pelvis"] - 0.075 * UP, (70, 84, 104))
    for fore, side in ((-0.16, 0.28), (0.22, 0.28), (-0.16, -0.28), (0.22, -0.28)):
        corner = top + fore * s.ahead + side * s.left
        parts.append(s.stick(corner * (1, 1, 0), corner, 0.014, DARK))
    keyboard, screen = top + 0.004 * UP - 0.06 * s.ahead, top + 0.13 * s.ahead + 0.16 * UP
    glow = [
        *panel((62, 70, 86)),
        Shape(box(-0.86, -0.8, 0.86, 0.8), (150, 204, 236)),
        Shape(box(-0.7, 0.2, 0.3, 0.5), (240, 248, 252)),
        Shape(box(-0.7, -0.3, 0.5, 0.0), (96, 150, 196)),
    ]
    return [
        *parts,
        s.plate(top, 0.24 * s.ahead, 0.32 * s.left, flat(box(-0.8, -1, 1, 1), WOOD), -0.02),
        s.plate(keyboard, 0.06 * s.ahead, 0.16 * s.left, panel((226, 228, 232)), 0.02),
        s.stick(top + 0.14 * s.ahead, screen + 0.01 * s.ahead, 0.016, DARK),
        s.plate(screen, 0.19 * s.left, 0.115 * UP + 0.02 * s.ahead, glow, 0.01),
    ]


def board(s: Stage) -> list[Part]:
    ink = s.bright()
    shapes = [*panel((188, 150, 112)), Shape(box(-0.95, -0.92, 0.95, 0.92), (248, 250, 248))]
    for k, y in enumerate((0.62, 0.3, -0.02, -0.34)):
        for x in np.arange(-0.85, 0.55 - 0.2 * k, 0.17):
            shapes.append(Shape(box(x, y, x + s.rng.uniform(0.06, 0.14), y + 0.09), ink if k % 2 else (70, 80, 96)))
    return [s.plate(s.place(0.34, -0.1, 0.86), 0.52 * s.left, 0.33 * UP, shapes, -2)]


def marker(s: Stage) -> list[Part]:
    hand = s["r_hand"]
    aim = unit(unit(hand - s["r_wrist"]) + 0.6 * UP)
    return [s.stick(hand - 0.03 * aim, hand + 0.05 * aim, 0.011, s.bright(), 0.05)]


def mop(s: Stage) -> list[Part]:
    upper, lower = s["l_wrist"], s["r_wrist"]
    direction = unit(lower - upper)
    foot = lower + direction * ((lower[:, 2:] - 0.03) / np.maximum(-direction[:, 2:], 0.25))
    parts = [s.stick(upper - 0.1 * direction, foot, 0.011, (210, 160, 90), 0.03)]
    for k in np.linspace(-0.1, 0.1, 5):
        tip = foot + k * s.ahead - 3.0 * speed(foot) * (1, 1, 0)
        parts.append(s.stick(foot, tip * (1, 1, 0) + 0.015 * UP, 0.024, (236, 232, 222), 0.04))
    return parts


def hammer(s: Stage) -> list[Part]:
    """Over a nail on a work bench."""
    hand = s["r_hand"]
    aim = unit(np.cross(s.left, unit(hand - s["r_elbow"])) * -1)
    tip, ahead = hand + 0.16 * aim, unit(np.cross(aim, s.left))
    bench = s.place(0.44, -0.1, 0.0)
    feet = [bench + s.track(a, b, 0) for a, b in ((0.16, 0.22), (-0.16, 0.22), (0.16, -0.22), (-0.16, -0.22))]
    return [
        *(s.stick(foot, foot + 0.4 * UP, 0.018, tones(WOOD)[0], -0.06) for foot in feet),
        s.plate(bench + 0.4 * UP, s.track(0.2, 0, 0), s.track(0, 0.28, 0), panel(WOOD), -0.05),
        s.stick(bench + 0.4 * UP, bench + 0.45 * UP, 0.006, METAL),
        s.stick(hand - 0.03 * aim, tip, 0.012, (206, 150, 84), 0.1),
        s.stick(tip - 0.045 * ahead, tip + 0.05 * ahead, 0.026, (70, 74, 84), 0.11),
    ]


def scissors(s: Stage) -> list[Part]:
    open_ = 0.35 + 0.3 * np.sin(6 * np.pi * s.phase)
    blades = [s.ahead * np.cos(open_)[:, None] + sign * np.sin(open_)[:, None] * UP for sign in (-1, 1)]
    return [s.stick(s["r_hand"], s["r_hand"] + 0.085 * unit(blade), 0.009, METAL, 0.1, 0.4) for blade in blades]


def toothbrush(s: Stage) -> list[Part]:
    mouth, handle = s["face"] - 0.042 * UP - 0.012 * s["head_forward"], s["r_hand"]
    along = unit(mouth - handle)
    tip = mouth + 0.03 * np.sin(2 * np.pi * s.phase)[:, None] * along + 0.02 * along
    return [
        s.stick(handle - 0.05 * along, tip, 0.0095, s.bright(), 0.09),
        s.stick(tip - 0.035 * along + 0.012 * UP, tip + 0.012 * UP, 0.011, (248, 250, 252), 0.092),
        s.sprite(mouth, [Shape(ellipse(0.026, 0.017), (252, 252, 252))], 0.085),
    ]


def cup(s: Stage) -> list[Part]:
    away = s["r_hand"] - s["face"] + 0.03 * UP
    tilt = np.clip(0.2 / length(away)[:, 0] - 0.75, 0, 1.4)  # the nearer the mouth, the more it tips
    side, base, light = tones(s.bright())
    body = np.array([(-0.042, -0.06), (0.042, -0.06), (0.033, 0.055), (-0.033, 0.055)])
    shapes = [
        Shape(ellipse(0.03, 0.026, (0.045, 0), 12), side),
        Shape(ellipse(0.017, 0.014, (0.046, 0), 10), light),
        Shape(body, side),
        Shape(body * (0.82, 1), base),
        Shape(box(-0.024, -0.055, -0.01, 0.05), light),
        Shape(ellipse(0.042, 0.013, (0, -0.06), 14), (250, 250, 250)),
    ]
    toward = np.sign((s.view.direction(s.ahead) / s.view.scale)[:, 0].mean()) or 1.0
    angle = -tilt * toward * (-1 if s.view.mirror else 1)
    return [s.sprite(s["r_hand"] + 0.02 * UP + 0.012 * s.ahead, shapes, 0.1, angle)]


def cigarette(s: Stage) -> list[Part]:
    start = s["r_hand"] + 0.012 * UP
    aim = unit(0.7 * s.ahead - 0.25 * s.left + 0.15 * UP)
    parts = [s.stick(start - 0.02 * aim, start + 0.05 * aim, 0.0085, (250, 248, 244), 0.1)]
    parts.append(s.sprite(start + 0.062 * aim, rings((0.014, (236, 96, 40))), 0.11))
    for k in range(4):  # puffs that rise from the mouth and widen
        age = loop(s.phase * 2 + k / 4)
        puff = s["face"] + (0.05 + 0.1 * age)[:, None] * s.ahead + (0.03 + 0.22 * age)[:, None] * UP
        smoke = [Shape(ellipse(), (222, 224, 230)), Shape(ellipse(0.7, 0.7, (-0.1, 0.1)), (240, 240, 244))]
        parts.append(_drifting(s, puff, 0.018 + 0.03 * age, smoke, 0.05))
    return parts


def _drifting(s: Stage, centre: np.ndarray, radius: np.ndarray, shapes: list[Shape], near: float) -> Part:
    """A puff or bubble that has left the thing it came from and grows, radius [T]."""
    part = s.plate(centre, radius[:, None] * unit(s.view.rightward), radius[:, None] * UP, shapes, near)
    part.adrift = True
    return part


def phone(s: Stage) -> list[Part]:
    screen = Shape(box(-0.022, -0.046, 0.022, 0.046), (120, 190, 230))
    shapes = [*flat(box(-0.03, -0.06, 0.03, 0.06), (40, 42, 52)), screen]
    return [s.sprite(s["r_hand"] + 0.01 * UP, shapes, 0.09, 0.25)]


def juggling_balls(s: Stage) -> list[Part]:
    parts = []
    for k, colour in enumerate(((222, 76, 64), (60, 140, 200), (240, 206, 84))):
        q = loop(s.phase + k / 3)
        across, leftward = loop(q * 2), (q < 0.5)[:, None]
        start, end = (np.where(way, s["r_hand"], s["l_hand"]) for way in (leftward, ~leftward))
        ball = start + (end - start) * across[:, None] + (0.04 + 1.6 * across * (1 - across))[:, None] * UP
        parts.append(s.ball(ball, 0.036, colour, 0.12))
    return parts


def rifle(s: Stage) -> list[Part]:
    """A ceremonial rifle on the right shoulder."""
    aim = unit(0.92 * UP - 0.4 * s.ahead)
    butt = s["r_hand"] - 0.02 * UP
    return [
        s.stick(butt, butt + 0.14 * aim, 0.022, WOOD, 0.06, 0.8),
        s.stick(butt + 0.13 * aim, butt + 0.46 * aim, 0.011, DARK, 0.06),
    ]


def swing_seat(s: Stage) -> list[Part]:
    parts = []
    for hand, side in (("l_wrist", 0.14), ("r_wrist", -0.14)):
        seat = s["pelvis"] - 0.08 * UP + side * s.left
        rope = s[hand] - seat
        parts.append(s.stick(seat, seat + rope * (1.75 / length(rope)), 0.008, (150, 116, 76), 0.02))
    middle, edge = s["pelvis"] - 0.085 * UP, 0.16 * s.left
    return [*parts, s.stick(middle - edge, middle + edge, 0.02, WOOD, -0.01)]


def bubble_wand(s: Stage) -> list[Part]:
    """A ring on a stick before the mouth, and soap bubbles that grow and drift away from it."""
    ring = s["face"] - 0.04 * UP + 0.06 * s.ahead
    parts = [s.stick(s["r_hand"], ring - 0.02 * UP, 0.007, (232, 84, 150), 0.09)]
    loop_of_wire = [Shape(ellipse(0.024, 0.03), (232, 84, 150)), Shape(ellipse(0.016, 0.021), (206, 236, 246))]
    parts.append(s.sprite(ring, loop_of_wire, 0.095))
    for k in range(5):
        age = loop(s.phase * 0.8 + k / 5)
        rise = 0.2 * age * age + 0.05 * np.sin(7 * k + 6 * age)
        drift = (0.06 + 0.34 * age)[:, None] * s.ahead + rise[:, None] * UP
        glint = Shape(ellipse(0.25, 0.2, (-0.35, 0.4)), (255, 255, 255))
        film = [*rings((1.0, (150, 196, 226)), (0.8, (208, 234, 246))), glint]
        parts.append(_drifting(s, ring + drift, 0.012 + 0.034 * age, film, 0.1))
    return parts
