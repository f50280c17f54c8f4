"""What lies where in a photograph, to measure where a network looks and what it rests on: the actor, the actor's own
thing, the thing beside, the rest; what a cell of a map sees of them; and photographs of which some is painted over.
Chapter 02.

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
from torch.nn import functional as F

from stillact_lib.miniature import truth_of
from stillact_lib.miniature.figure import CLUTTER

#: by their numbers in maps of labels
REGIONS = ("rest", "person", "object", "thing")
REST, PERSON, OBJECT, THING = range(len(REGIONS))
#: pixels by which a region grows before it is painted over, so that its edge goes too
GROWN = 2


@cache
def _drawn(root: Path, name: str, side: int) -> np.ndarray:
    """One photograph's map: where two regions meet, what is held hides the person, and the thing lies behind both."""
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
    return (masks[:, 0].numpy() > 0).astype(np.uint8) * PERSON


def boxes_of(labels: np.ndarray, region: int) -> list[np.ndarray]:
    """The box [1, 4] around a region of each map, or none [0, 4]."""
    found = []
    for of_image in labels == region:
        rows, columns = (np.flatnonzero(of_image.any(axis)) for axis in (1, 0))
        box = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]] if len(rows) else np.empty((0, 4))
        found.append(np.array(box, float))
    return found


def elsewhere(masks: Tensor) -> Tensor:
    """Masks [N, ..., S, S] of 0 and 1 in a wrong place: moved by half the image both ways, entering again at the other
    side, less what lies in the right place. Where people fill half of the picture a moved mask alone would be half
    right."""
    return masks.roll((masks.shape[-2] // 2, masks.shape[-1] // 2), dims=(-2, -1)) * (1 - masks)


def something_of_each(labels: np.ndarray) -> np.ndarray:
    """Which maps [N, S, S] show as many regions as any of them does, bool [N]."""
    shown = np.array([len(np.unique(of_image)) for of_image in labels])
    return shown == shown.max(initial=0)


def painted_over(images: Tensor, where: np.ndarray) -> Tensor:
    """Images uint8 [N, 3, S, S] of which the pixels `where`, bool [N, S, S], are filled from what surrounds them (Telea
    2004, OpenCV's)."""
    pictures = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
    for picture, mask in zip(pictures, where.astype(np.uint8), strict=True):
        picture[...] = cv2.inpaint(picture, mask, 3, cv2.INPAINT_TELEA)
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def to_paint(labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is painted over in turn, bool [N, S, S]: the box of the "person" (of all people together), grown, as a
    filled outline would still be a person's, but neither their own thing nor the thing beside, which mostly reach into
    it; a "placebo", that box in a wrong place, without them too; the actor's own "object", its outline grown; the
    "rest", outside of the box and of the object, where there is a person."""
    box, thing = np.zeros(labels.shape, bool), labels == OBJECT
    for of_image, found in zip(box, boxes_of(labels, PERSON), strict=True):
        for x0, y0, x1, y1 in found.astype(int).tolist():
            of_image[max(0, y0 - GROWN) : y1 + GROWN, max(0, x0 - GROWN) : x1 + GROWN] = True
    kernel = np.ones((2 * GROWN + 1,) * 2, np.uint8)
    thing = np.stack([cv2.dilate(of_image, kernel) for of_image in thing.astype(np.uint8)]) > 0
    placebo = elsewhere(torch.from_numpy(box).to(torch.uint8)).numpy() > 0
    things = np.isin(labels, (OBJECT, THING))
    return {
        "person": box & ~things,
        "placebo": placebo & ~things,
        "object": thing,
        "rest": ~box & ~thing & box.any((1, 2), keepdims=True),
    }


def seen_by_cells(labels: np.ndarray, field: int, stride: int) -> dict[str, np.ndarray]:
    """What cells see whose windows are `field` pixels wide, their middles `stride` apart from the first pixel on: the
    "person" (or the own object) and not the thing, the "thing" and not the person, "both", or "neither", bool
    [N, h, w]."""
    windows = torch.from_numpy(np.stack([np.isin(labels, (PERSON, OBJECT)), labels == THING], axis=1)).float()
    there = F.max_pool2d(windows, field, stride=1, padding=field // 2)[..., ::stride, ::stride].numpy() > 0
    person, thing = there[:, 0], there[:, 1]
    return {
        "person": person & ~thing,
        "thing": thing & ~person,
        "both": person & thing,
        "neither": ~person & ~thing,
    }


def shares_of_windows(labels: np.ndarray, field: int, stride: int) -> np.ndarray:
    """Which share of each such window, as far as it lies inside the image, shows each of `REGIONS`, [N, 4, h, w]."""
    of_regions = torch.from_numpy(np.stack([labels == region for region in range(len(REGIONS))], axis=1)).float()
    return F.avg_pool2d(of_regions, field, stride, padding=field // 2, count_include_pad=False).numpy()
