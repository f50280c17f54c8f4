"""What `further` adds to a run of chapter 01: other places to look at, other orders of the candidates, other networks
to mark objects, each measured as FRA's own are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.papers.fra.classifiers import FOUND_ARMS, Fc6, plain_scores
from stillact_lib.papers.fra.controls import RANKS, all_shown_in, looked, marked, right_by_rank, ways_to_look
from stillact_lib.papers.fra.localising import AT_ONCE, candidates_of, first_of, fit_ranking, ranked, true_overlap
from stillact_lib.papers.fra.pooling import judged, learn_pooling, surroundings
from stillact_lib.papers.fra.run import ActionObjects
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.region_grids import context_features


def look_elsewhere(run: ActionObjects) -> None:
    """The fine network's maxima in windows chosen in every one of `ways_to_look`, as features of their own: arms
    "fine_guided" and so on; and how often a test image's object is in a window."""
    train, test, positives = run.fra.train, run.fra.test, run.fra.photographs.positives
    ways = ways_to_look(run.annotations(train), run.faces, run.settings)
    seen = looked(run.localiser, run.fra.images, ways)
    for name, (peaks, windows) in seen.items():
        scores = plain_scores(peaks[train], positives[train], peaks[test], run.settings.svm_lambda)
        run.scores[f"fine_{name}"] = scores
        shown = all_shown_in([windows[row] for row in test], run.annotations(test))
        run.measures[f"fine_{name}/found"] = shown


def rank_otherwise(run: ActionObjects, fc6: Fc6) -> None:
    """Candidates in other orders: by their object's mean probability, which takes no context ("likelihood"); by the
    regression that saw true regions too, as the paper's did ("told"); by a network that learns how to pool ("pooling").
    And the regression on other candidates, those of Eq. 3 as it is printed ("printed"). Of each order and the run's own
    ("context") whether the object is among the first, rank by rank; and of the others what comes of it: arms
    "object_likelihood", "all_likelihood" and so on."""
    settings, found, train = run.settings, run.candidates, run.fra.train
    learnt, annotations = [found[row] for row in train], run.annotations(train)
    seen, true, printed, taught = [], [], [], set(train.tolist())
    for row, maps in enumerate(run.localiser.maps(run.fra.images)):
        seen.append(surroundings(maps, found[row]))
        printed.append(candidates_of(maps, settings.maxima, settings.apart, as_printed=True))
        if row in taught and (things := run.fra.annotations[row].things):
            true.append(context_features(maps.fine, np.array([thing.box for thing in things], float)))
    told = fit_ranking(learnt, annotations, settings, np.concatenate(true))
    overlaps = [true_overlap(one, own) for one, own in zip(learnt, annotations, strict=True)]
    pooling = learn_pooling([seen[row] for row in train], overlaps, settings.seed, run.device, settings.pooling_steps)
    expected = judged(pooling, seen, run.device)
    by_print = fit_ranking([printed[row] for row in train], annotations, settings)
    orders = {
        "context": [ranked(one, run.ranking, RANKS) for one in found],
        "likelihood": [first_of(one, one.likelihood, RANKS) for one in found],
        "told": [ranked(one, told, RANKS) for one in found],
        "pooling": [first_of(one, worth, RANKS) for one, worth in zip(found, expected, strict=True)],
        "printed": [ranked(one, by_print, RANKS) for one in printed],
    }
    for name, of in (("context", found), ("printed", printed)):
        run.measures[f"{name}/candidates"] = np.array([float(len(of[row].regions)) for row in run.fra.test])
    for name, of_images in orders.items():
        tested = [of_images[row] for row in run.fra.test]
        for rank, values in right_by_rank(tested, run.annotations(run.fra.test)).items():
            run.measures[f"{name}/right_at_{rank}"] = values
        if name != "context":
            kept = [regions[: settings.kept_regions] for regions in of_images]
            other = replace(run, kept=kept, scores={}, measures={})
            machines = other.classifiers(fc6)
            for arm in ("object", "all"):
                run.scores[f"{arm}_{name}"] = machines.scores(FOUND_ARMS[arm])


def mark(run: ActionObjects, alone: FCN8s, coarse_32: FCN8s) -> None:
    """How well test images are marked by the coarse network, the fine one where it looked, the coarse one that was
    taught objects alone (§4.1) and the 32-pixel version (§3.1), whose maxima are features too: arm "coarse_32"."""
    images, annotations = run.fra.images[torch.from_numpy(run.fra.test)], run.annotations(run.fra.test)
    marks: dict[str, list[dict[str, float]]] = {"coarse": [], "fine": [], "coarse_objects_alone": [], "coarse_32": []}
    for maps, annotation in zip(run.localiser.maps(images), annotations, strict=True):
        marks["coarse"].append(marked(maps.coarse, annotation))
        marks["fine"].append(marked(maps.fine, annotation))
    for maps, annotation in zip(_maps(run, alone, images), annotations, strict=True):
        marks["coarse_objects_alone"].append(marked(maps, annotation, first_object=1))
    peaks, tested = [], set(run.fra.test.tolist())
    for row, maps in enumerate(_maps(run, coarse_32, run.fra.images)):
        peaks.append(maps.max(axis=(1, 2)))
        if row in tested:
            marks["coarse_32"].append(marked(maps, run.fra.annotations[row]))
    for name, of_images in marks.items():
        run.measures |= {f"{name}/{measure}": np.array([one[measure] for one in of_images]) for measure in of_images[0]}
    features, train, positives = np.stack(peaks), run.fra.train, run.fra.photographs.positives
    strength = run.settings.svm_lambda
    run.scores["coarse_32"] = plain_scores(features[train], positives[train], features[run.fra.test], strength)


def _maps(run: ActionObjects, network: FCN8s, images: Tensor) -> Iterator[np.ndarray]:
    """A coarse network's probabilities of each image, float32 [L, S, S]."""
    localiser = replace(run.localiser, coarse=network)
    for some in images.split(AT_ONCE):
        yield from localiser.coarse_maps(as_network_input(some))
