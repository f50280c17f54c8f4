"""FRA's features and its classifiers: every row of Tables 1 to 3 from one Gram matrix a kind of features (Rosenfeld and
Ullman 2016, §2, §3.3, §4). Chapter 01.

Kinds: "whole" (fc6 of the image, G), "face" (fc6 about the face), "coarse" and "fine" (maxima of the networks'
channels, C and F), "box" and "masked" (fc6 of the action object's box, and with all around it blanked; together O).
A control of ours: the same two, learnt from the best region *found* in each training image, as the test's are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.evaluation.kernel_svm import decide, fit_from_gram
from stillact_lib.networks.mobile import MobileNetwork
from stillact_lib.networks.pretrained import IMAGENET_MEAN
from stillact_lib.networks.vgg import Vgg
from stillact_lib.papers.fra.data import Region
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.windows import about, cut, whole

#: Table 2 and Table 3: what the paper names G, Face, C, F and Obj
PARTS = {
    "whole": ("whole",),
    "face": ("face",),
    "coarse": ("coarse",),
    "fine": ("fine",),
    "object": ("box", "masked"),
}
ALL = tuple(kind for kinds in PARTS.values() for kind in kinds)
#: the arms of Tables 2 and 3: each part alone, all, both networks (§3.3), and all but one; and the control's two
OBJECT_TAUGHT_FOUND = ("box_taught_found", "masked_taught_found")
FOUND_ARMS = (
    PARTS
    | {"all": ALL, "coarse_fine": ("coarse", "fine")}
    | {"object_taught_found": OBJECT_TAUGHT_FOUND}
    | {"all_taught_found": ("whole", "face", "coarse", "fine", *OBJECT_TAUGHT_FOUND)}
    | {f"without_{part}": tuple(kind for kind in ALL if kind not in own) for part, own in PARTS.items()}
)
#: the arms of Table 1, with the true face and the true object at test
ORACLE_ARMS = {
    "oracle_face": ("face",),
    "oracle_box": ("box",),
    "oracle_masked": ("masked",),
    "oracle_whole_face_box": ("whole", "face", "box"),
    "oracle_all": ("whole", "face", "box", "masked"),
}
#: images that are in memory as floats at once
AT_ONCE = 64
#: what blanks a pixel: ImageNet's mean, in [-1, 1]
BLANK = 2 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) - 1


@dataclass(frozen=True)
class Fc6:
    """fc6 of a VGG network that stays as pre-training left it; or the vector of a mobile one."""

    network: Vgg | MobileNetwork
    device: Device

    def of(
        self, images: Tensor, boxes: np.ndarray, masks: Sequence[Region] | None = None, side: int | None = None
    ) -> np.ndarray:
        """Of one window of each image: images uint8 [N, 3, S, S], boxes [N, 4] -> float32 [N, D]; zero where a box is
        NaN. masks: regions outside of which pixels are blanked (§2); side: what windows are brought to (None: the
        network's own), for networks of any size."""
        known = np.flatnonzero(np.isfinite(boxes).all(axis=1))
        features = np.zeros((len(images), self.network.channels), np.float32)
        for rows in np.array_split(known, range(AT_ONCE, len(known), AT_ONCE)):
            shown = as_network_input(images[torch.from_numpy(rows)])
            if masks is not None:
                inside = np.stack([_placed(masks[row], shown.shape[-2:]) for row in rows])
                shown = torch.where(torch.from_numpy(inside)[:, None], shown, BLANK)
            windows = cut(shown, boxes[rows], side or self.network.image_size)
            features[rows] = predict(_Fc6(self.network), windows, self.device).numpy()
        return features

    def whole(self, images: Tensor) -> np.ndarray:
        return self.of(images, whole(images))

    def faces(self, images: Tensor, boxes: np.ndarray, times: float) -> np.ndarray:
        """About faces [N, 4], `times` as large and square."""
        return self.of(images, about(boxes, times, square=True))

    def objects(self, images: Tensor, regions: Sequence[Region | None]) -> dict[str, np.ndarray]:
        """Of one region of each image: "box" and "masked"; zero where it is None."""
        boxes = np.array([(np.nan,) * 4 if one is None else one.box for one in regions], float).reshape(-1, 4)
        return {"box": self.of(images, boxes), "masked": self.of(images, boxes, regions)}


class _Fc6(nn.Module):
    def __init__(self, network: Vgg | MobileNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.descriptor(images)


def _placed(region: Region, size: tuple[int, int]) -> np.ndarray:
    """A region's mask in its image, bool [H, W]."""
    mask = np.zeros(size, bool)
    x0, y0, x1, y1 = region.box
    mask[y0:y1, x0:x1] = region.mask
    return mask


def scaled(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Features of one kind made comparable with other kinds': less the training mean, and divided by one number, so
    that training items have a mean squared length of 1. train [T, D], others [..., D]."""
    middle = train.mean(axis=0)
    length = np.sqrt(((train - middle) ** 2).sum(axis=1).mean())
    return [(values - middle) / max(length, np.finfo(np.float32).tiny) for values in (train, *others)]


@dataclass
class Classifiers:
    """One-versus-all SVMs of T training images, positives bool [T, C], over any choice of kinds. `owner`: the test
    image of each candidate row. The image's score is its candidates' highest (Eq. 7)."""

    positives: np.ndarray
    owner: np.ndarray
    svm_lambda: float
    train: dict[str, np.ndarray] = field(default_factory=dict)
    found: dict[str, np.ndarray] = field(default_factory=dict)
    true: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, kind: str, train: np.ndarray, found: np.ndarray, true: np.ndarray | None = None) -> None:
        """Enters a kind: training features [T, D]; at test those that the method finds, of each image or of each
        candidate row, and the true ones [N, D] that an oracle would use."""
        train, found, *rest = scaled(train, found, *([] if true is None else [true]))
        self.train[kind] = train @ train.T
        of_rows = found @ train.T
        self.found[kind] = of_rows if len(of_rows) == len(self.owner) else of_rows[self.owner]
        for values in rest:
            self.true[kind] = values @ train.T

    def scores(self, kinds: Sequence[str], oracle: bool = False) -> np.ndarray:
        """Class scores [N, C] of the test images by the SVMs that see these kinds. `oracle`: on true regions."""
        strength = 1 / (self.svm_lambda * len(self.positives))  # lambda / 2 |w|^2 + mean loss, as |w|^2 / 2 + C sum
        weights = fit_from_gram(sum(self.train[kind] for kind in kinds), self.positives, strength)
        if oracle:
            return decide(sum(self.true[kind] for kind in kinds), weights)
        decided = decide(sum(self.found[kind] for kind in kinds), weights)
        best = np.full((self.owner.max() + 1, decided.shape[1]), -np.inf)
        np.maximum.at(best, self.owner, decided)
        return best


def plain_scores(train: np.ndarray, positives: np.ndarray, test: np.ndarray, svm_lambda: float) -> np.ndarray:
    """Class scores [N, C] of Section 2's SVMs: features [T, D] with positives bool [T, C], and those of the test."""
    machines = Classifiers(positives, np.arange(len(test)), svm_lambda)
    machines.add("features", train, test)
    return machines.scores(["features"])
