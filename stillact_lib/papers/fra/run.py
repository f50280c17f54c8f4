"""One run of chapter 01: what it needs, what is computed of FRA's images on the way to Tables 1 to 3, and what a record
keeps of it (Rosenfeld and Ullman 2016).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import Tensor

from stillact_lib.datasets.fra import read_fra
from stillact_lib.evaluation.average_precision import average_precisions
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.notebook.run_data import arrays_for
from stillact_lib.papers.fra import faces as fra_faces
from stillact_lib.papers.fra.classifiers import FOUND_ARMS, ORACLE_ARMS, Classifiers, Fc6, plain_scores
from stillact_lib.papers.fra.data import FRA, STANFORD40, Annotation, FraImages, Region, learnt_from
from stillact_lib.papers.fra.localising import (
    LOCALISED_BY,
    STAGES,
    Candidates,
    Localiser,
    fit_ranking,
    localise,
    ranked,
    stack,
    stages,
    windows_of,
)
from stillact_lib.papers.fra.premise import open_videos
from stillact_lib.papers.fra.segmentation import imagenet_network
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.papers.fra.sizes import SIZE, SIZE_BINS, size_bins
from stillact_lib.paths import workspace
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import History
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.photographs import Photographs

#: the first and the last of `size_bins` are datasets of their own, of these arms
EXTREMES = ("fra_smallest", "fra_largest")
SIZED = ("whole", "whole_tuned", "whole_magnified", "fine", "object", "all", "oracle_masked", "oracle_all")
#: GiB that a run writes to disk: drawn photographs (measured: 0.04 at mini), and the five networks of a full VGG-16
#: that keep their state, the one in training with its optimiser's
DISK, DISK_FULL = 0.1, 4.0


def needs(settings: FraSettings) -> list[Need]:
    """What the run cannot do without, for `preflight`. Memory: 2 GiB (measured at mini), and all photographs of the
    real Stanford 40 (at 512 px 7 GiB)."""
    root, detector = settings.stanford40_root, settings.face_detector_file
    photographs = 3 * settings.image_size**2 * load_manifest(STANFORD40).items.count / GIB
    found = [
        Need.memory(2 + photographs),
        Need.disk(DISK_FULL if settings.full_architectures else DISK, workspace()),
    ]
    if root:
        found += [Need.dataset(STANFORD40, root), Need.loads("FRA's annotation", partial(read_fra, root))]
    if settings.videos_root:
        found.append(Need.loads("videos_root", partial(open_videos, settings)))
    if detector:
        found.append(Need.loads("face_detector_file", partial(fra_faces.YuNet, detector)))
    if settings.pretraining != "own":
        found.append(Need.loads("ImageNet's weights", partial(imagenet_network, settings)))
    return found


@dataclass
class ActionObjects:
    """A run: FRA, its networks and what they find in each image. `scores`: class scores [N, C] of each arm over the
    test images. `features`: those that do not depend on which candidates are kept, by kind, once they are computed."""

    fra: FraImages
    settings: FraSettings
    device: Device
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    measures: dict[str, np.ndarray] = field(default_factory=dict)
    candidates: list[Candidates] = field(default_factory=list)
    kept: list[list[Region]] = field(default_factory=list)
    faces: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    features: dict[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    localiser: Localiser | None = None
    ranking: Pipeline | None = None

    def annotations(self, rows: np.ndarray) -> list[Annotation]:
        return [self.fra.annotations[row] for row in rows]

    def localise(self, coarse: FCN8s, fine: FCN8s) -> None:
        """Finds candidates in every image, learns their ranking from the training images', and keeps the best of each
        test image; notes how far each test image's true object came."""
        settings, data = self.settings, learnt_from(self.settings, self.fra)
        self.localiser = Localiser(coarse, fine, settings, self.device)
        path = arrays_for(settings.chapter, "candidates", settings, LOCALISED_BY, data)
        self.candidates = localise(self.localiser, self.fra.images, path)
        learnt = [self.candidates[row] for row in self.fra.train]
        self.ranking = fit_ranking(learnt, self.annotations(self.fra.train), settings)
        self.kept = [ranked(one, self.ranking, settings.kept_regions) for one in self.candidates]
        reached = [stages(self.candidates[row], self.kept[row], self.fra.annotations[row]) for row in self.fra.test]
        self.measures |= {f"{name}/found": np.array([answers[name] for answers in reached]) for name in STAGES}

    def find_faces(self) -> None:
        """The best face of every image, by the run's detector; notes how often a test image's is the true one."""
        if self.settings.face_detector_file:
            detector, photographs = fra_faces.YuNet(self.settings.face_detector_file), self.fra.photographs
            self.faces = detector.in_files(photographs.root, photographs.names.tolist(), self.settings.image_size)
        else:
            self.faces = np.array([one.face for one in self.candidates])
        found = fra_faces.found_right(self.faces[self.fra.test], self.fra.faces()[self.fra.test])
        self.measures["face/found"] = found

    def classifiers(self, fc6: Fc6) -> Classifiers:
        """Every kind of features of training and test images, and the test's true ones; in training faces and objects
        are the annotated ones, in the test those found (§3.3); "..._taught_found" learns from found objects too."""
        images, train, test = self.fra.images, self.fra.train, self.fra.test
        seen, asked = images[torch.from_numpy(train)], images[torch.from_numpy(test)]
        kept = [self.kept[row] or [None] for row in test]  # an image without any candidate has one row, of nothing
        owner = np.repeat(np.arange(len(test)), [len(regions) for regions in kept])
        positives = self.fra.photographs.positives
        machines = Classifiers(positives[train], owner, self.settings.svm_lambda)
        of_images = self._whatever_is_kept(fc6, seen, asked)
        for kind in ("whole", "face", "coarse", "fine"):
            machines.add(kind, *of_images[kind])
        found = fc6.objects(asked[torch.from_numpy(owner)], [region for regions in kept for region in regions])
        best = fc6.objects(seen, [(self.kept[row] or [None])[0] for row in train])
        for kind in ("box", "masked"):
            taught, told = of_images[kind]
            machines.add(kind, taught, found[kind], told)
            machines.add(f"{kind}_taught_found", best[kind], found[kind])
        return machines

    def _whatever_is_kept(self, fc6: Fc6, seen: Tensor, asked: Tensor) -> dict[str, tuple[np.ndarray, ...]]:
        """Features that do not depend on which candidates are kept, once: of images, in training and in the test as
        found and as true; of true objects, in training and in the test."""
        if not self.features:
            train, test, true, times = self.fra.train, self.fra.test, self.fra.faces(), self.settings.face_times
            whole = fc6.whole(asked)
            taught, told = (fc6.faces(some, true[rows], times) for some, rows in ((seen, train), (asked, test)))
            self.features["whole"] = fc6.whole(seen), whole, whole
            self.features["face"] = taught, fc6.faces(asked, self.faces[test], times), told
            for network in ("coarse", "fine"):
                of_all = stack(self.candidates, network)
                self.features[network] = of_all[train], of_all[test]
            taught = fc6.objects(seen, [one.thing for one in self.annotations(train)])
            told = fc6.objects(asked, [one.thing for one in self.annotations(test)])
            self.features |= {kind: (taught[kind], told[kind]) for kind in ("box", "masked")}
        return self.features

    def classify(self, machines: Classifiers) -> None:
        """Scores every arm of Tables 1 to 3."""
        for arm, kinds in FOUND_ARMS.items():
            self.scores[arm] = machines.scores(kinds)
        for arm, kinds in ORACLE_ARMS.items():
            self.scores[arm] = machines.scores(kinds, oracle=True)

    def objects_alone(self, network: FCN8s) -> None:
        """§4.1: a coarse network taught objects without faces and hands; its maxima as features, and whether its
        windows hold the object, beside the other's."""
        alone = Localiser(network, network, self.settings, self.device)
        seen = []
        for some in self.fra.images.split(256):
            for maps in alone.coarse_maps(as_network_input(some)):
                peaks, windows = maps.max(axis=(1, 2)), windows_of(maps, self.settings, first_object=1)
                seen.append(Candidates(peaks, peaks, windows, (), np.empty((0, 0)), np.empty(0)))
        features, train, test = stack(seen, "coarse"), self.fra.train, self.fra.test
        positives, strength = self.fra.photographs.positives[train], self.settings.svm_lambda
        self.scores["coarse_objects_alone"] = plain_scores(features[train], positives, features[test], strength)
        inside = [stages(seen[row], [], self.fra.annotations[row])["window"] for row in test]
        self.measures["window_objects_alone/found"] = np.array(inside)

    def average_precisions(self, arm: str) -> np.ndarray:
        """AP of each class in %, [C]."""
        return 100 * average_precisions(self.scores[arm], self.fra.photographs.positives[self.fra.test])

    def examples(self, measure: str, each: int) -> np.ndarray:
        """Rows [C, each] of test images of every class, those first of which a measure holds (fewer where a class has
        fewer)."""
        chosen = []
        for label in range(len(self.fra.photographs.classes)):
            own = np.flatnonzero(self.fra.labels[self.fra.test] == label)
            chosen.append(self.fra.test[own[np.argsort(-np.nan_to_num(self.measures[measure][own]), kind="stable")]])
        least = min(each, *(len(rows) for rows in chosen))
        return np.stack([rows[:least] for rows in chosen])

    def first_with(self, measure: str, value: float, each: int) -> np.ndarray:
        """Rows [C, each] of the first test images of every class whose measure has a value (100: it holds, 0: it does
        not); -1 where a class has no more of them."""
        found = np.full((len(self.fra.photographs.classes), each), -1)
        for label, rows in enumerate(found):
            own = np.flatnonzero((self.fra.labels[self.fra.test] == label) & (self.measures[measure] == value))[:each]
            rows[: len(own)] = self.fra.test[own]
        return found

    def object_sizes(self) -> np.ndarray:
        """Root of the area of each test image's action object, in % of the image's side; NaN where none shows."""
        things = [self.fra.annotations[row].thing for row in self.fra.test]
        side = self.settings.image_size
        return np.array([np.nan if one is None else 100 * np.sqrt(one.mask.sum()) / side for one in things])

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        test, photographs = self.fra.test, self.fra.photographs
        kept = {
            f"{FRA}/clip": photographs.names[test],
            f"{FRA}/positives": photographs.positives[test].astype(np.float32),
            f"{FRA}/class_groups": np.array(photographs.classes),
        }
        kept |= {f"{FRA}/{arm}/class_scores": scores for arm, scores in self.scores.items()}
        if self.fra.annotations is not None:
            kept[SIZE] = self.object_sizes()
            kept |= self._of_the_extremes()
        shown = {name: values for name, values in self.measures.items() if np.isfinite(values).any()}
        return kept | {f"{FRA}/{name}": values for name, values in shown.items()}

    def _of_the_extremes(self) -> dict[str, np.ndarray]:
        """The same of the test images with the smallest and with the largest objects of each class, as datasets of
        their own."""
        positives, kept = self.fra.photographs.positives[self.fra.test], {}
        places = size_bins(self.object_sizes(), positives, SIZE_BINS)
        for name, place in zip(EXTREMES, (0, places.max(initial=0)), strict=True):
            rows = places == place
            kept[f"{name}/clip"] = self.fra.photographs.names[self.fra.test][rows]
            kept[f"{name}/positives"] = positives[rows].astype(np.float32)
            kept[f"{name}/class_groups"] = np.array(self.fra.photographs.classes)
            kept |= {f"{name}/{arm}/class_scores": self.scores[arm][rows] for arm in SIZED if arm in self.scores}
        return kept

    def origins_of_extremes(self) -> list[DataOrigin]:
        """Which data these are."""
        identity = asdict(self.fra.photographs.report.identity)
        return [] if self.fra.annotations is None else [DataOrigin(**identity | {"name": name}) for name in EXTREMES]

    def curves_to_keep(self) -> dict[str, float]:
        """What a record keeps of watched trainings: "fra/coarse/pixel_ap@500" is the figure at step 500."""
        return {
            name: value
            for of_network, history in self.histories.items()
            for name, value in curve_to_keep(history, f"{FRA}/{of_network}").items()
        }


def size_labels(classes: tuple[str, ...]) -> np.ndarray:
    """How large each class's action object tends to be, str [C]: "small", "large", "undecided" (Fig. 2) or, where the
    action has none, "none", as the manifest declares it."""
    of_class = {name: group for group, names in load_manifest(STANFORD40).class_groups.items() for name in names}
    return np.array([of_class[name] for name in classes])


def section_two(stanford40: Photographs, scores: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """What a record keeps of Figure 2: class scores [N, C] of Stanford 40's test images, and such as chance gives."""
    chance = np.random.default_rng(seed).random(scores.shape, np.float32)
    return {
        f"{STANFORD40}/clip": stanford40.names[stanford40.test],
        f"{STANFORD40}/positives": stanford40.positives[stanford40.test].astype(np.float32),
        f"{STANFORD40}/class_groups": size_labels(stanford40.classes),
        f"{STANFORD40}/whole/class_scores": scores,
        f"{STANFORD40}/chance/class_scores": chance,
    }
