"""Makes ucf101_people.npz: where people are in the stills that chapter 03's profile `real` takes of UCF-101.

    python data_manifests/ucf101_people.py ROOT MODELS PHOTOGRAPHS    # ROOT as for `stillact data verify ucf101 ROOT`

Run once, by us; no chapter needs it. `blazepose` beside this file says how people are found, and what MODELS is. Nobody
looked over the masks. PHOTOGRAPHS are some of Stanford 40, whose boxes are known: how well the best mask's box overlaps
with them is kept too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from blazepose import BlazePose, measure
from tqdm import tqdm

from stillact_lib.configuration import profile_parameters
from stillact_lib.datasets import read
from stillact_lib.datasets.ucf101_people import MASKS, SIDE
from stillact_lib.paths import written_whole
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.pair_shards import PairRecipe


def annotate(root: Path, find: BlazePose) -> dict[str, np.ndarray]:
    """The masks of all stills that profile `real` takes."""
    profile = profile_parameters("03-space-time-saliency", "real")
    recipe = PairRecipe(1, pairs_per_video=profile["pairs_per_video"], drop_repeats=profile["drop_repeats"])
    samples = read("ucf101", root, classes=profile["classes"].split())
    videos, rows, frames, numbers, packed = samples.videos["video"].to_numpy(str), [], [], [], []
    for row, name in enumerate(tqdm(videos, unit="clip")):
        video = DecodedVideo(samples.root / name, profile["drop_repeats"])
        of_pairs = recipe.kept(len(video.frames))
        for at in of_pairs[np.linspace(0, len(of_pairs) - 1, profile["stills_per_video"]).astype(int)]:
            masks = find(np.ascontiguousarray(video.frames[at]))
            union = np.any(masks, axis=0) if masks else np.zeros(video.frames.shape[1:3], bool)
            small = cv2.resize(union.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0.5
            rows, frames, numbers = [*rows, row], [*frames, video.index[at]], [*numbers, len(masks)]
            packed.append(np.packbits(small))
    arrays = {"video": videos, "row": np.array(rows, np.uint16), "frame": np.array(frames, np.uint16)}
    return arrays | {"people": np.array(numbers, np.uint8), "mask": np.stack(packed)}


if __name__ == "__main__":
    root, models, photographs = map(Path, sys.argv[1:])
    pose = BlazePose(models)
    with written_whole(MASKS) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, overlap=measure(photographs, pose), **annotate(root, pose))
