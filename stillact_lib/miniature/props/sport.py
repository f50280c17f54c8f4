"""What sports are played with: bars, weights, balls, clubs, blades, bows."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.props.stage import DARK, METAL, OBJECT, UP, Stage, box, ellipse, flat, loop, sprite, unit
from stillact_lib.miniature.rendering import Part, Shape


def high_bar(s: Stage) -> list[Part]:
    j = s.joints
    middle = (j["l_wrist"] + j["r_wrist"]) / 2 + 0.02 * UP
    ends = [middle + side * 0.5 * j["leftward"] for side in (-1, 1)]
    feet = [end * (1, 1, 0) for end in ends]
    posts = [s.stick(foot, end, 0.022, (96, 108, 124), -0.05) for foot, end in zip(feet, ends, strict=True)]
    return [*posts, s.stick(ends[0], ends[1], 0.014, METAL, 0.02)]


def trampoline(s: Stage) -> list[Part]:
    along, across = s.track(0.5, 0, 0), s.track(0, 0.5, 0)
    colour = s.bright()
    centre = s.joints["pelvis"] * (1, 1, 0) - 0.02 * UP
    shapes = [
        Shape(ellipse(), tuple(np.multiply(colour, 0.6))),
        Shape(ellipse(0.96, 0.96), colour),
        Shape(ellipse(0.78, 0.78), DARK),
    ]
    legs = [
        s.stick(centre + a * along + b * across, centre + a * along + b * across - 0.1 * UP, 0.014, METAL, -2.1)
        for a, b in ((0.9, 0.3), (-0.9, 0.3), (0.9, -0.4), (-0.9, -0.4))
    ]
    return [*legs, s.plate(centre, along, across, shapes, -2)]


def mat(s: Stage) -> list[Part]:
    colour = s.bright()
    centre = s.track(-0.12, 0, 0.0) + s.joints["pelvis"][:1] * (1, 1, 0)
    return [s.plate(centre, s.track(0.62, 0, 0), s.track(0, 0.24, 0), flat(box(-1, -1, 1, 1), colour), -2)]


def barbell(s: Stage) -> list[Part]:
    j = s.joints
    middle = (j["l_wrist"] + j["r_wrist"]) / 2 + 0.01 * UP
    shapes = [Shape(box(-1, -0.035, 1, 0.035), METAL), Shape(box(-1, 0.005, 1, 0.035), (226, 230, 236))]
    for side in (-1, 1):
        for at, r in ((0.66, 1.0), (0.78, 0.74)):
            disc = np.array([(at, -r), (at + 0.1, -r), (at + 0.1, r), (at, r)]) * (side, 1)
            shapes += [
                Shape(disc, (36, 38, 46)),
                Shape(
                    (disc - (side * (at + 0.05), 0)) * (0.6, 0.9) + (side * (at + 0.05), 0),
                    (196, 62, 58) if r == 1 else (70, 76, 90),
                ),
            ]
    return [s.plate(middle, 0.5 * j["leftward"], 0.14 * UP + 0 * middle, shapes, 0.12)]


def bench(s: Stage) -> list[Part]:
    j, ahead, left = s.joints, s.joints["heading"], s.joints["leftward"]
    seat = (j["pelvis"] - 0.085 * UP)[:1] + 0 * ahead
    parts = [s.stick(seat + 0.08 * ahead, seat - 0.46 * ahead, 0.03, (150, 44, 48), -0.2)]
    for at in (0.04, -0.42):
        for side in (-1, 1):
            leg = seat + at * ahead + 0.08 * side * left
            parts.append(s.stick(leg, leg * (1, 1, 0), 0.012, DARK, -0.25))
    return parts


def punching_bag(s: Stage) -> list[Part]:
    j = s.joints
    hit = np.maximum(0, np.sin(4 * np.pi * s.phase + 0.4))[:, None]
    foot = j["pelvis"][:1] * (1, 1, 0) + s.track(0.5, 0, 0.4) + 0.05 * hit * j["heading"]
    top = j["pelvis"][:1] * (1, 1, 0) + s.track(0.5, 0, 0.92)
    bag = s.stick(foot, top, 0.095, (178, 54, 52), -0.01)
    bag.shapes += [
        Shape(box(0.16, -0.97, 0.22, 0.97), (250, 240, 220)),
        Shape(box(0.78, -0.97, 0.84, 0.97), (250, 240, 220)),
    ]
    return [s.stick(top, top + 0.7 * UP, 0.008, METAL, -0.02), bag]


def gloves(s: Stage) -> list[Part]:
    j = s.joints
    parts = []
    for side, name in (("l", "left hand"), ("r", "right hand")):
        glove = s.stick(j[side + "_wrist"], j[side + "_hand"], 0.034, (208, 52, 52), 0.1, 1.15)
        glove.label = LABEL[name]
        parts.append(glove)
    return parts


def basketball(s: Stage) -> list[Part]:
    j = s.joints
    hand = j["r_hand"] - 0.075 * UP
    q = loop(s.phase + 0.5) - 0.5  # 0 when the hand is highest
    low = 0.07
    fall = np.clip((np.abs(q) - 0.2) / 0.3, 0, 1)  # 0 in the hand, 1 on the floor
    height = hand[:, 2] + (low - hand[:, 2]) * fall**1.2
    ball = np.stack([hand[:, 0], hand[:, 1], height], axis=1) + 0.06 * fall[:, None] * j["heading"]
    return [s.ball(ball, 0.07, (226, 122, 50), 0.06, 2 * np.pi * s.phase, (84, 44, 28))]


def soccer_ball(s: Stage) -> list[Part]:
    """Bounces on the right foot: it flies up when the foot comes up under it."""
    j = s.joints
    q = loop(s.phase)
    foot = j["r_toe"] + 0.075 * UP - 0.02 * j["heading"]
    flight = 4 * q * (1 - q)
    ball = foot[:1] * 0 + foot.mean(axis=0) + 0 * foot
    ball = ball * (1, 1, 0) + np.maximum(foot[:, 2], float(foot[:, 2].max()) - 0.02 + 0.42 * flight)[:, None] * UP
    return [s.ball(ball, 0.062, (246, 246, 244), 0.1, 2 * np.pi * s.phase, (44, 46, 54))]


def kicked_ball(s: Stage) -> list[Part]:
    """Lies before the foot, then flies off forward."""
    j = s.joints
    q = loop(s.phase)
    start = j["pelvis"][:1] * (1, 1, 0) + 0.24 * j["heading"][:1] - 0.06 * j["leftward"][:1] + 0.062 * UP
    flown = np.where(q < 0.5, 0, (q - 0.5) * 3.6)
    ball = start + flown[:, None] * j["heading"] + (0.5 * flown * np.maximum(0, 1 - 0.7 * flown))[:, None] * UP
    return [s.ball(ball, 0.062, (246, 246, 244), 0.1, -12 * flown, (44, 46, 54))]


def golf_club(s: Stage) -> list[Part]:
    j = s.joints
    hands = (j["l_hand"] + j["r_hand"]) / 2
    chest = (j["l_shoulder"] + j["r_shoulder"]) / 2
    arm = unit(hands - chest)
    drift = np.gradient(hands, axis=0)
    shaft = unit(arm - 13 * (drift - (drift * arm).sum(-1, keepdims=True) * arm))
    tip = hands + 0.42 * shaft
    parts = [
        s.stick(hands - 0.04 * shaft, tip, 0.009, METAL, 0.12),
        s.stick(tip, tip + 0.05 * j["heading"], 0.017, DARK, 0.13),
    ]
    tee = j["pelvis"][:1] * (1, 1, 0) + s.track(0.36, 0.05, 0.015)
    return [*parts, s.ball(tee, 0.016, (252, 252, 250), 0.2)]


def bow(s: Stage) -> list[Part]:
    j = s.joints
    grip, draw = j["l_hand"], j["r_hand"]
    aim = unit(grip - draw)
    parts, points = [], []
    for a in np.linspace(-1, 1, 9):
        points.append(grip + 0.27 * a * UP - 0.11 * a * a * aim)
    parts += [s.stick(points[k], points[k + 1], 0.012, (140, 80, 44), 0.05) for k in range(8)]
    parts += [
        s.stick(points[0], draw, 0.004, (246, 244, 236), 0.05),
        s.stick(draw, points[-1], 0.004, (246, 244, 236), 0.05),
    ]
    tip = draw + 0.42 * aim
    return [
        *parts,
        s.stick(draw, tip, 0.006, (230, 200, 140), 0.06),
        s.stick(tip, tip + 0.03 * aim, 0.013, METAL, 0.06, 0.2),
    ]


def foil(s: Stage) -> list[Part]:
    j = s.joints
    aim = unit(unit(j["r_hand"] - j["r_elbow"]) * (1, 1, 0.4) + 0.8 * j["heading"])
    guard = sprite(
        s.view,
        j["r_hand"],
        [Shape(ellipse(0.034, 0.034), tones(METAL)[0]), Shape(ellipse(0.022, 0.022), METAL)],
        OBJECT,
        0.08,
    )
    return [s.stick(j["r_hand"], j["r_hand"] + 0.42 * aim, 0.008, (230, 234, 240), 0.09, 0.5), guard]


def jump_rope(s: Stage) -> list[Part]:
    j = s.joints
    left, right = j["l_hand"], j["r_hand"]
    turn = 2 * np.pi * s.phase
    swing = -np.cos(turn)[:, None] * UP + np.sin(turn)[:, None] * j["heading"]
    hand_height = float((left[:, 2] + right[:, 2]).mean() / 2)
    count = 14
    u = np.linspace(0, 1, count + 1)
    colour = s.bright()
    points = [
        left
        + (right - left) * a
        + (hand_height + 0.02) * 1.0 * np.sin(np.pi * a) ** 0.7 * swing
        + 0.24 * np.sin(2 * np.pi * a) * j["leftward"]
        for a in u
    ]
    parts = [s.stick(points[k], points[k + 1], 0.009, colour, 0.0) for k in range(count)]
    for side in ("l", "r"):
        parts.append(s.stick(j[side + "_wrist"], j[side + "_hand"], 0.016, DARK, 0.06))
    return parts


def hoop(s: Stage) -> list[Part]:
    j = s.joints
    turn = 2 * np.pi * s.phase
    lean = 0.1 * np.cos(turn)[:, None] * j["heading"] + 0.1 * np.sin(turn)[:, None] * j["leftward"]
    centre = j["pelvis"] + 0.06 * UP + lean
    tilt = 0.16
    along = j["heading"] + tilt * np.sin(turn - 0.9)[:, None] * UP
    across = j["leftward"] - tilt * np.cos(turn - 0.9)[:, None] * UP
    colour, other = (232, 76, 130), (250, 208, 70)
    count = 18
    angle = turn[:, None] * -1.0 + 2 * np.pi * np.arange(count + 1) / count
    points = [centre + 0.25 * (np.cos(a)[:, None] * along + np.sin(a)[:, None] * across) for a in angle.T]
    return [s.stick(points[k], points[k + 1], 0.013, colour if k % 3 else other, 0.02) for k in range(count)]
