"""What lies where in a photograph, to measure where a network looks and what it rests on: the actor, the actor's own
thing, the thing beside, the rest; and photographs in which one of them is painted over. Chapter 02.

Of drawn photographs the regions are their truth, of real ones the boxes of people. They measure; no network learns from
them, but those controls that are asked for the thing beside.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from stillact_lib.miniature import truth_of
from stillact_lib.miniature.figure import CLUTTER

#: by their numbers in maps of labels
REGIONS = ("rest", "person", "object", "thing")
REST, PERSON, OBJECT, THING = range(len(REGIONS))
#: pixels by which a region grows before it is painted over, so that its edge goes too
GROWN = 2


@cache
def _drawn(root: Path, name: str, side: int) -> np.ndarray:
    truth = truth_of(root, name)
    labels = np.full(truth.person_mask.shape[1:], REST, np.uint8)
    for region, mask in {
        PERSON: truth.person_mask,
        OBJECT: truth.object_mask,
        THING: truth.part_ids == CLUTTER,
    }.items():
        labels[mask[0]] = region
    return cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST)


def drawn_regions(root: Path, names: np.ndarray, side: int) -> np.ndarray:
    """Maps of labels uint8 [N, side, side] of drawn photographs, squashed as the photographs are: what is on top."""
    return np.stack([_drawn(root, name, side) for name in names.tolist()])


def boxed_regions(masks: Tensor) -> np.ndarray:
    """The same of real photographs, of masks float [N, 1, S, S] of people: there, or the rest."""
    return np.where(masks[:, 0].numpy() > 0, PERSON, REST).astype(np.uint8)


def boxes_of(labels: np.ndarray, region: int) -> list[np.ndarray]:
    """The box [1, 4] around a region of each map, or none [0, 4]."""
    found = []
    for of_image in labels == region:
        rows, columns = (np.flatnonzero(of_image.any(axis)) for axis in (1, 0))
        box = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]] if len(rows) else np.empty((0, 4))
        found.append(np.array(box, float))
    return found


def something_of_each(labels: np.ndarray) -> np.ndarray:
    """Which maps [N, S, S] show as many regions as any of them does, bool [N]."""
    shown = np.array([len(np.unique(of_image)) for of_image in labels])
    return shown == shown.max(initial=0)


def painted_over(images: Tensor, labels: np.ndarray, region: int) -> Tensor:
    """Images uint8 [N, 3, S, S] without a region: filled from what surrounds it (Telea 2004, OpenCV's).

    A thing goes with its outline grown by `GROWN` pixels. A person goes with all of their box, as a filled outline
    would still be a person's; of the rest everything goes that lies outside of that box and of the actor's own thing.
    """
    pictures = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
    for picture, of_image in zip(pictures, labels, strict=True):
        picture[...] = cv2.inpaint(picture, _to_paint(of_image, region), 3, cv2.INPAINT_TELEA)
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def _to_paint(labels: np.ndarray, region: int) -> np.ndarray:
    if region in (PERSON, REST):
        of_person = np.zeros_like(labels)
        for x0, y0, x1, y1 in boxes_of(labels[None], PERSON)[0].astype(int).tolist():
            of_person[max(0, y0 - GROWN) : y1 + GROWN, max(0, x0 - GROWN) : x1 + GROWN] = 1
        return of_person if region == PERSON else ((of_person == 0) & (labels != OBJECT)).astype(np.uint8)
    return cv2.dilate((labels == region).astype(np.uint8), np.ones((2 * GROWN + 1,) * 2, np.uint8))
