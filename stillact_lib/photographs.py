"""Photographs of a dataset, all in memory and all of one size. Chapters 01 and 03."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from stillact_lib.datasets.images import UnreadableImage, read_rgb
from stillact_lib.datasets.stills import Stills
from stillact_lib.errors import StillactError


@dataclass(frozen=True)
class Photographs:
    """N labelled photographs squashed to a square: images uint8 [N, 3, S, S]; positives bool [N, C]; test bool [N];
    names str [N]."""

    classes: tuple[str, ...]
    images: Tensor
    positives: np.ndarray
    test: np.ndarray
    names: np.ndarray
    root: Path

    @property
    def labels(self) -> np.ndarray:
        """The first class that each shows, int64 [N]."""
        return self.positives.argmax(1)


def load_photographs(stills: Stills, side: int, tested: Collection[str]) -> Photographs:
    """The photographs that show a class, ordered by name; of several people in one, all classes count. `tested`: the
    parts of the split that are the test. Raises StillactError, naming the file, for one that cannot be read."""
    persons = stills.persons
    named, first = np.unique(persons["image"].to_numpy(str), return_index=True)
    place = np.searchsorted(named, persons["image"].to_numpy(str))
    positives = np.zeros((len(named), len(stills.classes)), bool)
    np.logical_or.at(positives, place, stills.positives)
    kept = positives.any(1)
    with ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(partial(_squashed, stills.root, side=side), named[kept])))
    test = persons["split"].iloc[first].isin(tested).to_numpy()[kept]
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return Photographs(stills.classes, tensor, positives[kept], test, named[kept], stills.root)


def _squashed(root: Path, image: str, side: int) -> np.ndarray:
    try:
        return cv2.resize(read_rgb(root / image), (side, side), interpolation=cv2.INTER_AREA)
    except UnreadableImage as reason:
        raise StillactError(f"{root / image}: {reason}; fetch it again or leave it out") from None
