"""Scenes that move without anybody acting, seen by a still or a moving camera: what the miniature of YUP++ shows.

A specification always gives the same pixels. Motion is meant to be *estimated* (textures move a few pixels a frame at
128): water, smoke and crowds have no exact flow here.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stillact_lib.miniature.scenery import SCENERY
from stillact_lib.miniature.scenery.setting import Setting

#: Raised by hand when the same specification gives other pixels than before, which a test notices; see world.VERSION.
VERSION = 1

MARGIN = 0.14  # of the image, painted around it for the camera to move in
TOP_SPEED = 0.016  # of the image height a frame: the fastest pan


@dataclass(frozen=True)
class SceneSpec:
    """Everything a scene's video depends on: the same specification gives the same pixels."""

    scene: str  # a class of YUP++, see scenery.SCENERY
    video: tuple[int, ...]  # entropy of colours, viewpoint, scale, density, speed, direction
    size: tuple[int, int] = (128, 128)  # height, width
    frames: int = 24
    fps: float = 30.0
    camera: str = "static"  # or "moving": pans, zooms, shakes


def render_scene(spec: SceneSpec) -> np.ndarray:
    """The frames of a scene, uint8 [T, H, W, 3] RGB, a little soft and noisy as video is."""
    rng = np.random.default_rng(np.random.SeedSequence(spec.video))
    height, width = spec.size
    margin = round(MARGIN * height)
    canvas = (height + 2 * margin, width + 2 * margin)
    moment = SCENERY[spec.scene](Setting(rng, canvas, spec.frames))
    mirror, start = rng.random() < 0.5, float(rng.uniform(0, 40))
    gain = (np.clip(rng.normal(1.0, 0.06), 0.85, 1.12) * (1 + rng.normal(0, 0.02, 3))).astype(np.float32)
    path = camera_path(spec, rng, margin)
    frames = np.empty((spec.frames, height, width, 3), np.uint8)
    for t in range(spec.frames):
        image = moment(start * (spec.scene not in FROM_THE_START) + t)
        image = cv2.warpAffine(image, path[t], (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        image = np.clip(image * gain, 0, 255).astype(np.uint8)
        noise = rng.integers(-3, 4, (height, width), dtype=np.int8)
        image = cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
        frames[t] = image[:, ::-1] if mirror else image
    return frames


FROM_THE_START = ("BuildingCollapse", "FallingTrees", "Fireworks", "LightningStorm")  # they happen once, in their order


def camera_path(spec: SceneSpec, rng: np.random.Generator, margin: int) -> np.ndarray:
    """Maps from the canvas to the image, [T, 2, 3]: fixed, or a pan, a zoom or both with a little shake."""
    frames, (height, width) = spec.frames, spec.size
    time = np.arange(frames) - (frames - 1) / 2
    aim = rng.uniform(-0.5, 0.5, 2) * margin
    zoom, shift = np.full(frames, float(rng.uniform(0.98, 1.12))), np.tile(aim, (frames, 1))
    kind, angle, depth = rng.integers(3), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
    waves = rng.uniform(7, 16, 4), rng.random(4)
    if spec.camera == "moving":
        shake = np.sin(2 * np.pi * (time[:, None] / waves[0] + waves[1])).reshape(frames, 2, 2).mean(axis=1)
        reach = min(0.8 * margin, TOP_SPEED * height * (frames - 1) / 2) * depth
        pan = time / max(1, (frames - 1) / 2) * reach
        shift = 0.2 * shift + 0.1 * margin * shake
        if kind != 1:
            shift += pan[:, None] * np.array([np.cos(angle), 0.5 * np.sin(angle)])
        if kind != 0:
            zoom = 1.12 + (1 if angle < np.pi else -1) * 0.12 * depth * time / max(1, (frames - 1) / 2)
    path = np.zeros((frames, 2, 3))
    path[:, 0, 0] = path[:, 1, 1] = zoom
    centre = np.array([width / 2, height / 2])
    path[:, :, 2] = centre - zoom[:, None] * (centre + margin + shift)
    return path
