"""A photograph as a photographer frames it: a square cut from a wider drawn picture, anywhere and at any distance, and
what is true of it cut along; and a thing from one picture put into another. For layouts in which *where* something is
has to be a question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.truth import Clip, boxes_of

#: the wider picture is so many times as high and as wide as the photograph
WIDER = (2, 4)
#: the closest window's side, as a share of the wider picture's height; and the least room around what it has to show,
#: as a share of its own side
CLOSEST, ROOM = 0.4, 0.04
#: where a strange thing goes beside a face: so many face widths off its middle, and face heights below it
BESIDE, BELOW = (1.0, 1.6), (0.1, 0.9)
#: a hand is idle that is so many face heights away from the face's middle
IDLE = 1.2


@dataclass(frozen=True)
class Scene:
    """One wider picture and its truth: image uint8 [H, W, 3]; head and thing in use, bool [H, W]; boxes float [4] or
    [2, 4] of the person, the face and both hands, NaN where nothing shows."""

    image: np.ndarray
    head: np.ndarray
    thing: np.ndarray
    person: np.ndarray
    face: np.ndarray
    hands: np.ndarray


def scene_of(clip: Clip) -> Scene:
    """The first frame of a clip that was rendered with its truth."""
    return Scene(
        clip.frames[0],
        clip.part_ids[0] == LABEL["head"],
        clip.thing_mask[0],
        clip.person_boxes[0, 0],
        clip.face_boxes[0],
        clip.hand_boxes[0],
    )


def box_of(mask: np.ndarray) -> np.ndarray:
    """x0 y0 x1 y1 around a mask bool [H, W], as `truth.boxes_of` has it; NaN where it is empty."""
    return boxes_of(mask[None])[0]


def with_strange_thing(scene: Scene, other: Scene, held: bool, rng: np.random.Generator) -> Scene:
    """A scene with the thing in use of another one, in the idle hand (`held`) or beside the face; over the person, but
    over neither head nor thing. The same scene where there is no such thing, hand or room."""
    if not other.thing.any() or not scene.head.any():
        return scene
    x0, y0, x1, y1 = box_of(other.thing).astype(int)
    cut, colours = other.thing[y0:y1, x0:x1], other.image[y0:y1, x0:x1]
    places = _idle_hands(scene) if held else _beside_face(scene, rng)
    kept = cv2.dilate((scene.thing | scene.head).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    for middle in places:
        moved = np.zeros(scene.head.shape, bool)
        top, left = (round(middle[1] - cut.shape[0] / 2), round(middle[0] - cut.shape[1] / 2))
        if top < 0 or left < 0 or top + cut.shape[0] > len(moved) or left + cut.shape[1] > moved.shape[1]:
            continue
        place = slice(top, top + cut.shape[0]), slice(left, left + cut.shape[1])
        moved[place] = cut & ~kept[place]
        if moved.sum() < 0.7 * cut.sum():  # most of it would hide behind what has to be seen
            continue
        image = scene.image.copy()
        image[place][moved[place]] = colours[moved[place]]
        return replace(scene, image=image)
    return scene


def _idle_hands(scene: Scene) -> list[np.ndarray]:
    middle, height = (scene.face[:2] + scene.face[2:]) / 2, scene.face[3] - scene.face[1]
    hands = [(box[:2] + box[2:]) / 2 for box in scene.hands if np.isfinite(box).all()]
    away = [hand for hand in hands if np.linalg.norm(hand - middle) > IDLE * height]
    return sorted(away, key=lambda hand: -np.linalg.norm(hand - middle))


def _beside_face(scene: Scene, rng: np.random.Generator) -> list[np.ndarray]:
    middle, size = (scene.face[:2] + scene.face[2:]) / 2, scene.face[2:] - scene.face[:2]
    side = 1 if rng.random() < 0.5 else -1
    off, below = rng.uniform(*BESIDE), rng.uniform(*BELOW)
    return [middle + size * np.array([way * off, below]) for way in (side, -side)]


def framed(scene: Scene, side: int, rng: np.random.Generator) -> Scene:
    """A square window of a scene at `side` pixels: as large as it may be or smaller, its side even on a logarithmic
    scale, anywhere where it shows all of the face and of the thing in use."""
    height, width = scene.head.shape
    shown = [box for box in (scene.face, box_of(scene.thing)) if np.isfinite(box).all()] or [scene.person]
    low, high = np.min(shown, axis=0)[:2], np.max(shown, axis=0)[2:]
    least = min(height, max(CLOSEST * height, (1 + 2 * ROOM) * (high - low).max()))
    chosen = float(np.exp(rng.uniform(np.log(least), np.log(height))))
    corner = []
    for start, end, most in zip(low, high, (width, height), strict=True):
        first, last = max(0.0, end + ROOM * chosen - chosen), min(most - chosen, start - ROOM * chosen)
        lot = rng.random()
        corner.append(first + lot * (last - first) if last >= first else np.clip((first + last) / 2, 0, most - chosen))
    return _cut(scene, np.array(corner), chosen, side)


def _cut(scene: Scene, corner: np.ndarray, window: float, side: int) -> Scene:
    """The window of a scene from a corner (x, y) on, enlarged or shrunk to `side` pixels."""
    first = np.floor(corner).astype(int)
    size = max(1, round(window))
    place = slice(first[1], first[1] + size), slice(first[0], first[0] + size)
    scale = side / size
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC

    def mask(of: np.ndarray) -> np.ndarray:
        shares = cv2.resize(of[place].astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
        return shares >= 0.5 if (shares >= 0.5).any() else shares > 0

    def box(of: np.ndarray) -> np.ndarray:
        moved = ((of.reshape(-1, 4) - np.tile(first, 2)) * scale).clip(0, side)
        moved[~((moved[:, 2:] - moved[:, :2]) > 1).all(1)] = np.nan
        return moved.reshape(of.shape)

    image = cv2.resize(scene.image[place], (side, side), interpolation=smooth)
    return Scene(image, mask(scene.head), mask(scene.thing), box(scene.person), box(scene.face), box(scene.hands))
