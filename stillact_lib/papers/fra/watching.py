"""What trainings are watched by, so that curves show when they are done: how well a network marks objects of test
images, or names their actions. Chapter 01.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from stillact_lib.datasets.fra import OBJECTS
from stillact_lib.networks.fcn8s import IGNORED, FCN8s
from stillact_lib.papers.fra.controls import object_marked
from stillact_lib.papers.fra.data import FraImages
from stillact_lib.papers.fra.segmentation import Figures, Lesson, WholeImage, whole_scores
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import evenly_spaced
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.windows import cut

#: test images at most that a curve looks at
WATCHED = 100


def watched_rows(fra: FraImages) -> np.ndarray:
    """Test images of all classes, evenly."""
    return fra.test[evenly_spaced(len(fra.test), WATCHED)]


def marking(lesson: Lesson, device: Device) -> Figures:
    """How well a network marks the objects of a lesson made of images that it does not learn from: "pixel_ap" and
    "object_iou" as in `controls.marked`, in % of the lesson's windows in which an object shows."""
    images = cut(as_network_input(lesson.images), lesson.boxes, lesson.side)
    labels = cut(lesson.labels.float(), lesson.boxes, lesson.side, outside=IGNORED, nearest=True)[:, 0].numpy()
    first = lesson.num_labels - len(OBJECTS)

    def figures(network: FCN8s) -> dict[str, float]:
        maps = predict(nn.Sequential(network, nn.Softmax(dim=1)), images, device).numpy()
        found = []
        for of_image, wanted in zip(maps, labels, strict=True):
            objects = wanted[(wanted >= first) & (wanted != IGNORED)].astype(int)
            if len(objects):
                label = int(np.bincount(objects).argmax())
                found.append(object_marked(of_image, wanted == label, label, first))
        return {name: float(np.mean([one[name] for one in found])) for name in ("pixel_ap", "object_iou")}

    return figures


def naming(fra: FraImages, side: int, device: Device) -> Figures:
    """How many test images a network of the whole image names rightly, in %."""
    rows = watched_rows(fra)

    def figures(network: WholeImage) -> dict[str, float]:
        named = whole_scores(network, fra, side, device, rows).argmax(axis=1)
        return {"right": 100 * float((named == fra.labels[rows]).mean())}

    return figures
