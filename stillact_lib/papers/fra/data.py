"""The data of chapter 01: FRA's photographs with what is annotated in them, Stanford 40 and ImageNet's photographs
(Rosenfeld and Ullman 2016, §2). Read from the real thing where the settings name its root, else from its miniature.

All images are squashed to one square; boxes and masks with them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from stillact_lib.datasets import read
from stillact_lib.datasets.coco_instances import AnnotatedImage
from stillact_lib.datasets.fra import CATEGORIES, FACE, HAND, OBJECT_OF, OBJECTS, read_fra
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.fcn8s import IGNORED
from stillact_lib.networks.vgg import COMPACT_SIDE, FULL_SIDE
from stillact_lib.notebook.run_data import miniature_of, miniature_or_real
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.vision.photographs import Photographs, load_photographs

FRA, STANFORD40, IMAGENET = "fra", "stanford40", "imagenet"
#: labels of the networks, background first (Eq. 1)
LABELS = ("background", *CATEGORIES)
FACE_LABEL, HAND_LABEL, FIRST_OBJECT = LABELS.index(FACE), LABELS.index(HAND), LABELS.index(OBJECTS[0])
#: the larger photographs of ImageNet's miniature are a little larger than what the network sees
ROOM = 8 / 96
NOWHERE = (float("nan"),) * 4


@dataclass(frozen=True)
class Region:
    """Part of an image: box (x0, y0, x1, y1) in pixels, the far edges past the last pixel; mask bool [y1 - y0,
    x1 - x0]; the label of its object."""

    box: tuple[int, int, int, int]
    mask: np.ndarray
    label: int


def overlap(boxes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Intersection over union of each box [R, 4] with its best of `wanted` [G, 4], [R]; 0 where none is wanted."""
    if not len(wanted):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], wanted[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], wanted[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(some[:, 2:] - some[:, :2]).prod(axis=1) for some in (boxes, wanted)]
    return (shared / (areas[0][:, None] + areas[1][None] - shared)).max(axis=1)


@dataclass(frozen=True)
class Annotation:
    """What an image shows, at the run's size: labels uint8 [S, S] (a hand is its box, a face lies over hands, a thing
    over both), the face's box or NaN, and the outlined action objects."""

    labels: np.ndarray
    face: tuple[float, float, float, float]
    things: tuple[Region, ...]

    @property
    def thing(self) -> Region | None:
        """The largest action object; None where none shows."""
        return max(self.things, key=lambda region: region.mask.sum(), default=None)


@dataclass(frozen=True)
class FraImages:
    """FRA: photographs, their classes' labels, and annotations, or None where nothing is annotated."""

    photographs: Photographs
    annotations: tuple[Annotation, ...] | None

    @property
    def images(self) -> Tensor:
        return self.photographs.images

    @property
    def labels(self) -> np.ndarray:
        return self.photographs.labels

    @property
    def train(self) -> np.ndarray:
        """Rows of the training photographs."""
        return np.flatnonzero(~self.photographs.test)

    @property
    def test(self) -> np.ndarray:
        return np.flatnonzero(self.photographs.test)

    def label_maps(self) -> Tensor:
        """uint8 [N, 1, S, S]."""
        return torch.from_numpy(np.stack([one.labels for one in self.annotations]))[:, None]

    def faces(self) -> np.ndarray:
        """True boxes [N, 4]; NaN where no face shows."""
        return np.array([one.face for one in self.annotations])


def open_fra(settings: FraSettings) -> FraImages:
    """The five classes' photographs, and their annotation where there is one."""
    found = read_fra(_root(FRA, settings))
    photographs = load_photographs(found.stills, settings.image_size, ("test",))
    if found.annotated is None:
        return FraImages(photographs, None)
    of_image = dict(zip(found.stills.persons["image"], found.annotated, strict=True))
    annotated = tuple(at_size(of_image[name], settings.image_size) for name in photographs.names)
    return FraImages(photographs, annotated)


def at_size(image: AnnotatedImage, side: int) -> Annotation:
    """An image's annotation when the image is squashed to a square of `side` pixels."""
    scale = side / np.array([image.size[1], image.size[0]])
    labels = np.zeros((side, side), np.uint8)
    for hand in image.of(HAND):
        x0, y0, x1, y1 = np.rint(np.array(hand.box) * np.tile(scale, 2)).astype(int)
        labels[max(0, y0) : y1, max(0, x0) : x1] = HAND_LABEL
    faces = image.of(FACE)
    for face in faces:
        if face.mask is None:
            x0, y0, x1, y1 = np.rint(np.array(face.box) * np.tile(scale, 2)).astype(int)
            labels[max(0, y0) : y1, max(0, x0) : x1] = FACE_LABEL
        else:
            labels[_squashed(face.mask, side)] = FACE_LABEL
    things = []
    for thing in image.of(*OBJECTS):
        mask = _squashed(thing.mask, side) if thing.mask is not None else None
        if mask is not None and mask.any():
            label = LABELS.index(thing.category)
            labels[mask] = label
            things.append(whole_region(mask, label))
    largest = max(faces, key=lambda one: (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]), default=None)
    box = NOWHERE if largest is None else tuple((np.array(largest.box) * np.tile(scale, 2)).tolist())
    return Annotation(labels, box, tuple(things))


def _squashed(mask: np.ndarray, side: int) -> np.ndarray:
    """A mask bool [H, W] at side x side: a pixel belongs to it where half of its area does, or the most of it does
    where nothing would be left."""
    shares = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return shares >= min(0.5, max(float(shares.max()), np.finfo(np.float32).tiny))


def whole_region(mask: np.ndarray, label: int) -> Region:
    """A mask bool [S, S] as a region with its box."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Region(box, mask[box[1] : box[3], box[0] : box[2]], label)


def objects_only(labels: Tensor) -> Tensor:
    """Label maps without faces and hands (§4.1): uint8 [N, 1, S, S], the objects counted from 1."""
    things = (labels >= FIRST_OBJECT) & (labels != IGNORED)
    found = torch.where(things, labels - (FIRST_OBJECT - 1), torch.zeros_like(labels))
    return torch.where(labels == IGNORED, labels, found)


def object_label(class_name: str) -> int:
    """The label of a class's action object."""
    return LABELS.index(OBJECT_OF[class_name])


def open_stanford40(settings: FraSettings) -> Photographs:
    """All of Stanford 40, for Section 2; of its miniature all classes that it can act, at `mini` and `study` a
    few photographs of each."""
    size = "survey" if settings.miniature_size in ("mini", "study") else settings.miniature_size
    root = _root(STANFORD40, settings.model_copy(update={"miniature_size": size}))
    return load_photographs(read(STANFORD40, root), settings.image_size, ("test",))


def _root(name: str, settings: FraSettings) -> Path:
    """Where Stanford 40's photographs lie, FRA's among them, or those of the miniature `name`."""
    return miniature_or_real(name, Path(settings.stanford40_root) if settings.stanford40_root else None, settings)


def open_imagenet(settings: FraSettings) -> Photographs | None:
    """The miniature's photographs of things, on which the run's own VGG is trained; None for ImageNet's weights."""
    if settings.pretraining != "own":
        return None
    side = FULL_SIDE if settings.full_architectures else COMPACT_SIDE
    stills = read(IMAGENET, miniature_or_real(IMAGENET, None, settings))
    return load_photographs(stills, side + round(ROOM * side), ("val",))


def learnt_from(settings: FraSettings, fra: FraImages | None = None) -> tuple[DataOrigin, ...]:
    """The data that a network of the run has seen, of which its checkpoint keeps the identity."""
    things = DataOrigin(name=IMAGENET, kind="miniature", detail=miniature_of(IMAGENET, settings))
    own = (things,) if settings.pretraining == "own" else ()
    return own if fra is None else (*own, DataOrigin(**asdict(fra.photographs.report.identity) | {"name": FRA}))
