"""What people carry outdoors and look through or into: rod, boat with oars, flying disc, camera, book, umbrella."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.geometry import tones
from stillact_lib.miniature.kinematics import unit
from stillact_lib.miniature.props.stage import DARK, METAL, UP, WOOD, Stage, box, ellipse, flat, loop, rings
from stillact_lib.miniature.rendering import Part, Shape


def fishing_rod(s: Stage) -> list[Part]:
    """Held in both hands, bent at its tip; the line hangs down to a float."""
    aim = unit(unit(s["l_hand"] - s["r_hand"]) + 0.5 * UP + 0.55 * s.ahead)
    butt = s["r_hand"] - 0.1 * aim
    bend = unit(aim + 0.35 * s.ahead - 0.22 * UP)
    middle, tip = butt + 0.42 * aim, butt + 0.42 * aim + 0.34 * bend
    floats = tip * (1, 1, 0) + 0.03 * UP + 0.05 * s.ahead
    return [
        s.stick(butt, middle, 0.011, (84, 58, 40), 0.1, 0.8),
        s.stick(middle, tip, 0.009, (84, 58, 40), 0.1, 0.5),
        s.stick(tip, floats, 0.004, (246, 246, 246), 0.1),
        s.ball(floats, 0.022, (226, 66, 56), 0.11),
        s.ball(s["r_hand"] + 0.03 * aim - 0.03 * UP, 0.022, METAL, 0.12),
    ]


def rowing_boat(s: Stage) -> list[Part]:
    """An open boat around a seated rower, with two oars from the hands over the sides into the water."""
    middle = s.floor - s.track(0.06, 0, 0) * (1, 1, 0) + 0.1 * UP
    hull = np.array([(-1, 0.22), (-0.9, 0.06), (0, -0.04), (0.9, 0.06), (1, 0.24), (0.74, -0.62), (-0.78, -0.62)])
    rail = np.array([(-1, 0.24), (0, 0.0), (1, 0.26), (0.97, 0.1), (0, -0.16), (-0.97, 0.1)])
    shapes = [*flat(hull, s.bright()), Shape(rail, (246, 238, 220))]
    inside = [Shape(ellipse(0.94, 1.0), tones(WOOD)[0]), Shape(ellipse(0.86, 0.86), WOOD)]
    parts = [
        s.plate(middle, 0.66 * s.ahead, 0.2 * UP, shapes, 0.3),
        s.plate(middle + 0.02 * UP, 0.62 * s.ahead, 0.13 * s.left, inside, -0.5),
    ]
    for side, sign, near in (("l_hand", 1, -0.15), ("r_hand", -1, 0.42)):
        lock = middle + 0.16 * sign * s.left + 0.14 * s.ahead + 0.05 * UP
        out = unit(lock - s[side])
        blade = lock + 0.36 * out
        parts.append(s.stick(s[side] - 0.03 * out, blade, 0.012, (222, 190, 140), near))
        parts.append(s.stick(blade, blade + 0.16 * out, 0.04, (246, 226, 180), near + 0.01))
    foam = [Shape(ellipse(1, 0.5), (176, 216, 226)), Shape(ellipse(0.82, 0.36), (120, 180, 200))]
    return [*parts, s.plate(middle - 0.1 * UP, 0.72 * s.ahead, 0.2 * s.left, foam, -1)]


def frisbee(s: Stage) -> list[Part]:
    """In the right hand until the throw at phase .5, then away forward, level and fast."""
    q = loop(s.phase)
    flown = np.where(q < 0.5, 0.0, (q - 0.5) * 2.4)[:, None]
    hand = s["r_hand"] + 0.05 * unit(s["r_hand"] - s["r_elbow"])
    disc = hand + flown * s.ahead + 0.06 * flown * UP
    shade, base, light = tones(s.bright())
    shapes = rings((1.0, shade), (0.88, base), (0.5, light))
    return [s.plate(disc, 0.105 * s.view.rightward, 0.045 * UP, shapes, 0.14)]


def camera(s: Stage) -> list[Part]:
    """Before the eyes, its lens pointing where the face does."""
    up, ahead = s["head_up"], s["head_forward"]
    across = unit(np.cross(up, ahead))
    eyes = s["face"] + 0.012 * up
    back, front = eyes + 0.02 * ahead, eyes + 0.075 * ahead
    button = back + 0.045 * up
    glint = Shape(ellipse(0.3, 0.3, (-0.3, 0.3)), (230, 240, 250))
    lens = [*rings((1.0, (20, 22, 28)), (0.74, (96, 120, 150))), glint]
    return [
        s.stick(back - 0.055 * across, back + 0.055 * across, 0.042, DARK, 0.09),
        s.stick(button - 0.015 * across, button + 0.015 * across, 0.02, METAL, 0.085),
        s.stick(back, front, 0.032, (78, 82, 92), 0.1),
        s.plate(front + 0.03 * ahead, 0.034 * across, 0.034 * up, lens, 0.11),
    ]


def book(s: Stage) -> list[Part]:
    """Open between the hands, its pages turned to the face, its coloured covers to the viewer."""
    spine = s.middle("hand") + 0.05 * UP + 0.02 * s.ahead
    colour = s.bright()
    tilt = unit(UP + 0.45 * s.ahead)
    parts = []
    for sign in (-1, 1):
        wing = 0.11 * (sign * 0.92 * s.left - 0.3 * s.ahead)
        page = [Shape(box(0, -0.92, 0.94, 0.94), (250, 246, 234))]
        page += [Shape(box(0.12, y, 0.84, y + 0.07), (150, 150, 156)) for y in (-0.6, -0.3, 0, 0.3, 0.6)]
        cover = [*flat(box(0, -1, 1, 1), colour), Shape(box(0.3, 0.2, 0.8, 0.5), (250, 240, 210))]
        parts.append(s.plate(spine - 0.006 * s.ahead, wing, 0.085 * tilt, page, 0.08))
        parts.append(s.plate(spine + 0.006 * s.ahead, wing, 0.085 * tilt, cover, 0.09))
    return parts


def umbrella(s: Stage) -> list[Part]:
    """Over the head, its handle in the right hand."""
    top = s["head_top"] + 0.16 * UP + 0.03 * s.ahead
    shade, base, light = tones(s.bright())
    a = np.linspace(np.pi, 2 * np.pi, 17)
    dome = np.stack([0.34 * np.cos(a), 0.2 * np.sin(a)], axis=1)
    scallops = np.array([(0.34 - 0.085 * k, 0.0 if k % 2 == 0 else -0.03) for k in range(9)])
    outline = np.concatenate([dome, scallops])
    shapes = [Shape(outline, shade), Shape(outline * (0.7, 0.96), base), Shape(outline * (0.26, 0.94), light)]
    shapes.append(Shape(box(-0.006, -0.25, 0.006, -0.18), DARK))
    return [s.stick(s["r_hand"] - 0.05 * UP, top - 0.02 * UP, 0.009, DARK, 0.07), s.sprite(top, shapes, 0.08)]
