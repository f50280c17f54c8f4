"""Scenes of moving water: open sea, beach, river, fall and fountain. The first four draw from the same colours."""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.miniature.canvas import choose, clipped, strokes, vary
from stillact_lib.miniature.scenery.setting import Moment, Setting, blend, carried, ramp, smoothstep


def water_colours(s: Setting, foam: int) -> np.ndarray:
    """From deep to crest; `foam` of the five steps are white."""
    deep = choose(s.rng, (22, 62, 96), (24, 78, 92), (40, 74, 84), (34, 60, 82))
    light = tuple(np.add(deep, (58, 70, 66)))
    mid = tuple(np.add(deep, (22, 30, 28)))
    white = vary(s.rng, (236, 242, 244), 4)
    return ramp(*[deep, deep, mid, mid, light, light][: 6 - foam], *[white] * foam)


def receding(s: Setting, horizon: float, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A level surface below the horizon: its texture places u, v (in tiles; v grows towards the viewer), and how far
    the texture can still be told (0 at the horizon, 1 near)."""
    below = np.maximum(s.y - horizon, 0.012)
    depth = 0.3 / (below + 0.12)
    return (s.x - 0.5) * depth * scale, -depth * scale, smoothstep(0.0, 0.12, s.y - horizon)


def ocean(s: Setting) -> Moment:
    """Open sea to the horizon: swell that rolls towards the viewer or along."""
    horizon = s.between(0.16, 0.36)
    back = s.canvas()
    s.sky_over(back, horizon)
    back.grain(s.rng, 8, 0, horizon, 8, 0.6)
    colours = water_colours(s, int(s.rng.integers(0, 2)))
    coarse, fine = s.texture(4, 14), s.texture(9, 26)
    u, v, near = receding(s, horizon, s.between(0.5, 0.85))
    speed, along = 0.014 * s.tempo, s.between(-0.006, 0.006)
    period = s.between(22, 34)
    sea = (s.y > horizon).astype(np.float32)

    def moment(t: float) -> np.ndarray:
        heave = 0.012 * np.sin(2 * np.pi * (t / period + 1.5 * v)) * near
        big = carried(coarse, u + along * t, v - speed * t + heave)
        small = carried(fine, u + 1.6 * along * t, v - 1.15 * speed * t + heave)
        crests = cv2.addWeighted(big, 0.7, small, 0.45, -18)
        level = 118 + (crests.astype(np.float32) - 118) * (0.25 + 0.75 * near)
        return blend(back.image, colours[level.clip(0, 255).astype(np.uint8)], sea)

    return moment


def beach(s: Setting) -> Moment:
    """Sand below, sea above: lines of foam come in, and the edge of the water runs up the sand and back."""
    horizon, shore = s.between(0.2, 0.34), s.between(0.6, 0.7)
    back = s.canvas()
    s.sky_over(back, horizon)
    sand = choose(s.rng, (226, 200, 152), (214, 190, 150), (236, 214, 172))
    back.gradient(horizon, 1, sand, tuple(np.subtract(sand, 16)))
    back.grain(s.rng, 10, horizon, 1, 60)
    for _ in range(int(s.rng.integers(1, 4))):
        x, y = s.between(0.15, 0.85), s.between(0.86, 0.94)
        back.line(x, y, x + 0.01, y - 0.13, (150, 120, 90), 0.012)
        colour = choose(s.rng, (222, 76, 64), (242, 190, 60), (60, 140, 200), (246, 246, 240))
        back.fill([(x - 0.1, y - 0.11), (x + 0.01, y - 0.19), (x + 0.12, y - 0.11)], colour)
    colours, foam = water_colours(s, 0), s.texture(10, 8)
    lines, ripples = s.texture(3, 3), s.texture(7, 20)
    u, v, near = receding(s, horizon, 0.7)
    wander = (lines[0].astype(np.float32)[np.linspace(0, 255, s.width).astype(int)] - 128) / 128
    speed, count, period = 0.011 * s.tempo, s.between(2.4, 3.4), s.between(22, 30)
    start = s.between(0, period)
    depth = np.maximum(s.y - horizon, 0) / (shore - horizon)
    lines_out = depth**0.8 * count + 0.35 * wander[None, :]

    def moment(t: float) -> np.ndarray:
        run = 0.045 * np.sin(2 * np.pi * (t + start) / period)
        edge = shore + run + 0.03 * wander[None, :]
        inside = smoothstep(-0.006, 0.006, edge - s.y) * (s.y > horizon)
        body = carried(ripples, u, v - speed * t)
        image = blend(back.image, colours[body], inside)
        froth = carried(foam, s.x, s.y * 2 - 2 * speed * t).astype(np.float32) / 255
        phase = lines_out - speed * count / (shore - horizon) * (t + start)
        crest = smoothstep(0.72, 0.9, phase - np.floor(phase)) * near * inside
        surf = smoothstep(0.07, 0.0, np.abs(edge - s.y - 0.03)) * inside
        return blend(image, (244, 248, 248), np.maximum(crest, surf) * smoothstep(0.3, 0.55, froth))

    return moment


def rushing_river(s: Setting) -> Moment:
    """White water that shoots between banks, past rocks, towards the viewer and to one side."""
    horizon = s.between(0.02, 0.16)
    back = s.canvas()
    s.land_below(back, 0)
    s.trees_along(back, horizon + 0.06, 8, 0.2)
    colours = water_colours(s, 2)
    streaks, eddies = s.texture(16, 5), s.texture(7, 7)
    u, v, _ = receding(s, horizon, 0.75)
    bend, lean = s.either() * s.between(0.1, 0.5), s.either() * s.between(0.0, 0.3)
    middle = 0.5 + bend * (0.62 - s.y) * 0.6 + 0.05 * np.sin(6 * s.y + s.between(0, 6))
    half = 0.2 + 0.34 * (s.y - horizon)
    across = np.abs(s.x - middle) / half
    wet = smoothstep(1.0, 0.94, across) * (s.y > horizon + 0.03)
    speed = 0.02 * s.tempo
    u = u + lean * v
    rocks = [
        (s.between(0.3, 0.7), s.between(0.3, 0.88), s.between(0.03, 0.07)) for _ in range(int(s.rng.integers(2, 6)))
    ]
    stone = [clipped(choose(s.rng, (84, 82, 80), (104, 94, 84), (70, 76, 78))) for _ in rocks]

    def moment(t: float) -> np.ndarray:
        fast = carried(streaks, u, v - speed * t)
        slow = carried(eddies, u + 0.004 * t, v - 0.8 * speed * t)
        flow = cv2.addWeighted(fast, 0.75, slow, 0.45, -20)
        image = blend(back.image, colours[flow], wet)
        for (x, y, r), colour in zip(rocks, stone, strict=True):
            place = (round(x * s.width), round(y * s.height))
            axes = (max(2, round(r * s.width)), max(2, round(0.7 * r * s.height)))
            cv2.ellipse(image, place, (axes[0] + 2, axes[1] + 1), 0, 0, 360, (236, 242, 244), -1, cv2.LINE_AA)
            cv2.ellipse(image, (place[0], place[1] - 1), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
        return image

    return moment


def waterfall(s: Setting) -> Moment:
    """A curtain of water that falls between cliffs, faster the lower, into a misty pool."""
    top, pool = s.between(0.1, 0.24), s.between(0.76, 0.86)
    back = s.canvas()
    s.sky_over(back, top)
    rock = choose(s.rng, (92, 88, 82), (108, 94, 80), (78, 84, 82))
    back.gradient(top, 1, tuple(np.add(rock, 14)), tuple(np.subtract(rock, 30)))
    for _ in range(26):
        x, y, r = s.between(0, 1), s.between(top, 1), s.between(0.04, 0.12)
        back.fill([(x - r, y), (x - 0.3 * r, y - r), (x + r, y - 0.4 * r), (x + 0.5 * r, y + r)], vary(s.rng, rock, 13))
    s.trees_along(back, top + 0.03, 9, 0.14)
    back.grain(s.rng, 11, top, 1, 44)
    colours, streaks, mist = water_colours(s, 2), s.texture(26, 4), s.texture(5, 5)
    middle, half = s.between(0.42, 0.58), s.between(0.13, 0.3)
    ragged = carried(streaks, s.y * 0.3, s.x * 0).astype(np.float32) / 255 * 0.1
    curtain = smoothstep(1.0, 0.9, np.abs(s.x - middle) / (half + 0.06 * (s.y - top) + ragged))
    curtain = curtain * smoothstep(top, top + 0.02, s.y) * (s.y < pool)
    # the way fallen grows with the square of time: in this measure of height the texture falls evenly
    fall = np.sqrt(np.maximum(s.y - top, 0) + 0.05)
    speed, drift = 0.021 * s.tempo, s.between(-0.002, 0.002)
    below = smoothstep(pool - 0.01, pool + 0.02, s.y)
    spray = np.exp(-(((s.y - pool) / 0.07) ** 2)) * smoothstep(1.5, 0.7, np.abs(s.x - middle) / half)
    u, v, _ = receding(s, pool - 0.3, 0.8)

    def moment(t: float) -> np.ndarray:
        water = carried(streaks, s.x + drift * t, fall - speed * t)
        image = blend(back.image, colours[cv2.add(water, 26)], curtain)
        image = blend(image, colours[cv2.subtract(carried(mist, 2 * u, 3 * v - 0.008 * t), 60)], below)
        cloud = carried(mist, s.x - 0.004 * t, s.y + 0.012 * t).astype(np.float32) / 255
        return blend(image, (240, 244, 246), spray * smoothstep(0.15, 0.6, cloud))

    return moment


def fountain(s: Setting) -> Moment:
    """Jets of drops that rise and fall back into a basin, in a park or before a lit square at night."""
    night = s.rng.random() < 0.3
    ground = s.between(0.68, 0.76)
    back = s.canvas()
    if night:
        back.gradient(0, ground, (16, 18, 34), (52, 48, 70))
        for x in np.arange(0.03, 1, 0.09):
            back.box(x, ground - s.between(0.1, 0.3), x + 0.08, ground, vary(s.rng, (66, 58, 66), 8))
    else:
        s.sky_over(back, ground)
        s.trees_along(back, ground, 7, s.between(0.25, 0.4))
    back.gradient(ground, 1, *(((88, 84, 88), (58, 54, 58)) if night else ((196, 186, 170), (160, 150, 136))))
    back.grain(s.rng, 7, 0, 1, 44)
    middle = s.between(0.42, 0.58)
    back.disc(middle, ground + 0.1, 0.4, 0.1, (150, 146, 140))
    back.disc(middle, ground + 0.09, 0.37, 0.08, (64, 116, 140))
    jets = int(s.rng.integers(1, 6))
    sources = middle + np.linspace(-0.24, 0.24, jets) if jets > 1 else np.array([middle])
    drops = 210 // jets
    high = s.between(0.42, 0.56) * (1 - 0.35 * np.abs(sources - middle) / 0.24)
    gravity = 0.0009 * s.tempo**2
    rise = np.sqrt(2 * gravity * high)[:, None]
    sideways = s.rng.normal(0, 0.09, (jets, drops)) * rise
    lift = rise * s.rng.uniform(0.9, 1.02, (jets, drops))
    life = 2 * lift / gravity
    begun = s.rng.random((jets, drops))
    colour = clipped(choose(s.rng, (250, 214, 150), (190, 226, 250), (244, 196, 220)) if night else (246, 250, 252))

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        age = np.mod(begun + t / life, 1) * life
        ends = []
        for at in (age - 2.4, age + 0.6):
            x = sources[:, None] + sideways * at
            y = ground + 0.07 - lift * at + 0.5 * gravity * at * at
            ends.append(np.stack([x * s.width, y * s.height], axis=-1).reshape(-1, 2))
        strokes(image, *ends, colour, max(1, s.height // 110))
        return image

    return moment
