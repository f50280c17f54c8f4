"""People in pictures, as ucf101_people.py and sports100_people.py look for them, once; no chapter needs it.

The folder mediapipe/modules of mediapipe 0.10.14's wheel (Apache-2.0), which need not be installed, holds the networks:
its BlazePose (Bazarevsky et al., arXiv 2006.10204) runs in ai-edge-litert. A detector sees people by a hip and a scale,
in the whole frame and, where they are small, in six overlapping parts of it; around each a second network draws a mask
of 256 x 256. What the mask puts on black bars is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from stillact_lib.datasets import read
from stillact_lib.datasets.images import read_rgb

#: a person's least score, of the detector and of the second network; how many at most
LEAST, MOST = 0.5, 6
#: the part of a person's height around the hip that the second network sees, as in mediapipe's own graph
ROOM = 1.25
#: a frame of which less than this share is people is searched again in parts, each of this share of a side
SMALL, PART = 0.12, 0.62
#: grey levels up to which rows and columns at the border are a black bar
BLACK = 24


class Person(NamedTuple):
    """A person found: score, hip and the point that tells size and direction, both (x, y) in pixels."""

    score: float
    hip: np.ndarray
    top: np.ndarray

    @property
    def size(self) -> float:
        return float(np.linalg.norm(self.top - self.hip))


class Network:
    """A network in a .tflite file; its outputs by their shapes."""

    def __init__(self, path: Path) -> None:
        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()

    def __call__(self, image: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        (wanted,) = self.interpreter.get_input_details()
        self.interpreter.set_tensor(wanted["index"], image[None].astype(np.float32))
        self.interpreter.invoke()
        outputs = self.interpreter.get_output_details()
        return {tuple(out["shape"]): self.interpreter.get_tensor(out["index"]) for out in outputs}


class BlazePose:
    """People in frames uint8 [H, W, 3] RGB."""

    def __init__(self, modules: Path) -> None:
        self.detector = Network(modules / "pose_detection" / "pose_detection.tflite")
        self.drawer = Network(modules / "pose_landmark" / "pose_landmark_full.tflite")
        sides = [(np.arange(side) + 0.5) / side for side in (28, 14, 7)]
        grids = [np.stack(np.meshgrid(side, side), -1).reshape(-1, 2) for side in sides]
        self.anchors = np.concatenate([np.repeat(grid, n, axis=0) for grid, n in zip(grids, (2, 2, 6), strict=True)])

    def detected(self, frame: np.ndarray) -> Iterator[Person]:
        """People of a frame, in no order; one may be found several times."""
        height, width = frame.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = np.zeros((side, side, 3), np.uint8)
        square[top : top + height, left : left + width] = frame
        found = self.detector(cv2.resize(square, (224, 224), interpolation=cv2.INTER_AREA) / 127.5 - 1)
        scores = _sigmoid(found[1, len(self.anchors), 1][0, :, 0])
        for row in np.flatnonzero(scores >= LEAST):
            points = found[1, len(self.anchors), 12][0, row, 4:8].reshape(2, 2) / 224 + self.anchors[row]
            hip, scale = points * side - [left, top]
            yield Person(float(scores[row]), hip, scale)

    def in_parts(self, frame: np.ndarray) -> Iterator[Person]:
        """The same of six overlapping parts, where small people are larger."""
        height, width = (int(PART * side) for side in frame.shape[:2])
        lower, right = frame.shape[0] - height, frame.shape[1] - width
        for y in (0, lower):
            for x in (0, right // 2, right):
                corner = np.array([x, y])
                for one in self.detected(frame[y : y + height, x : x + width]):
                    yield Person(one.score, one.hip + corner, one.top + corner)

    def drawn(self, frame: np.ndarray, person: Person) -> np.ndarray | None:
        """How surely each pixel is of a person, float [H, W]; None where the second network sees nobody there."""
        span = 2 * ROOM * person.size / 256
        x, y = person.top - person.hip
        turn = np.arctan2(y, x) + np.pi / 2  # 0 upright
        cos, sin = span * np.cos(turn), span * np.sin(turn)
        to_frame = np.array([[cos, -sin, 0], [sin, cos, 0]])
        to_frame[:, 2] = person.hip - to_frame[:, :2] @ [128, 128]
        seen = cv2.warpAffine(frame, to_frame, (256, 256), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        found = self.drawer(seen / 255)
        if found[1, 1][0, 0] < LEAST:
            return None
        return cv2.warpAffine(_sigmoid(found[1, 256, 256, 1][0, :, :, 0]), to_frame, frame.shape[1::-1])

    def __call__(self, frame: np.ndarray) -> list[np.ndarray]:
        """A mask bool [H, W] of each person, the surest first, `MOST` at most."""
        people: list[Person] = []
        masks: list[np.ndarray] = []
        lit, searched = without_bars(frame), list(self.detected(frame))
        for again in (False, True):
            for one in sorted(searched, key=lambda person: -person.score):
                met = (np.linalg.norm(one.hip - two.hip) < 0.6 * max(one.size, two.size) for two in people)
                if len(masks) == MOST or any(met) or (drawn := self.drawn(frame, one)) is None:
                    continue
                if (mask := (drawn > 0.5) & lit).sum() >= 16:
                    people.append(one)
                    masks.append(mask)
            if again or np.mean(np.any(masks, axis=0) if masks else 0) >= SMALL:
                break
            searched = list(self.in_parts(frame))
        return masks


def without_bars(frame: np.ndarray) -> np.ndarray:
    """Pixels that lie on no black bar at the border, bool [H, W]."""
    lit = frame.max(2) > BLACK
    inside = np.zeros(lit.shape, bool)
    rows, columns = (np.flatnonzero(lit.mean(axis) > 0.05) for axis in (1, 0))
    if len(rows) and len(columns):
        inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return inside


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(scores, -50, 50)))


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a mask bool [H, W] that is not empty; the far edges past its last pixel."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, x + width, y + height


def measure(root: Path, find: BlazePose) -> np.ndarray:
    """Of each photograph of Stanford 40 below `root` the intersection over union of the person's box and of the best
    mask's."""
    overlaps = []
    for person in read("stanford40", root).persons.itertuples():
        image = read_rgb(root / person.image)
        true = np.zeros(image.shape[:2], bool)
        true[int(person.y0) : int(person.y1), int(person.x0) : int(person.x1)] = True
        best = 0.0
        for mask in find(image):
            x0, y0, x1, y1 = box_of(mask)
            box = np.zeros_like(true)
            box[y0:y1, x0:x1] = True
            best = max(best, float((box & true).sum() / (box | true).sum()))
        overlaps.append(best)
    return np.array(overlaps, np.float32)
