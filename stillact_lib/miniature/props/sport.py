"""What sports are played with: bars and weights, balls and what strikes them, blades, bows, ropes."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.kinematics import length, speed, square_to, unit
from stillact_lib.miniature.props.stage import DARK, METAL, UP, WOOD, Stage, box, ellipse, loop, panel, rings
from stillact_lib.miniature.rendering import Part, Shape

BALL, PATCHES = (246, 246, 244), (44, 46, 54)
WHITE, SEAM, YELLOW = (246, 244, 238), (196, 60, 56), (214, 236, 70)


def high_bar(s: Stage) -> list[Part]:
    middle = s.middle("wrist") + 0.02 * UP
    ends = [middle + side * 0.5 * s.left for side in (-1, 1)]
    posts = [s.stick(end * (1, 1, 0), end, 0.022, (96, 108, 124), -0.05) for end in ends]
    return [*posts, s.stick(*ends, 0.014, METAL, 0.02)]


def trampoline(s: Stage) -> list[Part]:
    along, across = s.track(0.5, 0, 0), s.track(0, 0.5, 0)
    colour = s.bright()
    centre = s.floor - 0.02 * UP
    tops = [centre + a * along + b * across for a, b in ((0.9, 0.3), (-0.9, 0.3), (0.9, -0.4), (-0.9, -0.4))]
    legs = [s.stick(top, top - 0.1 * UP, 0.014, METAL, -2.1) for top in tops]
    shapes = rings((1.0, tuple(np.multiply(colour, 0.6))), (0.96, colour), (0.78, DARK))
    return [*legs, s.plate(centre, along, across, shapes, -2)]


def mat(s: Stage) -> list[Part]:
    return [s.plate(s.place(-0.12, 0, 0.0), s.track(0.62, 0, 0), s.track(0, 0.24, 0), panel(s.bright()), -2)]


def barbell(s: Stage) -> list[Part]:
    shapes = [Shape(box(-1, -0.035, 1, 0.035), METAL), Shape(box(-1, 0.005, 1, 0.035), (226, 230, 236))]
    for side in (-1, 1):
        for at, r, colour in ((0.66, 1.0, (196, 62, 58)), (0.78, 0.74, (70, 76, 90))):
            disc = np.array([(at, -r), (at + 0.1, -r), (at + 0.1, r), (at, r)]) * (side, 1)
            middle = (side * (at + 0.05), 0)
            shapes += [Shape(disc, (36, 38, 46)), Shape((disc - middle) * (0.6, 0.9) + middle, colour)]
    return [s.plate(s.middle("wrist") + 0.01 * UP, 0.5 * s.left, 0.14 * UP, shapes, 0.12)]


def bench(s: Stage) -> list[Part]:
    seat = (s["pelvis"] - 0.085 * UP)[:1] + 0 * s.ahead
    parts = [s.stick(seat + 0.08 * s.ahead, seat - 0.46 * s.ahead, 0.03, (150, 44, 48), -0.2)]
    for at in (0.04, -0.42):
        for side in (-1, 1):
            leg = seat + at * s.ahead + 0.08 * side * s.left
            parts.append(s.stick(leg, leg * (1, 1, 0), 0.012, DARK, -0.25))
    return parts


def punching_bag(s: Stage) -> list[Part]:
    hit = np.maximum(0, np.sin(4 * np.pi * s.phase + 0.4))[:, None]
    foot, top = s.place(0.5, 0, 0.4) + 0.05 * hit * s.ahead, s.place(0.5, 0, 0.92)
    bag = s.stick(foot, top, 0.095, (178, 54, 52), -0.01)
    bag.shapes += [Shape(box(x, -0.97, x + 0.06, 0.97), (250, 240, 220)) for x in (0.16, 0.78)]
    return [s.stick(top, top + 0.7 * UP, 0.008, METAL, -0.02), bag]


def gloves(s: Stage) -> list[Part]:
    parts = [s.stick(s[k + "_wrist"], s[k + "_hand"], 0.034, (208, 52, 52), 0.1, 1.15) for k in "lr"]
    parts[0].label, parts[1].label = LABEL["left hand"], LABEL["right hand"]
    return parts


def basketball(s: Stage) -> list[Part]:
    hand = s["r_hand"] - 0.075 * UP
    q = loop(s.phase + 0.5) - 0.5  # 0 when the hand is highest
    low = 0.07
    fall = np.clip((np.abs(q) - 0.2) / 0.3, 0, 1)  # 0 in the hand, 1 on the floor
    height = hand[:, 2] + (low - hand[:, 2]) * fall**1.2
    ball = np.stack([hand[:, 0], hand[:, 1], height], axis=1) + 0.06 * fall[:, None] * s.ahead
    return [s.ball(ball, 0.07, (226, 122, 50), 0.06, 2 * np.pi * s.phase, (84, 44, 28))]


def soccer_ball(s: Stage) -> list[Part]:
    """Bounces on the right foot: it flies up when the foot comes up under it."""
    q = loop(s.phase)
    foot = s["r_toe"] + 0.075 * UP - 0.02 * s.ahead
    height = np.maximum(foot[:, 2], float(foot[:, 2].max()) - 0.02 + 0.42 * (4 * q * (1 - q)))
    ball = foot.mean(axis=0) * (1, 1, 0) + height[:, None] * UP
    return [s.ball(ball, 0.062, BALL, 0.1, 2 * np.pi * s.phase, PATCHES)]


def kicked_ball(s: Stage) -> list[Part]:
    """Lies before the foot, then flies off forward."""
    q = loop(s.phase)
    start = s.floor[:1] + 0.24 * s.ahead[:1] - 0.06 * s.left[:1] + 0.062 * UP
    flown = np.where(q < 0.5, 0, (q - 0.5) * 3.6)
    ball = start + flown[:, None] * s.ahead + (0.5 * flown * np.maximum(0, 1 - 0.7 * flown))[:, None] * UP
    return [s.ball(ball, 0.062, BALL, 0.1, -12 * flown, PATCHES)]


def racket(s: Stage) -> list[Part]:
    strung = _strung_racket(s)
    away = np.abs(loop(s.phase) - 0.5) * 3.0
    ball = s.place(0.62, -0.3, 0.55) + away[:, None] * s.ahead + (0.1 * away)[:, None] * UP
    return [strung, s.ball(ball, 0.024, YELLOW, 0.1)]


def serving_racket(s: Stage) -> list[Part]:
    """The ball leaves the left hand upwards, is met at its height, and flies off."""
    q = loop(s.phase)
    tossed, hit, height = 0.3, 0.54, 1.3
    above = s.track(0.2, 0.02, height) + s.floor
    rise = np.clip((q - tossed) / (hit - tossed), 0, 1)[:, None]
    ball = s["l_hand"] + (above - s["l_hand"]) * (rise * (2 - rise))
    flown = np.maximum(0, q - hit)[:, None]
    ball = np.where(flown > 0, above + 6 * flown * s.ahead - 2.4 * flown * UP, ball)
    return [_strung_racket(s), s.ball(ball, 0.026, YELLOW, 0.1)]


def _strung_racket(s: Stage) -> Part:
    """A racket in the right hand; its head trails the swing."""
    arm = unit(s["r_hand"] - s["r_elbow"])
    aim = unit(arm + 0.25 * UP - 5 * square_to(arm, speed(s["r_wrist"])))
    side = unit(np.cross(aim, s.view.nearer + 0 * aim))
    shapes = [Shape(box(-0.04, -0.012, 0.14, 0.012), DARK)]
    head = ellipse(0.105, 0.08, (0.24, 0), 24)
    shapes += [Shape(head, s.bright()), Shape((head - (0.24, 0)) * 0.82 + (0.24, 0), (236, 240, 220))]
    for k in (-0.05, -0.017, 0.017, 0.05):
        shapes.append(Shape(box(0.16, k - 0.003, 0.32, k + 0.003), (150, 160, 140)))
        shapes.append(Shape(box(0.24 + k - 0.003, -0.06, 0.24 + k + 0.003, 0.06), (150, 160, 140)))
    return s.plate(s["r_hand"], aim, side, shapes, 0.12)


def baseball_bat(s: Stage) -> list[Part]:
    """A bat in both hands, upright in waiting and trailing the swing; the ball comes and goes."""
    hands = s.middle("hand")
    arm = unit(hands - s.middle("shoulder"))
    swing = speed(hands)
    shaft = unit(arm + 1.6 * UP * np.exp(-40 * length(swing)) - 9 * square_to(arm, swing))
    away = loop(s.phase) - 0.5
    ball = s.place(0.45, 0.1, 0.5) + 4 * np.abs(away)[:, None] * s.left
    return [
        s.stick(hands - 0.05 * shaft, hands + 0.16 * shaft, 0.011, WOOD, 0.12, 1.2),
        s.stick(hands + 0.14 * shaft, hands + 0.46 * shaft, 0.016, WOOD, 0.12, 1.8),
        s.ball(ball, 0.026, WHITE, 0.1, 8 * away, SEAM),
    ]


def pitched_ball(s: Stage) -> list[Part]:
    """A baseball in the right hand until it is thrown, and a glove on the left one."""
    thrown, q = 0.55, loop(s.phase)
    flown = np.maximum(0, q - thrown)[:, None]
    start = s.floor + s.track(0.6, -0.05, 0.95)
    ball = np.where(flown > 0, start + 7 * flown * s.ahead - flown * UP, s["r_hand"])
    glove = s["l_wrist"] + 1.3 * (s["l_hand"] - s["l_wrist"])
    return [
        s.ball(ball, 0.028, WHITE, 0.1, 9 * q, SEAM),
        s.stick(s["l_wrist"], glove, 0.036, (146, 92, 52), 0.1, 1.3),
    ]


def bowling_ball(s: Stage) -> list[Part]:
    """Swings in the right hand, then rolls off along the floor."""
    let_go, radius, q = 0.56, 0.078, loop(s.phase)
    held = np.maximum(s["r_hand"] - 0.03 * UP, (-9, -9, radius))
    rolled = np.maximum(0, q - let_go)[:, None]
    ball = np.where(rolled > 0, s.place(0.5, -0.1, radius) + 3.2 * rolled * s.ahead, held)
    return [s.ball(ball, radius, s.bright(), 0.12, -14 * rolled[:, 0], DARK)]


def golf_club(s: Stage) -> list[Part]:
    hands = s.middle("hand")
    arm = unit(hands - s.middle("shoulder"))
    shaft = unit(arm - 13 * square_to(arm, speed(hands)))
    tip = hands + 0.42 * shaft
    return [
        s.stick(hands - 0.04 * shaft, tip, 0.009, METAL, 0.12),
        s.stick(tip, tip + 0.05 * s.ahead, 0.017, DARK, 0.13),
        s.ball(s.place(0.36, 0.05, 0.015), 0.016, (252, 252, 250), 0.2),
    ]


def bow(s: Stage) -> list[Part]:
    grip, draw = s["l_hand"], s["r_hand"]
    aim = unit(grip - draw)
    tip = draw + 0.42 * aim
    points = [grip + 0.27 * a * UP - 0.11 * a * a * aim for a in np.linspace(-1, 1, 9)]
    return [
        *s.chain(points, 0.012, (140, 80, 44), 0.05),
        *s.chain([points[0], draw, points[-1]], 0.004, (246, 244, 236), 0.05),
        s.stick(draw, tip, 0.006, (230, 200, 140), 0.06),
        s.stick(tip, tip + 0.03 * aim, 0.013, METAL, 0.06, 0.2),
    ]


def foil(s: Stage) -> list[Part]:
    hand = s["r_hand"]
    aim = unit(unit(hand - s["r_elbow"]) * (1, 1, 0.4) + 0.8 * s.ahead)
    guard = s.sprite(hand, rings((0.034, tones(METAL)[0]), (0.022, METAL)), 0.08)
    return [s.stick(hand, hand + 0.42 * aim, 0.008, (230, 234, 240), 0.09, 0.5), guard]


def jump_rope(s: Stage) -> list[Part]:
    left, right = s["l_hand"], s["r_hand"]
    turn = 2 * np.pi * s.phase
    swing = -np.cos(turn)[:, None] * UP + np.sin(turn)[:, None] * s.ahead
    reach = float((left[:, 2] + right[:, 2]).mean() / 2) + 0.02
    points = [
        left + (right - left) * a + reach * np.sin(np.pi * a) ** 0.7 * swing + 0.24 * np.sin(2 * np.pi * a) * s.left
        for a in np.linspace(0, 1, 15)
    ]
    grips = [s.stick(s[side + "_wrist"], s[side + "_hand"], 0.016, DARK, 0.06) for side in "lr"]
    return s.chain(points, 0.009, s.bright()) + grips


def hoop(s: Stage) -> list[Part]:
    turn = 2 * np.pi * s.phase
    lean = 0.1 * np.cos(turn)[:, None] * s.ahead + 0.1 * np.sin(turn)[:, None] * s.left
    centre = s["pelvis"] + 0.06 * UP + lean
    along = s.ahead + 0.16 * np.sin(turn - 0.9)[:, None] * UP
    across = s.left - 0.16 * np.cos(turn - 0.9)[:, None] * UP
    count = 18
    angle = turn[:, None] * -1.0 + 2 * np.pi * np.arange(count + 1) / count
    points = [centre + 0.25 * (np.cos(a)[:, None] * along + np.sin(a)[:, None] * across) for a in angle.T]
    colours = [(232, 76, 130) if k % 3 else (250, 208, 70) for k in range(count)]
    return [s.stick(points[k], points[k + 1], 0.013, colours[k], 0.02) for k in range(count)]
