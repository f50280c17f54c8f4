"""The layout of FRA, Stanford 40's actions at the face, with the annotation that the paper made and never released:
outlines of faces and action objects, boxes of hands, as COCO instances beside the photographs.

Things lie about that belong to another of these actions, so that it matters *where* a thing is; how large the thing at
the face is differs from photograph to photograph.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stillact_lib.datasets.coco_instances import as_runs
from stillact_lib.datasets.fra import ANNOTATIONS, CATEGORIES, FACE, HAND, OBJECT_OF
from stillact_lib.miniature.actions import real_classes
from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.items import StanfordPhoto, put
from stillact_lib.miniature.layout import Layout, Scale, chosen, entropy
from stillact_lib.miniature.still_layouts import PHOTO, photo, stanford_layout
from stillact_lib.miniature.truth import Clip
from stillact_lib.miniature.world import ClipSpec, render_clip

PARTS = ".instances"  # what is in each photograph, until the annotation is put together
#: share of photographs in which something of another action lies about
MISLEADING = 0.7
#: how large things at the face are, from least to most of their natural size
OBJECT_SCALE = (0.6, 1.6)
#: Raised by hand when what is annotated changes though the photographs do not.
VERSION = 1


FRA_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "test": 4}),
    "mini": Scale((128, 128), {"train": 100, "test": 143}),  # as many as the real five classes have: 500 and 715
    "gpu": Scale((256, 256), {"train": 100, "test": 143}),
}


@dataclass(frozen=True)
class FraPhoto:
    """A photograph, Stanford 40's annotation, and what is in it in a file of its own until all are there."""

    stanford: StanfordPhoto

    @property
    def spec(self) -> ClipSpec:
        return self.stanford.spec

    def write(self, root: Path, path: str) -> None:
        clip = render_clip(self.spec, truth=True)
        inside = _instances(clip, OBJECT_OF[self.stanford.action])
        put(root / PARTS / f"{Path(path).stem}.json", json.dumps(inside).encode())
        self.stanford.put(clip, root, path)


@dataclass(frozen=True)
class FraAnnotation:
    """Puts the annotation together when all photographs are there."""

    images: tuple[str, ...]  # file names
    size: tuple[int, int]
    version: int

    def finish(self, root: Path) -> None:
        numbers = {name: number for number, name in enumerate(CATEGORIES, start=1)}
        images, annotations = [], []
        for number, name in enumerate(self.images, start=1):
            images.append({"id": number, "file_name": name, "height": self.size[0], "width": self.size[1]})
            for found in json.loads((root / PARTS / f"{Path(name).stem}.json").read_text()):
                own = {"id": len(annotations) + 1, "image_id": number, "category_id": numbers[found.pop("category")]}
                annotations.append(own | found | {"iscrowd": 0})
        categories = [{"id": number, "name": name} for name, number in numbers.items()]
        whole = {"images": images, "categories": categories, "annotations": annotations}
        put(root / ANNOTATIONS, json.dumps(whole).encode())
        shutil.rmtree(root / PARTS)


def _instances(clip: Clip, thing: str) -> list[dict[str, object]]:
    """The face, the hands that show and the thing in use, where it does; smoke and bubbles are none of it."""
    found: list[dict[str, object]] = []
    parts = clip.part_ids[0]
    if (head := parts == LABEL["head"]).any():
        found.append({"category": FACE, "bbox": _sides(clip.face_boxes[0]), "segmentation": as_runs(head)})
    for box in clip.hand_boxes[0]:
        if np.isfinite(box).all():
            found.append({"category": HAND, "bbox": _sides(box)})
    if (mask := clip.thing_mask[0]).any():
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        found.append({"category": thing, "bbox": _sides(box), "segmentation": as_runs(mask)})
    return found


def _sides(box: np.ndarray) -> list[float]:
    """x0, y0, x1, y1 as COCO has it: x, y, width, height."""
    x0, y0, x1, y1 = (float(edge) for edge in box)
    return [x0, y0, x1 - x0, y1 - y0]


def fra(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """Stanford 40's folders with the five classes of FRA, and `annotations/fra_instances.json`."""
    scale = FRA_SCALES[size]
    names = chosen("fra", scale, classes, sorted(OBJECT_OF))
    action_of = {name: real_classes("stanford40")[name] for name in sorted(OBJECT_OF)}
    low, high = np.log(OBJECT_SCALE)

    def photographed(name: str, action: str, image: str) -> FraPhoto:
        actor = entropy(seed, "fra", image)
        rng = np.random.default_rng((*actor, 2))
        world = replace(PHOTO, decoys=0.0, object_scale=round(float(np.exp(rng.uniform(low, high))), 3))
        others = [other for other in action_of.values() if other != action]
        decoy = others[int(rng.integers(len(others)))] if rng.random() < MISLEADING else None
        spec = photo(action, actor, scale.image, settings=world, decoy=decoy)
        return FraPhoto(StanfordPhoto(spec, f"XMLAnnotations/{image}.xml", name))

    layout = stanford_layout("fra", seed, names, scale, photographed)
    layout.finisher = FraAnnotation(tuple(Path(path).name for path in layout.items), scale.image, VERSION)
    return layout
