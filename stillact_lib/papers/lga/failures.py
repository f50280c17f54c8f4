"""Causes of failure (Liu, Tan, You 2018, §4.3) acted on drawn photographs, whose regions are known: a thing beside that
dominates, and an own thing that is far from the actor. The third, an own thing that is occluded, is painted over by
`regions`. Chapter 02.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from stillact_lib.papers.lga.regions import GROWN, OBJECT, PERSON, REST, THING, boxes_of, painted_over

#: a dominant thing has so many times the pixels of the person and their own thing, before it stands behind them; things
#: that would have to be magnified more than this are left
DOMINANT, LARGEST = 1.5, 4.0


def dominated(images: Tensor, labels: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Images uint8 [N, 3, S, S] in which the thing beside is enlarged to `DOMINANT` times the actor's pixels, behind
    them and as far inside the image as it goes; and which are changed, bool [N]: where it then fills "a larger portion
    of the image than the human does", and did not before."""
    pictures, changed = _pictures(images), np.zeros(len(images), bool)
    for number, (boxes, of_image) in enumerate(zip(boxes_of(labels, THING), labels, strict=True)):
        thing, actor = of_image == THING, np.isin(of_image, (PERSON, OBJECT))
        times = np.sqrt(DOMINANT * actor.sum() / max(1, thing.sum()))
        if not len(boxes) or not 1 < times <= LARGEST:
            continue
        enlarged, there = _enlarged(pictures[number], thing, boxes[0].astype(int), times)
        if (there & ~actor).sum() > actor.sum():
            pictures[number], changed[number] = np.where((there & ~actor)[..., None], enlarged, pictures[number]), True
    return _images(pictures), changed


def _enlarged(picture: np.ndarray, thing: np.ndarray, box: np.ndarray, times: float) -> tuple[np.ndarray, np.ndarray]:
    """The thing, bool [S, S] within a box, of a picture [S, S, 3], enlarged: a picture, and where it is the thing."""
    side = len(picture)
    grown = (box[2:] - box[:2]) * times
    corner = (box[:2] + box[2:]) / 2 - grown / 2
    corner = np.where(grown < side, np.clip(corner, 0, np.maximum(0, side - grown)), (side - grown) / 2)
    moves = np.array([[times, 0, corner[0] - times * box[0]], [0, times, corner[1] - times * box[1]]])
    # edges of the thing would else bring along what lies around it
    solid = painted_over(_images(picture[None]), ~thing[None])
    large = cv2.warpAffine(_pictures(solid)[0], moves, (side, side), flags=cv2.INTER_LINEAR)
    there = cv2.warpAffine(thing.astype(np.float32), moves, (side, side), flags=cv2.INTER_LINEAR) > 0.5
    return large, there


def own_thing_away(images: Tensor, labels: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Images uint8 [N, 3, S, S] in which the actor's own thing lies as far from them as there is room; where it was is
    filled from what surrounds it. And which are changed, bool [N]: where there is one, and room for it."""
    pictures, changed = _pictures(images), np.zeros(len(images), bool)
    kernel = np.ones((2 * GROWN + 1,) * 2, np.uint8)
    for number, (own, of_image) in enumerate(zip(boxes_of(labels, OBJECT), labels, strict=True)):
        if not len(own) or not (of_image == PERSON).any():
            continue
        x0, y0, x1, y1 = own[0].astype(int)
        if (place := _farthest_place(of_image, y1 - y0, x1 - x0)) is None:
            continue
        thing = of_image == OBJECT
        filled = painted_over(images[number : number + 1], cv2.dilate(thing.astype(np.uint8), kernel)[None] > 0)
        moved, (top, left) = _pictures(filled)[0], place
        there = thing[y0:y1, x0:x1]
        moved[top : top + y1 - y0, left : left + x1 - x0][there] = pictures[number, y0:y1, x0:x1][there]
        pictures[number], changed[number] = moved, True
    return _images(pictures), changed


def _farthest_place(labels: np.ndarray, height: int, width: int) -> tuple[int, int] | None:
    """Top and left of the free window of this size whose middle is farthest from the person; None where all are taken
    by the actor, their thing or the thing beside."""
    taken = np.lib.stride_tricks.sliding_window_view(labels != REST, (height, width)).any((2, 3))
    far = cv2.distanceTransform((labels != PERSON).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rows, columns = taken.shape
    of_middles = far[height // 2 : height // 2 + rows, width // 2 : width // 2 + columns]
    scored = np.where(taken, -1, of_middles)
    top, left = np.unravel_index(scored.argmax(), scored.shape)
    return (int(top), int(left)) if scored[top, left] > 0 else None


def _pictures(images: Tensor) -> np.ndarray:
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())


def _images(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
