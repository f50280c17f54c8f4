"""What ball games are played with: rackets, a bat, balls that are thrown, served and bowled."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.props.stage import DARK, UP, WOOD, Stage, box, ellipse, loop, unit
from stillact_lib.miniature.rendering import Part, Shape

WHITE, SEAM, YELLOW = (246, 244, 238), (196, 60, 56), (214, 236, 70)


def racket(s: Stage) -> list[Part]:
    j = s.joints
    strung = _strung_racket(s)
    q = loop(s.phase)
    away = np.abs(q - 0.5) * 3.0
    ball = (
        j["pelvis"][:1] * (1, 1, 0)
        + s.track(0.62, -0.3, 0.55)
        + away[:, None] * j["heading"]
        + (0.1 * away)[:, None] * UP
    )
    return [strung, s.ball(ball, 0.024, YELLOW, 0.1)]


def serving_racket(s: Stage) -> list[Part]:
    """The ball leaves the left hand upwards, is met at its height, and flies off."""
    j = s.joints
    q = loop(s.phase)
    tossed, hit, height = 0.3, 0.54, 1.3
    above = s.track(0.2, 0.02, height) + j["pelvis"] * (1, 1, 0)
    rise = np.clip((q - tossed) / (hit - tossed), 0, 1)[:, None]
    ball = j["l_hand"] + (above - j["l_hand"]) * (rise * (2 - rise))
    flown = np.maximum(0, q - hit)[:, None]
    ball = np.where(flown > 0, above + 6 * flown * j["heading"] - 2.4 * flown * UP, ball)
    return [_strung_racket(s), s.ball(ball, 0.026, YELLOW, 0.1)]


def _strung_racket(s: Stage) -> Part:
    """A racket in the right hand; its head trails the swing."""
    j = s.joints
    aim = unit(j["r_hand"] - j["r_elbow"])
    drift = np.gradient(j["r_wrist"], axis=0)
    aim = unit(aim + 0.25 * UP - 5 * (drift - (drift * aim).sum(-1, keepdims=True) * aim))
    side = unit(np.cross(aim, s.view.nearer + 0 * aim))
    shapes = [Shape(box(-0.04, -0.012, 0.14, 0.012), DARK)]
    head = ellipse(0.105, 0.08, (0.24, 0), 24)
    shapes += [Shape(head, s.bright()), Shape((head - (0.24, 0)) * 0.82 + (0.24, 0), (236, 240, 220))]
    for k in (-0.05, -0.017, 0.017, 0.05):
        shapes += [
            Shape(box(0.16, k - 0.003, 0.32, k + 0.003), (150, 160, 140)),
            Shape(box(0.24 + k - 0.003, -0.06, 0.24 + k + 0.003, 0.06), (150, 160, 140)),
        ]
    return s.plate(j["r_hand"], aim, side, shapes, 0.12)


def baseball_bat(s: Stage) -> list[Part]:
    """A bat in both hands, upright in waiting and trailing the swing; the ball comes and goes."""
    j = s.joints
    hands = (j["l_hand"] + j["r_hand"]) / 2
    arm = unit(hands - (j["l_shoulder"] + j["r_shoulder"]) / 2)
    drift = np.gradient(hands, axis=0)
    speed = np.linalg.norm(drift, axis=-1, keepdims=True)
    shaft = unit(arm + 1.6 * UP * np.exp(-40 * speed) - 9 * (drift - (drift * arm).sum(-1, keepdims=True) * arm))
    away = loop(s.phase) - 0.5
    ball = j["pelvis"][:1] * (1, 1, 0) + s.track(0.45, 0.1, 0.5) + 4 * np.abs(away)[:, None] * j["leftward"]
    return [
        s.stick(hands - 0.05 * shaft, hands + 0.16 * shaft, 0.011, WOOD, 0.12, 1.2),
        s.stick(hands + 0.14 * shaft, hands + 0.46 * shaft, 0.016, WOOD, 0.12, 1.8),
        s.ball(ball, 0.026, WHITE, 0.1, 8 * away, SEAM),
    ]


def pitched_ball(s: Stage) -> list[Part]:
    """A baseball in the right hand until it is thrown, and a glove on the left one."""
    j = s.joints
    thrown, q = 0.55, loop(s.phase)
    flown = np.maximum(0, q - thrown)[:, None]
    start = j["pelvis"] * (1, 1, 0) + s.track(0.6, -0.05, 0.95)
    ball = np.where(flown > 0, start + 7 * flown * j["heading"] - flown * UP, j["r_hand"])
    glove = j["l_wrist"] + 1.3 * (j["l_hand"] - j["l_wrist"])
    return [
        s.ball(ball, 0.028, WHITE, 0.1, 9 * q, SEAM),
        s.stick(j["l_wrist"], glove, 0.036, (146, 92, 52), 0.1, 1.3),
    ]


def bowling_ball(s: Stage) -> list[Part]:
    """Swings in the right hand, then rolls off along the floor."""
    j = s.joints
    let_go, radius, q = 0.56, 0.078, loop(s.phase)
    held = j["r_hand"] - 0.03 * UP
    held = np.maximum(held, (-9, -9, radius))
    rolled = np.maximum(0, q - let_go)[:, None]
    start = j["pelvis"] * (1, 1, 0) + s.track(0.5, -0.1, radius)
    ball = np.where(rolled > 0, start + 3.2 * rolled * j["heading"], held)
    return [s.ball(ball, radius, s.bright(), 0.12, -14 * rolled[:, 0], DARK)]
