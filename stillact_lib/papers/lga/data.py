"""The data of chapter 02: photographs of Stanford 40 and MPII with the people's places (Liu, Tan, You 2018, §4). Read
from the root that the settings name, else from the miniature. Or photographs of sports, where a detector saw people.

All images are squashed to one square; boxes with them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.datasets import read
from stillact_lib.datasets.sports100_people import looked_at, people_in
from stillact_lib.datasets.stills import Stills
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature.context_layout import CONTEXT, CONTEXTS
from stillact_lib.notebook.run_data import miniature_or_real
from stillact_lib.papers.lga.regions import THING, boxed_regions, boxes_of, drawn_regions
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.vision.photographs import Photographs, load_photographs

STANFORD40, FAIR, OFTEN, ALWAYS, MPII = "stanford40", "fair", "often", "always", "mpii"
#: genuine photographs, of the sports that UCF-101 has too
SPORTS = "sports100"
#: the miniature that stands for each: Stanford 40's context misleads; that of its copies never, less and more often
MINIATURES = {STANFORD40: "stanford40_biased", MPII: "mpii"}
#: copies of Stanford 40 that are there to train on; those that only further arms need
COPIES = (FAIR, *(FURTHER_COPIES := (OFTEN, ALWAYS)))
MINIATURES |= {copy: f"stanford40_{copy}" for copy in COPIES}
#: the parts of their splits that are the test; the activities of MPII's own test part are withheld
TESTED = dict.fromkeys((STANFORD40, *COPIES, SPORTS), ("test",)) | {MPII: ("val",)}
#: photographs that are laid under their masks at once, and that a network sees at once when it is tested
AT_ONCE = 64
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

    def masks(self, rows: np.ndarray) -> Tensor:
        """float [N, 1, S, S], 1 inside any person's box."""
        return masks_of([self.boxes[row] for row in rows], self.photographs.images.shape[-1])

    def regions(self, rows: np.ndarray) -> np.ndarray:
        """What lies where in some photographs, maps of `regions.REGIONS`, uint8 [N, S, S]."""
        if self.context is None:
            return boxed_regions(self.masks(rows))
        return drawn_regions(self.photographs.root, self.photographs.names[rows], self.photographs.images.shape[-1])

    @cached_property
    def mean_mask(self) -> Tensor:
        """The mean mask of the training photographs whose people's places are known, float [1, S, S]."""
        known = self.train[self.known(self.train).numpy()]
        return sum(self.masks(some).sum(0) for some in np.array_split(known, -(-len(known) // AT_ONCE))) / len(known)

    def things(self, rows: np.ndarray) -> Tensor:
        """Masks float [N, 1, S, S] of the box around the thing beside; of drawn photographs, nobody knows of others."""
        return masks_of(boxes_of(self.regions(rows), THING), self.photographs.images.shape[-1])

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
    """Photographs at `side` pixels with the boxes of everybody annotated in them (nobody says whose activity it is) and
    the miniature's table of what stands beside, if there is one."""
    photographs = load_photographs(stills, side, tested)
    people = stills.persons
    scaled = people[SIDES].to_numpy(float) * side / people[["width", "height", "width", "height"]].to_numpy(float)
    placed = np.isfinite(scaled).all(axis=1)
    # the rows of `groupby` count within the placed people
    of_image = {image: scaled[placed][rows] for image, rows in people[placed].groupby("image").indices.items()}
    nobody = np.empty((0, 4))
    boxes = tuple(of_image.get(name, nobody) for name in photographs.names)
    if not (stills.root / CONTEXT).is_file():
        return PlacedPhotographs(photographs, boxes)
    table = pd.read_csv(stills.root / CONTEXT, keep_default_na=False).set_index("image")
    context = table.loc[[name.rpartition("/")[2] for name in photographs.names]].reset_index()
    return PlacedPhotographs(photographs, boxes, context)


def place_sports(root: Path, settings: LgaSettings) -> PlacedPhotographs:
    """Photographs of sports: of each `labels_per_class` to train on, drawn by the run's seed among those of the
    training part in which people were looked for; the test part to test on, or the others (`tested` "validation")."""
    stills = read(SPORTS, root, classes=list(load_manifest(SPORTS).in_ucf101))
    table = stills.persons.reset_index(drop=True)
    pool = table[(table["split"] == "train") & table["image"].map(looked_at)]
    drawn = pool.sample(frac=1, random_state=settings.seed).groupby("label").head(settings.labels_per_class).index
    side = settings.image_size
    tested = table.index[table["split"] == "test"] if settings.tested == "test" else pool.index.difference(drawn)
    kept = np.sort(np.concatenate([drawn, tested]))
    persons = table.loc[kept].assign(split=np.where(np.isin(kept, tested), "test", "train"))
    some = replace(stills, persons=persons, positives=stills.positives[kept])
    photographs = load_photographs(some, side, TESTED[SPORTS])
    return PlacedPhotographs(photographs, tuple(people_in(photographs.names.tolist(), side)))


def datasets_of(settings: LgaSettings) -> dict[str, str]:
    """The datasets that a run reads, each with its root, "" for the miniature. There is no copy of a real one."""
    if settings.sports_root:
        return {SPORTS: settings.sports_root}
    roots = {STANFORD40: settings.stanford40_root, **dict.fromkeys(COPIES, ""), MPII: settings.mpii_root}
    copied = settings.draws and not settings.stanford40_root
    drawn = {STANFORD40: settings.draws, FAIR: copied, MPII: settings.draws}
    drawn |= dict.fromkeys(FURTHER_COPIES, copied and settings.further)
    return {name: root for name, root in roots.items() if root or drawn[name]}


def open_datasets(settings: LgaSettings) -> dict[str, PlacedPhotographs]:
    """The photographs of each."""
    if settings.sports_root:
        return {SPORTS: place_sports(Path(settings.sports_root), settings)}
    opened = {}
    for name, root in datasets_of(settings).items():
        place = miniature_or_real(MINIATURES[name], Path(root) if root else None, settings)
        stills = read(MPII if name == MPII else STANFORD40, place)
        opened[name] = place_photographs(stills, settings.image_size, TESTED[name])
    return opened


def open_imagenet(settings: LgaSettings) -> Photographs | None:
    """The photographs of things that backbones are pre-trained on, ImageNet's miniature; None where they come with
    ImageNet's weights."""
    if settings.pretraining != "own":
        return None
    stills = read("imagenet", miniature_or_real("imagenet", None, settings))
    return load_photographs(stills, settings.image_size + round(ROOM * settings.image_size), ("val",))


def origin_of(photographs: Photographs) -> DataOrigin:
    """Which data these are."""
    return DataOrigin(**asdict(photographs.report.identity))


def origins_of_contexts(main: PlacedPhotographs) -> list[DataOrigin]:
    """The test photographs of each context as data of their own, as a record keeps their scores apart."""
    if main.context is None:
        return []
    return [origin_of(main.photographs).model_copy(update={"name": name}) for name in CONTEXTS]
