"""What FRA's way of finding the object is held against (ours, beside Rosenfeld and Ullman 2016, §3 and §4): other
places for the fine network to look at, other orders of the candidates, and how well each network marks faces and
objects. Chapter 01.

All baselines use the run's own networks; they differ in where these look, or in what ranks what they found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from sklearn.metrics import average_precision_score
from torch import Tensor

from stillact_lib.papers.fra.data import FACE_LABEL, FIRST_OBJECT, Annotation, Region, overlap
from stillact_lib.papers.fra.localising import HIT, Localiser, shown_in, windows_about, windows_of
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.windows import about, cut

#: images that are looked at together
AT_ONCE = 32
#: windows of the dense baseline lie so many shares of their side apart
APART = 0.5
#: ranks of candidates that are counted
RANKS = 5

#: coarse maps [L, S, S] and the number of their image -> windows [K, 4] to look at
Looks = Callable[[np.ndarray, int], np.ndarray]


def constant_place(annotations: Sequence[Annotation]) -> np.ndarray:
    """The mean middle (row, column) of the action objects of some images."""
    boxes = np.array([one.thing.box for one in annotations if one.thing is not None], float)
    return ((boxes[:, :2] + boxes[:, 2:]) / 2).mean(axis=0)[::-1]


def ways_to_look(annotations: Sequence[Annotation], faces: np.ndarray, settings: FraSettings) -> dict[str, Looks]:
    """Where the fine network may look: where FRA does ("guided"); at the first of these alone ("first"); about the
    likeliest pixel of a face ("face_window"); at one place whatever the image shows, the mean place of the training
    objects ("constant"); at as many chance places as FRA has windows ("random"); everywhere, windows overlapping by
    half ("dense"); all with windows of one size. And about the found face [N, 4], `face_times` as large, as the network
    was taught ("face_box"): no window where there is none."""
    place, rng = constant_place(annotations)[None], np.random.default_rng(settings.seed)
    near = partial(windows_about, share=settings.window_share)

    def face(coarse: np.ndarray, _: int) -> np.ndarray:
        at = np.unravel_index(coarse[FACE_LABEL].argmax(), coarse.shape[1:])
        return near(np.array([at]), coarse.shape[1:])

    def face_box(_: np.ndarray, number: int) -> np.ndarray:
        box = about(faces[[number]], settings.face_times, square=True)
        return box[np.isfinite(box).all(axis=1)]

    def dense(coarse: np.ndarray, _: int) -> np.ndarray:
        side = settings.window_share
        steps = np.linspace(side / 2, 1 - side / 2, 1 + round((1 - side) / (APART * side)))
        rows, columns = np.meshgrid(steps * coarse.shape[1], steps * coarse.shape[2], indexing="ij")
        return near(np.stack([rows.ravel(), columns.ravel()], axis=1).astype(int), coarse.shape[1:])

    return {
        "guided": lambda coarse, _: windows_of(coarse, settings),
        "first": lambda coarse, _: windows_of(coarse, settings)[:1],
        "face_window": face,
        "face_box": face_box,
        "constant": lambda coarse, _: near(np.rint(place).astype(int), coarse.shape[1:]),
        "random": lambda coarse, _: near(rng.integers(0, coarse.shape[1], (settings.windows, 2)), coarse.shape[1:]),
        "dense": dense,
    }


def looked(localiser: Localiser, images: Tensor, ways: dict[str, Looks]) -> dict[str, tuple[np.ndarray, list]]:
    """Of each way to look the greatest probability of each label in its windows, float32 [N, L] (nought where it has
    none), and the windows [K, 4] of each image of uint8 [N, 3, S, S]."""
    peaks: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    windows: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for first, some in zip(range(0, len(images), AT_ONCE), images.split(AT_ONCE), strict=True):
        shown = as_network_input(some)
        coarse = localiser.coarse_maps(shown)
        for name, look in ways.items():
            boxes = [look(one, first + row) for row, one in enumerate(coarse)]
            owners = np.repeat(np.arange(len(some)), [len(of_image) for of_image in boxes])
            best = np.zeros((len(some), coarse.shape[1]), np.float32)
            if len(owners):
                seen = cut(shown[owners], np.concatenate(boxes), localiser.settings.fine_size)
                np.maximum.at(best, owners, localiser.apply(localiser.fine, seen).amax(dim=(2, 3)).numpy())
            peaks[name].append(best)
            windows[name] += boxes
    return {name: (np.concatenate(peaks[name]), windows[name]) for name in ways}


def all_shown_in(windows: Sequence[np.ndarray], annotations: Sequence[Annotation]) -> np.ndarray:
    """Whether the middle of each image's object lies in one of its windows: 100 or 0; NaN where none shows, [N]."""
    return np.array(
        [
            np.nan if one.thing is None else 100.0 * shown_in(of_image, one.thing)
            for of_image, one in zip(windows, annotations, strict=True)
        ]
    )


def right_by_rank(ranked: Sequence[Sequence[Region]], annotations: Sequence[Annotation]) -> dict[int, np.ndarray]:
    """Rank, from 1 on -> whether one of that many first regions of each image is on its object: 100 or 0; NaN where
    none shows, [N]."""
    found = {rank: np.full(len(annotations), np.nan) for rank in range(1, RANKS + 1)}
    for row, (regions, annotation) in enumerate(zip(ranked, annotations, strict=True)):
        if (thing := annotation.thing) is None:
            continue
        boxes = np.array([region.box for region in regions], float).reshape(-1, 4)
        hits = overlap(boxes, np.array([thing.box], float)) >= HIT
        for rank, values in found.items():
            values[row] = 100.0 * hits[:rank].any()
    return found


def marked(maps: np.ndarray, annotation: Annotation, first_object: int = FIRST_OBJECT) -> dict[str, float]:
    """How well maps [L, S, S] mark an image, in %: "object_iou", intersection over union of the object's own label with
    its outline, "face_iou" the same of the face; "pixel_ap", average precision of its pixels under the probability of
    any object. NaN where there is none, or maps of objects alone (`first_object` 1) know no face."""
    found, thing = dict.fromkeys(("object_iou", "face_iou", "pixel_ap"), np.nan), annotation.thing
    if thing is not None:
        label = thing.label - FIRST_OBJECT + first_object
        found |= object_marked(maps, annotation.labels == thing.label, label, first_object)
    if first_object == FIRST_OBJECT and (face := annotation.labels == FACE_LABEL).any():
        found["face_iou"] = _iou(maps.argmax(axis=0) == FACE_LABEL, face)
    return found


def object_marked(maps: np.ndarray, true: np.ndarray, label: int, first_object: int) -> dict[str, float]:
    """ "object_iou" and "pixel_ap" of one object: its pixels `true`, bool [S, S], and its label among the maps'."""
    found = {"object_iou": _iou(maps.argmax(axis=0) == label, true), "pixel_ap": np.nan}
    if true.any():
        likely = maps[first_object:].sum(axis=0)
        found["pixel_ap"] = 100 * average_precision_score(true.ravel(), likely.ravel())
    return found


def _iou(said: np.ndarray, true: np.ndarray) -> float:
    return 100.0 * float((said & true).sum() / max(1, (said | true).sum()))
