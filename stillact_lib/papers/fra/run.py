"""One run of chapter 01: what it needs, what is computed of FRA's images on the way to Tables 1 to 3, and what a record
keeps of it (Rosenfeld and Ullman 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import Tensor

from stillact_lib.datasets.fra import read_fra
from stillact_lib.evaluation.average_precision import average_precisions
from stillact_lib.evidence.bootstrap import Interval, map_estimate
from stillact_lib.evidence.records import RunRecord
from stillact_lib.evidence.worlds import world_of
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
from stillact_lib.paths import workspace
from stillact_lib.training.loop import Device
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.photographs import Photographs

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
            self.faces = fra_faces.YuNet(self.settings.face_detector_file).faces(self.fra.images)
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
        if self.fra.annotations is not None:
            kept[f"{FRA}/object/size"] = self.object_sizes()
        kept |= {f"{FRA}/{arm}/class_scores": scores for arm, scores in self.scores.items()}
        shown = {name: values for name, values in self.measures.items() if np.isfinite(values).any()}
        return kept | {f"{FRA}/{name}": values for name, values in shown.items()}


def size_labels(classes: tuple[str, ...]) -> np.ndarray:
    """How large each class's action object tends to be, str [C]: "small", "large" or "undecided" (Fig. 2), as the
    manifest declares it."""
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


SIZE = f"{FRA}/object/size"


def size_bins(sizes: np.ndarray, positives: np.ndarray, bins: int) -> np.ndarray:
    """Which of equally full bins each image's object falls into by its size among those of its own class, int [N]; -1
    where none shows. So every bin holds the classes in equal shares, whichever has the smallest things."""
    found = np.full(len(sizes), -1)
    for column in positives.T > 0:
        own = np.flatnonzero(column & np.isfinite(sizes))
        found[own[np.argsort(sizes[own], kind="stable")]] = np.arange(len(own)) * bins // max(1, len(own))
    return found


def mean_sizes(records: Sequence[RunRecord], bins: int) -> list[float]:
    """The mean size of the objects in each of `size_bins` that holds any, in % of the image's side."""
    held = _holding(records, [SIZE])
    if not held:
        return []
    sizes, places = _joined(held, SIZE), _places(held, bins)
    return [float(sizes[places == k].mean()) for k in np.unique(places[places >= 0])]


def of_each_class(dataset: str, arm: str, records: Sequence[RunRecord]) -> dict[str, Interval]:
    """Average precision in % of each class, by the name that its photographs have, with intervals over photographs,
    seeds and worlds."""
    held = _holding(records, [name := f"{dataset}/{arm}/class_scores"])
    if not held:
        return {}
    scores, shown, drawn = _joined(held, name), _joined(held, f"{dataset}/positives"), _drawn(held, dataset)
    found = {}
    for column in np.flatnonzero(shown.any(axis=0)):
        own = shown[:, [column]]
        one = Path(drawn["clusters"][own[:, 0] > 0][0]).stem.rpartition("_")[0]
        found[one] = map_estimate(scores[:, [column]], own, **drawn).interval()
    return found


def map_by_size(records: Sequence[RunRecord], arm: str, bins: int, against: str | None = None) -> list[Interval]:
    """mAP in % of an arm over the test images of each of `size_bins` that holds any, or what it has over another, with
    intervals over images, seeds and worlds; [] where no record holds the arms."""
    names = [f"{FRA}/{one}/class_scores" for one in (arm, against) if one is not None]
    held = _holding(records, [*names, SIZE])
    if not held:
        return []
    shown, drawn, places = _joined(held, f"{FRA}/positives"), _drawn(held, FRA), _places(held, bins)
    found = []
    for rows in (np.flatnonzero(places == k) for k in np.unique(places[places >= 0])):
        of_rows = {name: values[rows] for name, values in drawn.items()}
        each = [map_estimate(_joined(held, name)[rows], shown[rows], **of_rows) for name in names]
        found.append((each[0] if against is None else each[0] - each[1]).interval())
    return found


def _holding(records: Sequence[RunRecord], names: Sequence[str]) -> list[RunRecord]:
    return [record for record in records if set(names) <= set(record.scores())]


def _joined(held: Sequence[RunRecord], name: str) -> np.ndarray:
    return np.concatenate([record.scores()[name] for record in held])


def _drawn(held: Sequence[RunRecord], dataset: str) -> dict[str, np.ndarray]:
    """What an interval goes over: photographs, runs and worlds, [N] each."""
    clips = [record.scores()[f"{dataset}/clip"] for record in held]
    of_run = {"runs": [record.seed for record in held], "worlds": [world_of(record) for record in held]}
    lengths = [len(own) for own in clips]
    return {"clusters": np.concatenate(clips), **{name: np.repeat(of, lengths) for name, of in of_run.items()}}


def _places(held: Sequence[RunRecord], bins: int) -> np.ndarray:
    own = [record.scores() for record in held]
    return np.concatenate([size_bins(scores[SIZE], scores[f"{FRA}/positives"], bins) for scores in own])
