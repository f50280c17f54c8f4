"""Scenes before the sky: clouds, snow, thunder, fireworks, flags. Clouds drift and snow falls; they may look alike."""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.miniature.canvas import Canvas, choose, clipped, strokes, vary
from stillact_lib.miniature.scenery.setting import Moment, Setting, blend, carried, ramp, smoothstep


def skyline(canvas: Canvas, s: Setting, base: float, colour: tuple, lit: bool) -> None:
    """Dark houses along the lower edge, some windows lit."""
    x = -0.02
    while x < 1:
        wide, high = s.between(0.06, 0.13), s.between(0.05, 0.16)
        canvas.box(x, base - high, x + wide, 1, vary(s.rng, colour, 4))
        for wx in np.arange(x + 0.015, x + wide - 0.01, 0.026) if lit else ():
            for wy in np.arange(base - high + 0.015, base, 0.03):
                if s.rng.random() < 0.4:
                    canvas.box(wx, wy, wx + 0.011, wy + 0.015, (236, 206, 130))
        x += wide


def sky_clouds(s: Setting) -> Moment:
    """Clouds that drift over the sky, the higher ones slower; at times a strip of land below."""
    horizon = 1.0 if s.rng.random() < 0.5 else s.between(0.8, 0.88)
    low, high = s.texture(3, 4), s.texture(5, 8)
    blue = choose(s.rng, (74, 132, 204), (104, 154, 208), (150, 176, 206), (176, 188, 202))
    white = vary(s.rng, (244, 246, 248), 4)
    clear = s.between(-26, 26)
    haze, grey = tuple(np.add(np.multiply(blue, 0.5), (112, 114, 116))), tuple(np.subtract(white, 24))
    colours = ramp(blue, blue, haze, white, grey)
    speed, sink = s.either() * 0.011 * s.tempo, s.between(-0.002, 0.002)
    spread = 0.55 + 0.35 * s.y  # clouds near the horizon are farther away
    u = (s.x - 0.5) / spread * 0.7
    back = s.canvas()
    back.gradient(horizon, 1, vary(s.rng, (84, 110, 72)), vary(s.rng, (62, 86, 58)))
    land = (s.y >= horizon).astype(np.float32)

    def moment(t: float) -> np.ndarray:
        near = carried(low, u - speed * t, 0.6 * s.y + sink * t)
        far = carried(high, u - 0.7 * speed * t, 0.6 * s.y + sink * t)
        return blend(colours[cv2.addWeighted(near, 0.75, far, 0.4, clear - 18)], back.image, land)

    return moment


def snowing(s: Setting) -> Moment:
    """Flakes that fall and sway before a winter field, or before nothing but a pale sky."""
    open_sky = s.rng.random() < 0.35
    horizon = 1.0 if open_sky else s.between(0.6, 0.74)
    back = s.canvas()
    grey = choose(s.rng, (132, 150, 174), (150, 160, 172), (112, 132, 162), (96, 108, 132))
    back.gradient(0, horizon, grey, tuple(np.add(grey, 34)))
    back.grain(s.rng, 9, 0, horizon, 7)
    if not open_sky:
        for _ in range(int(s.rng.integers(4, 9))):
            x, high = s.between(0, 1), s.between(0.2, 0.42)
            for k in range(3):
                y, wide = horizon - 0.27 * k * high, (0.26 - 0.06 * k) * high
                back.fill([(x - wide, y), (x, y - 0.5 * high), (x + wide, y)], vary(s.rng, (62, 84, 80), 6))
                snow = [(x - 0.4 * wide, y - 0.3 * high), (x, y - 0.5 * high), (x + 0.3 * wide, y - 0.33 * high)]
                back.fill(snow, (226, 232, 238))
        back.gradient(horizon, 1, (236, 240, 244), (216, 224, 232))
        back.grain(s.rng, 5, horizon, 1, 20)
    count = int(s.rng.integers(110, 220))
    near = s.rng.uniform(0.45, 1.0, count)
    x0, y0, phase = s.rng.random((3, count))
    fall, wind = 0.019 * s.tempo * near, s.between(-0.012, 0.012) * near
    radius = np.rint((0.003 + 0.0075 * near**2) * s.height * 16).astype(int).tolist()

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        x = np.mod(x0 + wind * t + 0.008 * near * np.sin(0.35 * t + 6.3 * phase), 1) * s.width
        y = np.mod(y0 + fall * t, 1) * s.height
        for place, r in zip(np.rint(np.stack([x, y], axis=1) * 16).astype(int).tolist(), radius, strict=True):
            cv2.circle(image, place, r, (252, 252, 254), -1, cv2.LINE_AA, 4)
        return image

    return moment


def lightning_storm(s: Setting) -> Moment:
    """Dark clouds that drift, slanting rain, and bolts that light everything up for a few frames."""
    base = s.between(0.84, 0.92)
    low, high = s.texture(3, 5), s.texture(6, 9)
    dark = choose(s.rng, (30, 32, 48), (44, 42, 60), (28, 38, 50))
    colours = ramp(dark, dark, tuple(np.add(dark, (30, 30, 36))), tuple(np.add(dark, (62, 62, 66))))
    front = s.canvas()
    skyline(front, s, base, (14, 14, 20), lit=True)
    houses = front.painted.astype(np.float32)
    speed, slant = s.either() * 0.009 * s.tempo, s.between(-0.35, 0.35)
    every, first = s.between(5, 8), s.between(0, 4)
    bolts = [bolt(s, base) for _ in range(int(s.frames / every) + 2)]
    rain = s.rng.random((60, 2))

    def moment(t: float) -> np.ndarray:
        near, far = carried(low, s.x - speed * t, s.y), carried(high, s.x - 1.2 * speed * t, s.y)
        image = colours[cv2.addWeighted(near, 0.7, far, 0.4, -14)]
        number, since = divmod(t - first + every, every)
        glow = float(np.exp(-since / 1.1)) if since >= 0 else 0.0
        path, width = bolts[int(number) % len(bolts)]
        if glow > 0.02:
            light = np.exp(-(((s.x - path[0, 0] / s.width) / 0.4) ** 2)) * (0.35 + 0.65 * (1 - s.y)) * glow
            image = blend(image, (206, 206, 244), 0.75 * light)
        if glow > 0.12:
            tone = clipped((255 * glow + 60, 250 * glow + 60, 255))
            cv2.polylines(image, [np.rint(path * 16).astype(np.int32)], False, tone, width, cv2.LINE_AA, 4)
        drops = np.mod(rain + np.array([0.03 * slant, 0.03 * s.tempo]) * t, 1)
        ends = np.add(drops, (0.04 * slant, 0.04))
        strokes(image, drops * s.size, ends * s.size, (112, 116, 138))
        return blend(image, front.image, houses)

    return moment


def bolt(s: Setting, base: float) -> tuple[np.ndarray, int]:
    """A jagged way from the clouds to the ground, pixels [n, 2], and its width."""
    steps = int(s.rng.integers(9, 14))
    x = s.between(0.25, 0.75) + np.cumsum(s.rng.normal(0, 0.035, steps))
    y = np.linspace(0.05, base, steps)
    return np.stack([x * s.width, y * s.height], axis=1), max(1, round(s.height / 64))


def fireworks(s: Setting) -> Moment:
    """Shells that burst into rays over a night skyline, one after the other."""
    back = s.canvas()
    back.gradient(0, 1, vary(s.rng, (10, 12, 30), 4), vary(s.rng, (44, 36, 60), 6))
    skyline(back, s, s.between(0.88, 0.95), (16, 14, 22), lit=True)
    every, life = s.between(4.5, 7), s.between(14, 20)
    table = ((255, 90, 80), (255, 210, 90), (110, 220, 120), (110, 180, 255), (240, 120, 240), (250, 250, 240))
    bursts = []
    for number in range(int((s.frames + life) / every) + 2):
        rays = int(s.rng.integers(34, 56))
        angle, reach = s.rng.uniform(0, 2 * np.pi, rays), s.between(0.16, 0.34) * np.sqrt(s.rng.uniform(0.25, 1, rays))
        way = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None]
        centre = s.between(0.18, 0.82), s.between(0.18, 0.5)
        bursts.append((number * every - life, centre, way, table[int(s.rng.integers(6))]))

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        for born, centre, way, colour in bursts:
            age = (t - born) / life
            if not 0 < age < 1:
                continue
            fade = min(1.0, 1.7 * (1 - age))
            tone = clipped(tuple(np.multiply(colour, fade) + 70 * max(0, 0.4 - age)))
            ends = []
            for a in (max(0.0, age - 0.16), age):
                sunk = np.array([0, 0.1 * a * a])
                ends.append((np.array(centre) + way * (1 - np.exp(-3.2 * a)) + sunk) * s.size)
            strokes(image, *ends, tone, max(1, s.height // 100))
        return image

    return moment


def waving_flags(s: Setting) -> Moment:
    """Flags on poles; waves run from the pole to the free end."""
    back = s.canvas()
    s.sky_over(back, 1.0)
    back.grain(s.rng, 9, 0, 1, 6)
    s.trees_along(back, 1.0, 6, 0.16)
    count = int(s.rng.integers(1, 5))
    wide = {1: 0.56, 2: 0.36, 3: 0.3, 4: 0.3}[count]
    flags = []
    for k in range(count):
        row, column = (k // 2, k % 2) if count > 2 else (0, k)
        x0 = 0.18 + 0.4 * column + s.between(-0.02, 0.03) if count > 1 else s.between(0.18, 0.26)
        y0 = (0.17 + 0.36 * row if count > 2 else s.between(0.2, 0.3)) + s.between(-0.02, 0.02)
        back.box(x0 - 0.014, y0 - 0.03, x0, 1, (176, 180, 186))
        flags.append((x0, y0, flag_pattern(s), s.between(0, 1)))
    speed, bends, swing = 0.052 * s.tempo, s.between(1.0, 1.6), s.between(0.05, 0.075) * wide / 0.36

    def moment(t: float) -> np.ndarray:
        image = back.image
        for x0, y0, pattern, start in flags:
            along = (s.x - x0) / wide
            phase = 2 * np.pi * (bends * along - speed * t + start)
            loose = np.clip(along, 0, 1) ** 0.7
            down = (s.y - y0 - swing * loose * np.sin(phase) - 0.04 * along) / (0.62 * wide)
            inside = (along > 0) * smoothstep(1.0, 0.97, along + 0.05 * np.sin(phase - 1)) * (down > 0) * (down < 1)
            rows, columns = pattern.shape[:2]
            cloth = cv2.remap(pattern, along * columns, down * rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            lit = cloth * (1 + 0.3 * loose * np.cos(phase)).astype(np.float32)[..., None]
            image = blend(image, lit.clip(0, 255), inside)
        return image

    return moment


def flag_pattern(s: Setting) -> np.ndarray:
    """A made-up flag: stripes, bars, a cross or a disc; float32 [60, 96, 3]."""
    colours = [(206, 44, 52), (30, 70, 160), (246, 246, 242), (20, 130, 80), (250, 206, 60)]
    colours += [(30, 32, 38), (240, 130, 50)]
    a, b, c = (colours[k] for k in s.rng.permutation(len(colours))[:3])
    cloth = Canvas(60, 96)
    cloth.box(0, 0, 1, 1, a)
    kind = int(s.rng.integers(4))
    if kind == 0:
        for k in range(1, 7, 2):
            cloth.box(0, k / 7, 1, (k + 1) / 7, b)
        cloth.box(0, 0, 0.4, 4 / 7, c)
    elif kind == 1:
        cloth.box(1 / 3, 0, 2 / 3, 1, b)
        cloth.box(2 / 3, 0, 1, 1, c)
    elif kind == 2:
        cloth.box(0.28, 0, 0.44, 1, b)
        cloth.box(0, 0.4, 1, 0.62, b)
    else:
        cloth.box(0, 0.5, 1, 1, b)
        cloth.disc(0.5, 0.5, 0.2, 0.32, c)
    return cloth.image.astype(np.float32)
