"""T2SIL's three transfers as one experiment: from fixed features of stills and of temporal instances to derived and
fused predictions (Herath, Fernando, Harandi, Pattern Recognition 2019, §5.1, Tables 5 to 9). Chapter 05.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.t2sil.backbones import Kept
from stillact_lib.papers.t2sil.data import VAL
from stillact_lib.papers.t2sil.instances import Instances
from stillact_lib.papers.t2sil.settings import LEARNT_FROM, NETWORK, PHOTOGRAPHS, T2silSettings
from stillact_lib.papers.t2sil.transfers import (
    CLASSES,
    D2,
    INSTANCES,
    STILLS,
    FeatureGAN,
    Reduction,
    Setting,
    Student,
    adam,
    adversarial_losses,
    candidates,
    class_batch,
    distillation_loss,
    gan_loss,
    random_partners,
    rmsprop,
    still_to_temporal,
    triplet_loss,
)
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import History, MakeBatch, StepBatches, StepLoss, Watch, classification_loss, train


class Budget(NamedTuple):
    """How long something learns: the settings that give its steps, and the stills that it looks at in each."""

    steps: str
    batch: str


#: of what learns on features, and of students; profiles give both as many looks at stills
HEAD, STUDENT = Budget("head_steps", "head_batch"), Budget("student_steps", "batch_size")
#: how many points a curve of a head or a student has
LOOKS = 10


@dataclass(frozen=True)
class Parts:
    """The stills of an experiment as the network for stills keeps them: to learn from, and to test on, by test set; and
    the images themselves, for a student of which all layers learn; `val`: the test set that chooses settings."""

    train: Kept
    tested: dict[str, Kept]
    images: Instances | None = None
    tested_images: dict[str, Instances] = field(default_factory=dict)
    val: str = VAL


@dataclass(frozen=True)
class Derived:
    """One transfer's derived predictions: softmax float [N, C] of each test set; the setting chosen, and how many were
    tried; the curves of what was watched under that setting."""

    softmax: dict[str, np.ndarray]
    setting: Setting
    tried: int
    curves: Sequence[History] = ()


#: what was learnt: test set -> the softmax of its stills
Predict = Callable[[str], np.ndarray]
#: what a curve shows of it
Figures = Callable[[], dict[str, float]]


@dataclass
class Experiment:
    """Stills, the fixed network for stills (named in checkpoints), and temporal training instances by their network's
    name ("flow", "dynamic", "dynamic_25"); labels are shared. `reductions`: those trained so far, which several
    experiments may share; `data`: what all is learnt from; `alternatives`: what else can teach, by its name; `curves`:
    of what was watched last."""

    name: str
    stills: Parts
    network: CutResNet
    temporal: dict[str, Kept]
    classes: int
    settings: T2silSettings
    device: Device
    data: tuple[DataOrigin, ...] = ()
    reductions: dict[tuple[str, int], Reduction] = field(default_factory=dict)
    alternatives: Mapping[str, Callable[[Experiment, str, Setting], Predict]] = field(default_factory=dict)
    curves: list[History] = field(default_factory=list)

    @property
    def exact(self) -> Device:
        """Where heads compute: they are small, and distances want float32."""
        return replace(self.device, autocast=None)

    def derive(self, transfer: str, teacher: str, setting: Setting | None = None) -> Derived:
        """Trains a transfer from `teacher`'s instances, or a control, under each of its candidates and keeps the one
        whose *fused* predictions are most often right on the validation stills, as the paper tunes; the first among
        equals. With `setting`, that one is taken: Table 3 has "the same training hyper-parameters"."""
        ours = {"gan": self._generated, "triplet": self._embedded, "tsn": self._distilled}
        teach = ours.get(transfer) or partial(self.alternatives[transfer], self)
        options = [setting] if setting else candidates(transfer, modality_of(teacher), self.settings.tune)
        found = []
        for option in options:
            self.curves = []
            found.append((option, teach(teacher, option), self.curves))
        if len(found) > 1:
            found.sort(key=lambda one: -self.right_fused(one[1]))
        chosen, predict_stills, curves = found[0]
        softmax = {dataset: predict_stills(dataset) for dataset in self.stills.tested}
        return Derived(softmax, chosen, len(options), curves)

    def right_fused(self, predict_stills: Predict) -> float:
        """How many of the validation stills the fused predictions name rightly, in %."""
        val = self.stills.tested[self.stills.val]
        return 100 * float((fused(predict_stills(self.stills.val), val.softmax).argmax(1) == val.labels).mean())

    def _generated(self, teacher: str, setting: Setting) -> Predict:
        """§3.1: stills and temporal instances of a batch are drawn apart, whatever their classes."""
        stills, temporal = self.stills.train, self.temporal[teacher]
        reduction = self.reduction(teacher, setting.d1)
        torch.manual_seed(self.settings.seed)
        gan = FeatureGAN(stills.features.shape[1], reduction, setting.d0, setting.d1, D2)
        wanted = torch.from_numpy(stills.labels)

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
            real = rng.choice(len(temporal.labels), len(rows))
            return stills.features[rows], wanted[rows], temporal.features[real]

        def step_loss(batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            losses = adversarial_losses(gan, *batch)
            return gan_loss(losses, setting.balance), losses._asdict()

        def figures() -> dict[str, float]:
            return self.fused_of(found)() | {"discriminator": self.told_apart(gan, teacher)}

        name, found, optimiser = f"{teacher}-gan-{setting}", self.of_features(gan), rmsprop(gan, setting)
        self.learn(name, gan, len(wanted), make_batch, step_loss, optimiser, figures)
        return found

    def told_apart(self, gan: FeatureGAN, teacher: str) -> float:
        """How often the discriminator tells validation stills' generated features from its teacher's temporal ones, in
        %, both counting alike; 50 where it cannot."""
        judge = nn.Sequential(gan.generator, gan.discriminator)
        of_generated = predict(judge, self.stills.tested[self.stills.val].features, self.exact)
        judge = nn.Sequential(gan.temporal.reduce, gan.discriminator)
        of_real = predict(judge, self.temporal[teacher].features, self.exact)
        return 50 * float((of_generated < 0).float().mean() + (of_real > 0).float().mean())

    def _embedded(self, teacher: str, setting: Setting) -> Predict:
        """§3.2: the embedding first, then a classifier of embedded stills."""
        stills, temporal = self.stills.train, self.temporal[teacher]
        space = predict(self.reduction(teacher, setting.d1).reduce, temporal.features, self.exact)
        name = f"{teacher}-triplet-{setting}"
        embedding = self.embed(name, stills, temporal, space, setting)
        classifier = nn.Linear(setting.d1, self.classes)
        embedded = predict(embedding, stills.features, self.exact)
        found = self.of_features(nn.Sequential(embedding, classifier))
        self.classify(f"{name}-classifier", classifier, embedded, stills.labels, adam(classifier), self.fused_of(found))
        return found

    def embed(self, name: str, moved: Kept, fixed: Kept, space: Tensor, setting: Setting) -> nn.Module:
        """Trains what brings the features of `moved` where those of the same class of `fixed` lie, whose places in the
        space, [M, d1], stay as they are; a step has Table 8's few items, so there are more steps for as many looks."""
        labels, their_labels = torch.from_numpy(moved.labels), torch.from_numpy(fixed.labels)
        of_moved, of_fixed = moved.by_class(self.classes), fixed.by_class(self.classes)
        torch.manual_seed(self.settings.seed)
        embedding = still_to_temporal(moved.features.shape[1], setting.d0, setting.d1)

        def make_batch(_: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
            rows, drawn = class_batch(of_moved, CLASSES, INSTANCES, rng)
            others, _ = class_batch(of_fixed, CLASSES, INSTANCES, rng, of=drawn)
            return moved.features[rows], labels[rows], space[others], their_labels[others]

        def step_loss(batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
            features, *others = batch
            return triplet_loss(embedding(features), *others, setting.margin), {}

        means = torch.stack([space[rows].mean(0) if len(rows) else space.mean(0) for rows in of_fixed])

        def figures() -> dict[str, float]:
            val = self.stills.tested[self.stills.val]
            nearest = torch.cdist(predict(embedding, val.features, self.exact), means).argmin(1).numpy()
            return {"nearest": 100 * float((nearest == val.labels).mean())}

        optimiser, watched = rmsprop(embedding, setting), figures if moved is self.stills.train else None
        self.learn(name, embedding, len(labels), make_batch, step_loss, optimiser, watched, items=CLASSES * INSTANCES)
        return embedding

    def _distilled(self, teacher: str, setting: Setting) -> Predict:
        """§3.3: the teacher's answers were computed once; a still's partner is drawn anew each time."""
        loss = partial(distillation_loss, temperature=setting.temperature)
        return self.student(f"{teacher}-tsn-{setting}", self.partners(teacher), loss, setting)

    def reduction(self, teacher: str, d1: int) -> Reduction:
        """The network that reduces the features of a teacher, or of stills, trained with its classifier to name the
        class, then fixed; once for all transfers and settings that want the same."""
        if (teacher, d1) not in self.reductions:
            temporal = self.stills.train if teacher == STILLS else self.temporal[teacher]
            torch.manual_seed(self.settings.seed)
            network = Reduction(temporal.features.shape[1], d1, self.classes)
            self.classify(f"{teacher}-reduction-{d1}", network, temporal.features, temporal.labels, adam(network))
            self.reductions[teacher, d1] = network
        return self.reductions[teacher, d1]

    def partners(self, teacher: str) -> MakeBatch:
        """Remark 2: for each still the answer to an instance of its class, drawn anew each time."""
        labels, temporal = self.stills.train.labels, self.temporal[teacher]
        of_temporal = temporal.by_class(self.classes)
        return lambda rows, rng: temporal.scores[random_partners(labels[rows], of_temporal, rng)]

    def student(
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

        def found(dataset: str) -> np.ndarray:
            return predict(student, self.stills.tested[dataset].maps, self.device).softmax(1).numpy()

        optimiser, figures = rmsprop(student, setting), self.fused_of(found)
        self.learn(name, student, len(stills.labels), make_batch, step_loss, optimiser, figures, STUDENT)
        return found

    def classify(
        self,
        name: str,
        network: nn.Module,
        features: Tensor,
        labels: np.ndarray,
        optimiser: torch.optim.Optimizer,
        figures: Figures | None = None,
    ) -> None:
        """Trains what names the class of features; `figures`: what its curve shows."""
        wanted = torch.from_numpy(labels)

        def make_batch(rows: np.ndarray, _: np.random.Generator) -> tuple[Tensor, Tensor]:
            return features[rows], wanted[rows]

        self.learn(name, network, len(wanted), make_batch, classification_loss(network), optimiser, figures)

    def learn(
        self,
        name: str,
        network: nn.Module,
        count: int,
        make_batch: MakeBatch,
        step_loss: StepLoss,
        optimiser: torch.optim.Optimizer,
        figures: Figures | None = None,
        budget: Budget = HEAD,
        items: int | None = None,
    ) -> None:
        """Trains a head or a student on batches of `count` items for as many looks as its budget has; its name begins
        with its teacher's. `figures`: what its curve shows, under `score_every`, where there are validation stills to
        look at; `items`: those of a step, where they are not the budget's."""
        settings = self.settings
        steps, batch_size = (getattr(settings, name) for name in budget)
        if items is not None:
            steps, batch_size = -(-steps * batch_size // items), items
        depends_on = (*NETWORK, *PHOTOGRAPHS, "views", *budget)
        depends_on += LEARNT_FROM.get(modality_of(name.partition("-")[0]), ())
        name = f"{self.name}-{name}"
        watched = bool(settings.score_every) and figures is not None and self.stills.val in self.stills.tested
        history = train(
            network,
            StepBatches(count, batch_size, make_batch, settings.seed),
            step_loss,
            optimiser,
            steps,
            self.device if isinstance(network, Student | CutResNet) else self.exact,
            label=name,
            checkpoint=checkpoint_for(settings.chapter, name, settings, depends_on, self.data),
            log_every=steps,
            watch=Watch(-(-steps // LOOKS), figures) if watched else None,
        )
        if watched:
            self.curves.append(history)

    def fused_of(self, predict_stills: Predict) -> Figures:
        return lambda: {"fused": self.right_fused(predict_stills)}

    def of_features(self, network: nn.Module) -> Predict:
        return lambda dataset: predict(network, self.stills.tested[dataset].features, self.exact).softmax(1).numpy()


def modality_of(teacher: str) -> str:
    """What a temporal network sees: "dynamic" of "dynamic_25"."""
    return teacher.partition("_")[0]


def fused(derived: np.ndarray, stills: np.ndarray) -> np.ndarray:
    """The mean of two softmax predictions (§3.1.1)."""
    return (derived + stills) / 2
