"""Where people are in some photographs of 100 Sports: boxes around what a detector drew, once, as the set has none.

`data_manifests/sports100_people.py` says how they were made. Nobody looked them over; where it found nobody, as in a
boat far out, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from stillact_lib.datasets.sports100 import SPLIT_LIST, read_split
from stillact_lib.errors import StillactError
from stillact_lib.manifests import manifest_folder

BOXES = manifest_folder() / "sports100_people.npz"
#: side of the photographs in pixels, and how many of each sport's for training were looked at, the first of the list
SIDE, POOL = 224, 20
NUMBERED = re.compile(r"Image_(\d+)\.")


@cache
def _boxes() -> dict[int, np.ndarray]:
    """Number of a photograph -> boxes float [people, 4]."""
    with np.load(BOXES) as found:
        ends = np.cumsum(found["people"].astype(int))
        return dict(zip(found["number"].tolist(), np.split(found["boxes"].astype(float), ends[:-1]), strict=True))


def looked_at(name: str) -> bool:
    """Whether anybody looked for people in a photograph, by its name in the set."""
    return _number(name) in _boxes()


def people_in(names: Sequence[str], side: int) -> list[np.ndarray]:
    """The boxes x0, y0, x1, y1 of people, float [people, 4], in photographs squashed to `side` pixels.

    Raises StillactError where one was never looked at.
    """
    for name in names:
        if not looked_at(name):
            raise StillactError(
                f"{BOXES.name}: nobody looked for people in {name}; of the sports that UCF-101 has too it has all "
                f"photographs for testing and the first {POOL} of each for training"
            )
    return [_boxes()[_number(name)] * side / SIDE for name in names]


def everybody(side: int) -> list[np.ndarray]:
    """The same of all photographs in which somebody was found."""
    return [boxes * side / SIDE for boxes in _boxes().values() if len(boxes)]


def agreement() -> np.ndarray:
    """How well the detector did where the truth is known: intersection over union of a person's box and of the best
    mask's, float32 [12], on photographs of Stanford 40."""
    with np.load(BOXES) as found:
        return found["overlap"]


def people_by_part() -> pd.DataFrame:
    """A row for training and for testing: photographs looked at, the share in % in which somebody was found, the mean
    number of people there, and the mean share in % of the picture that the boxes cover."""
    parts = {one.number: one.part for one in read_split(SPLIT_LIST)[0]}
    rows = []
    for number, boxes in _boxes().items():
        covered = np.zeros((SIDE, SIDE), bool)
        for x0, y0, x1, y1 in boxes.astype(int):
            covered[y0:y1, x0:x1] = True
        rows.append((parts[number], 100.0 * (len(boxes) > 0), len(boxes) or np.nan, 100 * covered.mean()))
    table = pd.DataFrame(rows, columns=["part", "somebody found, %", "people there", "covered by boxes, %"])
    by_part = table.groupby("part")
    return by_part.mean().round(1).assign(photographs=by_part.size()).loc[["train", "test"]]


def _number(name: str) -> int:
    found = NUMBERED.search(name)
    return int(found[1]) if found else -1
