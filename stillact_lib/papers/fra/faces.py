"""One face an image, as FRA looks for it (Rosenfeld and Ullman 2016, §3.3): the highest scoring, or none. Chapter 01.

The paper's detector (Mathias et al., ECCV 2014) comes without code for today's machines. At `paper` OpenCV's YuNet
takes its place, whose weights are a file to fetch; on the miniature, whose faces are drawn, the coarse network's own
channel of faces does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.datasets.images import read_rgb
from stillact_lib.errors import StillactError
from stillact_lib.papers.fra.data import FACE_LABEL, NOWHERE, overlap

#: §3.3: images are enlarged so much before the detector looks
ENLARGED = 2
#: least probability of a face that the coarse network finds, at its likeliest pixel
LEAST = 0.5
#: of two in a test of OpenCV's detector; its own default, .9, leaves out a third of the faces in close-ups
SURE = 0.5
#: a found face is right from this overlap with the true one on
RIGHT = 0.5
MODEL_PAGE = "github.com/opencv/opencv_zoo, models/face_detection_yunet"


def face_of(coarse: np.ndarray) -> tuple[float, ...]:
    """The face in coarse maps [L, H, W]: about the likeliest pixel, all that is connected to it and half as likely.
    NaN where no pixel is likely enough."""
    plane = np.ascontiguousarray(coarse[FACE_LABEL], np.float32)
    row, column = np.unravel_index(plane.argmax(), plane.shape)
    if plane[row, column] < LEAST:
        return NOWHERE
    _, numbered, statistics, _ = cv2.connectedComponentsWithStats((plane >= plane.max() / 2).astype(np.uint8))
    x0, y0, width, height, _ = statistics[numbered[row, column]].tolist()
    return float(x0), float(y0), float(x0 + width), float(y0 + height)


class YuNet:
    """OpenCV's detector of faces in photographs; `model` is its ONNX file. Raises StillactError where it is not one."""

    def __init__(self, model: str) -> None:
        if not Path(model).is_file():
            raise StillactError(f"face_detector_file: no file {model}; fetch the .onnx of YuNet from {MODEL_PAGE}")
        try:
            self.detector = cv2.FaceDetectorYN.create(model, "", (0, 0), score_threshold=SURE)
        except cv2.error as error:
            raise StillactError(
                f"face_detector_file: {model} is no detector that OpenCV can read ({' '.join(str(error).split())[:80]})"
            ) from None

    def in_files(self, root: Path, names: Sequence[str], side: int) -> np.ndarray:
        """The best face of each photograph below `root`, seen as it is and not squashed; its box [N, 4] as it lies once
        the photograph is squashed to `side` pixels; NaN where there is none."""
        found = []
        for name in names:
            image = read_rgb(root / name)
            face = self.surest(image)
            scale = side / np.tile(image.shape[1::-1], 2)
            found.append(NOWHERE if face is None else tuple(face[:4] * scale))
        return np.array(found)

    def surest(self, image: np.ndarray) -> np.ndarray | None:
        """The best face of an image uint8 [H, W, 3] RGB: x0, y0, x1, y1, and x, y of the eyes, the nose and the corners
        of the mouth, [14]; None where there is none."""
        large = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), None, fx=ENLARGED, fy=ENLARGED)
        self.detector.setInputSize(large.shape[1::-1])
        _, rows = self.detector.detect(large)
        if rows is None:
            return None
        face = rows[rows[:, -1].argmax(), :14].astype(float) / ENLARGED
        face[2:4] += face[:2]
        return face


def found_right(faces: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Whether each found face [N, 4] is the true one: 100, 0, or NaN where none shows."""
    answers = np.full(len(faces), np.nan)
    for row in np.flatnonzero(np.isfinite(wanted).all(axis=1)):
        hit = np.isfinite(faces[row]).all() and overlap(faces[row : row + 1], wanted[row : row + 1])[0] >= RIGHT
        answers[row] = 100.0 * hit
    return answers
