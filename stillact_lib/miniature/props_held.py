"""Things held in the hands or brought to the face: instruments, tools, balls, cups, brushes."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.rendering import Part, Shape
from stillact_lib.miniature.stage import DARK, METAL, OBJECT, WOOD, Stage, box, ellipse, flat, sprite

UP = np.array([0.0, 0.0, 1.0])


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True).clip(1e-6)


def _loop(values: np.ndarray) -> np.ndarray:
    return np.mod(values, 1.0)


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


def guitar(s: Stage) -> list[Part]:
    j = s.joints
    centre = j["pelvis"] + 0.13 * j["torso_up"] + 0.1 * j["torso_forward"] - 0.05 * j["leftward"]
    along = _unit(j["l_wrist"] - centre)
    across = _unit(np.cross(j["torso_forward"], along))
    body = s.rng.choice(3)
    wood = [(206, 130, 62), (170, 66, 50), (232, 188, 112)][int(body)]
    side, base, light = tones(wood)
    shapes = [
        Shape(ellipse(0.115, 0.115, (-0.07, 0)), side),
        Shape(ellipse(0.09, 0.09, (0.08, 0)), side),
        Shape(ellipse(0.104, 0.104, (-0.07, 0)), base),
        Shape(ellipse(0.08, 0.08, (0.08, 0)), base),
        Shape(ellipse(0.04, 0.03, (-0.1, 0.05)), light),
        Shape(ellipse(0.036, 0.036, (0.03, 0)), (52, 34, 28)),
        Shape(box(0.05, -0.017, 0.42, 0.017), (92, 60, 42)),
        Shape(box(0.42, -0.026, 0.5, 0.026), (60, 42, 34)),
        Shape(box(-0.12, -0.006, 0.42, 0.006), (240, 232, 214)),
        Shape(box(-0.13, -0.04, -0.11, 0.04), (60, 42, 34)),
    ]
    return [s.plate(centre, along, across, shapes, 0.1)]


def violin(s: Stage) -> list[Part]:
    j = s.joints
    chin = j["head"] - 0.07 * UP + 0.05 * j["heading"] + 0.03 * j["leftward"]
    along = _unit(j["l_wrist"] - chin)
    across = _unit(0.75 * UP - 0.6 * j["heading"] + 0.3 * j["leftward"])
    side, base, light = tones((176, 86, 40))
    shapes = [
        Shape(ellipse(0.055, 0.05, (0.05, 0)), side),
        Shape(ellipse(0.045, 0.042, (0.13, 0)), side),
        Shape(ellipse(0.046, 0.042, (0.05, 0)), base),
        Shape(ellipse(0.038, 0.034, (0.13, 0)), base),
        Shape(ellipse(0.02, 0.012, (0.05, 0.02)), light),
        Shape(box(0.08, -0.009, 0.31, 0.009), (50, 34, 28)),
    ]
    bridge = chin + 0.1 * along
    hand = j["r_hand"]
    direction = _unit(bridge - hand)
    bow = s.stick(hand - 0.02 * direction, hand + 0.4 * direction, 0.007, (90, 54, 34), 0.2)
    hair = s.stick(
        hand - 0.02 * direction - 0.014 * UP, hand + 0.4 * direction - 0.014 * UP, 0.005, (246, 242, 232), 0.19
    )
    return [s.plate(chin, along, across, shapes, 0.12), hair, bow]


def flute(s: Stage) -> list[Part]:
    j = s.joints
    mouth = j["face"] - 0.045 * UP
    end = j["r_hand"] + 0.1 * _unit(j["r_hand"] - mouth)
    return [s.stick(mouth - 0.05 * _unit(end - mouth), end, 0.011, (222, 226, 234), 0.08)]


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


def mop(s: Stage) -> list[Part]:
    j = s.joints
    upper, lower = j["l_wrist"], j["r_wrist"]
    direction = _unit(lower - upper)
    foot = lower + direction * ((lower[:, 2:] - 0.03) / np.maximum(-direction[:, 2:], 0.25))
    drift = np.gradient(foot, axis=0) if len(foot) > 1 else 0 * foot
    parts = [s.stick(upper - 0.1 * direction, foot, 0.011, (210, 160, 90), 0.03)]
    for k in np.linspace(-0.1, 0.1, 5):
        tip = foot + k * j["heading"] - 3.0 * drift * (1, 1, 0)
        parts.append(s.stick(foot, tip * (1, 1, 0) + 0.015 * UP, 0.024, (236, 232, 222), 0.04))
    return parts


def toothbrush(s: Stage) -> list[Part]:
    j = s.joints
    mouth = j["face"] - 0.042 * UP - 0.012 * j["head_forward"]
    handle = j["r_hand"]
    along = _unit(mouth - handle)
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
    aim = _unit(0.7 * j["heading"] - 0.25 * j["leftward"] + 0.15 * UP)
    parts = [s.stick(start - 0.02 * aim, start + 0.05 * aim, 0.0085, (250, 248, 244), 0.1)]
    parts.append(sprite(s.view, start + 0.062 * aim, [Shape(ellipse(0.014, 0.014), (236, 96, 40))], OBJECT, 0.11))
    for k in range(4):  # puffs that rise from the mouth and widen
        age = _loop(s.phase * 2 + k / 4)
        puff = j["face"] + (0.05 + 0.1 * age)[:, None] * j["heading"] + (0.03 + 0.22 * age)[:, None] * UP
        grow = np.stack([0.018 + 0.03 * age] * 3, axis=1)
        parts.append(
            s.plate(
                puff,
                grow * _unit(s.view._image[0]),
                grow * UP,
                [Shape(ellipse(), (222, 224, 230)), Shape(ellipse(0.7, 0.7, (-0.1, 0.1)), (240, 240, 244))],
                0.05,
            )
        )
    return parts


def phone(s: Stage) -> list[Part]:
    j = s.joints
    shapes = [
        *flat(box(-0.03, -0.06, 0.03, 0.06), (40, 42, 52)),
        Shape(box(-0.022, -0.046, 0.022, 0.046), (120, 190, 230)),
    ]
    return [sprite(s.view, j["r_hand"] + 0.01 * UP, shapes, OBJECT, 0.09, 0.25)]


def basketball(s: Stage) -> list[Part]:
    j = s.joints
    hand = j["r_hand"] - 0.075 * UP
    q = _loop(s.phase + 0.5) - 0.5  # 0 when the hand is highest
    low = 0.07
    fall = np.clip((np.abs(q) - 0.2) / 0.3, 0, 1)  # 0 in the hand, 1 on the floor
    height = hand[:, 2] + (low - hand[:, 2]) * fall**1.2
    ball = np.stack([hand[:, 0], hand[:, 1], height], axis=1) + 0.06 * fall[:, None] * j["heading"]
    return [s.ball(ball, 0.07, (226, 122, 50), 0.06, 2 * np.pi * s.phase, (84, 44, 28))]


def juggling_balls(s: Stage) -> list[Part]:
    j = s.joints
    parts = []
    for k in range(3):
        q = _loop(s.phase + k / 3)
        across = _loop(q * 2)
        leftward = q < 0.5
        start = np.where(leftward[:, None], j["r_hand"], j["l_hand"])
        end = np.where(leftward[:, None], j["l_hand"], j["r_hand"])
        ball = start + (end - start) * across[:, None] + (0.04 + 1.6 * across * (1 - across))[:, None] * UP
        parts.append(s.ball(ball, 0.036, ((222, 76, 64), (60, 140, 200), (240, 206, 84))[k], 0.12))
    return parts


def soccer_ball(s: Stage) -> list[Part]:
    """Bounces on the right foot: it flies up when the foot comes up under it."""
    j = s.joints
    q = _loop(s.phase)
    foot = j["r_toe"] + 0.075 * UP - 0.02 * j["heading"]
    flight = 4 * q * (1 - q)
    ball = foot[:1] * 0 + foot.mean(axis=0) + 0 * foot
    ball = ball * (1, 1, 0) + np.maximum(foot[:, 2], float(foot[:, 2].max()) - 0.02 + 0.42 * flight)[:, None] * UP
    return [s.ball(ball, 0.062, (246, 246, 244), 0.1, 2 * np.pi * s.phase, (44, 46, 54))]


def kicked_ball(s: Stage) -> list[Part]:
    """Lies before the foot, then flies off forward."""
    j = s.joints
    q = _loop(s.phase)
    start = j["pelvis"][:1] * (1, 1, 0) + 0.24 * j["heading"][:1] - 0.06 * j["leftward"][:1] + 0.062 * UP
    flown = np.where(q < 0.5, 0, (q - 0.5) * 3.6)
    ball = start + flown[:, None] * j["heading"] + (0.5 * flown * np.maximum(0, 1 - 0.7 * flown))[:, None] * UP
    return [s.ball(ball, 0.062, (246, 246, 244), 0.1, -12 * flown, (44, 46, 54))]


def golf_club(s: Stage) -> list[Part]:
    j = s.joints
    hands = (j["l_hand"] + j["r_hand"]) / 2
    chest = (j["l_shoulder"] + j["r_shoulder"]) / 2
    arm = _unit(hands - chest)
    drift = np.gradient(hands, axis=0)
    shaft = _unit(arm - 13 * (drift - (drift * arm).sum(-1, keepdims=True) * arm))
    tip = hands + 0.42 * shaft
    parts = [
        s.stick(hands - 0.04 * shaft, tip, 0.009, METAL, 0.12),
        s.stick(tip, tip + 0.05 * j["heading"], 0.017, DARK, 0.13),
    ]
    tee = j["pelvis"][:1] * (1, 1, 0) + s.track(0.36, 0.05, 0.015)
    return [*parts, s.ball(tee, 0.016, (252, 252, 250), 0.2)]


def racket(s: Stage) -> list[Part]:
    j = s.joints
    aim = _unit(j["r_hand"] - j["r_elbow"])
    drift = np.gradient(j["r_wrist"], axis=0)
    aim = _unit(aim + 0.25 * UP - 5 * (drift - (drift * aim).sum(-1, keepdims=True) * aim))
    side = _unit(np.cross(aim, s.view.nearer + 0 * aim))
    shapes = [Shape(box(-0.04, -0.012, 0.14, 0.012), DARK)]
    head = ellipse(0.105, 0.08, (0.24, 0), 24)
    shapes += [Shape(head, s.bright()), Shape((head - (0.24, 0)) * 0.82 + (0.24, 0), (236, 240, 220))]
    for k in (-0.05, -0.017, 0.017, 0.05):
        shapes += [
            Shape(box(0.16, k - 0.003, 0.32, k + 0.003), (150, 160, 140)),
            Shape(box(0.24 + k - 0.003, -0.06, 0.24 + k + 0.003, 0.06), (150, 160, 140)),
        ]
    q = _loop(s.phase)
    away = np.abs(q - 0.5) * 3.0
    ball = (
        j["pelvis"][:1] * (1, 1, 0)
        + s.track(0.62, -0.3, 0.55)
        + away[:, None] * j["heading"]
        + (0.1 * away)[:, None] * UP
    )
    return [s.plate(j["r_hand"], aim, side, shapes, 0.12), s.ball(ball, 0.024, (214, 236, 70), 0.1)]


def bow(s: Stage) -> list[Part]:
    j = s.joints
    grip, draw = j["l_hand"], j["r_hand"]
    aim = _unit(grip - draw)
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
    aim = _unit(_unit(j["r_hand"] - j["r_elbow"]) * (1, 1, 0.4) + 0.8 * j["heading"])
    guard = sprite(
        s.view,
        j["r_hand"],
        [Shape(ellipse(0.034, 0.034), tones(METAL)[0]), Shape(ellipse(0.022, 0.022), METAL)],
        OBJECT,
        0.08,
    )
    return [s.stick(j["r_hand"], j["r_hand"] + 0.42 * aim, 0.008, (230, 234, 240), 0.09, 0.5), guard]


def marker(s: Stage) -> list[Part]:
    j = s.joints
    aim = _unit(_unit(j["r_hand"] - j["r_wrist"]) + 0.6 * UP)
    return [s.stick(j["r_hand"] - 0.03 * aim, j["r_hand"] + 0.05 * aim, 0.011, s.bright(), 0.05)]


def hammer(s: Stage) -> list[Part]:
    j = s.joints
    aim = _unit(np.cross(j["leftward"], _unit(j["r_hand"] - j["r_elbow"])) * -1)
    tip = j["r_hand"] + 0.16 * aim
    ahead = _unit(np.cross(aim, j["leftward"]))
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


def march_drum(s: Stage) -> list[Part]:
    j = s.joints
    base = j["pelvis"] + 0.17 * j["heading"] - 0.1 * UP
    parts = [s.cylinder(base, 0.105, 0.14, s.bright(), (248, 246, 240), 0.12)]
    for side in ("l", "r"):
        lead = 2.5 * np.gradient(j[side + "_wrist"], axis=0)
        parts.append(
            s.stick(
                j[side + "_wrist"],
                j[side + "_hand"] + 0.13 * j["heading"] - 0.04 * UP + lead,
                0.008,
                (236, 206, 150),
                0.2,
            )
        )
    return parts


def rifle(s: Stage) -> list[Part]:
    """A ceremonial rifle on the right shoulder."""
    j = s.joints
    aim = _unit(0.92 * UP - 0.4 * j["heading"])
    butt = j["r_hand"] - 0.02 * UP
    return [
        s.stick(butt, butt + 0.14 * aim, 0.022, WOOD, 0.06, 0.8),
        s.stick(butt + 0.13 * aim, butt + 0.46 * aim, 0.011, DARK, 0.06),
    ]


def scissors(s: Stage) -> list[Part]:
    j = s.joints
    open_ = 0.35 + 0.3 * np.sin(6 * np.pi * s.phase)
    parts = []
    for sign in (-1, 1):
        aim = _unit(j["heading"] * np.cos(open_)[:, None] + sign * np.sin(open_)[:, None] * UP)
        parts.append(s.stick(j["r_hand"], j["r_hand"] + 0.085 * aim, 0.009, METAL, 0.1, 0.4))
    return parts


def gloves(s: Stage) -> list[Part]:
    j = s.joints
    parts = []
    for side, name in (("l", "left hand"), ("r", "right hand")):
        glove = s.stick(j[side + "_wrist"], j[side + "_hand"], 0.034, (208, 52, 52), 0.1, 1.15)
        glove.label = LABEL[name]
        parts.append(glove)
    return parts


HELD = {
    prop.__name__: prop
    for prop in (
        *(
            barbell,
            guitar,
            violin,
            flute,
            jump_rope,
            hoop,
            mop,
            toothbrush,
            cup,
            cigarette,
            phone,
            basketball,
            juggling_balls,
        ),
        *(soccer_ball, kicked_ball, golf_club, racket, bow, foil, marker, hammer, march_drum, rifle, scissors, gloves),
    )
}
