"""Scenes on land: trees that are felled, forest on fire, a building that comes down, a wind farm."""

from __future__ import annotations

import cv2
import numpy as np

from stillact_lib.miniature.canvas import Canvas, choose, clipped, vary
from stillact_lib.miniature.scenery.setting import Moment, Setting, blend, carried, lay, ramp, smoothstep


def falling_trees(s: Setting) -> Moment:
    """Tall trees that tip over, one after the other, before a forest."""
    ground = s.between(0.78, 0.86)
    back = s.canvas()
    s.sky_over(back, ground)
    for base, size in ((ground - 0.06, 0.34), (ground - 0.02, 0.24)):
        s.trees_along(back, base, 9, size)
    s.land_below(back, ground - 0.02)
    every, lasts = s.between(8, 11), s.between(15, 20) / s.tempo
    first = -s.between(3, 8)
    trees = []
    for number in range(int(s.frames / every) + 2):
        sprite, side = tree_sprite(s), s.either()
        foot = (0.5 - side * s.between(0.1, 0.3)) * s.width, (ground + s.between(-0.02, 0.08)) * s.height
        trees.append((first + number * every, sprite, side, foot))

    def moment(t: float) -> np.ndarray:
        image = back.image
        for begun, sprite, side, (fx, fy) in reversed(trees):
            part = np.clip((t - begun) / lasts, 0, 1)
            angle = -side * (2 + 84 * part**2.2)
            rows, columns = sprite.shape[:2]
            matrix = cv2.getRotationMatrix2D((columns / 2, rows - 1), angle, 1.0)
            matrix[:, 2] += (fx - columns / 2, fy - rows + 1)
            image = lay(image, sprite, matrix)
        return image

    return moment


def tree_sprite(s: Setting) -> np.ndarray:
    """A tree with its foot in the middle of the lower edge: a conifer, or a bare trunk with a crown."""
    high = round(s.between(0.52, 0.72) * s.height)
    tree = Canvas(high, max(8, round(0.62 * high)))
    bark, leaf = choose(s.rng, (104, 78, 56), (126, 100, 76)), choose(s.rng, (46, 92, 54), (70, 110, 52), (96, 104, 44))
    tree.fill([(0.44, 1), (0.48, 0), (0.53, 0), (0.57, 1)], bark)
    if s.rng.random() < 0.6:
        for k in range(5):
            y, wide = 0.82 - 0.16 * k, 0.42 - 0.07 * k
            tree.fill([(0.5 - wide, y), (0.5, y - 0.27), (0.5 + wide, y)], vary(s.rng, leaf, 12))
    else:
        for _ in range(16):
            x, y = s.rng.normal(0.5, 0.14), s.between(0.1, 0.5)
            tree.disc(x, y, s.between(0.09, 0.17), s.between(0.06, 0.11), vary(s.rng, leaf, 14))
    return tree.sprite


def forest_fire(s: Setting) -> Moment:
    """Flames that lick upwards between dark trunks, smoke that drifts off above."""
    ground = s.between(0.84, 0.92)
    back = s.canvas()
    dusk = choose(s.rng, (92, 60, 52), (64, 48, 50), (122, 92, 78))
    back.gradient(0, ground, tuple(np.multiply(dusk, 0.75)), tuple(np.add(dusk, (46, 12, -6))))
    back.gradient(ground, 1, (52, 38, 28), (28, 22, 20))
    front = s.canvas()
    for x in np.arange(s.between(0, 0.06), 1, s.between(0.11, 0.16)):
        x, wide = x + s.rng.normal(0, 0.015), s.between(0.01, 0.022)
        trunk = [(x - wide, ground + 0.05), (x - 0.4 * wide, 0), (x + 0.4 * wide, 0), (x + wide, ground + 0.05)]
        front.fill(trunk, (26, 20, 18))
        for y in np.arange(s.between(0.05, 0.15), 0.6, 0.12):
            front.line(x, y, x + s.either() * 0.07, y - 0.06, (30, 24, 20), 0.008)
    trunks = front.painted.astype(np.float32)
    flames, licks, smoke = s.texture(5, 3), s.texture(9, 5), s.texture(3, 3)
    glow = ramp((90, 20, 10), (206, 52, 16), (246, 128, 26), (255, 206, 70), (255, 246, 190))
    high, wind = s.between(0.4, 0.65), s.either() * s.between(0.002, 0.007)
    hump = carried(flames, 0.5 * s.x, 0 * s.y).astype(np.float32) / 255
    fuel = 1 - (ground + 0.04 - s.y) / (high * (0.6 + 0.8 * hump))
    fuel = np.where(s.y > ground + 0.04, 0, np.clip(fuel, -1, 1))
    speed = 0.014 * s.tempo
    above = smoothstep(0.75, 0.1, s.y)

    def moment(t: float) -> np.ndarray:
        haze = carried(smoke, 0.8 * s.x - 1.6 * wind * t, 0.8 * s.y + 0.4 * speed * t)
        image = blend(back.image, (112, 104, 102), above * smoothstep(0.3, 0.8, haze.astype(np.float32) / 255))
        slow = carried(flames, s.x - wind * t, 0.8 * s.y + speed * t)
        fast = carried(licks, s.x - wind * t, 0.8 * s.y + 1.2 * speed * t)
        lick = cv2.addWeighted(slow, 0.6, fast, 0.5, 0).astype(np.float32) / 255
        heat = np.clip(1.05 * fuel + 0.95 * (lick - 0.5), 0, 1)
        image = blend(image, glow[(255 * heat).astype(np.uint8)], smoothstep(0.08, 0.3, heat))
        return blend(image, front.image, trunks * (0.95 - 0.5 * heat))

    return moment


def building_collapse(s: Setting) -> Moment:
    """A tall house that sinks into a cloud of dust, which rolls outwards and up."""
    ground = s.between(0.82, 0.9)
    back = s.canvas()
    s.sky_over(back, ground)
    for x in np.arange(-0.04, 1, 0.17):
        front(back, s, x, ground - s.between(0.16, 0.34), x + s.between(0.13, 0.18), ground)
    back.gradient(ground, 1, (150, 146, 140), (116, 112, 108))
    high, wide = s.between(0.58, 0.72), s.between(0.26, 0.4)
    tower = Canvas(round(high * s.height), round(wide * s.width))
    front(tower, s, 0, 0, 1, 1, floors=int(s.rng.integers(7, 11)))
    tower.grain(s.rng, 9, 0, 1, 30)
    sprite = tower.sprite
    rows, columns = sprite.shape[:2]
    left, top = (s.between(0.4, 0.6) - wide / 2) * s.width, (ground - high) * s.height
    begun, lasts = -s.between(0, 5), float(np.clip(1.2 * s.frames, 19, 44)) / s.tempo
    lean = s.either() * s.between(1, 11)
    dust = choose(s.rng, (176, 168, 156), (196, 184, 166), (158, 156, 154))
    puff, smoke = s.texture(4, 4), ramp(tuple(np.multiply(dust, 0.62)), dust, tuple(np.add(dust, 34)))
    middle = left / s.width + wide / 2
    still = (s.y > ground).astype(np.float32)

    def moment(t: float) -> np.ndarray:
        part = float(np.clip((t - begun) / lasts, 0, 1))
        gone = 1.05 * high * part**1.7
        matrix = cv2.getRotationMatrix2D((columns / 2, rows), lean * part**1.3, 1.0)
        matrix[:, 2] += (left, top + gone * s.height)
        image = blend(lay(back.image, sprite, matrix), back.image, still)
        body = carried(puff, 0.9 * (s.x - middle) / (0.55 + 0.75 * part), 0.9 * s.y + 0.010 * (t - begun))
        grain = body.astype(np.float32) / 255
        reach = np.hypot((s.x - middle) / (0.22 + 0.4 * part), (ground - s.y) / (0.1 + 0.45 * part))
        cloud = smoothstep(1.15, 0.75, reach - 0.5 * (grain - 0.5)) * min(1, 0.35 + 2.5 * part)
        return blend(image, smoke[body], cloud)

    return moment


def front(c: Canvas, s: Setting, x0: float, y0: float, x1: float, y1: float, floors: int = 5) -> None:
    """A house front with its windows."""
    wall = choose(s.rng, (186, 172, 156), (164, 120, 98), (146, 156, 168), (206, 196, 180))
    c.box(x0, y0, x1, y1, wall)
    step = (y1 - y0) / floors
    columns = max(3, round(floors * 0.65))
    for row in range(floors):
        for column in range(columns):
            x, y = x0 + (column + 0.28) * (x1 - x0) / columns, y0 + (row + 0.25) * step
            c.box(x, y, x + 0.46 * (x1 - x0) / columns, y + 0.55 * step, vary(s.rng, (70, 84, 104), 12))
        c.line(x0, y0 + row * step, x1, y0 + row * step, tuple(np.subtract(wall, 30)), 0.006)


def windmill_farm(s: Setting) -> Moment:
    """White turbines on hills; each turns at a speed of its own, all one way."""
    horizon = s.between(0.66, 0.78)
    back = s.canvas()
    s.sky_over(back, horizon + 0.05)
    back.grain(s.rng, 10, 0, horizon, 6)
    for k in range(3):
        y = horizon + 0.05 * k
        hill = np.linspace(0, 1, 12)
        crest = y + 0.03 * np.sin(hill * s.between(4, 9) + s.between(0, 6))
        colour = choose(s.rng, (112, 150, 84), (140, 156, 88), (92, 132, 78))
        back.fill([(0, 1), *zip(hill, crest, strict=True), (1, 1)], tuple(np.subtract(colour, 10 * k)))
    back.grain(s.rng, 9, horizon + 0.03, 1, 40)
    white, way = vary(s.rng, (240, 242, 244), 3), s.either()
    mills = []
    for x in np.linspace(0.2, 0.8, int(s.rng.integers(2, 6))) + s.rng.normal(0, 0.03):
        size, foot = s.between(0.16, 0.27), horizon + s.between(0.0, 0.14)
        hub = foot - s.between(1.5, 1.9) * size
        mast = [(x - 0.06 * size, foot), (x - 0.03 * size, hub), (x + 0.03 * size, hub), (x + 0.06 * size, foot)]
        back.fill(mast, white)
        turn = way * s.between(0.09, 0.16) * s.tempo
        mills.append((x, hub, size, s.between(0, 6), turn))
    blade = np.array([(0.0, -0.035), (0.25, -0.1), (1.0, -0.015), (1.0, 0.015), (0.25, 0.035), (0.0, 0.035)])

    def moment(t: float) -> np.ndarray:
        image = back.image.copy()
        for x, y, size, start, turn in mills:
            hub = np.array([x * s.width, y * s.height])
            for third in range(3):
                a = start + turn * t + 2 * np.pi * third / 3
                matrix = np.array([(np.cos(a), -np.sin(a)), (np.sin(a), np.cos(a))]) * size * s.height
                points = np.rint((blade @ matrix.T + hub) * 16).astype(np.int32)
                cv2.fillPoly(image, [points], clipped(np.subtract(white, 12 * third)), cv2.LINE_AA, 4)
            middle, radius = np.rint(hub * 16).astype(int).tolist(), round(0.05 * size * s.height * 16)
            cv2.circle(image, middle, radius, (206, 208, 212), -1, cv2.LINE_AA, 4)
        return image

    return moment
