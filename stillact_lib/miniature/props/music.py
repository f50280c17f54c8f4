"""Instruments: held, blown, bowed and beaten."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.kinematics import speed, unit
from stillact_lib.miniature.props.stage import DARK, METAL, UP, Stage, box, ellipse, rings
from stillact_lib.miniature.rendering import Part, Shape

STICK = (236, 206, 150)


def guitar(s: Stage) -> list[Part]:
    centre = s["pelvis"] + 0.13 * s["torso_up"] + 0.1 * s["torso_forward"] - 0.05 * s.left
    along = unit(s["l_wrist"] - centre)
    across = unit(np.cross(s["torso_forward"], along))
    side, base, light = tones([(206, 130, 62), (170, 66, 50), (232, 188, 112)][int(s.rng.choice(3))])
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
    chin = s["head"] - 0.07 * UP + 0.05 * s.ahead + 0.03 * s.left
    along = unit(s["l_wrist"] - chin)
    across = unit(0.75 * UP - 0.6 * s.ahead + 0.3 * s.left)
    side, base, light = tones((176, 86, 40))
    shapes = [
        Shape(ellipse(0.055, 0.05, (0.05, 0)), side),
        Shape(ellipse(0.045, 0.042, (0.13, 0)), side),
        Shape(ellipse(0.046, 0.042, (0.05, 0)), base),
        Shape(ellipse(0.038, 0.034, (0.13, 0)), base),
        Shape(ellipse(0.02, 0.012, (0.05, 0.02)), light),
        Shape(box(0.08, -0.009, 0.31, 0.009), (50, 34, 28)),
    ]
    bowing = unit(chin + 0.1 * along - s["r_hand"])
    frog, tip = s["r_hand"] - 0.02 * bowing, s["r_hand"] + 0.4 * bowing
    return [
        s.plate(chin, along, across, shapes, 0.12),
        s.stick(frog - 0.014 * UP, tip - 0.014 * UP, 0.005, (246, 242, 232), 0.19),
        s.stick(frog, tip, 0.007, (90, 54, 34), 0.2),
    ]


def flute(s: Stage) -> list[Part]:
    mouth = s["face"] - 0.045 * UP
    end = s["r_hand"] + 0.1 * unit(s["r_hand"] - mouth)
    return [s.stick(mouth - 0.05 * unit(end - mouth), end, 0.011, (222, 226, 234), 0.08)]


def drum_kit(s: Stage) -> list[Part]:
    colour, skin = s.bright(), (246, 244, 236)
    parts = [
        s.cylinder(s.floor, 0.1, float(s["pelvis"][:, 2].mean()) - 0.08, DARK, (120, 60, 60), -0.2),
        s.cylinder(s.place(0.34, 0.2, 0.16), 0.12, 0.2, colour, skin, 0.1),
        s.cylinder(s.place(0.34, -0.2, 0.16), 0.12, 0.2, colour, skin, 0.1),
        s.cylinder(s.place(0.5, 0.0, 0.0), 0.2, 0.3, colour, skin, 0.05),
    ]
    for side in (1, -1):
        stand = s.place(0.42, 0.46 * side, 0.0)
        top = stand + 0.66 * UP
        brass = rings((1.0, (176, 132, 52)), (0.9, (232, 192, 92)), (0.2, (246, 224, 150)))
        parts.append(s.stick(stand, top, 0.01, METAL, -0.1))
        parts.append(s.plate(top, s.track(0.15, 0, 0.02), s.track(0, 0.15, 0.03 * side), brass, -0.05))
    for side in ("l", "r"):
        tip = s[side + "_hand"] + 0.17 * (0.75 * s.ahead - 0.5 * UP)
        parts.append(s.stick(s[side + "_wrist"], tip + 2.2 * speed(s[side + "_wrist"]), 0.008, STICK, 0.2))
    return parts


def march_drum(s: Stage) -> list[Part]:
    base = s["pelvis"] + 0.17 * s.ahead - 0.1 * UP
    parts = [s.cylinder(base, 0.105, 0.14, s.bright(), (248, 246, 240), 0.12)]
    for side in ("l", "r"):
        tip = s[side + "_hand"] + 0.13 * s.ahead - 0.04 * UP
        parts.append(s.stick(s[side + "_wrist"], tip + 2.5 * speed(s[side + "_wrist"]), 0.008, STICK, 0.2))
    return parts
