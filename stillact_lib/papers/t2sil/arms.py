"""One run of chapter 05: its networks, its two experiments (stills; mid-frames in their place), its oracle (§5.5), and
what each arm says of each test set (Herath, Fernando, Harandi, Pattern Recognition 2019, Tables 1 to 4).

Arms: "still", "augmented"; "gan_dynamic" and "gan_dynamic_fused" (derived, and averaged with "still"), and so on for
each transfer and modality; "perceptron" and "relabelled", the controls without videos; "oracle_dynamic".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.t2sil.backbones import Instances, Kept, keep, train_network
from stillact_lib.papers.t2sil.data import MIDDLES, TEST, VAL, Videos, key_frames
from stillact_lib.papers.t2sil.experiment import CONTROLS, NO_VIDEO, TRANSFERS, Derived, Experiment, Parts, fused
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.papers.t2sil.transfers import random_partners
from stillact_lib.training.loop import Device, History


def oracle_draws(
    stills: Kept, temporal: Kept, draws: int, seed: int, taught: frozenset[int] = frozenset()
) -> np.ndarray:
    """Table 4: whether each still is named right, bool [draws, N], when its prediction is averaged with that of a
    temporal instance of its own class, drawn anew for every still and draw.

    temporal: instances that the temporal network has not learnt from. Raises ValueError where one of its items is in
    `taught`, StillactError where a class of the stills has none.
    """
    if taught & set(temporal.item.tolist()):
        raise ValueError("the oracle's instances must not be among those that taught the temporal network")
    rng = np.random.default_rng(seed)
    by_class = temporal.by_class(stills.scores.shape[1])
    own, theirs = stills.softmax, temporal.softmax
    right = np.empty((draws, len(own)), bool)
    for draw in range(draws):
        partners = random_partners(stills.labels, by_class, rng)
        right[draw] = fused(theirs[partners], own).argmax(1) == stills.labels
    return right


MODALITIES = ("flow", "dynamic")
STILL, AUGMENTED, MIDDLE = "still", "augmented", "middle"
ACCURACY, GAIN, POSITIVES = "accuracy", "gain", "positives"
#: shares of the training videos in the learning curve, in percent, beside all
SHARES = (25, 50)


class Answer(NamedTuple):
    """How often each item of a test set is named right, float [N] in %, and the softmax behind it, [N, C] or None."""

    right: np.ndarray
    softmax: np.ndarray | None


@dataclass
class JudgedSet:
    """N items of a test set, what they show, and what each arm answered. `groups`: the units that an interval draws,
    where they are more than one item."""

    items: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None
    answers: dict[str, Answer] = field(default_factory=dict)

    def answer(self, arm: str, softmax: np.ndarray) -> None:
        self.answers[arm] = Answer(100.0 * (softmax.argmax(1) == self.labels), softmax)

    def accuracy(self, arm: str) -> float:
        return float(self.answers[arm].right.mean())

    def gain(self, arm: str) -> np.ndarray:
        """What an arm is right more often than the network for stills, float [N] in percentage points."""
        return self.answers[arm].right - self.answers[STILL].right

    def scores_to_keep(self, dataset: str, classes: int) -> dict[str, np.ndarray]:
        """What a record keeps of it."""
        kept = {
            f"{dataset}/clip": self.items,
            f"{dataset}/{POSITIVES}": np.eye(classes, dtype=np.float32)[self.labels],
        }
        if self.groups is not None:
            kept[f"{dataset}/group"] = self.groups
        for arm, found in self.answers.items():
            kept[f"{dataset}/{arm}/{ACCURACY}"] = found.right.astype(np.float32)
            kept[f"{dataset}/{arm}/{GAIN}"] = self.gain(arm).astype(np.float32)
        return kept


@dataclass
class TemporalTransfer:
    """A run: SSVAC-40's stills (`table`, `photographs`) and videos, its networks by name, its test sets, and the
    transfers' chosen settings by arm."""

    table: pd.DataFrame
    photographs: Instances
    videos: Videos
    classes: tuple[str, ...]
    trunk: CutResNet | None
    settings: T2silSettings
    device: Device
    networks: dict[str, CutResNet] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    tests: dict[str, JudgedSet] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = (self.table["source"] + "/" + self.table["image"]).to_numpy(str)
        for dataset, part in ((VAL, "val"), (TEST, "test")):
            rows = self.stills(part)
            self.tests[dataset] = JudgedSet(names[rows], self.photographs.labels[rows])
        rows = self.videos.of("test")
        of_test = self.videos.table.iloc[rows]
        self.tests[MIDDLES] = JudgedSet(of_test["video"].to_numpy(str), self.videos.labels[rows], grouped(of_test))

    def stills(self, part: str) -> np.ndarray:
        """Rows of the training, validation or test photographs."""
        return np.flatnonzero(self.table["split"].to_numpy() == part)

    def learn(self, name: str, shown: Instances) -> CutResNet:
        """Trains a network that begins like the trunk, and keeps it under its name."""
        network, history = train_network(shown, len(self.classes), self.trunk, self.settings, self.device, name)
        self.networks[name], self.histories[name] = network, history
        return network

    def keep(self, name: str, shown: Instances, views: int = 1) -> Kept:
        """What the network `name`, fixed, says of instances."""
        return keep(self.networks[name], shown, self.device, views, self.settings.seed)

    def shown(self, modality: str, rows: np.ndarray) -> Instances:
        """The dynamic images, or the stacks of flow, of the videos `rows`."""
        if modality == "dynamic":
            return self.videos.dynamic_images(rows)
        return self.videos.stacks(rows, self.settings.stack, self.settings.stacks_per_video)

    def still_parts(self, name: str = STILL) -> Parts:
        """The photographs as the network `name` keeps them; its answers are entered under that name."""
        views = {"train": self.settings.views}
        kept = {
            part: self.keep(name, self.photographs.rows(self.stills(part)), views.get(part, 1))
            for part in ("train", "test", "val")
        }
        for dataset, part in ((VAL, "val"), (TEST, "test")):
            self.tests[dataset].answer(name, kept[part].softmax)
        return Parts(**kept)

    def middle_parts(self) -> Parts:
        """The videos' mid-frames in place of photographs, as their own network keeps them (§5.4)."""
        train, test = (self.videos.middles(self.videos.of(part)) for part in ("train", "test"))
        parts = Parts(self.keep(MIDDLE, train, self.settings.views), self.keep(MIDDLE, test))
        self.tests[MIDDLES].answer(STILL, parts.test.softmax)
        return parts

    def experiment(self, parts: Parts, network: str, temporal: dict[str, Kept]) -> Experiment:
        return Experiment(parts, temporal, self.networks[network], len(self.classes), self.settings, self.device)

    def key_frames(self) -> Instances:
        """Baseline 2's frames of the training videos, mined on features of the network taught mid-frames."""
        rows = self.videos.of("train")
        features = self.keep(MIDDLE, self.videos.every_frame(rows)).features.numpy()
        by_video = features.reshape(len(rows), -1, features.shape[1])
        return key_frames(self.videos, rows, by_video, self.settings.most_key_frames, self.settings.seed)

    def transfer(self, experiment: Experiment, kind: str, modality: str, tested: dict[str, str], name: str = "") -> str:
        """Trains a transfer or a control, enters its derived and fused answers, and returns the arm's name.

        tested: part of the experiment's stills -> test set. The first experiment to train an arm chooses its setting;
        later ones take that, also under a `name` of their own.
        """
        arm = kind if modality == NO_VIDEO else f"{kind}_{modality}"
        chosen = self.derived[arm].setting if arm in self.derived else None
        found = experiment.derive(kind, modality, chosen)
        self.derived.setdefault(arm, found)
        for part, dataset in tested.items():
            stills = experiment.stills.tested()[part]
            self.tests[dataset].answer(name or arm, found.softmax[part])
            self.tests[dataset].answer(f"{name or arm}_fused", fused(found.softmax[part], stills.softmax))
        return name or arm

    def oracle(self, parts: Parts, modality: str, unseen: Kept, tested: dict[str, str]) -> None:
        """Table 4: enters how often the oracle is right, the mean over its draws, and keeps their standard deviation.
        `unseen`: instances of test videos."""
        taught = frozenset(self.videos.of("train").tolist())
        for part, dataset in tested.items():
            stills = parts.tested()[part]
            draws = oracle_draws(stills, unseen, self.settings.oracle_draws, self.settings.seed, taught)
            self.tests[dataset].answers[f"oracle_{modality}"] = Answer(100.0 * draws.mean(0), None)
            self.figures[f"{dataset}/oracle_{modality}/sd"] = float(100 * draws.mean(1).std())

    def subset(self, share: int) -> np.ndarray:
        """Rows of `share` percent of each class's groups of training videos, one at least, drawn by the run's seed."""
        rows = self.videos.of("train")
        table = self.videos.table.iloc[rows]
        rng, kept = np.random.default_rng(self.settings.seed), []
        for _, of_class in table.groupby("label", sort=True):
            groups = rng.permutation(np.unique(of_class["group"].astype(str)))
            taken = groups[: max(1, round(len(groups) * share / 100))]
            kept.append(np.isin(table["group"].astype(str), taken) & (table["label"] == of_class["label"].iloc[0]))
        return rows[np.any(kept, axis=0)]

    def settings_tried(self) -> pd.DataFrame:
        """A row an arm: the setting chosen on the validation stills, and how many were tried."""
        rows = {arm: {**found.setting._asdict(), "tried": found.tried} for arm, found in self.derived.items()}
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics_to_keep(self) -> dict[str, float]:
        """What a record keeps beside scores: standard deviations of the oracle's draws, settings, distances."""
        tried = self.settings_tried()
        of_arms = {f"{TEST}/{arm}/{name}": float(tried.loc[arm, name]) for arm in tried.index for name in tried}
        return self.figures | of_arms

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        kept: dict[str, np.ndarray] = {}
        for dataset, test in self.tests.items():
            kept |= test.scores_to_keep(dataset, len(self.classes))
        return kept


#: every transfer and modality, then the controls
ALL_TRANSFERS = [(kind, modality) for kind in TRANSFERS for modality in MODALITIES]
ALL_CONTROLS = [(kind, NO_VIDEO) for kind in CONTROLS]
