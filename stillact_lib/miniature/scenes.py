"""Places: procedural backgrounds, each painted once a clip at the map's resolution from its own random generator."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stillact_lib.miniature.canvas import Canvas, Rng, choose, vary


def _sky(c: Canvas, rng: Rng, horizon: float) -> None:
    top, low = ((118, 178, 224), (212, 232, 240)) if rng.random() < 0.75 else ((150, 160, 210), (250, 214, 184))
    c.gradient(0, horizon, vary(rng, top), vary(rng, low))
    for _ in range(int(rng.integers(1, 4))):
        x, y, s = rng.uniform(0, 1), rng.uniform(0.04, 0.6 * horizon), rng.uniform(0.05, 0.1)
        for dx in (-1.1, 0, 1.0):
            c.disc(x + dx * s, y + 0.25 * s * abs(dx), s, 0.42 * s, (246, 248, 250))


def _trees(c: Canvas, rng: Rng, horizon: float, count: int) -> None:
    for _ in range(count):
        x, s = rng.uniform(-0.05, 1.05), rng.uniform(0.09, 0.17)
        green = choose(rng, (86, 142, 84), (112, 160, 84), (74, 124, 92))
        c.box(x - 0.012, horizon - 0.16, x + 0.012, horizon + 0.02, (112, 84, 62))
        for dx, dy in ((-0.5, 0), (0.5, 0.02), (0, -0.5)):
            c.disc(x + dx * s, horizon - 0.18 + dy * s, 0.75 * s, 0.68 * s, green)
        c.disc(x - 0.25 * s, horizon - 0.2 - 0.35 * s, 0.4 * s, 0.3 * s, tuple(np.add(green, 16)))


def park(c: Canvas, rng: Rng, horizon: float) -> None:
    _sky(c, rng, horizon)
    hill = choose(rng, (138, 178, 140), (150, 184, 160))
    c.disc(rng.uniform(0.1, 0.4), horizon + 0.1, 0.6, 0.24, hill)
    c.disc(rng.uniform(0.6, 1.0), horizon + 0.1, 0.5, 0.2, tuple(np.subtract(hill, 10)))
    _trees(c, rng, horizon, int(rng.integers(2, 5)))
    c.gradient(horizon, 1, vary(rng, (152, 190, 104)), vary(rng, (108, 156, 78)))
    x = rng.uniform(0.2, 0.8)
    c.fill([(x - 0.03, horizon), (x + 0.03, horizon), (x + 0.32, 1.0), (x - 0.18, 1.0)], vary(rng, (214, 196, 158)))
    c.grain(rng, 7, horizon, 1, 46)


def beach(c: Canvas, rng: Rng, horizon: float) -> None:
    _sky(c, rng, horizon - 0.1)
    c.gradient(horizon - 0.16, horizon + 0.02, vary(rng, (62, 140, 178)), vary(rng, (120, 196, 204)))
    for _ in range(5):
        y, x = rng.uniform(horizon - 0.14, horizon), rng.uniform(0, 0.8)
        c.line(x, y, x + rng.uniform(0.1, 0.3), y, (200, 228, 232), 0.006)
    c.gradient(horizon, 1, vary(rng, (240, 222, 178)), vary(rng, (222, 196, 148)))
    c.line(0, horizon, 1, horizon + 0.01, (250, 250, 246), 0.016)
    if rng.random() < 0.7:
        x = rng.choice([0.12, 0.88])
        c.line(x, horizon - 0.22, x, horizon + 0.04, (120, 100, 90), 0.012)
        shade = choose(rng, (220, 90, 80), (70, 130, 190), (240, 190, 80))
        c.fill([(x - 0.15, horizon - 0.16), (x, horizon - 0.27), (x + 0.15, horizon - 0.16)], shade)
        c.fill([(x - 0.05, horizon - 0.16), (x, horizon - 0.27), (x + 0.05, horizon - 0.16)], (248, 244, 236))
    c.grain(rng, 6, horizon, 1, 50)


def street(c: Canvas, rng: Rng, horizon: float) -> None:
    _sky(c, rng, horizon)
    x = -0.05
    while x < 1:
        w, h = rng.uniform(0.16, 0.3), rng.uniform(0.25, 0.55)
        wall = choose(rng, (206, 150, 120), (222, 200, 164), (150, 160, 176), (190, 120, 108), (168, 184, 170))
        c.box(x, horizon - h, x + w, horizon, wall)
        glass = choose(rng, (110, 140, 160), (90, 108, 132), (250, 226, 160))
        for wy in np.arange(horizon - h + 0.04, horizon - 0.1, 0.1):
            for wx in np.arange(x + 0.03, x + w - 0.05, 0.07):
                c.box(wx, wy, wx + 0.035, wy + 0.055, glass)
        x += w + 0.004
    c.gradient(horizon, horizon + 0.07, (196, 190, 184), (204, 198, 190))
    c.gradient(horizon + 0.07, 1, vary(rng, (122, 124, 132)), vary(rng, (140, 140, 146)))
    c.line(0, horizon + 0.07, 1, horizon + 0.07, (226, 222, 214), 0.012)
    for x in np.arange(rng.uniform(-0.1, 0.1), 1, 0.28):
        c.line(x, horizon + 0.2, x + 0.14, horizon + 0.2, (232, 226, 206), 0.014)
    c.grain(rng, 5, horizon, 1, 60)


def gym(c: Canvas, rng: Rng, horizon: float) -> None:
    wall = choose(rng, (196, 208, 214), (214, 204, 188), (180, 198, 190))
    c.gradient(0, horizon, tuple(np.add(wall, 8)), wall)
    band = choose(rng, (222, 96, 78), (64, 118, 168), (238, 180, 70))
    c.box(0, horizon - 0.1, 1, horizon - 0.06, band)
    for x in np.arange(rng.uniform(0, 0.2), 1, 0.34):
        c.box(x, 0.08, x + 0.22, 0.3, tuple(np.subtract(wall, 34)))
        c.box(x + 0.012, 0.095, x + 0.208, 0.285, (226, 238, 244))
        c.line(x + 0.11, 0.09, x + 0.11, 0.29, tuple(np.subtract(wall, 34)), 0.008)
    floor = choose(rng, (206, 158, 104), (188, 142, 98), (150, 160, 168))
    c.gradient(horizon, 1, tuple(np.subtract(floor, 12)), tuple(np.add(floor, 10)))
    for k in range(-7, 9):
        c.line(0.5 + 0.07 * k, horizon, 0.5 + 0.22 * k, 1, tuple(np.subtract(floor, 24)), 0.004)
    c.box(0, horizon - 0.012, 1, horizon + 0.006, tuple(np.subtract(wall, 60)))
    c.grain(rng, 4, 0, 1, 40)


def room(c: Canvas, rng: Rng, horizon: float) -> None:
    wall = choose(rng, (226, 206, 178), (188, 206, 200), (208, 196, 216), (216, 220, 206), (232, 190, 170))
    c.gradient(0, horizon, tuple(np.add(wall, 6)), tuple(np.subtract(wall, 6)))
    if rng.random() < 0.5:
        for x in np.arange(0, 1, 0.1):
            c.box(x, 0, x + 0.045, horizon, tuple(np.subtract(wall, 9)))
    x = rng.choice([0.06, 0.66])
    c.box(x, 0.1, x + 0.28, 0.44, (250, 248, 242))
    c.box(x + 0.015, 0.115, x + 0.265, 0.425, (164, 206, 232))
    c.disc(x + 0.1, 0.4, 0.08, 0.06, (132, 172, 116))
    c.box(x + 0.015, 0.4, x + 0.265, 0.425, (132, 172, 116))
    c.line(x + 0.14, 0.11, x + 0.14, 0.43, (250, 248, 242), 0.012)
    other = 0.72 - x
    c.box(other, 0.16, other + 0.16, 0.34, (120, 92, 70))
    c.box(other + 0.015, 0.175, other + 0.145, 0.325, choose(rng, (236, 200, 130), (120, 160, 180), (210, 130, 120)))
    c.disc(other + 0.08, 0.27, 0.04, 0.04, choose(rng, (90, 110, 120), (240, 240, 220)))
    floor = choose(rng, (176, 134, 98), (158, 120, 92), (196, 168, 138))
    c.gradient(horizon, 1, tuple(np.subtract(floor, 8)), floor)
    for k in range(1, 6):
        y = horizon + (1 - horizon) * (k / 6) ** 1.4
        c.line(0, y, 1, y, tuple(np.subtract(floor, 16)), 0.004)
    c.box(0, horizon - 0.03, 1, horizon, (240, 234, 224))
    rug = choose(rng, (190, 90, 84), (88, 120, 150), (120, 140, 110))
    c.disc(0.5, (1 + horizon) / 2 + 0.02, 0.42, (1 - horizon) * 0.36, rug)
    c.disc(0.5, (1 + horizon) / 2 + 0.02, 0.36, (1 - horizon) * 0.29, tuple(np.add(rug, 26)))
    plant = rng.choice([0.04, 0.96])
    for a in np.linspace(-0.9, 0.9, 6):
        c.line(plant, horizon - 0.02, plant + 0.14 * np.sin(a), horizon - 0.02 - 0.2 * np.cos(a), (82, 138, 92), 0.018)
    pot = ((-0.05, -0.05), (0.05, -0.05), (0.035, 0.06), (-0.035, 0.06))
    c.fill([(plant + dx, horizon + dy) for dx, dy in pot], (196, 110, 80))
    c.grain(rng, 3.5, 0, 1, 40)


def bathroom(c: Canvas, rng: Rng, horizon: float) -> None:
    tile = choose(rng, (176, 212, 216), (214, 222, 212), (186, 200, 226), (228, 208, 204))
    c.gradient(0, 1, tuple(np.add(tile, 8)), tuple(np.subtract(tile, 4)))
    for k in np.arange(0, 1, 0.09):
        c.line(k, 0, k, horizon, tuple(np.add(tile, 20)), 0.006)
        c.line(0, k, 1, k, tuple(np.add(tile, 20)), 0.006)
    x = rng.choice([0.08, 0.62])
    c.disc(x + 0.15, 0.3, 0.17, 0.2, (150, 122, 96))
    c.disc(x + 0.15, 0.3, 0.15, 0.18, (216, 232, 238))
    c.fill([(x + 0.08, 0.42), (x + 0.2, 0.16), (x + 0.24, 0.18), (x + 0.12, 0.45)], (232, 244, 248))
    y = horizon - 0.1
    c.box(x - 0.06, y, x + 0.36, y + 0.05, (250, 250, 250))
    c.fill([(x, y + 0.05), (x + 0.3, y + 0.05), (x + 0.24, y + 0.16), (x + 0.06, y + 0.16)], (238, 242, 244))
    c.line(x + 0.15, y, x + 0.15, y - 0.06, (150, 160, 170), 0.016)
    towel = 0.86 if x < 0.4 else 0.06
    c.box(towel, 0.34, towel + 0.1, 0.6, choose(rng, (226, 120, 100), (110, 150, 190), (240, 196, 100)))
    c.gradient(horizon + 0.07, 1, (176, 176, 182), (196, 196, 200))
    c.grain(rng, 3, 0, 1, 40)


def stage(c: Canvas, rng: Rng, horizon: float) -> None:
    curtain = choose(rng, (146, 44, 56), (60, 54, 110), (40, 92, 96))
    c.gradient(0, horizon, tuple(np.subtract(curtain, 20)), curtain)
    for k in range(14):
        x, fold = k / 13 + rng.normal(0, 0.008), tuple(np.add(curtain, 24 if k % 2 else -18))
        c.fill([(x - 0.022, 0), (x + 0.012, 0), (x + 0.024, horizon), (x - 0.02, horizon)], fold)
    floor = choose(rng, (150, 104, 72), (120, 92, 78))
    c.gradient(horizon, 1, tuple(np.subtract(floor, 14)), tuple(np.add(floor, 12)))
    for y in (0.25, 0.5, 0.78):
        c.line(0, horizon + (1 - horizon) * y, 1, horizon + (1 - horizon) * y, tuple(np.subtract(floor, 26)), 0.005)
    unlit = c.image.copy()
    for x in (rng.uniform(0.1, 0.35), rng.uniform(0.65, 0.9)):
        beam = [(x - 0.02, 0), (x + 0.02, 0), (0.85 - 0.3 * (x < 0.5), 0.96), (0.15 + 0.3 * (x > 0.5), 0.96)]
        c.fill(beam, (255, 240, 200))
    c.image = cv2.addWeighted(unlit, 0.84, c.image, 0.16, 0)
    c.disc(0.5, (1 + horizon) / 2 + 0.04, 0.4, (1 - horizon) * 0.3, tuple(np.add(floor, 40)))
    c.grain(rng, 4, 0, 1, 40)


def stadium(c: Canvas, rng: Rng, horizon: float) -> None:
    _sky(c, rng, 0.16)
    c.gradient(0.14, horizon - 0.1, (96, 106, 128), (132, 138, 156))
    rows = int(rng.integers(5, 8))
    for row in range(rows):
        y = 0.18 + row * (horizon - 0.32) / rows
        for x in np.arange(rng.uniform(0, 0.04), 1, 0.055):
            colour = choose(rng, (220, 110, 96), (240, 220, 190), (90, 130, 190), (236, 190, 90), (120, 126, 140))
            c.disc(x, y, 0.018, 0.022, colour)
    c.box(0, horizon - 0.11, 1, horizon, choose(rng, (60, 100, 160), (196, 66, 60), (240, 238, 230)))
    for x in np.arange(rng.uniform(-0.1, 0.05), 1, 0.25):
        c.box(x, horizon - 0.09, x + 0.15, horizon - 0.02, choose(rng, (250, 250, 246), (250, 204, 80)))
    floor = choose(rng, (118, 168, 92), (118, 168, 92), (200, 112, 82))
    for k in range(5):
        a, b = (horizon + (1 - horizon) * q for q in (k / 5, (k + 1) / 5))
        stripe = tuple(np.add(floor, 8 if k % 2 else -6))
        c.gradient(a, b, stripe, stripe)
    c.line(0, horizon + 0.12, 1, horizon + 0.12, (244, 244, 240), 0.012)
    c.line(rng.uniform(0.1, 0.3), horizon, rng.uniform(-0.2, 0.1), 1, (244, 244, 240), 0.01)
    c.grain(rng, 5, horizon, 1, 50)


def court(c: Canvas, rng: Rng, horizon: float) -> None:
    wall = choose(rng, (84, 130, 140), (150, 160, 176), (120, 148, 120))
    c.gradient(0, horizon, tuple(np.add(wall, 26)), wall)
    for x in np.arange(rng.uniform(0, 0.1), 1, 0.16):
        c.line(x, 0, x, horizon, tuple(np.subtract(wall, 16)), 0.008)
    x = float(rng.choice([0.14, 0.86]))
    c.line(x, 0.2, x, horizon, (90, 96, 108), 0.016)
    c.box(x - 0.12, 0.06, x + 0.12, 0.24, (248, 248, 244))
    c.box(x - 0.05, 0.13, x + 0.05, 0.2, (220, 90, 60))
    c.box(x - 0.035, 0.145, x + 0.035, 0.2, (248, 248, 244))
    c.box(x - 0.06, 0.235, x + 0.06, 0.25, (230, 100, 50))
    floor = choose(rng, (208, 142, 84), (86, 138, 172), (176, 96, 84))
    c.gradient(horizon, 1, tuple(np.subtract(floor, 8)), tuple(np.add(floor, 10)))
    c.line(0, horizon + 0.1, 1, horizon + 0.1, (246, 244, 238), 0.012)
    c.disc(0.5, 0.98, 0.36, 0.12, (246, 244, 238))
    c.disc(0.5, 0.98, 0.335, 0.1, floor)
    c.grain(rng, 4, 0, 1, 46)


def water(c: Canvas, rng: Rng, horizon: float) -> None:
    shore = horizon - 0.12
    _sky(c, rng, shore)
    for x in np.arange(-0.1, 1.2, 0.16):
        peak = rng.uniform(0.1, 0.26)
        c.fill([(x - 0.2, shore), (x, shore - peak), (x + 0.22, shore)], choose(rng, (132, 156, 170), (112, 148, 138)))
    c.gradient(shore, 1, vary(rng, (104, 168, 190)), vary(rng, (40, 108, 150)))
    for _ in range(34):
        y = shore + (1 - shore) * rng.random() ** 0.8
        x, w = rng.uniform(-0.1, 1), rng.uniform(0.03, 0.16) * (0.4 + y)
        c.line(x, y, x + w, y, choose(rng, (150, 204, 218), (196, 226, 232), (52, 120, 158)), 0.008)
    c.grain(rng, 4, shore, 1, 50, 0.5)


def cliff(c: Canvas, rng: Rng, horizon: float) -> None:
    wall = choose(rng, (190, 172, 148), (164, 170, 180), (206, 178, 142))
    c.gradient(0, 1, tuple(np.add(wall, 12)), tuple(np.subtract(wall, 8)))
    for _ in range(9):
        x, y, s = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.12, 0.3)
        angle = np.sort(rng.uniform(0, 2 * np.pi, 5))
        c.fill(list(zip(x + s * np.cos(angle), y + s * np.sin(angle), strict=True)), vary(rng, wall, 12))
    for _ in range(30):
        x, y, s = rng.uniform(0, 1), rng.uniform(0, 0.95), rng.uniform(0.014, 0.028)
        colour = choose(rng, (220, 80, 70), (70, 150, 90), (60, 110, 190), (240, 190, 60), (150, 90, 170))
        c.disc(x, y + 0.3 * s, s, s, tuple(np.subtract(wall, 40)))
        c.disc(x, y, s, 0.85 * s, colour)
    c.grain(rng, 6, 0, 1, 36)


def office(c: Canvas, rng: Rng, horizon: float) -> None:
    wall = choose(rng, (206, 214, 220), (226, 220, 206), (196, 212, 204))
    c.gradient(0, horizon, tuple(np.add(wall, 10)), wall)
    for y in (0.14, 0.32):
        x0 = rng.uniform(0.02, 0.1)
        c.box(x0, y + 0.11, x0 + 0.34, y + 0.13, (140, 108, 80))
        x = x0 + 0.01
        while x < x0 + 0.31:
            w, h = rng.uniform(0.016, 0.035), rng.uniform(0.07, 0.105)
            cover = choose(rng, (196, 84, 70), (70, 110, 150), (228, 184, 90), (110, 140, 100))
            c.box(x, y + 0.11 - h, x + w, y + 0.11, cover)
            x += w + 0.003
    c.box(0.62, 0.08, 0.94, 0.4, (250, 250, 250))
    c.box(0.64, 0.1, 0.92, 0.38, (176, 206, 226))
    for y in np.arange(0.12, 0.38, 0.035):
        c.line(0.64, y, 0.92, y, (230, 236, 240), 0.01)
    floor = choose(rng, (126, 138, 150), (150, 134, 120))
    c.gradient(horizon, 1, tuple(np.subtract(floor, 6)), tuple(np.add(floor, 8)))
    c.box(0, horizon - 0.02, 1, horizon, (236, 234, 230))
    c.grain(rng, 4, 0, 1, 44)


SCENES: dict[str, Callable[[Canvas, Rng, float], None]] = {
    scene.__name__: scene
    for scene in (park, beach, street, gym, room, bathroom, stage, stadium, court, water, cliff, office)
}


def paint(name: str, rng: Rng, size: tuple[int, int], horizon: float = 0.66, photo: bool = False) -> np.ndarray:
    """A place as uint8 RGB [H, W, 3]; lighting varies a little from clip to clip; `photo` keeps it crisp."""
    canvas = Canvas(*size)
    SCENES[name](canvas, rng, horizon)
    gain = np.clip(rng.normal(1.0, 0.05), 0.85, 1.12) * (1 + rng.normal(0, 0.015, 3))
    image = np.clip(canvas.image * gain.astype(np.float32), 0, 255).astype(np.uint8)
    return image if photo else cv2.GaussianBlur(image, (0, 0), size[0] / 300)
