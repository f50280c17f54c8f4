"""What is held against T2SIL's three transfers: students and perceptrons that never see a video, the student of the
teacher's mean answers, and what the paper tried and left (Herath, Fernando, Harandi, Pattern Recognition 2019, §5.1).
Each takes an experiment, and is trained, tuned and fused as the transfers are. Chapter 05.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from stillact_lib.papers.t2sil.backbones import keep, views_of
from stillact_lib.papers.t2sil.experiment import STUDENT, Experiment, Predict
from stillact_lib.papers.t2sil.transfers import (
    STILLS,
    Setting,
    adam,
    class_table,
    distillation_loss,
    rmsprop,
    smoothed_labels,
    still_to_temporal,
)
from stillact_lib.training.inference import predict
from stillact_lib.vision.images import as_network_input

#: probabilities are no less, where their logarithm is taken
TINY = 1e-12


def tabulated(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """What random partners teach on average: the teacher's mean answer to the still's class."""
    labels, temporal = run.stills.train.labels, run.temporal[teacher]
    table = class_table(temporal.scores, temporal.labels, run.classes, setting.temperature)
    as_scores = setting.temperature * table.clamp_min(TINY).log()  # of which the loss takes the softmax again
    loss = partial(distillation_loss, temperature=setting.temperature)
    return run.student(f"{teacher}-table-{setting}", lambda rows, _: as_scores[labels[rows]], loss, setting)


def smoothed(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """Control: the student is taught the stills' own labels, smoothed."""
    wanted = smoothed_labels(torch.from_numpy(run.stills.train.labels), run.classes, setting.smoothing)
    return run.student(f"{teacher}-smoothed-{setting}", lambda rows, _: wanted[rows], cross_entropy, setting)


def relabelled(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """Control: the student is taught the stills' own labels."""
    wanted = torch.from_numpy(run.stills.train.labels)
    return run.student(f"{teacher}-relabelled-{setting}", lambda rows, _: wanted[rows], cross_entropy, setting)


def perceptron(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """Control: the generator's layers and a classifier, taught the stills' own labels."""
    stills = run.stills.train
    torch.manual_seed(run.settings.seed)
    layers = still_to_temporal(stills.features.shape[1], setting.d0, setting.d1)
    network = nn.Sequential(layers, nn.Linear(setting.d1, run.classes))
    name, optimiser = f"{teacher}-perceptron-{setting}", rmsprop(network, setting)
    found = run.of_features(network)
    run.classify(name, network, stills.features, stills.labels, optimiser, run.fused_of(found))
    return found


def reversed_embedding(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """Remark 1's alternative: temporal instances are embedded where stills lie, whose reduced features are fixed,
    and one classifier learns of both."""
    stills, temporal = run.stills.train, run.temporal[teacher]
    reduction = run.reduction(STILLS, setting.d1)
    space = predict(reduction.reduce, stills.features, run.exact)
    name = f"{teacher}-reversed-{setting}"
    embedding = run.embed(name, temporal, stills, space, setting)
    classifier = nn.Linear(setting.d1, run.classes)
    both = torch.cat([space, predict(embedding, temporal.features, run.exact)])
    labels = np.concatenate([stills.labels, temporal.labels])
    found = run.of_features(nn.Sequential(reduction.reduce, classifier))
    run.classify(f"{name}-classifier", classifier, both, labels, adam(classifier), run.fused_of(found))
    return found


def classifier(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """§5.1.3, with fewer layers than the paper's three convolutions: the student's classifier alone learns."""
    stills = run.stills.train
    student = deepcopy(run.network.classifier).cpu().requires_grad_(True)
    answers, loss = run.partners(teacher), partial(distillation_loss, temperature=setting.temperature)

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return stills.features[rows], answers(rows, rng)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return loss(student(batch[0]), batch[1]), {}

    name, found = f"{teacher}-classifier-{setting}", run.of_features(student)
    optimiser, figures = rmsprop(student, setting), run.fused_of(found)
    run.learn(name, student, len(stills.labels), make_batch, step_loss, optimiser, figures, STUDENT)
    return found


def whole(run: Experiment, teacher: str, setting: Setting) -> Predict:
    """§5.1.3, with more layers: all of the student learn, from the windows of the stills that other students see."""
    images, settings = run.stills.images, run.settings
    windows = torch.cat(list(views_of(images, run.network.image_size, settings.views, settings.seed)))
    student = deepcopy(run.network).to(run.device.torch_device).requires_grad_(True)
    answers, loss = run.partners(teacher), partial(distillation_loss, temperature=setting.temperature)

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return as_network_input(windows[rows]), answers(rows, rng)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return loss(student(batch[0]).float(), batch[1]), {}

    def found(dataset: str) -> np.ndarray:
        return keep(student, run.stills.tested_images[dataset], run.device).softmax

    name = f"{teacher}-whole-{setting}"
    optimiser, figures = rmsprop(student, setting), run.fused_of(found)
    run.learn(name, student, len(windows), make_batch, step_loss, optimiser, figures, STUDENT)
    return found


#: by the names of transfers and controls
ALTERNATIVES = {
    "table": tabulated,
    "smoothed": smoothed,
    "relabelled": relabelled,
    "perceptron": perceptron,
    "reversed": reversed_embedding,
    "classifier": classifier,
    "whole": whole,
}
