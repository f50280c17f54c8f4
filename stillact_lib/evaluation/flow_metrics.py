"""How far predicted flow is from the target: EPE, direction and orientation similarity (Im2Flow §4.1, Table 1).

Definitions as in the evaluation code of Pintea et al. (DejaVu, `MotionEval.cpp`): a cosine is taken with norms
sqrt(|.|^2 + 1e-10), so that a zero vector scores 0 and is not left out. Every measure is averaged over the pixels of a
mask within an image; `flow_scores` returns one value an image, so that intervals can be taken over clips.
"""

from __future__ import annotations

import cv2
import numpy as np


def end_point_error(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Length of the difference, pixels: flows [..., 2] -> [...]."""
    return np.linalg.norm(predicted - target, axis=-1)


def direction_similarity(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Cosine of the angle between two flows: [..., 2] -> [...] in [-1, 1]; 0 where either is zero."""
    lengths = np.sqrt((predicted**2).sum(-1) + 1e-10) * np.sqrt((target**2).sum(-1) + 1e-10)
    return (predicted * target).sum(-1) / lengths


def orientation_similarity(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """|cosine|: forwards and backwards count the same. Chance is 2/pi = .637 (facts of a uniformly random angle)."""
    return np.abs(direction_similarity(predicted, target))


def canny_pixels(image: np.ndarray) -> np.ndarray:
    """Edge mask bool [H, W] of an RGB uint8 image: grey, 3 x 3 box blur, Canny(50, 150, aperture 3) as in DejaVu."""
    grey = cv2.blur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (3, 3))
    return cv2.Canny(grey, 50, 150, apertureSize=3) > 0


def evaluation_masks(
    images: np.ndarray, target: np.ndarray, foreground: np.ndarray | None = None, moving_from: float = 0.5
) -> dict[str, np.ndarray]:
    """The pixel sets that the measures are averaged over, each bool [N, H, W].

    images: uint8 [N, H, W, 3]; target: [N, H, W, 2]; foreground: bool [N, H, W] where a segmentation is known.
    "all" and "canny" always; "fg" with a foreground; "moving" = foreground (or all) pixels whose target is at least
    `moving_from` pixels long, ours: direction is undefined where nothing moves.
    """
    masks = {"all": np.ones(target.shape[:-1], bool), "canny": np.stack([canny_pixels(image) for image in images])}
    if foreground is not None:
        masks["fg"] = foreground.astype(bool)
    masks["moving"] = masks.get("fg", masks["all"]) & (np.linalg.norm(target, axis=-1) >= moving_from)
    return masks


def flow_scores(predicted: np.ndarray, target: np.ndarray, masks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every measure over every mask: {"epe_all": [N], "ds_fg": [N], ...}; NaN where an image has no such pixel.

    predicted, target: float [N, H, W, 2] in pixels. Means over images must skip the NaN (DejaVu counts an image without
    edges as 0, which lowers its Canny columns; we leave such images out).
    """
    pixel_maps = {
        "epe": end_point_error(predicted, target),
        "ds": (cosine := direction_similarity(predicted, target)),
        "os": np.abs(cosine),
    }
    scores = {}
    for mask_name, mask in masks.items():
        area = mask.sum((1, 2))
        for measure, values in pixel_maps.items():
            total = np.where(mask, values, 0).sum((1, 2))
            scores[f"{measure}_{mask_name}"] = np.where(area > 0, total / np.maximum(area, 1), np.nan)
    return scores


def zero_flow(shape: tuple[int, ...]) -> np.ndarray:
    """The prediction that nothing moves, [N, H, W, 2]: the row to beat in EPE."""
    return np.zeros(shape, np.float32)


def random_direction(shape: tuple[int, ...], magnitude: float, seed: int) -> np.ndarray:
    """A uniformly random direction a pixel, of one length (the training flow's mean): the chance row of DS and OS."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, shape[:-1])
    return (magnitude * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).astype(np.float32)
