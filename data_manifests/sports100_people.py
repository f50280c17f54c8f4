"""Makes sports100_people.npz: boxes of people in photographs of 100 Sports, those of chapter 02's profile `real`:
of the sports that UCF-101 has too, `POOL` of each one's training photographs and all for testing.

    python data_manifests/sports100_people.py ROOT MODELS PHOTOGRAPHS    # ROOT as for `stillact data verify`

Run once, by us; no chapter needs it. `blazepose` beside this file says how people are found, and what MODELS is. Nobody
looked over the boxes. PHOTOGRAPHS are some of Stanford 40, whose boxes are known: how well the best mask's box overlaps
with them is kept too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from blazepose import BlazePose, box_of, measure
from tqdm import tqdm

from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.sports100 import FOLDER, NAME, SPLIT_LIST, read_split
from stillact_lib.datasets.sports100_people import BOXES, POOL
from stillact_lib.manifests import load_manifest
from stillact_lib.paths import written_whole


def annotate(root: Path, find: BlazePose) -> dict[str, np.ndarray]:
    """The boxes: of each photograph by its number how many, and all of them in that order, uint8 of 224 pixels."""
    listed = [one for one in read_split(SPLIT_LIST)[0] if one.class_name in load_manifest(NAME).in_ucf101]
    taken: dict[tuple[str, str], int] = {}
    numbers, people, boxes = [], [], []
    for one in tqdm(listed, unit="photograph"):
        key = (one.class_name, one.part)
        taken[key] = taken.get(key, 0) + 1
        if one.part == "test" or taken[key] <= POOL:
            found = [box_of(mask) for mask in find(np.ascontiguousarray(read_rgb(root / FOLDER / one.path)))]
            numbers, people, boxes = [*numbers, one.number], [*people, len(found)], [*boxes, *found]
    arrays = {"number": np.array(numbers, np.uint16), "people": np.array(people, np.uint8)}
    return arrays | {"boxes": np.array(boxes, np.uint8)}


if __name__ == "__main__":
    root, models, photographs = map(Path, sys.argv[1:])
    pose = BlazePose(models)
    with written_whole(BOXES) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, overlap=measure(photographs, pose), **annotate(root, pose))
