"""From an image to ranked candidates for its action object (Rosenfeld and Ullman 2016, §3.1 and §3.2): coarse maps,
windows seen again by the fine network, candidate regions, their context, the regression that ranks them. Chapter 01.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from torch import Tensor, nn

from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.papers.fra import regions as fra_regions
from stillact_lib.papers.fra.data import FIRST_OBJECT, NOWHERE, Annotation
from stillact_lib.papers.fra.faces import face_of
from stillact_lib.papers.fra.regions import Region
from stillact_lib.papers.fra.segmentation import probabilities
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.training.loop import Device, predict
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.region_grids import context_features
from stillact_lib.vision.windows import cut

#: images whose maps are held at once
AT_ONCE = 48
#: support-vector regression: overlaps nearer than this to the wanted one cost nothing
EPSILON = 0.02
#: a region is on the object from this overlap on: of a thing a few pixels large, a pixel at each side takes as much
HIT = 0.3


@dataclass(frozen=True)
class Maps:
    """Both networks' probabilities of an image, float32 [L, S, S], and the windows [K, 4] that the fine one saw;
    outside these `fine` is `coarse`."""

    coarse: np.ndarray
    fine: np.ndarray
    windows: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """What is kept of an image: the maxima of each network's channels float32 [L], the windows [K, 4], the candidate
    regions, their context float32 [R, 2 * 25 * L], and the box of the face that the coarse network sees, or NaN."""

    coarse: np.ndarray
    fine: np.ndarray
    windows: np.ndarray
    regions: tuple[Region, ...]
    context: np.ndarray
    face: tuple[float, ...] = NOWHERE

    @property
    def boxes(self) -> np.ndarray:
        """int [R, 4]."""
        return np.array([region.box for region in self.regions], int).reshape(-1, 4)


@dataclass(frozen=True)
class Localiser:
    """The coarse and the fine network, and how a run applies them."""

    coarse: FCN8s
    fine: FCN8s
    settings: FraSettings
    device: Device

    def maps(self, images: Tensor) -> Iterator[Maps]:
        """Of each image of uint8 [N, 3, S, S]; the networks see `AT_ONCE` images together."""
        for some in images.split(AT_ONCE):
            yield from self._maps(as_network_input(some))

    def _maps(self, images: Tensor) -> Iterator[Maps]:
        settings = self.settings
        coarse = self.coarse_maps(images)
        boxes = [windows_of(one, settings) for one in coarse]
        owners = np.repeat(np.arange(len(images)), [len(of_image) for of_image in boxes])
        if len(owners):
            seen = cut(images[owners], np.concatenate(boxes), settings.fine_size)
            of_windows = self.apply(self.fine, seen).numpy()
        for number, (one, of_image) in enumerate(zip(coarse, boxes, strict=True)):
            own = [of_windows[row] for row in np.flatnonzero(owners == number)]
            yield Maps(one, fra_regions.averaged(own, of_image, one) if own else one, of_image)

    def coarse_maps(self, images: Tensor) -> np.ndarray:
        """The coarse network's probabilities of images float [N, 3, S, S], at their size: float32 [N, L, S, S]."""
        whole = np.tile([[0.0, 0.0, images.shape[-1], images.shape[-2]]], (len(images), 1))
        found = self.apply(self.coarse, cut(images, whole, self.settings.coarse_size))
        return nn.functional.interpolate(found, images.shape[-2:], mode="bilinear").numpy()

    def apply(self, network: FCN8s, images: Tensor) -> Tensor:
        return predict(probabilities(network), images, self.device, batch_size=AT_ONCE)


def windows_of(coarse: np.ndarray, settings: FraSettings, first_object: int = FIRST_OBJECT) -> np.ndarray:
    """Boxes [K, 4] to look at again: about the `windows` greatest local maxima, `apart` pixels apart, of the likeliest
    object (maps [L, S, S], those of objects from `first_object` on)."""
    places = fra_regions.local_maxima(coarse[first_object:].max(axis=0), settings.windows, settings.apart)
    return fra_regions.windows_about(places, coarse.shape[1:], settings.window_share)


def candidates_of(maps: Maps, maxima: int, apart: float) -> Candidates:
    """R of Eq. 4, of both networks, and the context of each region in the refined maps."""
    regions = []
    for of_network in (maps.coarse, maps.fine):
        regions += fra_regions.predicted_regions(of_network)
        regions += fra_regions.otsu_regions(of_network, maxima, apart)
    boxes = np.array([region.box for region in regions], float).reshape(-1, 4)
    context = context_features(maps.fine, boxes) if len(boxes) else np.empty((0, 50 * len(maps.fine)))
    peaks = [of_network.max(axis=(1, 2)) for of_network in (maps.coarse, maps.fine)]
    return Candidates(*peaks, maps.windows, tuple(regions), context.astype(np.float32), face_of(maps.coarse))


def localise(localiser: Localiser, images: Tensor) -> list[Candidates]:
    """The candidates of every image of uint8 [N, 3, S, S]; their maps are not kept."""
    settings = localiser.settings
    return [candidates_of(maps, settings.maxima, settings.apart) for maps in localiser.maps(images)]


def fit_ranking(found: list[Candidates], annotations: list[Annotation], settings: FraSettings) -> Pipeline:
    """The support-vector regression of a region's overlap (intersection over union) with the boxes of the annotated
    action objects, from its context; learnt from the candidates of the training images."""
    features = np.concatenate([one.context for one in found])
    wanted = np.concatenate([true_overlap(one, own) for one, own in zip(found, annotations, strict=True)])
    regression = LinearSVR(
        C=settings.svr_strength, epsilon=EPSILON, loss="squared_epsilon_insensitive", dual=False, random_state=0
    )
    return make_pipeline(StandardScaler(), regression).fit(features, wanted)


def true_overlap(found: Candidates, annotation: Annotation) -> np.ndarray:
    """Overlap of each candidate with the best of the true boxes, [R]."""
    wanted = np.array([thing.box for thing in annotation.things], float).reshape(-1, 4)
    return fra_regions.overlap(found.boxes.astype(float), wanted)


def ranked(found: Candidates, ranking: Pipeline, kept: int) -> list[Region]:
    """The `kept` candidates whose overlap is judged greatest, the greatest first."""
    if not found.regions:
        return []
    order = np.argsort(-ranking.predict(found.context), kind="stable")
    return [found.regions[row] for row in order[:kept]]


def stack(candidates: list[Candidates], network: str) -> np.ndarray:
    """Maxima of a network's channels, "coarse" or "fine", [N, L]: F^coarse and F^fine of Eq. 6."""
    return np.stack([getattr(one, network) for one in candidates])


def stages(found: Candidates, kept: list[Region], annotation: Annotation) -> dict[str, float]:
    """How far along the pipeline the (largest) action object of a test image is still there, 100 or 0 each."""
    thing = annotation.thing
    if thing is None:
        return {}
    box = np.array([thing.box], float)
    middle = (box[0, :2] + box[0, 2:]) / 2
    inside = [(w[:2] <= middle).all() and (middle < w[2:]).all() for w in found.windows]
    best = fra_regions.overlap(found.boxes.astype(float), box)
    of_kept = fra_regions.overlap(np.array([one.box for one in kept], float).reshape(-1, 4), box)
    right_name = any(region.label == thing.label for region, share in zip(kept, of_kept, strict=True) if share >= HIT)
    answers = {
        "window": any(inside),
        "candidate": bool(len(best) and best.max() >= HIT),
        "kept": bool(len(of_kept) and of_kept.max() >= HIT),
        "first": bool(len(of_kept) and of_kept[0] >= HIT),
        "named": right_name,
    }
    return {name: 100.0 * yes for name, yes in answers.items()}
