"""The data of chapter 02: photographs of Stanford 40 and MPII with the people's places (Liu, Tan, You 2018, §4). Read
from the real thing where the settings name its root, else from its miniature.

All images are squashed to one square; boxes with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.datasets import read
from stillact_lib.datasets.stills import Stills
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature.context_layout import CONTEXT, CONTEXTS
from stillact_lib.notebook.run_data import miniature_or_real, origin_of
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.vision.photographs import Photographs, load_photographs

STANFORD40, MPII, FAIR = "stanford40", "mpii", "fair"
#: the miniatures that stand for them
BIASED_MINIATURE, FAIR_MINIATURE = "stanford40_biased", "stanford40_fair"
#: the larger photographs of ImageNet's miniature are a little larger than what the network sees
ROOM = 8 / 96
SIDES = ["x0", "y0", "x1", "y1"]


@dataclass(frozen=True)
class PlacedPhotographs:
    """Photographs, the boxes of the people in each ([people, 4] at the run's size, perhaps none), and where it is known
    (the miniature) what stands beside the actor: columns scene, context, beside, a row a photograph."""

    photographs: Photographs
    boxes: tuple[np.ndarray, ...]
    context: pd.DataFrame | None = None

    @property
    def train(self) -> np.ndarray:
        """Rows of the training photographs."""
        return np.flatnonzero(~self.photographs.test)

    @property
    def test(self) -> np.ndarray:
        return np.flatnonzero(self.photographs.test)

    def masks(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """float [N, 1, S, S], 1 inside any person's box, and bool [N], whether there is one."""
        side = self.photographs.images.shape[-1]
        return masks_of([self.boxes[row] for row in rows], side), self.known(rows)

    def known(self, rows: np.ndarray) -> Tensor:
        """Whether anybody's place is known, bool [N]."""
        return torch.tensor([len(self.boxes[row]) > 0 for row in rows], dtype=torch.bool)


def masks_of(boxes: list[np.ndarray], side: int) -> Tensor:
    """Masks float [N, 1, side, side] of boxes [people, 4]: 1 in every pixel whose middle lies in one of them."""
    masks = np.zeros((len(boxes), 1, side, side), np.float32)
    of_mask = np.repeat(np.arange(len(boxes)), [len(people) for people in boxes])
    edges = np.ceil(np.clip(np.concatenate([*boxes, np.empty((0, 4))]), 0, side) - 0.5).astype(int)
    for mask, (x0, y0, x1, y1) in zip(of_mask.tolist(), edges.tolist(), strict=True):
        masks[mask, :, y0:y1, x0:x1] = 1
    return torch.from_numpy(masks)


def place_photographs(stills: Stills, side: int, tested: tuple[str, ...]) -> PlacedPhotographs:
    """Photographs at `side` pixels with the boxes of everybody annotated in them: nobody says whose activity it is."""
    photographs = load_photographs(stills, side, tested)
    people = stills.persons
    scaled = people[SIDES].to_numpy(float) * side / people[["width", "height", "width", "height"]].to_numpy(float)
    placed = np.isfinite(scaled).all(axis=1)
    # the rows of `groupby` count within the placed people
    of_image = {image: scaled[placed][rows] for image, rows in people[placed].groupby("image").indices.items()}
    nobody = np.empty((0, 4))
    return PlacedPhotographs(photographs, tuple(of_image.get(name, nobody) for name in photographs.names))


def open_stanford40(settings: LgaSettings) -> PlacedPhotographs | None:
    """Stanford 40, or its miniature whose context misleads; None in a run of MPII alone."""
    if settings.stanford40_root:
        return place_photographs(read(STANFORD40, Path(settings.stanford40_root)), settings.image_size, ("test",))
    return None if settings.profile == "paper" else _drawn(BIASED_MINIATURE, settings)


def open_fair(settings: LgaSettings) -> PlacedPhotographs | None:
    """The miniature whose context does not mislead, to train on; there is no such thing beside the real one."""
    return None if settings.stanford40_root or settings.profile == "paper" else _drawn(FAIR_MINIATURE, settings)


def _drawn(name: str, settings: LgaSettings) -> PlacedPhotographs:
    root = miniature_or_real(name, None, settings)
    found = place_photographs(read(STANFORD40, root), settings.image_size, ("test",))
    table = pd.read_csv(root / CONTEXT, keep_default_na=False).set_index("image")
    context = table.loc[[name.rpartition("/")[2] for name in found.photographs.names]].reset_index()
    return PlacedPhotographs(found.photographs, found.boxes, context)


def open_mpii(settings: LgaSettings) -> PlacedPhotographs | None:
    """MPII's activities, tested on the validation list; None in a run of Stanford 40 alone."""
    if settings.profile == "paper" and not settings.mpii_root:
        return None
    root = miniature_or_real(MPII, Path(settings.mpii_root) if settings.mpii_root else None, settings)
    return place_photographs(read(MPII, root), settings.image_size, ("val",))


def open_imagenet(settings: LgaSettings) -> Photographs:
    """The miniature's photographs of things."""
    stills = read("imagenet", miniature_or_real("imagenet", None, settings))
    return load_photographs(stills, settings.image_size + round(ROOM * settings.image_size), ("val",))


def origins(settings: LgaSettings, opened: dict[str, PlacedPhotographs | None]) -> tuple[DataOrigin, ...]:
    """What a record says of a run's data; opened: dataset -> photographs. The test photographs of each context, of
    which it keeps scores apart, are named too."""
    found = {name: data for name, data in opened.items() if data is not None}
    if (main := found.get(STANFORD40)) is not None and main.context is not None:
        found |= dict.fromkeys(CONTEXTS, main)
    return tuple(origin_of(data.photographs.root, name) for name, data in found.items())
