"""Instruments: held, blown, bowed and beaten."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.props.stage import DARK, METAL, UP, Stage, box, ellipse, unit
from stillact_lib.miniature.rendering import Part, Shape


def guitar(s: Stage) -> list[Part]:
    j = s.joints
    centre = j["pelvis"] + 0.13 * j["torso_up"] + 0.1 * j["torso_forward"] - 0.05 * j["leftward"]
    along = unit(j["l_wrist"] - centre)
    across = unit(np.cross(j["torso_forward"], along))
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
    along = unit(j["l_wrist"] - chin)
    across = unit(0.75 * UP - 0.6 * j["heading"] + 0.3 * j["leftward"])
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
    direction = unit(bridge - hand)
    bow = s.stick(hand - 0.02 * direction, hand + 0.4 * direction, 0.007, (90, 54, 34), 0.2)
    hair = s.stick(
        hand - 0.02 * direction - 0.014 * UP, hand + 0.4 * direction - 0.014 * UP, 0.005, (246, 242, 232), 0.19
    )
    return [s.plate(chin, along, across, shapes, 0.12), hair, bow]


def flute(s: Stage) -> list[Part]:
    j = s.joints
    mouth = j["face"] - 0.045 * UP
    end = j["r_hand"] + 0.1 * unit(j["r_hand"] - mouth)
    return [s.stick(mouth - 0.05 * unit(end - mouth), end, 0.011, (222, 226, 234), 0.08)]


def drum_kit(s: Stage) -> list[Part]:
    j = s.joints
    centre = j["pelvis"][:1] * (1, 1, 0)
    colour = s.bright()
    parts = [
        s.cylinder(
            s.joints["pelvis"] * (1, 1, 0),
            0.1,
            float(s.joints["pelvis"][:, 2].mean()) - 0.08,
            DARK,
            (120, 60, 60),
            -0.2,
        )
    ]
    parts.append(s.cylinder(s.track(0.34, 0.2, 0.16) + centre, 0.12, 0.2, colour, (246, 244, 236), 0.1))
    parts.append(s.cylinder(s.track(0.34, -0.2, 0.16) + centre, 0.12, 0.2, colour, (246, 244, 236), 0.1))
    parts.append(s.cylinder(s.track(0.5, 0.0, 0.0) + centre, 0.2, 0.3, colour, (246, 244, 236), 0.05))
    for side in (1, -1):
        stand = s.track(0.42, 0.46 * side, 0.0) + centre
        top = stand + 0.66 * UP
        parts.append(s.stick(stand, top, 0.01, METAL, -0.1))
        brass = [
            Shape(ellipse(), (176, 132, 52)),
            Shape(ellipse(0.9, 0.9), (232, 192, 92)),
            Shape(ellipse(0.2, 0.2), (246, 224, 150)),
        ]
        parts.append(s.plate(top, s.track(0.15, 0, 0.02), s.track(0, 0.15, 0.03 * side), brass, -0.05))
    for side in ("l", "r"):
        tip = j[side + "_hand"] + 0.17 * (0.75 * j["heading"] - 0.5 * UP)
        lead = 2.2 * np.gradient(j[side + "_wrist"], axis=0)
        parts.append(s.stick(j[side + "_wrist"], tip + lead, 0.008, (236, 206, 150), 0.2))
    return parts


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
