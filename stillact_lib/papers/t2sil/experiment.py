"""T2SIL's three transfers as one experiment: from fixed features of stills and of temporal instances to derived and
fused predictions (Herath, Fernando, Harandi, Pattern Recognition 2019, §5.1, Tables 5 to 9). Chapter 05.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.t2sil.backbones import Kept
from stillact_lib.papers.t2sil.data import VAL
from stillact_lib.papers.t2sil.settings import LEARNT_FROM, NETWORK, T2silSettings
from stillact_lib.papers.t2sil.transfers import (
    D2,
    FeatureGAN,
    Reduction,
    Setting,
    Student,
    adversarial_losses,
    candidates,
    class_batch,
    class_table,
    distillation_loss,
    gan_loss,
    random_partners,
    smoothed_labels,
    still_to_temporal,
    triplet_loss,
)
from stillact_lib.training.loop import Device, MakeBatch, StepBatches, StepLoss, classification_loss, predict, train

#: Table 8: classes and instances of a batch
CLASSES, INSTANCES = 4, 4
#: classifiers of features: their learning rate (Adam; the paper does not say)
CLASSIFIER_RATE = 0.003
#: probabilities are no less, where their logarithm is taken
TINY = 1e-12


@dataclass(frozen=True)
class Parts:
    """The stills of an experiment as the network for stills keeps them: to learn from, and to test on, by test set."""

    train: Kept
    tested: dict[str, Kept]


@dataclass(frozen=True)
class Derived:
    """One transfer's derived predictions: softmax float [N, C] of each test set; the setting chosen, and how many were
    tried."""

    softmax: dict[str, np.ndarray]
    setting: Setting
    tried: int


#: what was learnt: the softmax of stills
Predict = Callable[[Kept], np.ndarray]


@dataclass
class Experiment:
    """Stills, the fixed network for stills (named in checkpoints), and temporal training instances by their network's
    name ("flow", "dynamic", "dynamic_25"); labels are shared. `reductions`: those trained so far, which several
    experiments may share; `data`: what all is learnt from."""

    name: str
    stills: Parts
    network: CutResNet
    temporal: dict[str, Kept]
    classes: int
    settings: T2silSettings
    device: Device
    data: tuple[DataOrigin, ...] = ()
    reductions: dict[tuple[str, int], Reduction] = field(default_factory=dict)

    @property
    def exact(self) -> Device:
        """Where heads compute: they are small, and distances want float32."""
        return replace(self.device, autocast=None)

    def derive(self, transfer: str, teacher: str, setting: Setting | None = None) -> Derived:
        """Trains a transfer from `teacher`'s instances, or a control, under each of its candidates and keeps the one
        whose *fused* predictions are most often right on the validation stills, as the paper tunes; the first among
        equals. With `setting`, that one is taken: Table 3 has "the same training hyper-parameters"."""
        teach = {
            "gan": self._generated,
            "triplet": self._embedded,
            "tsn": self._distilled,
            "table": self._tabulated,
            "smoothed": self._smoothed,
            "perceptron": self._perceptron,
            "relabelled": self._relabelled,
        }[transfer]
        options = [setting] if setting else candidates(transfer, modality_of(teacher), self.settings.tune)
        found = [(option, teach(teacher, option)) for option in options]
        if len(found) > 1:
            val = self.stills.tested[VAL]
            found.sort(key=lambda one: -(fused(one[1](val), val.softmax).argmax(1) == val.labels).mean())
        chosen, predict_stills = found[0]
        softmax = {dataset: predict_stills(kept) for dataset, kept in self.stills.tested.items()}
        return Derived(softmax, chosen, len(options))

    def _generated(self, teacher: str, setting: Setting) -> Predict:
        """§3.1: stills and temporal instances of a batch are drawn apart, whatever their classes."""
        stills, temporal = self.stills.train, self.temporal[teacher]
        reduction = self._reduction(teacher, setting.d1)
        torch.manual_seed(self.settings.seed)
        gan = FeatureGAN(stills.features.shape[1], reduction, setting.d0, setting.d1, D2)
        wanted = torch.from_numpy(stills.labels)

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
            real = rng.choice(len(temporal.labels), len(rows))
            return stills.features[rows], wanted[rows], temporal.features[real]

        def step_loss(batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            losses = adversarial_losses(gan, *batch)
            return gan_loss(losses, setting.balance), losses._asdict()

        self._learn(f"{teacher}-gan-{setting}", gan, len(wanted), make_batch, step_loss, _rmsprop(gan, setting))
        return self._of_features(gan)

    def _embedded(self, teacher: str, setting: Setting) -> Predict:
        """§3.2: the embedding first, then a classifier of embedded stills."""
        stills, temporal = self.stills.train, self.temporal[teacher]
        space = predict(self._reduction(teacher, setting.d1).reduce, temporal.features, self.exact)
        wanted, theirs = torch.from_numpy(stills.labels), torch.from_numpy(temporal.labels)
        of_still, of_temporal = stills.by_class(self.classes), temporal.by_class(self.classes)
        torch.manual_seed(self.settings.seed)
        embedding = still_to_temporal(stills.features.shape[1], setting.d0, setting.d1)

        def make_batch(_: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
            rows, drawn = class_batch(of_still, CLASSES, INSTANCES, rng)
            others, _ = class_batch(of_temporal, CLASSES, INSTANCES, rng, of=drawn)
            return stills.features[rows], wanted[rows], space[others], theirs[others]

        def step_loss(batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
            shown, labels, instances, their_labels = batch
            return triplet_loss(embedding(shown), labels, instances, their_labels, setting.margin), {}

        name, optimiser = f"{teacher}-triplet-{setting}", _rmsprop(embedding, setting)
        self._learn(name, embedding, len(wanted), make_batch, step_loss, optimiser)
        classifier = nn.Linear(setting.d1, self.classes)
        embedded = predict(embedding, stills.features, self.exact)
        self._classify(f"{name}-classifier", classifier, embedded, stills.labels, _adam(classifier))
        return self._of_features(nn.Sequential(embedding, classifier))

    def _distilled(self, teacher: str, setting: Setting) -> Predict:
        """§3.3: the teacher's answers were computed once; a still's partner is drawn anew each time."""
        labels, temporal = self.stills.train.labels, self.temporal[teacher]
        of_temporal = temporal.by_class(self.classes)

        def answers(rows: np.ndarray, rng: np.random.Generator) -> Tensor:
            return temporal.scores[random_partners(labels[rows], of_temporal, rng)]

        loss = partial(distillation_loss, temperature=setting.temperature)
        return self._student(f"{teacher}-tsn-{setting}", answers, loss, setting)

    def _relabelled(self, teacher: str, setting: Setting) -> Predict:
        """Control: the student is taught the stills' own labels."""
        wanted = torch.from_numpy(self.stills.train.labels)
        return self._student(f"{teacher}-relabelled-{setting}", lambda rows, _: wanted[rows], cross_entropy, setting)

    def _tabulated(self, teacher: str, setting: Setting) -> Predict:
        """What random partners teach on average: the teacher's mean answer to the still's class."""
        labels, temporal = self.stills.train.labels, self.temporal[teacher]
        table = class_table(temporal.scores, temporal.labels, self.classes, setting.temperature)
        as_scores = setting.temperature * table.clamp_min(TINY).log()  # of which the loss takes the softmax again
        loss = partial(distillation_loss, temperature=setting.temperature)
        return self._student(f"{teacher}-table-{setting}", lambda rows, _: as_scores[labels[rows]], loss, setting)

    def _smoothed(self, teacher: str, setting: Setting) -> Predict:
        """Control: the student is taught the stills' own labels, smoothed."""
        wanted = smoothed_labels(torch.from_numpy(self.stills.train.labels), self.classes, setting.smoothing)
        return self._student(f"{teacher}-smoothed-{setting}", lambda rows, _: wanted[rows], cross_entropy, setting)

    def _perceptron(self, teacher: str, setting: Setting) -> Predict:
        """Control: the generator's layers and a classifier, taught the stills' own labels."""
        stills = self.stills.train
        torch.manual_seed(self.settings.seed)
        layers = still_to_temporal(stills.features.shape[1], setting.d0, setting.d1)
        network = nn.Sequential(layers, nn.Linear(setting.d1, self.classes))
        name, optimiser = f"{teacher}-perceptron-{setting}", _rmsprop(network, setting)
        self._classify(name, network, stills.features, stills.labels, optimiser)
        return self._of_features(network)

    def _reduction(self, teacher: str, d1: int) -> Reduction:
        """The network that reduces temporal features, trained with its classifier to name the class, then fixed; once
        for all transfers and settings that want the same."""
        if (teacher, d1) not in self.reductions:
            temporal = self.temporal[teacher]
            torch.manual_seed(self.settings.seed)
            network = Reduction(temporal.features.shape[1], d1, self.classes)
            self._classify(f"{teacher}-reduction-{d1}", network, temporal.features, temporal.labels, _adam(network))
            self.reductions[teacher, d1] = network
        return self.reductions[teacher, d1]

    def _student(
        self, name: str, answers: MakeBatch, loss: Callable[[Tensor, Tensor], Tensor], setting: Setting
    ) -> Predict:
        """A student, which begins as the network for stills, taught `answers` to rows of the stills."""
        stills = self.stills.train
        student = Student(deepcopy(self.network).to(self.device.torch_device))

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
            return stills.maps[rows], answers(rows, rng)

        def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            maps, wanted = batch
            return loss(student(maps).float(), wanted), {}

        self._learn(name, student, len(stills.labels), make_batch, step_loss, _rmsprop(student, setting))
        return lambda kept: predict(student, kept.maps, self.device).softmax(1).numpy()

    def _classify(
        self, name: str, network: nn.Module, features: Tensor, labels: np.ndarray, optimiser: torch.optim.Optimizer
    ) -> None:
        wanted = torch.from_numpy(labels)

        def make_batch(rows: np.ndarray, _: np.random.Generator) -> tuple[Tensor, Tensor]:
            return features[rows], wanted[rows]

        self._learn(name, network, len(wanted), make_batch, classification_loss(network), optimiser)

    def _learn(
        self,
        name: str,
        network: nn.Module,
        count: int,
        make_batch: MakeBatch,
        step_loss: StepLoss,
        optimiser: torch.optim.Optimizer,
    ) -> None:
        """Trains a head or a student on batches of `count` items; its name begins with its teacher's."""
        settings, student = self.settings, isinstance(network, Student)
        steps, batch_size = ("student_steps", "batch_size") if student else ("head_steps", "head_batch")
        depends_on = (*NETWORK, "views", steps, batch_size, *LEARNT_FROM.get(modality_of(name.partition("-")[0]), ()))
        name = f"{self.name}-{name}"
        train(
            network,
            StepBatches(count, getattr(settings, batch_size), make_batch, settings.seed),
            step_loss,
            optimiser,
            getattr(settings, steps),
            self.device if student else self.exact,
            label=name,
            checkpoint=checkpoint_for(settings.chapter, name, settings, depends_on, self.data),
            log_every=getattr(settings, steps),
        )

    def _of_features(self, network: nn.Module) -> Predict:
        return lambda kept: predict(network, kept.features, self.exact).softmax(1).numpy()


def modality_of(teacher: str) -> str:
    """What a temporal network sees: "dynamic" of "dynamic_25"."""
    return teacher.partition("_")[0]


def _rmsprop(network: nn.Module, setting: Setting) -> torch.optim.Optimizer:
    return torch.optim.RMSprop((p for p in network.parameters() if p.requires_grad), lr=setting.rate)


def _adam(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), lr=CLASSIFIER_RATE)


def fused(derived: np.ndarray, stills: np.ndarray) -> np.ndarray:
    """The mean of two softmax predictions (§3.1.1)."""
    return (derived + stills) / 2
