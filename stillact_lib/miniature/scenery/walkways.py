"""Scenes of many people: lifts and moving stairs in the same kind of hall, and a race through the streets."""

from __future__ import annotations

import numpy as np

from stillact_lib.miniature.canvas import Canvas, choose, clipped, vary
from stillact_lib.miniature.scenery.people import draw_walker, some_walker
from stillact_lib.miniature.scenery.setting import Moment, Setting, blend, smoothstep


def hall(s: Setting) -> Canvas:
    """A mall: floors with railings and shop windows."""
    c = s.canvas()
    wall = choose(s.rng, (206, 204, 198), (190, 196, 204), (214, 202, 184), (170, 176, 184))
    c.gradient(0, 1, tuple(np.add(wall, 12)), tuple(np.subtract(wall, 22)))
    storey, y = s.between(0.26, 0.36), s.between(0.02, 0.12)
    while y < 1.1:
        x = s.between(-0.1, 0.02)
        while x < 1:
            wide = s.between(0.12, 0.2)
            c.box(x, y - 0.2, x + wide - 0.02, y - 0.02, vary(s.rng, (112, 116, 122), 14))
            awning = choose(s.rng, (196, 60, 56), (50, 110, 170), (236, 196, 80), (60, 140, 100))
            c.box(x, y - 0.21, x + wide - 0.02, y - 0.17, awning)
            for _ in range(3):
                at, high = x + s.between(0.01, max(0.02, wide - 0.05)), s.between(0.06, 0.14)
                ware = choose(s.rng, (230, 210, 170), (180, 90, 90), (90, 130, 170))
                c.box(at, y - high, at + 0.025, y - 0.03, ware)
            x += wide
        c.box(0, y, 1, y + 0.03, tuple(np.subtract(wall, 40)))
        c.line(0, y - 0.06, 1, y - 0.06, (150, 156, 164), 0.006)
        y += storey
    c.grain(s.rng, 5, 0, 1, 50)
    return c


def elevator(s: Setting) -> Moment:
    """Glass lifts that go up and down before the floors of a hall."""
    back = hall(s)
    count = int(s.rng.integers(1, 4))
    wide = {1: 0.34, 2: 0.26, 3: 0.2}[count]
    lifts = []
    for k in range(count):
        middle = 0.5 + (k - (count - 1) / 2) * (wide + 0.06)
        left, right = middle - wide / 2, middle + wide / 2
        back.box(left - 0.015, 0, right + 0.015, 1, (128, 134, 142))
        back.box(left, 0, right, 1, (74, 80, 90))
        for x in (left + 0.3 * wide, right - 0.3 * wide):
            back.line(x, 0, x, 1, (44, 46, 52), 0.006)
        for y in np.arange(s.between(0, 0.1), 1, 0.1):
            back.line(left, y, right, y, (96, 102, 112), 0.006)
        way = s.either() if k == 0 else -lifts[-1][1]
        riders = [(some_walker(s.rng), s.between(0.2, 0.8)) for _ in range(int(s.rng.integers(2, 6)))]
        start, light = s.between(0, 1.5), choose(s.rng, (236, 214, 150), (226, 230, 236), (214, 180, 90))
        lifts.append((left, way, start, riders, light))
    high, speed = 0.36, 0.015 * s.tempo

    def moment(t: float) -> np.ndarray:
        c = s.canvas()
        c.image = back.image.copy()
        for left, way, start, riders, light in lifts:
            for second, who_rides in ((0.0, riders[::2]), (0.78, riders[1::2])):
                y = np.mod(start + second - way * speed * t, 1.56) - high
                cabin(c, s, left, y, wide, high, light, who_rides)
        return c.image

    return moment


def cabin(c: Canvas, s: Setting, left: float, top: float, wide: float, high: float, light: tuple, riders: list) -> None:
    """One lit glass cabin with its riders (walker, place across)."""
    c.box(left, top, left + wide, top + high, tuple(np.multiply(light, 0.5)))
    c.box(left + 0.02, top + 0.04, left + wide - 0.02, top + high - 0.05, light)
    for who, at in riders:
        foot = ((left + 0.02 + at * (wide - 0.04)) * s.width, (top + high - 0.05) * s.height)
        draw_walker(c.image, who, foot, 0.23 * s.height, 0, 0, reach=0)
    c.line(left + wide / 2, top, left + wide / 2, top + high, (150, 160, 170), 0.008)
    c.box(left, top + 0.2, left + wide, top + 0.215, (150, 160, 170))
    c.box(left, top + high - 0.05, left + wide, top + high, (60, 62, 70))


def escalator(s: Setting) -> Moment:
    """Moving stairs that climb across a hall, with people who stand on the steps."""
    back = hall(s)
    side, slope = s.either(), s.between(0.5, 0.75)
    pitch, speed = s.between(0.07, 0.09), 0.013 * s.tempo
    flights = int(s.rng.integers(1, 3))
    stairs = []
    for k in range(flights):
        low = (0.98 if flights == 1 else 0.84 + 0.34 * k) + s.between(-0.06, 0.06)
        way = s.either() if k == 0 else -stairs[-1][1]
        riders = [(some_walker(s.rng), n + 0.5) for n in np.flatnonzero(s.rng.random(16) < 0.38)]
        stairs.append((low, way, riders))
    along = s.x if side > 0 else 1 - s.x
    tones = np.array([(52, 56, 64), (112, 116, 124), (186, 190, 196)], np.uint8)  # riser, body, tread
    band = clipped(choose(s.rng, (34, 34, 38), (120, 34, 34), (30, 50, 90)))
    image = back.image
    bodies = [low - slope * along + 0.1 for low, _, _ in stairs]
    for body in bodies:
        image = blend(image, (206, 210, 216), smoothstep(0.0, 0.006, s.y - body) * smoothstep(0.085, 0.08, s.y - body))
        image = blend(image, (200, 220, 230), 0.3 * ((s.y < body) & (s.y > body - 0.24)))
    back.image = image

    def moment(t: float) -> np.ndarray:
        image = back.image
        for (low, way, riders), body in zip(stairs, bodies, strict=True):
            shift = way * speed * t
            # steps are level within a pitch, then rise; the whole flight is carried along the slope
            step = (along - shift) / pitch
            number = np.floor(step)
            down = s.y - (low - slope * pitch * (number + shift / pitch))
            tone = np.where(down < 0.016, 2, step - number >= 0.12).astype(np.uint8)
            image = np.where(((down > 0) & (s.y < body))[..., None], tones[tone], image)
            for who, n in riders:
                at = np.mod(n * pitch + shift, 16 * pitch) - 0.1
                foot = (at if side > 0 else 1 - at) * s.width, (low - slope * (at - 0.5 * pitch)) * s.height
                draw_walker(image, who, foot, 0.25 * s.height, 0, side * way, reach=0)
            rail = np.abs(s.y - body + 0.22)
            image[rail < 0.015] = band
            image[(rail < 0.009) & (np.mod(step / 1.5, 1) < 0.2)] = (232, 232, 226)
        return image

    return moment


def marathon(s: Setting) -> Moment:
    """A crowd that runs along a road, past or towards the viewer, under a banner."""
    towards = s.rng.random() < 0.4
    kerb = s.between(0.36, 0.46)
    back = s.canvas()
    s.sky_over(back, kerb)
    for x in np.arange(-0.02, 1, 0.14):
        back.box(x, kerb - s.between(0.12, 0.32), x + s.between(0.1, 0.16), kerb, vary(s.rng, (166, 154, 146), 18))
    s.trees_along(back, kerb, 6, 0.16)
    back.box(0, kerb - 0.06, 1, kerb, choose(s.rng, (40, 90, 170), (206, 60, 56), (236, 150, 40)))
    for x in np.arange(0.03, 1, 0.16):
        back.box(x, kerb - 0.045, x + 0.09, kerb - 0.015, (246, 246, 242))
    back.gradient(kerb, 1, (132, 134, 140), (104, 106, 112))
    back.grain(s.rng, 6, kerb, 1, 60)
    if s.rng.random() < 0.6:
        for x in (0.1, 0.88):
            back.box(x, 0.1, x + 0.02, kerb + 0.02, (150, 150, 154))
        back.box(0.08, 0.1, 0.92, 0.19, choose(s.rng, (214, 60, 60), (40, 120, 190), (240, 196, 60)))
        for x in np.arange(0.16, 0.84, 0.07):
            back.box(x, 0.125, x + 0.04, 0.165, (250, 250, 246))
    way, pace = s.either(), 0.016 * s.tempo
    runners = [
        (some_walker(s.rng), s.between(0, 1.3), s.between(0, 1), s.between(0.85, 1.15))
        for _ in range(int(s.rng.integers(18, 32)))
    ]
    runners.sort(key=lambda runner: runner[2])

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        seen = []
        for who, x0, depth, speed in runners:
            if towards:
                nearness = np.mod(depth + pace * speed * t, 1) ** 1.6
                x = 0.5 + (x0 / 1.3 - 0.5) * (0.45 + 0.75 * nearness)
                seen.append((kerb + 0.05 + 0.75 * nearness, x, 0.14 + 0.3 * nearness, who))
            else:
                x = np.mod(x0 + way * pace * speed * t, 1.3) - 0.15
                seen.append((kerb + 0.1 + 0.44 * depth, x, 0.24 + 0.16 * depth, who))
        for y, x, tall, who in sorted(seen, key=lambda runner: runner[0]):
            foot = (x * s.width, y * s.height)
            draw_walker(image, who, foot, tall * s.height, 0.075 * s.tempo * t, 0 if towards else way, reach=1.5)
        return image

    return moment
