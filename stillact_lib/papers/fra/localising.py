"""From an image to ranked candidates for its action object (Rosenfeld and Ullman 2016, §3.1 and §3.2), in this order:
coarse maps, windows that the fine network sees again, candidate regions, their context, the regression that ranks them.
Chapter 01.

Maps are probabilities float [L, H, W] over the labels background, face, hand and the objects. Boxes are x0 y0 x1 y1 in
pixels, the far edges past the last pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from torch import Tensor, nn

from stillact_lib.errors import StillactError
from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.papers.fra.data import FIRST_OBJECT, NOWHERE, Annotation, Region, overlap
from stillact_lib.papers.fra.faces import face_of
from stillact_lib.papers.fra.segmentation import TAUGHT_BY
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.kept import kept
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.region_grids import context_features
from stillact_lib.vision.windows import cut, whole

#: images whose maps are held at once
AT_ONCE = 48
#: support-vector regression: overlaps nearer than this to the wanted one cost nothing
EPSILON = 0.02
#: a region is on the object from this overlap on: of a thing a few pixels large, a pixel at each side takes as much
HIT = 0.3
#: what a test image's object passes: its middle lies in a window, a candidate overlaps it, one of those kept does, the
#: best of them does, one of those kept does and has its name
STAGES = ("window", "candidate", "kept", "first", "named")
#: settings that change which candidates are found
LOCALISED_BY = (*TAUGHT_BY, "coarse_size", "fine_size", "face_times", "window_share", "windows", "apart", "maxima")


@dataclass(frozen=True)
class Maps:
    """Both networks' probabilities of an image, float32 [L, S, S], and the windows [K, 4] that the fine one saw;
    outside these `fine` is `coarse`."""

    coarse: np.ndarray
    fine: np.ndarray
    windows: np.ndarray


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
            yield Maps(one, averaged(own, of_image, one) if own else one, of_image)

    def coarse_maps(self, images: Tensor) -> np.ndarray:
        """The coarse network's probabilities of images float [N, 3, S, S], at their size: float32 [N, L, S, S]."""
        found = self.apply(self.coarse, cut(images, whole(images), self.settings.coarse_size))
        return nn.functional.interpolate(found, images.shape[-2:], mode="bilinear").numpy()

    def apply(self, network: FCN8s, images: Tensor) -> Tensor:
        return predict(nn.Sequential(network, nn.Softmax(dim=1)), images, self.device, batch_size=AT_ONCE)


def windows_of(coarse: np.ndarray, settings: FraSettings, first_object: int = FIRST_OBJECT) -> np.ndarray:
    """Boxes [K, 4] to look at again: about the `windows` greatest local maxima, `apart` pixels apart, of the likeliest
    object (maps [L, S, S], those of objects from `first_object` on)."""
    places = local_maxima(coarse[first_object:].max(axis=0), settings.windows, settings.apart)
    return windows_about(places, coarse.shape[1:], settings.window_share)


def local_maxima(plane: np.ndarray, most: int, apart: float) -> np.ndarray:
    """The greatest local maxima of a map [H, W], rows and columns int [K, 2], the greatest first; none nearer than
    `apart` pixels to a greater one. A plateau counts once, and where all is equal there is none."""
    plane = np.asarray(plane, np.float32)
    peaks = (plane == cv2.dilate(plane, np.ones((3, 3), np.uint8))) & (plane > plane.min())
    count, numbered, _, middles = cv2.connectedComponentsWithStats(peaks.astype(np.uint8), connectivity=8)
    heights = np.zeros(count, np.float32)
    heights[numbered[peaks]] = plane[peaks]
    places = middles[1:, ::-1].round().astype(int)  # 0 is what is no peak
    kept: list[np.ndarray] = []
    for number in np.argsort(-heights[1:], kind="stable"):
        if len(kept) == most:
            break
        if not kept or (np.hypot(*(np.array(kept) - places[number]).T) >= apart).all():
            kept.append(places[number])
    return np.array(kept).reshape(-1, 2)


def windows_about(places: np.ndarray, size: tuple[int, int], share: float) -> np.ndarray:
    """Boxes int [K, 4] about places (row, column), `share` of an image's (height, width), moved inside the image."""
    height, width = size
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    top = (places[:, 0] - rows // 2).clip(0, height - rows)
    left = (places[:, 1] - columns // 2).clip(0, width - columns)
    return np.stack([left, top, left + columns, top + rows], axis=1)


def averaged(windows: list[np.ndarray], boxes: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Maps of the whole image from those of windows: each [L, h, w], of any size, is put into its box; where windows
    overlap they are averaged, and where there is none `outside` [L, H, W] stays."""
    total, number = np.zeros_like(outside), np.zeros(outside.shape[1:], outside.dtype)
    for maps, (x0, y0, x1, y1) in zip(windows, boxes.tolist(), strict=True):
        total[:, y0:y1, x0:x1] += np.stack([cv2.resize(one, (x1 - x0, y1 - y0)) for one in maps])
        number[y0:y1, x0:x1] += 1
    return np.where(number > 0, total / np.maximum(number, 1), outside)


@dataclass(frozen=True)
class Candidates:
    """What is kept of an image: the maxima of each network's channels float32 [L], the windows [K, 4], the candidate
    regions, their context float32 [R, 2 * 25 * L], the mean probability of its object in each, float32 [R], and the box
    of the face that the coarse network sees, or NaN."""

    coarse: np.ndarray
    fine: np.ndarray
    windows: np.ndarray
    regions: tuple[Region, ...]
    context: np.ndarray
    likelihood: np.ndarray
    face: tuple[float, ...] = NOWHERE

    @property
    def table(self) -> np.ndarray:
        """Box and label of each region, int [R, 5]."""
        return np.array([(*region.box, region.label) for region in self.regions], int).reshape(-1, 5)

    @property
    def boxes(self) -> np.ndarray:
        return self.table[:, :4]

    @property
    def masks(self) -> np.ndarray:
        """The masks of all regions, pixel after pixel, as bits: uint8."""
        return np.packbits(np.concatenate([np.zeros(0, bool), *(region.mask.ravel() for region in self.regions)]))


def localise(localiser: Localiser, images: Tensor, path: Path | None = None) -> list[Candidates]:
    """The candidates of every image of uint8 [N, 3, S, S]; their maps are not kept. path: a file of `arrays_for`."""
    settings = localiser.settings

    def make() -> dict[str, np.ndarray]:
        return _as_arrays([candidates_of(maps, settings.maxima, settings.apart) for maps in localiser.maps(images)])

    return _from_arrays(kept(path, make, "candidates"))


#: what a file of candidates holds of each image, one image after the other, and where each ends
IN_FILES = ("coarse", "fine", "windows", "context", "likelihood", "face", "table", "masks")


def _as_arrays(found: list[Candidates]) -> dict[str, np.ndarray]:
    own = {name: [np.asarray(getattr(one, name)) for one in found] for name in IN_FILES}
    ends = {f"{name}, ends": np.cumsum([len(part) for part in parts]) for name, parts in own.items()}
    return {name: np.concatenate(parts) for name, parts in own.items()} | ends


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> list[Candidates]:
    found = []
    for parts in zip(*(np.split(arrays[name], arrays[f"{name}, ends"][:-1]) for name in IN_FILES), strict=True):
        coarse, fine, windows, context, likelihood, face, table, bits = parts
        sizes = (table[:, 2:4] - table[:, :2])[:, ::-1]
        masks = np.split(np.unpackbits(bits).astype(bool), sizes.prod(axis=1).cumsum())
        of_regions = zip(table.tolist(), masks, sizes, strict=False)  # last come bits that fill a byte
        regions = tuple(Region(tuple(box), mask.reshape(size), label) for (*box, label), mask, size in of_regions)
        found.append(Candidates(coarse, fine, windows, regions, context, likelihood, tuple(face.tolist())))
    return found


def candidates_of(maps: Maps, maxima: int, apart: float, as_printed: bool = False) -> Candidates:
    """R of Eq. 4, of both networks, and the context of each region in the refined maps; `as_printed`: see
    `predicted_regions`."""
    regions = []
    for of_network in (maps.coarse, maps.fine):
        regions += predicted_regions(of_network, as_printed)
        regions += otsu_regions(of_network, maxima, apart)
    boxes = np.array([region.box for region in regions], float).reshape(-1, 4)
    context = context_features(maps.fine, boxes) if len(boxes) else np.empty((0, 50 * len(maps.fine)))
    peaks = [of_network.max(axis=(1, 2)) for of_network in (maps.coarse, maps.fine)]
    likelihood = np.array([mean_probability(maps.fine, region) for region in regions], np.float32)
    context = context.astype(np.float32)
    return Candidates(*peaks, maps.windows, tuple(regions), context, likelihood, face_of(maps.coarse))


def mean_probability(maps: np.ndarray, region: Region) -> float:
    """Of a region's own object, over its pixels: maps [L, S, S]."""
    x0, y0, x1, y1 = region.box
    return float(maps[region.label, y0:y1, x0:x1][region.mask].mean())


def predicted_regions(maps: np.ndarray, as_printed: bool = False) -> list[Region]:
    """R_pred (Eq. 3): connected components of what the network says of each pixel, those of objects. The argmax is over
    all labels: over the objects alone, `as_printed`, every pixel of the image belongs to some object."""
    said = FIRST_OBJECT + maps[FIRST_OBJECT:].argmax(axis=0) if as_printed else maps.argmax(axis=0)
    found = []
    for label in range(FIRST_OBJECT, len(maps)):
        found += _components(said == label, label)
    return found


def otsu_regions(maps: np.ndarray, most: int, apart: float) -> list[Region]:
    """R_m: of each object's map above its own Otsu threshold, the connected components that hold one of its `most`
    greatest local maxima."""
    found = []
    for label in range(FIRST_OBJECT, len(maps)):
        plane = maps[label]
        peaks = local_maxima(plane, most, apart)
        if not len(peaks):
            continue
        scaled = np.rint(255 * (plane - plane.min()) / np.ptp(plane)).astype(np.uint8)
        _, above = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        for region in _components(above > 0, label):
            x0, y0, x1, y1 = region.box
            inside = [(r - y0, c - x0) for r, c in peaks if y0 <= r < y1 and x0 <= c < x1]
            if any(region.mask[place] for place in inside):
                found.append(region)
    return found


def _components(mask: np.ndarray, label: int) -> list[Region]:
    """Connected components (eight neighbours) of a mask bool [H, W]."""
    _, numbered, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for number, (x0, y0, width, height, _) in enumerate(statistics[1:].tolist(), start=1):  # 0 is what is not in it
        box = (x0, y0, x0 + width, y0 + height)
        found.append(Region(box, numbered[y0 : box[3], x0 : box[2]] == number, label))
    return found


def fit_ranking(
    found: list[Candidates], annotations: list[Annotation], settings: FraSettings, true: np.ndarray | None = None
) -> Pipeline:
    """The support-vector regression of a region's overlap (intersection over union) with the boxes of the annotated
    action objects, from its context; learnt from the candidates of the training images and, where they are given, from
    the `true` regions' context [G, 2 * 25 * L], whose overlap is 1."""
    features = np.concatenate([one.context for one in found])
    if not len(features):
        raise StillactError(
            f"candidates: the networks find none in all {len(found)} training images; train them longer (steps)"
        )
    wanted = np.concatenate([true_overlap(one, own) for one, own in zip(found, annotations, strict=True)])
    if true is not None:
        features, wanted = np.concatenate([features, true]), np.concatenate([wanted, np.ones(len(true))])
    regression = LinearSVR(
        C=settings.svr_strength, epsilon=EPSILON, loss="squared_epsilon_insensitive", dual=False, random_state=0
    )
    return make_pipeline(StandardScaler(), regression).fit(features, wanted)


def true_overlap(found: Candidates, annotation: Annotation) -> np.ndarray:
    """Overlap of each candidate with the best of the true boxes, [R]."""
    wanted = np.array([thing.box for thing in annotation.things], float).reshape(-1, 4)
    return overlap(found.boxes.astype(float), wanted)


def ranked(found: Candidates, ranking: Pipeline, number: int) -> list[Region]:
    """The `number` candidates whose overlap is judged greatest, the greatest first."""
    return first_of(found, ranking.predict(found.context), number) if found.regions else []


def first_of(found: Candidates, worth: np.ndarray, number: int) -> list[Region]:
    """The `number` candidates worth most, [R], the first of them first."""
    return [found.regions[row] for row in np.argsort(-worth, kind="stable")[:number]]


def shown_in(windows: np.ndarray, thing: Region) -> bool:
    """Whether the middle of an object lies in one of the windows [K, 4]."""
    middle = (np.array(thing.box[:2]) + thing.box[2:]) / 2
    return bool(((windows[:, :2] <= middle) & (middle < windows[:, 2:])).all(axis=1).any())


def stages(found: Candidates, kept: list[Region], annotation: Annotation) -> dict[str, float]:
    """How far along the pipeline the (largest) action object of a test image is still there: of each of `STAGES` 100
    or 0, or NaN where none shows."""
    thing = annotation.thing
    if thing is None:
        return dict.fromkeys(STAGES, np.nan)
    box = np.array([thing.box], float)
    best = overlap(found.boxes.astype(float), box)
    of_kept = overlap(np.array([one.box for one in kept], float).reshape(-1, 4), box)
    right_name = any(region.label == thing.label for region, share in zip(kept, of_kept, strict=True) if share >= HIT)
    reached = (shown_in(found.windows, thing), *(any(of >= HIT) for of in (best, of_kept, of_kept[:1])), right_name)
    return {name: 100.0 * bool(yes) for name, yes in zip(STAGES, reached, strict=True)}


def stack(candidates: list[Candidates], network: str) -> np.ndarray:
    """Maxima of a network's channels, "coarse" or "fine", [N, L]: F^coarse and F^fine of Eq. 6."""
    return np.stack([getattr(one, network) for one in candidates])
