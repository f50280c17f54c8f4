"""Furniture, tools and small things of the house; those at the face can be made larger or smaller."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.props.stage import (
    DARK,
    METAL,
    OBJECT,
    UP,
    WOOD,
    Stage,
    box,
    ellipse,
    flat,
    loop,
    sprite,
    unit,
)
from stillact_lib.miniature.rendering import Part, Shape


def chair(s: Stage) -> list[Part]:
    pelvis = s.joints["pelvis"]
    low = pelvis[np.argmin(pelvis[:, 2])]
    seat = np.broadcast_to(low - (0, 0, 0.075), pelvis.shape)
    return _chair_at(s, seat)


def _chair_at(s: Stage, seat: np.ndarray, colour: tuple = WOOD) -> list[Part]:
    ahead, left = s.joints["heading"], s.joints["leftward"]
    floor = seat * (1, 1, 0)
    parts = []
    for side in (-1, 1):
        near = -0.07 if side > 0 else -0.02
        edge = 0.11 * side * left
        for fore in (-0.13, 0.12):
            parts.append(s.stick(floor + edge + fore * ahead, seat + edge + fore * ahead, 0.013, colour, near))
        parts.append(s.stick(seat + edge - 0.13 * ahead, seat + edge - 0.16 * ahead + 0.34 * UP, 0.013, colour, near))
    parts.append(s.stick(seat - 0.13 * ahead, seat + 0.12 * ahead, 0.024, colour, -0.09))
    parts.append(
        s.plate(
            seat - 0.155 * ahead + 0.22 * UP, 0.12 * left, 0.08 * UP + 0 * left, flat(box(-1, -1, 1, 1), colour), -0.05
        )
    )
    return parts


def seated_partner_chair(s: Stage) -> list[Part]:
    return _chair_at(s, s.joints["pelvis"] - 0.075 * UP, (120, 130, 150))


def desk(s: Stage) -> list[Part]:
    ahead, left = s.joints["heading"], s.joints["leftward"]
    top = s.track(0.36, 0, 0.415) + s.joints["pelvis"][:1] * (1, 1, 0)
    parts = _chair_at(s, s.joints["pelvis"] - 0.075 * UP, (70, 84, 104))
    for a, b in ((-0.16, 0.28), (0.22, 0.28), (-0.16, -0.28), (0.22, -0.28)):
        corner = top + a * ahead + b * left
        parts.append(s.stick(corner * (1, 1, 0), corner, 0.014, DARK, 0.0))
    parts.append(s.plate(top, 0.24 * ahead, 0.32 * left, flat(box(-0.8, -1, 1, 1), WOOD), -0.02))
    parts.append(
        s.plate(
            top + 0.004 * UP - 0.06 * ahead, 0.06 * ahead, 0.16 * left, flat(box(-1, -1, 1, 1), (226, 228, 232)), 0.02
        )
    )
    screen = top + 0.13 * ahead + 0.16 * UP
    parts.append(s.stick(top + 0.14 * ahead, screen + 0.01 * ahead, 0.016, DARK, 0.0))
    glow = flat(box(-1, -1, 1, 1), (62, 70, 86))
    glow += [
        Shape(box(-0.86, -0.8, 0.86, 0.8), (150, 204, 236)),
        Shape(box(-0.7, 0.2, 0.3, 0.5), (240, 248, 252)),
        Shape(box(-0.7, -0.3, 0.5, 0.0), (96, 150, 196)),
    ]
    parts.append(s.plate(screen, 0.19 * left, 0.115 * UP + 0 * left + 0.02 * ahead, glow, 0.01))
    return parts


def board(s: Stage) -> list[Part]:
    left = s.joints["leftward"]
    ink = s.bright()
    shapes = [*flat(box(-1, -1, 1, 1), (188, 150, 112)), Shape(box(-0.95, -0.92, 0.95, 0.92), (248, 250, 248))]
    for k, y in enumerate((0.62, 0.3, -0.02, -0.34)):
        for x in np.arange(-0.85, 0.55 - 0.2 * k, 0.17):
            shapes.append(Shape(box(x, y, x + s.rng.uniform(0.06, 0.14), y + 0.09), ink if k % 2 else (70, 80, 96)))
    centre = s.track(0.34, -0.1, 0.86) + s.joints["pelvis"][:1] * (1, 1, 0)
    return [s.plate(centre, 0.52 * left, 0.33 * UP + 0 * left, shapes, -2)]


def marker(s: Stage) -> list[Part]:
    j = s.joints
    aim = unit(unit(j["r_hand"] - j["r_wrist"]) + 0.6 * UP)
    return [s.stick(j["r_hand"] - 0.03 * aim, j["r_hand"] + 0.05 * aim, 0.011, s.bright(), 0.05)]


def mop(s: Stage) -> list[Part]:
    j = s.joints
    upper, lower = j["l_wrist"], j["r_wrist"]
    direction = unit(lower - upper)
    foot = lower + direction * ((lower[:, 2:] - 0.03) / np.maximum(-direction[:, 2:], 0.25))
    drift = np.gradient(foot, axis=0) if len(foot) > 1 else 0 * foot
    parts = [s.stick(upper - 0.1 * direction, foot, 0.011, (210, 160, 90), 0.03)]
    for k in np.linspace(-0.1, 0.1, 5):
        tip = foot + k * j["heading"] - 3.0 * drift * (1, 1, 0)
        parts.append(s.stick(foot, tip * (1, 1, 0) + 0.015 * UP, 0.024, (236, 232, 222), 0.04))
    return parts


def hammer(s: Stage) -> list[Part]:
    j = s.joints
    aim = unit(np.cross(j["leftward"], unit(j["r_hand"] - j["r_elbow"])) * -1)
    tip = j["r_hand"] + 0.16 * aim
    ahead = unit(np.cross(aim, j["leftward"]))
    bench = j["pelvis"][:1] * (1, 1, 0) + s.track(0.44, -0.1, 0.0)
    table = s.plate(bench + 0.4 * UP, s.track(0.2, 0, 0), s.track(0, 0.28, 0), flat(box(-1, -1, 1, 1), WOOD), -0.05)
    legs = [
        s.stick(bench + a, bench + a + 0.4 * UP, 0.018, tones(WOOD)[0], -0.06)
        for a in (s.track(0.16, 0.22, 0), s.track(-0.16, 0.22, 0), s.track(0.16, -0.22, 0), s.track(-0.16, -0.22, 0))
    ]
    nail = s.stick(bench + 0.4 * UP, bench + 0.45 * UP, 0.006, METAL, 0.0)
    return [
        *legs,
        table,
        nail,
        s.stick(j["r_hand"] - 0.03 * aim, tip, 0.012, (206, 150, 84), 0.1),
        s.stick(tip - 0.045 * ahead, tip + 0.05 * ahead, 0.026, (70, 74, 84), 0.11),
    ]


def scissors(s: Stage) -> list[Part]:
    j = s.joints
    open_ = 0.35 + 0.3 * np.sin(6 * np.pi * s.phase)
    parts = []
    for sign in (-1, 1):
        aim = unit(j["heading"] * np.cos(open_)[:, None] + sign * np.sin(open_)[:, None] * UP)
        parts.append(s.stick(j["r_hand"], j["r_hand"] + 0.085 * aim, 0.009, METAL, 0.1, 0.4))
    return parts


def toothbrush(s: Stage) -> list[Part]:
    j = s.joints
    mouth = j["face"] - 0.042 * UP - 0.012 * j["head_forward"]
    handle = j["r_hand"]
    along = unit(mouth - handle)
    colour = s.bright()
    offset = 0.03 * np.sin(2 * np.pi * s.phase)[:, None] * along
    tip = mouth + offset + 0.02 * along
    return [
        s.stick(handle - 0.05 * along, tip, 0.0095, colour, 0.09),
        s.stick(tip - 0.035 * along + 0.012 * UP, tip + 0.012 * UP, 0.011, (248, 250, 252), 0.092),
        sprite(s.view, mouth, [Shape(ellipse(0.026, 0.017), (252, 252, 252))], OBJECT, 0.085),
    ]


def cup(s: Stage) -> list[Part]:
    j = s.joints
    colour = s.bright()
    away = j["r_hand"] - j["face"] + 0.03 * UP
    tilt = np.clip(0.2 / np.linalg.norm(away, axis=1) - 0.75, 0, 1.4)  # the nearer the mouth, the more it tips
    side, base, light = tones(colour)
    body = np.array([(-0.042, -0.06), (0.042, -0.06), (0.033, 0.055), (-0.033, 0.055)])
    shapes = [Shape(ellipse(0.03, 0.026, (0.045, 0), 12), side), Shape(ellipse(0.017, 0.014, (0.046, 0), 10), light)]
    shapes += [
        Shape(body, side),
        Shape(body * (0.82, 1), base),
        Shape(box(-0.024, -0.055, -0.01, 0.05), light),
        Shape(ellipse(0.042, 0.013, (0, -0.06), 14), (250, 250, 250)),
    ]
    toward = np.sign((s.view.direction(j["heading"]) / s.view.scale)[:, 0].mean()) or 1.0
    angle = -tilt * toward * (-1 if s.view.mirror else 1)
    return [sprite(s.view, j["r_hand"] + 0.02 * UP + 0.012 * j["heading"], shapes, OBJECT, 0.1, angle)]


def cigarette(s: Stage) -> list[Part]:
    j = s.joints
    start = j["r_hand"] + 0.012 * UP
    aim = unit(0.7 * j["heading"] - 0.25 * j["leftward"] + 0.15 * UP)
    parts = [s.stick(start - 0.02 * aim, start + 0.05 * aim, 0.0085, (250, 248, 244), 0.1)]
    parts.append(sprite(s.view, start + 0.062 * aim, [Shape(ellipse(0.014, 0.014), (236, 96, 40))], OBJECT, 0.11))
    for k in range(4):  # puffs that rise from the mouth and widen
        age = loop(s.phase * 2 + k / 4)
        puff = j["face"] + (0.05 + 0.1 * age)[:, None] * j["heading"] + (0.03 + 0.22 * age)[:, None] * UP
        grow = np.stack([0.018 + 0.03 * age] * 3, axis=1)
        parts.append(
            s.plate(
                puff,
                grow * unit(s.view.rightward),
                grow * UP,
                [Shape(ellipse(), (222, 224, 230)), Shape(ellipse(0.7, 0.7, (-0.1, 0.1)), (240, 240, 244))],
                0.05,
            )
        )
        parts[-1].adrift = True
    return parts


def phone(s: Stage) -> list[Part]:
    j = s.joints
    shapes = [
        *flat(box(-0.03, -0.06, 0.03, 0.06), (40, 42, 52)),
        Shape(box(-0.022, -0.046, 0.022, 0.046), (120, 190, 230)),
    ]
    return [sprite(s.view, j["r_hand"] + 0.01 * UP, shapes, OBJECT, 0.09, 0.25)]


def juggling_balls(s: Stage) -> list[Part]:
    j = s.joints
    parts = []
    for k in range(3):
        q = loop(s.phase + k / 3)
        across = loop(q * 2)
        leftward = q < 0.5
        start = np.where(leftward[:, None], j["r_hand"], j["l_hand"])
        end = np.where(leftward[:, None], j["l_hand"], j["r_hand"])
        ball = start + (end - start) * across[:, None] + (0.04 + 1.6 * across * (1 - across))[:, None] * UP
        parts.append(s.ball(ball, 0.036, ((222, 76, 64), (60, 140, 200), (240, 206, 84))[k], 0.12))
    return parts


def rifle(s: Stage) -> list[Part]:
    """A ceremonial rifle on the right shoulder."""
    j = s.joints
    aim = unit(0.92 * UP - 0.4 * j["heading"])
    butt = j["r_hand"] - 0.02 * UP
    return [
        s.stick(butt, butt + 0.14 * aim, 0.022, WOOD, 0.06, 0.8),
        s.stick(butt + 0.13 * aim, butt + 0.46 * aim, 0.011, DARK, 0.06),
    ]


def swing_seat(s: Stage) -> list[Part]:
    j = s.joints
    parts = []
    for side in ("l", "r"):
        hand = j[side + "_wrist"]
        seat = j["pelvis"] - 0.08 * UP + (0.14 if side == "l" else -0.14) * j["leftward"]
        rope = hand - seat
        top = seat + rope * (1.75 / np.linalg.norm(rope, axis=1, keepdims=True))
        parts.append(s.stick(seat, top, 0.008, (150, 116, 76), 0.02))
    edge = 0.16 * j["leftward"]
    parts.append(s.stick(j["pelvis"] - 0.085 * UP - edge, j["pelvis"] - 0.085 * UP + edge, 0.02, WOOD, -0.01))
    return parts


def bubble_wand(s: Stage) -> list[Part]:
    """A ring on a stick before the mouth, and soap bubbles that grow and drift away from it."""
    j = s.joints
    mouth = j["face"] - 0.04 * UP
    ring = mouth + 0.06 * j["heading"]
    parts = [s.stick(j["r_hand"], ring - 0.02 * UP, 0.007, (232, 84, 150), 0.09)]
    parts.append(
        sprite(
            s.view,
            ring,
            [Shape(ellipse(0.024, 0.03), (232, 84, 150)), Shape(ellipse(0.016, 0.021), (206, 236, 246))],
            OBJECT,
            0.095,
        )
    )
    for k in range(5):
        age = loop(s.phase * 0.8 + k / 5)
        drift = (0.06 + 0.34 * age)[:, None] * j["heading"] + (0.2 * age * age + 0.05 * np.sin(7 * k + 6 * age))[
            :, None
        ] * UP
        radius = np.stack([0.012 + 0.034 * age] * 3, axis=1)
        film = [
            Shape(ellipse(), (150, 196, 226)),
            Shape(ellipse(0.8, 0.8), (208, 234, 246)),
            Shape(ellipse(0.25, 0.2, (-0.35, 0.4)), (255, 255, 255)),
        ]
        parts.append(s.plate(ring + drift, radius * unit(s.view.rightward), radius * UP, film, 0.1))
        parts[-1].adrift = True
    return parts
