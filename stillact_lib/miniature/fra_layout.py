"""The layout of FRA, Stanford 40's actions at the face, with the annotation that the paper made and never released:
outlines of faces and action objects, boxes of hands, as COCO instances beside the photographs.

Things lie about that belong to another of these actions, so that it matters *where* a thing is; how large the thing at
the face is differs from photograph to photograph. At sizes of `FRAMED` they are held in the idle hand, too, or are
beside the face, hands differ in size and some are gloved, and people are anywhere and at any distance, so that it
cannot be known where to look.
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
from stillact_lib.miniature.framing import WIDER, Scene, box_of, framed, scene_of, with_strange_thing
from stillact_lib.miniature.items import StanfordPhoto, put
from stillact_lib.miniature.layout import Layout, Scale, chosen, entropy
from stillact_lib.miniature.still_layouts import PHOTO, photo, stanford_layout
from stillact_lib.miniature.world import ClipSpec, WorldSettings, render_clip

PARTS = ".instances"  # what is in each photograph, until the annotation is put together
#: share of photographs in which something of another action lies about
MISLEADING = 0.7
#: the sizes whose photographs are framed, and the share of these in which something of another action is held in the
#: idle hand, or is beside the face
FRAMED, HELD, AT_FACE = ("study",), 0.35, 0.35
#: how much hands differ there (`WorldSettings.hands`)
HANDS = 0.35
#: how large things at the face are, from least to most of their natural size
OBJECT_SCALE = (0.6, 1.6)
#: Raised by hand when what is annotated changes though the photographs do not.
VERSION = 1


FRA_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "test": 4}),
    "mini": Scale((128, 128), {"train": 100, "test": 143}),  # as many as the real five classes have: 500 and 715
    "study": Scale((192, 192), {"train": 200, "test": 300}),
    "gpu": Scale((256, 256), {"train": 100, "test": 143}),
}


@dataclass(frozen=True)
class FraPhoto:
    """A photograph, Stanford 40's annotation, and what is in it in a file of its own until all are there. With a `side`
    in pixels it is cut from the wider picture of its specification, and the `stranger`'s thing is in the idle hand
    (`held`) or beside the face."""

    stanford: StanfordPhoto
    side: int = 0
    chance: tuple[int, ...] = ()
    stranger: ClipSpec | None = None
    held: bool = False

    @property
    def spec(self) -> ClipSpec:
        return self.stanford.spec

    def scene(self) -> Scene:
        """What is drawn, with its truth."""
        wide = scene_of(render_clip(self.spec, truth=True))
        if not self.side:
            return wide
        rng = np.random.default_rng(self.chance)
        if self.stranger is not None:
            wide = with_strange_thing(wide, scene_of(render_clip(self.stranger, truth=True)), self.held, rng)
        return framed(wide, self.side, rng)

    def write(self, root: Path, path: str) -> None:
        scene = self.scene()
        inside = _instances(scene, OBJECT_OF[self.stanford.action])
        put(root / PARTS / f"{Path(path).stem}.json", json.dumps(inside).encode())
        self.stanford.put(scene.image, np.rint(scene.person), root, path)


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


def _instances(scene: Scene, thing: str) -> list[dict[str, object]]:
    """The face, the hands that show and the thing in use, where it does; smoke and bubbles are none of it."""
    found: list[dict[str, object]] = []
    if scene.head.any():
        found.append({"category": FACE, "bbox": _sides(box_of(scene.head)), "segmentation": as_runs(scene.head)})
    for box in scene.hands:
        if np.isfinite(box).all():
            found.append({"category": HAND, "bbox": _sides(box)})
    if scene.thing.any():
        found.append({"category": thing, "bbox": _sides(box_of(scene.thing)), "segmentation": as_runs(scene.thing)})
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

    def world(rng: np.random.Generator) -> WorldSettings:
        scale_of_things = round(float(np.exp(rng.uniform(low, high))), 3)
        return replace(PHOTO, decoys=0.0, object_scale=scale_of_things, hands=HANDS if size in FRAMED else 0.0)

    def photographed(name: str, action: str, image: str) -> FraPhoto:
        actor = entropy(seed, "fra", image)
        rng = np.random.default_rng((*actor, 2))
        settings = world(rng)
        others = [other for other in action_of.values() if other != action]
        decoy = others[int(rng.integers(len(others)))] if rng.random() < MISLEADING else None
        wide = (WIDER[0] * scale.image[0], WIDER[1] * scale.image[0]) if size in FRAMED else scale.image
        spec = photo(action, actor, wide, settings=settings, decoy=decoy)
        stanford = StanfordPhoto(spec, f"XMLAnnotations/{image}.xml", name)
        if size not in FRAMED:
            return FraPhoto(stanford)
        theirs, where = others[int(rng.integers(len(others)))], rng.random()
        stranger = photo(theirs, (*actor, 3), wide, settings=world(rng)) if where < HELD + AT_FACE else None
        return FraPhoto(stanford, scale.image[0], (*actor, 4), stranger, where < HELD)

    layout = stanford_layout("fra", seed, names, scale, photographed)
    layout.finisher = FraAnnotation(tuple(Path(path).name for path in layout.items), scale.image, VERSION)
    return layout
