"""Photographs of a dataset, all in memory and all of one size. Chapters 01 to 03."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from joblib import cpu_count
from torch import Tensor

from stillact_lib.datasets.images import UnreadableImage, read_rgb
from stillact_lib.datasets.problems import Problem
from stillact_lib.datasets.report import MOST_UNUSABLE, DataReport, data_report
from stillact_lib.datasets.stills import Stills


@dataclass(frozen=True)
class Photographs:
    """N labelled photographs squashed to a square: images uint8 [N, 3, S, S]; positives bool [N, C]; test bool [N];
    names str [N]; report: what was found of the dataset, and what is wrong with it."""

    classes: tuple[str, ...]
    images: Tensor
    positives: np.ndarray
    test: np.ndarray
    names: np.ndarray
    root: Path
    report: DataReport | None = None

    @property
    def labels(self) -> np.ndarray:
        """The first class that each shows, int64 [N]."""
        return self.positives.argmax(1)


def load_photographs(
    stills: Stills, side: int, tested: Collection[str], most_unusable: float = MOST_UNUSABLE
) -> Photographs:
    """The photographs that show a class, ordered by name; of several people in one, all classes count. `tested`: the
    parts of the split that are the test. One that does not decode is left out and named in the report. Raises
    StillactError where more than `most_unusable` of what the lists name is missing or unreadable."""
    persons = stills.persons
    named, first = np.unique(persons["image"].to_numpy(str), return_index=True)
    place = np.searchsorted(named, persons["image"].to_numpy(str))
    positives = np.zeros((len(named), len(stills.classes)), bool)
    np.logical_or.at(positives, place, stills.positives)
    kept = np.flatnonzero(positives.any(1))
    images = torch.empty((len(kept), 3, side, side), dtype=torch.uint8)

    def put(image: str, row: int) -> np.ndarray:  # each into its place: a list of them all would take as much again
        images[row] = torch.from_numpy(squashed(read_rgb(stills.root / image), side)).permute(2, 0, 1)
        return np.empty(0)

    _, readable, problems = each_readable(put, named[kept], range(len(kept)))
    kept, report = kept[readable], data_report(stills.name, stills, problems, most_unusable=most_unusable)
    images = images if readable.all() else images[torch.from_numpy(readable)]
    test = persons["split"].iloc[first].isin(tested).to_numpy()[kept]
    return Photographs(stills.classes, images, positives[kept], test, named[kept], stills.root, report)


def squashed(image: np.ndarray, side: int) -> np.ndarray:
    """An image uint8 [H, W, 3] as a square: by area where it is shrunk, cubic where it is enlarged (by area OpenCV
    would repeat the nearest pixel)."""
    height, width = image.shape[:2]
    smaller = (min(width, side), min(height, side))
    shrunk = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    return shrunk if smaller == (side, side) else cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_CUBIC)


def each_readable(
    make: Callable[..., np.ndarray], names: Sequence[str], *columns: Iterable[object]
) -> tuple[list[np.ndarray], np.ndarray, list[Problem]]:
    """What `make(name, *values)` makes of each photograph, several at a time: of those that can be read, which these
    are, bool [N], and the others as problems."""

    def one(name: str, *values: object) -> np.ndarray | Problem:
        try:
            return make(name, *values)
        except UnreadableImage as reason:
            return Problem(str(name), str(reason), "unreadable")

    with ThreadPoolExecutor(cpu_count()) as pool:
        made = list(pool.map(one, names, *columns))
    readable = np.array([not isinstance(found, Problem) for found in made], bool)
    images = [found for found in made if not isinstance(found, Problem)]
    return images, readable, [found for found in made if isinstance(found, Problem)]
