"""T2SIL's three transfers as one experiment: from fixed features of stills and of temporal instances to derived and
fused predictions (Herath, Fernando, Harandi, Pattern Recognition 2019, §5.1, Tables 5 to 9). Chapter 05.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.papers.t2sil.backbones import Kept
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.papers.t2sil.transfers import (
    FeatureGAN,
    Reduction,
    Student,
    adversarial_losses,
    class_batch,
    distillation_loss,
    gan_loss,
    random_partners,
    still_to_temporal,
    triplet_loss,
)
from stillact_lib.training.loop import Device, StepBatches, StepLoss, classification_loss, predict, train

TRANSFERS = ("gan", "triplet", "tsn")
#: What the paper lacks: the same perceptron and the same student taught by the stills' own labels, without a video. A
#: transfer that gains no more than these gains by its further training.
CONTROLS = ("perceptron", "relabelled")
NO_VIDEO = "none"
#: Table 8: classes and instances of a batch
CLASSES, INSTANCES = 4, 4
#: classifiers of features: their learning rate (Adam; the paper does not say)
CLASSIFIER_RATE = 0.003


class Setting(NamedTuple):
    """What a transfer is trained with: widths of its layers (Tables 6 and 8), the learning rate of RMSProp, and λ of
    Eq. 3, the margin of Eq. 4 or the temperature of Eq. 5."""

    d0: int
    d1: int
    rate: float
    weight: float


#: Tables 6, 8 and 9; the student has no layers of its own
PUBLISHED = {
    "gan": {"flow": Setting(256, 128, 0.001, 1.0), "dynamic": Setting(256, 128, 0.001, 1.0)},
    "triplet": {"flow": Setting(256, 256, 0.0002, 1.0), "dynamic": Setting(128, 256, 0.0002, 0.5)},
    "tsn": {"flow": Setting(0, 0, 0.0002, 2.0), "dynamic": Setting(0, 0, 0.0002, 10.0)},
    "perceptron": {NO_VIDEO: Setting(256, 128, 0.001, 1.0)},
    "relabelled": {NO_VIDEO: Setting(0, 0, 0.0002, 1.0)},
}
#: Table 6: width of the discriminator
D2 = 256
#: what is tried on the validation part beside the published setting: factors of the learning rate, and other weights
FACTORS = {
    "gan": (1.0, 3.0),
    "triplet": (1.0, 5.0),
    "tsn": (1.0, 5.0),
    "perceptron": (1.0, 3.0),
    "relabelled": (1.0, 5.0),
}
WEIGHTS = {"tsn": (1.0, 4.0)}


def candidates(transfer: str, modality: str, tune: bool) -> list[Setting]:
    """The settings to try, the published one first; that alone where nothing is tuned."""
    published = PUBLISHED[transfer][modality]
    if not tune:
        return [published]
    weights = dict.fromkeys((published.weight, *WEIGHTS.get(transfer, ())))
    grid = product(FACTORS[transfer], weights)
    return [published._replace(rate=factor * published.rate, weight=weight) for factor, weight in grid]


@dataclass(frozen=True)
class Parts:
    """The stills of an experiment as the network for stills keeps them: to learn from, to test on, to choose by."""

    train: Kept
    test: Kept
    val: Kept | None = None

    def tested(self) -> dict[str, Kept]:
        return {"test": self.test} if self.val is None else {"val": self.val, "test": self.test}


@dataclass(frozen=True)
class Derived:
    """One transfer's derived predictions: softmax of the test and, where there are some, val stills, float [N, C] each;
    the setting chosen on the latter and how many were tried."""

    softmax: dict[str, np.ndarray]
    setting: Setting
    tried: int


@dataclass(frozen=True)
class Experiment:
    """Stills, temporal training instances by modality, and the fixed network for stills; labels are shared."""

    stills: Parts
    temporal: dict[str, Kept]
    network: CutResNet
    classes: int
    settings: T2silSettings
    device: Device
    _reductions: dict[tuple[str, int], Reduction] = field(default_factory=dict)

    @property
    def exact(self) -> Device:
        """Where heads compute: they are small, and distances want float32."""
        return replace(self.device, autocast=None)

    def derive(self, transfer: str, modality: str, setting: Setting | None = None) -> Derived:
        """Trains a transfer, or a control, under each of its candidates and keeps the one whose *fused* predictions are
        most often right on the validation stills, as the paper tunes; the first among equals. With `setting`, that one
        is taken: Table 3 has "the same training hyper-parameters"."""
        teach = {
            "gan": self._generated,
            "triplet": self._embedded,
            "tsn": self._distilled,
            "perceptron": self._perceptron,
            "relabelled": self._relabelled,
        }[transfer]
        options = [setting] if setting else candidates(transfer, modality, self.settings.tune)
        found = [(option, teach(modality, option)) for option in options]
        if len(found) > 1:
            found.sort(key=lambda one: -self._fused_accuracy(one[1](self.stills.val)))
        chosen, predict_stills = found[0]
        softmax = {part: predict_stills(kept) for part, kept in self.stills.tested().items()}
        return Derived(softmax, chosen, len(options))

    def _fused_accuracy(self, derived: np.ndarray) -> float:
        val = self.stills.val
        return float((fused(derived, val.softmax).argmax(1) == val.labels).mean())

    def _reduction(self, modality: str, d1: int) -> Reduction:
        """The network that reduces temporal features, trained with its classifier to name the class, then fixed; once
        for all transfers and settings that want the same."""
        if (modality, d1) not in self._reductions:
            temporal = self.temporal[modality]
            torch.manual_seed(self.settings.seed)
            reduction = Reduction(temporal.features.shape[1], d1, self.classes)
            self._fit_classifier(reduction, temporal.features, temporal.labels, f"{modality}, reduction")
            self._reductions[modality, d1] = reduction
        return self._reductions[modality, d1]

    def _fit_classifier(self, network: nn.Module, features: Tensor, labels: np.ndarray, label: str) -> None:
        wanted = torch.from_numpy(labels)
        self._train(
            network,
            StepBatches(
                len(labels),
                self.settings.head_batch,
                lambda rows, _: (features[rows], wanted[rows]),
                self.settings.seed,
            ),
            classification_loss(network),
            torch.optim.Adam(network.parameters(), lr=CLASSIFIER_RATE),
            self.settings.head_steps,
            label,
        )

    def _train(
        self,
        network: nn.Module,
        batches: StepBatches,
        step_loss: StepLoss,
        optimiser: torch.optim.Optimizer,
        steps: int,
        label: str,
    ) -> None:
        train(network, batches, step_loss, optimiser, steps, self.exact, label=label, log_every=steps)

    def _softmax_of(self, network: nn.Module) -> Callable[[Kept], np.ndarray]:
        return lambda kept: predict(network, kept.features, self.exact).softmax(1).numpy()

    def _generated(self, modality: str, setting: Setting) -> Callable[[Kept], np.ndarray]:
        """§3.1: stills and temporal instances of a batch are drawn apart, whatever their classes."""
        stills, temporal = self.stills.train, self.temporal[modality]
        torch.manual_seed(self.settings.seed)
        reduction = self._reduction(modality, setting.d1)
        gan = FeatureGAN(stills.features.shape[1], reduction, setting.d0, setting.d1, D2)
        wanted = torch.from_numpy(stills.labels)

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
            real = rng.choice(len(temporal.labels), len(rows))
            return stills.features[rows], wanted[rows], temporal.features[real]

        def step_loss(batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            losses = adversarial_losses(gan, *batch)
            return gan_loss(losses, setting.weight), losses._asdict()

        self._train(
            gan,
            StepBatches(len(stills.labels), self.settings.head_batch, make_batch, self.settings.seed),
            step_loss,
            torch.optim.RMSprop((p for p in gan.parameters() if p.requires_grad), lr=setting.rate),
            self.settings.head_steps,
            f"{modality}, GAN",
        )
        return self._softmax_of(gan)

    def _embedded(self, modality: str, setting: Setting) -> Callable[[Kept], np.ndarray]:
        """§3.2: the embedding first, then a classifier of embedded stills."""
        stills, temporal = self.stills.train, self.temporal[modality]
        reduction = self._reduction(modality, setting.d1)
        space = predict(reduction.reduce, temporal.features, self.exact)
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
            return triplet_loss(embedding(shown), labels, instances, their_labels, setting.weight), {}

        self._train(
            embedding,
            StepBatches(len(stills.labels), CLASSES * INSTANCES, make_batch, self.settings.seed),
            step_loss,
            torch.optim.RMSprop(embedding.parameters(), lr=setting.rate),
            self.settings.head_steps,
            f"{modality}, triplets",
        )
        classifier = nn.Linear(setting.d1, self.classes)
        embedded = predict(embedding, stills.features, self.exact)
        self._fit_classifier(classifier, embedded, stills.labels, f"{modality}, embedding classifier")
        return self._softmax_of(nn.Sequential(embedding, classifier))

    def _distilled(self, modality: str, setting: Setting) -> Callable[[Kept], np.ndarray]:
        """§3.3: the teacher's answers were computed once; a still's partner is drawn anew each time."""
        stills, temporal = self.stills.train, self.temporal[modality]
        of_temporal = temporal.by_class(self.classes)

        def answers(rows: np.ndarray, rng: np.random.Generator) -> Tensor:
            return temporal.scores[random_partners(stills.labels[rows], of_temporal, rng)]

        def loss(student: Tensor, teacher: Tensor) -> Tensor:
            return distillation_loss(student, teacher, setting.weight)

        return self._student(answers, loss, setting.rate, f"{modality}, student")

    def _relabelled(self, _: str, setting: Setting) -> Callable[[Kept], np.ndarray]:
        """Control: the student is taught the stills' own labels."""
        wanted = torch.from_numpy(self.stills.train.labels)
        return self._student(lambda rows, _: wanted[rows], cross_entropy, setting.rate, "student of labels")

    def _perceptron(self, _: str, setting: Setting) -> Callable[[Kept], np.ndarray]:
        """Control: the generator's layers and a classifier, taught the stills' own labels."""
        stills = self.stills.train
        torch.manual_seed(self.settings.seed)
        layers = still_to_temporal(stills.features.shape[1], setting.d0, setting.d1)
        network = nn.Sequential(layers, nn.Linear(setting.d1, self.classes))
        wanted = torch.from_numpy(stills.labels)
        self._train(
            network,
            StepBatches(
                len(wanted),
                self.settings.head_batch,
                lambda rows, _: (stills.features[rows], wanted[rows]),
                self.settings.seed,
            ),
            classification_loss(network),
            torch.optim.RMSprop(network.parameters(), lr=setting.rate),
            self.settings.head_steps,
            "perceptron of labels",
        )
        return self._softmax_of(network)

    def _student(
        self,
        answers: Callable[[np.ndarray, np.random.Generator], Tensor],
        loss: Callable[[Tensor, Tensor], Tensor],
        rate: float,
        label: str,
    ) -> Callable[[Kept], np.ndarray]:
        """A student, which begins as the network for stills, taught `answers` to rows of the stills."""
        stills = self.stills.train
        student = Student(deepcopy(self.network).to(self.device.torch_device))

        def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            maps, wanted = batch
            return loss(student(maps).float(), wanted), {}

        train(
            student,
            StepBatches(
                len(stills.labels),
                self.settings.batch_size,
                lambda rows, rng: (stills.maps[rows], answers(rows, rng)),
                self.settings.seed,
            ),
            step_loss,
            torch.optim.RMSprop((p for p in student.parameters() if p.requires_grad), lr=rate),
            self.settings.student_steps,
            self.device,
            label=label,
            log_every=self.settings.student_steps,
        )
        return lambda kept: predict(student, kept.maps, self.device).softmax(1).numpy()


def fused(derived: np.ndarray, stills: np.ndarray) -> np.ndarray:
    """The mean of two softmax predictions (§3.1.1)."""
    return (derived + stills) / 2
