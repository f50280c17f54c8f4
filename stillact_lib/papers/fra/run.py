"""One run of chapter 01: what is computed of FRA's images on the way to Tables 1 to 3, and what a record keeps of it
(Rosenfeld and Ullman 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from stillact_lib.evaluation.average_precision import average_precisions
from stillact_lib.evidence.bootstrap import Interval, map_estimate
from stillact_lib.evidence.records import RunRecord
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.papers.fra import faces as fra_faces
from stillact_lib.papers.fra.classifiers import FOUND_ARMS, ORACLE_ARMS, Classifiers, Fc6
from stillact_lib.papers.fra.data import FRA, Annotation, FraImages
from stillact_lib.papers.fra.localising import (
    Candidates,
    Localiser,
    fit_ranking,
    localise,
    ranked,
    stack,
    stages,
    windows_of,
)
from stillact_lib.papers.fra.regions import Region
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.training.loop import Device
from stillact_lib.vision.photographs import Photographs

STANFORD40 = "stanford40"


@dataclass
class ActionObjects:
    """A run: FRA, its networks and what they find in each image. `scores`: class scores [N, C] of each arm over the
    test images."""

    fra: FraImages
    settings: FraSettings
    device: Device
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    measures: dict[str, np.ndarray] = field(default_factory=dict)
    candidates: list[Candidates] = field(default_factory=list)
    kept: list[list[Region]] = field(default_factory=list)
    faces: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    localiser: Localiser | None = None
    ranking: Pipeline | None = None

    def annotations(self, rows: np.ndarray) -> list[Annotation]:
        return [self.fra.annotations[row] for row in rows]

    def localise(self, coarse: FCN8s, fine: FCN8s) -> None:
        """Finds candidates in every image, learns their ranking from the training images', and keeps the best of each
        test image; notes how far each test image's true object came."""
        self.localiser = Localiser(coarse, fine, self.settings, self.device)
        self.candidates = localise(self.localiser, self.fra.images)
        learnt = [self.candidates[row] for row in self.fra.train]
        self.ranking = fit_ranking(learnt, self.annotations(self.fra.train), self.settings)
        self.kept = [ranked(one, self.ranking, self.settings.kept_regions) for one in self.candidates]
        reached = [stages(self.candidates[row], self.kept[row], self.fra.annotations[row]) for row in self.fra.test]
        for name in next(answers for answers in reached if answers):
            self.measures[f"{name}/found"] = np.array([answers.get(name, np.nan) for answers in reached])

    def find_faces(self) -> None:
        """The best face of every image, by the run's detector; notes how often a test image's is the true one."""
        if self.settings.face_detector:
            self.faces = fra_faces.YuNet(self.settings.face_detector).faces(self.fra.images)
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
        machines.add("whole", fc6.whole(seen), (whole := fc6.whole(asked)), whole)
        true, times = self.fra.faces(), self.settings.face_times
        taught, told = (fc6.faces(some, true[rows], times) for some, rows in ((seen, train), (asked, test)))
        machines.add("face", taught, fc6.faces(asked, self.faces[test], times), told)
        for network in ("coarse", "fine"):
            of_all = stack(self.candidates, network)
            machines.add(network, of_all[train], of_all[test])
        taught = fc6.objects(seen, [one.thing for one in self.annotations(train)])
        told = fc6.objects(asked, [one.thing for one in self.annotations(test)])
        found = fc6.objects(asked[torch.from_numpy(owner)], [region for regions in kept for region in regions])
        best = fc6.objects(seen, [(self.kept[row] or [None])[0] for row in train])
        for kind in ("box", "masked"):
            machines.add(kind, taught[kind], found[kind], told[kind])
            machines.add(f"{kind}_taught_found", best[kind], found[kind])
        return machines

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
        peaks, hits = [], []
        for images in self.fra.images.split(256):
            maps = alone.coarse_maps(images.float() / 127.5 - 1)
            peaks.append(maps.max(axis=(2, 3)))
            hits += [windows_of(one, self.settings, first_object=1) for one in maps]
        features = np.concatenate(peaks)
        train, test = self.fra.train, self.fra.test
        machines = Classifiers(self.fra.photographs.positives[train], np.arange(len(test)), self.settings.svm_lambda)
        machines.add("coarse", features[train], features[test])
        self.scores["coarse_objects_alone"] = machines.scores(["coarse"])
        reached = []
        for row in test:
            found = Candidates(peaks[0][0], peaks[0][0], hits[row], (), np.empty((0, 0)))
            reached.append(stages(found, [], self.fra.annotations[row]).get("window", np.nan))
        self.measures["window_objects_alone/found"] = np.array(reached)

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
        return kept | {f"{FRA}/{name}": values for name, values in self.measures.items()}


def size_labels(classes: tuple[str, ...]) -> np.ndarray:
    """How large each class's action object tends to be, str [C]: "small", "large" or "undecided" (Fig. 2), as the
    manifest declares it."""
    of_class = {name: group for group, names in load_manifest(STANFORD40).class_groups.items() for name in names}
    return np.array([of_class[name] for name in classes])


def section_two(stanford40: Photographs, scores: np.ndarray) -> dict[str, np.ndarray]:
    """What a record keeps of Figure 2: class scores [N, C] of Stanford 40's test images."""
    return {
        f"{STANFORD40}/clip": stanford40.names[stanford40.test],
        f"{STANFORD40}/positives": stanford40.positives[stanford40.test].astype(np.float32),
        f"{STANFORD40}/class_groups": size_labels(stanford40.classes),
        f"{STANFORD40}/whole/class_scores": scores,
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
    """The mean size of the objects in each bin that holds any, in % of the image's side."""
    for record in records:
        if SIZE in (scores := record.scores()):
            places = size_bins(scores[SIZE], scores[f"{FRA}/positives"], bins)
            return [float(scores[SIZE][places == k].mean()) for k in np.unique(places[places >= 0])]
    return []


def of_each_class(dataset: str, arm: str, classes: Sequence[str], records: Sequence[RunRecord]) -> dict[str, Interval]:
    """Average precision in % of each class, with intervals over images and seeds."""
    name = f"{dataset}/{arm}/class_scores"
    pooled = _pooled(records, [name], dataset)
    return {
        one: map_estimate(pooled.scores[0][:, [k]], pooled.shown[:, [k]], **pooled.drawn).interval()
        for k, one in enumerate(classes)
        if pooled is not None
    }


def map_by_size(records: Sequence[RunRecord], arm: str, bins: int) -> list[Interval]:
    """mAP in % over the test images of each of `size_bins` that holds any, with intervals over images and seeds; []
    where no record holds the arm."""
    return _by_size(records, [arm], bins)


def gain_by_size(records: Sequence[RunRecord], arm: str, against: str, bins: int) -> list[Interval]:
    """The same of how far an arm's mAP exceeds another's."""
    return _by_size(records, [arm, against], bins)


def _by_size(records: Sequence[RunRecord], arms: Sequence[str], bins: int) -> list[Interval]:
    pooled = _pooled(records, [f"{FRA}/{arm}/class_scores" for arm in arms], FRA)
    if pooled is None:
        return []
    places = np.concatenate(
        [size_bins(pooled.sizes[own], pooled.shown[own], bins) for own in _rows_of_runs(pooled.drawn["runs"])]
    )
    found = []
    for rows in (np.flatnonzero(places == k) for k in np.unique(places[places >= 0])):
        drawn = {name: values[rows] for name, values in pooled.drawn.items()}
        each = [map_estimate(scores[rows], pooled.shown[rows], **drawn) for scores in pooled.scores]
        found.append((each[0] if len(arms) == 1 else each[0] - each[1]).interval())
    return found


def _rows_of_runs(runs: np.ndarray) -> list[np.ndarray]:
    """Rows of each run; runs int [N], one after the other."""
    return np.split(np.arange(len(runs)), np.flatnonzero(np.diff(runs)) + 1)


class _Pooled(NamedTuple):
    """Class scores [N, C] of some arms over all records that hold them, what the items show, their objects' sizes, and
    what is drawn: clusters and runs, [N] each."""

    scores: list[np.ndarray]
    shown: np.ndarray
    sizes: np.ndarray
    drawn: dict[str, np.ndarray]


def _pooled(records: Sequence[RunRecord], names: Sequence[str], dataset: str) -> _Pooled | None:
    wanted = {*names, SIZE} if dataset == FRA else {*names}
    held = [(record.seed, scores) for record in records if wanted <= set(scores := record.scores())]
    if not held:
        return None

    def joined(key: str) -> np.ndarray:
        return np.concatenate([found[key] for _, found in held])

    runs = np.concatenate([np.full(len(found[names[0]]), seed) for seed, found in held])
    sizes = joined(SIZE) if dataset == FRA else np.full(len(runs), np.nan)
    drawn = {"clusters": joined(f"{dataset}/clip"), "runs": runs}
    return _Pooled([joined(name) for name in names], joined(f"{dataset}/positives"), sizes, drawn)
