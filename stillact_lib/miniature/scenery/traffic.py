"""Scenes of traffic: a highway that runs to the horizon, a train that passes, a street with cars and people."""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.miniature.canvas import Canvas, choose, vary
from stillact_lib.miniature.scenery.people import draw_walker, some_walker
from stillact_lib.miniature.scenery.setting import Moment, Setting, blend, lay, smoothstep

PAINT = ((196, 46, 44), (40, 84, 160), (236, 236, 232), (44, 46, 52), (150, 154, 160), (236, 190, 60), (40, 120, 84))
GLASS, RUBBER = (70, 92, 112), (26, 26, 30)


def highway(s: Setting) -> Moment:
    """Cars and lorries on many lanes, some coming and some going, smaller with distance."""
    horizon, vanish = s.between(0.24, 0.36), s.between(0.36, 0.64)
    back = s.canvas()
    s.sky_over(back, horizon)
    s.land_below(back, horizon)
    s.trees_along(back, horizon + 0.02, 10, 0.07)
    lanes, wide = int(s.rng.integers(2, 4)), s.between(0.8, 0.95)

    def place(across: float, depth: float) -> tuple[float, float, float]:
        """Where a point of the road is seen: x, y, and the size there; depth 1 is the lower edge."""
        return vanish + (across * wide + 0.5 - vanish) / depth, horizon + (1.02 - horizon) / depth, 1 / depth

    def strip(a: float, b: float, near: float, far: float, colour: tuple) -> None:
        back.fill([place(x, z)[:2] for x, z in ((a, near), (b, near), (b, far), (a, far))], colour)

    strip(-0.56, 0.56, 0.7, 40, (88, 90, 96))
    back.grain(s.rng, 5, horizon, 1, 60)
    strip(-0.02, 0.02, 0.7, 40, (190, 186, 150))
    for lane in range(1, lanes):
        for side in (-1, 1):
            at = side * (0.02 + 0.54 * lane / lanes)
            for z in np.arange(0.8, 9, 0.6):
                strip(at - 0.006, at + 0.006, z, z + 0.28, (236, 236, 230))
    cars = []
    far, coming, half = 5.5, s.either(), 0.42 * 0.54 * wide / lanes / 2 * 1.5
    for side in (-1, 1):
        for lane in range(lanes):
            at = side * (0.02 + 0.54 * (lane + 0.5) / lanes)
            speed = side * coming * s.tempo * s.between(0.075, 0.12) * (1.25 - 0.15 * lane)
            count = int(s.rng.integers(3, 6))
            for k in range(count):
                start = (k + s.between(0.1, 0.6)) * far / count
                cars.append((at, speed, start, vehicle_end(s, speed < 0)))

    def moment(t: float) -> np.ndarray:
        image = back.image
        seen = [(0.75 + np.mod(start + speed * t, far), at, sprite) for at, speed, start, sprite in cars]
        for depth, at, sprite in sorted(seen, key=lambda car: -car[0]):
            x, y, size = place(at, depth)
            rows, columns = sprite.shape[:2]
            k = 2 * half * size * s.width / columns
            image = lay_small(image, sprite, x * s.width - k * columns / 2, y * s.height - k * rows, k)
        return image

    return moment


def lay_small(image: np.ndarray, sprite: np.ndarray, left: float, top: float, k: float) -> np.ndarray:
    """A sprite laid at (left, top) and k times its size; only its surroundings are touched. Draws on a copy."""
    rows, columns = sprite.shape[:2]
    x0, y0 = max(0, int(left) - 1), max(0, int(top) - 1)
    x1, y1 = min(image.shape[1], int(left + k * columns) + 3), min(image.shape[0], int(top + k * rows) + 3)
    image = image.copy()
    if x1 > x0 and y1 > y0:
        matrix = np.array([[k, 0, left - x0], [0, k, top - y0]])
        image[y0:y1, x0:x1] = lay(image[y0:y1, x0:x1], sprite, matrix)
    return image


def vehicle_end(s: Setting, towards: bool) -> np.ndarray:
    """A car's or lorry's front (`towards`) or back, uint8 [h, w, 4]."""
    paint = choose(s.rng, *PAINT)
    lorry = s.rng.random() < 0.22
    c = Canvas(56 if lorry else 36, 48)
    if lorry:
        c.box(0.04, 0.0, 0.96, 0.9, paint)
        if towards:
            c.box(0.12, 0.3, 0.88, 0.52, GLASS)
        else:
            c.box(0.12, 0.06, 0.88, 0.76, tuple(np.add(paint, 18)))
    else:
        c.fill([(0.04, 0.88), (0.04, 0.45), (0.2, 0.04), (0.8, 0.04), (0.96, 0.45), (0.96, 0.88)], paint)
        c.fill([(0.16, 0.44), (0.26, 0.1), (0.74, 0.1), (0.84, 0.44)], GLASS)
    lamp = (255, 246, 206) if towards else (214, 30, 30)
    for x in (0.06, 0.78):
        c.box(x, 0.58, x + 0.16, 0.72, lamp)
        c.box(x, 0.88, x + 0.16, 1, RUBBER)
    return c.sprite


def railway(s: Setting) -> Moment:
    """A train that passes on its track, seen from the side or from ahead of it."""
    slant = s.between(0.0, 0.5)
    horizon, base = s.between(0.36, 0.46), s.between(0.66, 0.76)
    back = s.canvas()
    s.sky_over(back, horizon)
    s.land_below(back, horizon)
    s.trees_along(back, horizon + 0.04, 9, s.between(0.1, 0.2))
    # the track comes nearer to the right: `near` is the scale along it, `way` the distance along it
    near = 1 - slant + 2 * slant * s.x
    way = np.log1p(2 * slant / (1 - slant) * s.x) / (2 * slant) if slant > 0.02 else s.x
    upper, lower = horizon + 0.03 - 0.2 * near + 0.06, horizon + (base - horizon) * near
    gravel = (s.y > lower - 0.03) & (s.y < lower + 0.1 * near)
    stones = vary(s.rng, (136, 126, 116))
    back.image = blend(back.image, stones, gravel.astype(np.float32))
    sleepers = gravel & (np.mod(way * 16, 1) < 0.35) & (s.y > lower)
    back.image = blend(back.image, (92, 74, 60), sleepers.astype(np.float32))
    for at in (0.015, 0.07):
        rail = np.abs(s.y - lower - at * near) < 0.006 * near
        back.image = blend(back.image, (196, 198, 204), rail.astype(np.float32))
    back.grain(s.rng, 7, 0, 1, 50)
    train = wagons(s)
    speed = s.either() * 0.027 * s.tempo
    down = (s.y - upper) / (lower - upper)
    inside = smoothstep(0.0, 0.02, down) * smoothstep(1.0, 0.98, down)
    rows, columns = train.shape[:2]
    v = (down * rows).astype(np.float32)
    start = s.between(0, 1)
    if s.rng.random() < 0.6:
        for x in np.arange(s.between(0.05, 0.25), 1, s.between(0.3, 0.42)):
            back.box(x - 0.008, 0.02, x + 0.008, base, (84, 88, 92))

    def moment(t: float) -> np.ndarray:
        u = np.mod(way * 0.5 + start - 0.5 * speed * t, 1) * columns
        coach = cv2.remap(train, u.astype(np.float32), v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return blend(back.image, coach, inside)

    return moment


def wagons(s: Setting) -> np.ndarray:
    """Three wagons in a row that repeats, uint8 [96, 768, 3]."""
    c = Canvas(96, 768)
    body, band = choose(s.rng, *PAINT), choose(s.rng, *PAINT)
    freight = s.rng.random() < 0.3
    for k in range(3):
        x0, x1 = k / 3, (k + 1) / 3 - 0.012
        c.box(k / 3, 0, (k + 1) / 3, 1, (40, 40, 44))
        if freight:
            colour = choose(s.rng, *PAINT)
            c.box(x0, 0.04, x1, 0.84, colour)
            for x in np.arange(x0 + 0.02, x1, 0.024):
                c.box(x, 0.08, x + 0.008, 0.8, tuple(np.subtract(colour, 34)))
        else:
            c.box(x0, 0.02, x1, 0.84, body)
            c.box(x0, 0.56, x1, 0.68, band)
            c.box(x0, 0.02, x1, 0.1, tuple(np.subtract(body, 40)))
            for n, x in enumerate(np.linspace(x0 + 0.018, x1 - 0.05, 6)):
                if n in (1, 4):
                    c.box(x, 0.16, x + 0.028, 0.8, tuple(np.add(body, 34)))
                c.box(x + 0.003, 0.2, x + (0.025 if n in (1, 4) else 0.036), 0.46, vary(s.rng, GLASS, 10))
        for x in (x0 + 0.05, x0 + 0.09, x1 - 0.09, x1 - 0.05):
            c.disc(x, 0.9, 0.014, 0.09, (120, 122, 128))
    return c.image


def street(s: Setting) -> Moment:
    """House fronts, a pavement where people walk both ways, a road where cars pass."""
    kerb, road = s.between(0.6, 0.66), s.between(0.7, 0.74)
    back = s.canvas()
    s.sky_over(back, 0.3)
    x = -0.03
    while x < 1:
        wide, roof = s.between(0.16, 0.28), s.between(0.04, 0.2)
        wall = choose(s.rng, (196, 168, 140), (164, 104, 84), (150, 160, 168), (222, 210, 186), (130, 142, 122))
        back.box(x, roof, x + wide, kerb, wall)
        for wy in np.arange(roof + 0.04, kerb - 0.2, 0.1):
            for wx in np.arange(x + 0.02, x + wide - 0.03, 0.062):
                back.box(wx, wy, wx + 0.035, wy + 0.06, vary(s.rng, (84, 98, 116), 14))
        back.box(x + 0.01, kerb - 0.14, x + wide - 0.01, kerb, vary(s.rng, (70, 80, 92), 10))
        back.box(x, kerb - 0.17, x + wide, kerb - 0.13, choose(s.rng, *PAINT))
        x += wide
    back.box(0, kerb, 1, road, (188, 184, 178))
    back.box(0, road, 1, 1, (92, 94, 100))
    for x in np.arange(0.02, 1, 0.2):
        back.box(x, 0.86, x + 0.11, 0.872, (236, 236, 228))
    back.grain(s.rng, 6, 0, 1, 50)
    people = []
    for _ in range(int(s.rng.integers(4, 9))):
        who, x, speed = some_walker(s.rng), s.between(0, 1.2), s.either() * s.between(0.006, 0.012)
        people.append((who, x, speed, s.between(kerb + 0.02, road), s.between(0.2, 0.24)))
    people.sort(key=lambda person: person[3])
    cars = [
        (vehicle_side(s, way), s.between(0, 0.5) + 0.75 * k, way * s.tempo * s.between(0.018, 0.032), line)
        for way, line in ((1, 0.83), (-1, 0.95))
        for k in range(2)
    ]

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        for who, x0, speed, foot, tall in people:
            x = np.mod(x0 + speed * s.tempo * t, 1.2) - 0.1
            place = (x * s.width, foot * s.height)
            draw_walker(image, who, place, tall * s.height, 0.045 * s.tempo * t, int(np.sign(speed)))
        for sprite, x0, speed, line in cars:
            k = 0.34 * s.width / sprite.shape[1] * (1 + 0.6 * (line - 0.83))
            x = np.mod(x0 + speed * t, 1.5) - 0.42
            image = lay_small(image, sprite, x * s.width, line * s.height - k * sprite.shape[0], k)
        return image

    return moment


def vehicle_side(s: Setting, way: int) -> np.ndarray:
    """A car or bus from the side, uint8 [h, w, 4], going `way`."""
    paint, bus = choose(s.rng, *PAINT), s.rng.random() < 0.25
    c = Canvas(52 if bus else 34, 96)
    if bus:
        c.box(0.01, 0.02, 0.99, 0.86, paint)
        for x in np.arange(0.05, 0.9, 0.15):
            c.box(x, 0.14, x + 0.12, 0.46, GLASS)
    else:
        roof = [(0.2, 0.42), (0.34, 0.06), (0.68, 0.06), (0.82, 0.42)]
        c.fill([(0.02, 0.85), (0.02, 0.5), *roof, (0.98, 0.52), (0.98, 0.85)], paint)
        c.fill([(0.26, 0.42), (0.36, 0.14), (0.5, 0.14), (0.5, 0.42)], GLASS)
        c.fill([(0.53, 0.42), (0.53, 0.14), (0.66, 0.14), (0.76, 0.42)], GLASS)
        c.box(0.94, 0.54, 0.98, 0.66, (250, 240, 190))
    for x in (0.2, 0.8):
        c.disc(x, 0.84, 0.08, 0.15 if bus else 0.2, RUBBER)
        c.disc(x, 0.84, 0.035, 0.07 if bus else 0.1, (170, 172, 178))
    return c.sprite[:, :: 1 if way > 0 else -1]
