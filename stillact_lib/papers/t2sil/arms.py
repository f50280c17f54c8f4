"""One run of chapter 05: its networks, its two experiments (stills; mid-frames in their place), its oracle (§5.5), and
what each arm says of each test set (Herath, Fernando, Harandi, Pattern Recognition 2019, Tables 1 to 4).

Arms: "still", "augmented"; "gan_dynamic" and "gan_dynamic_fused" (derived, and averaged with "still"), and so on for
each transfer and modality; "table_dynamic", the student of the teacher's mean answers; "tsn_dynamic_again", the student
with another seed; "perceptron", "relabelled" and "smoothed", the controls without videos; "reversed_dynamic",
"whole_dynamic" and "classifier_dynamic", what the paper left; "augmented_looks", key frames with as many looks at
stills; "gan_dynamic_25", of fewer videos; "gan_dynamic_few", of fewer instances, all videos having taught their
network; "tsn_dynamic_50_unseen", of instances that the teacher has not learnt. Those of `yardsticks` beside these.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.notebook.run_data import arrays_for, grouped
from stillact_lib.papers.t2sil.alternatives import ALTERNATIVES
from stillact_lib.papers.t2sil.backbones import Instances, Kept, keep, train_network
from stillact_lib.papers.t2sil.data import Ssvac40, TestSets
from stillact_lib.papers.t2sil.experiment import Derived, Experiment, Parts, fused, modality_of
from stillact_lib.papers.t2sil.judged import MODALITIES, STILL, JudgedSet
from stillact_lib.papers.t2sil.key_frames import key_frames
from stillact_lib.papers.t2sil.settings import LEARNT_FROM, NETWORK, OF_VIDEOS, T2silSettings
from stillact_lib.papers.t2sil.transfers import CONTROLS, LEFT, NO_VIDEO, TABLES, TRANSFERS, Reduction
from stillact_lib.training.devices import Device
from stillact_lib.training.kept import kept
from stillact_lib.training.loop import History, evenly_spaced

MIDDLE = "middle"
#: added to a seed for what is trained a second time
AGAIN = 1000
#: shares of the training videos in the learning curve, in percent, beside all; the first is also the share of instances
#: that a transfer is shown of a network taught by all videos, the second leaves videos that their network has not seen
SHARES = (25, 50)
FEW, UNSEEN = "dynamic_few", f"dynamic_{SHARES[1]}_unseen"
#: instances at most that a curve looks at
WATCHED = 500


@dataclass
class TemporalTransfer:
    """A run: its data, its networks by name, what the temporal ones say of training instances, its test sets, the
    transfers' chosen settings by arm, what the network for stills says of these, and temporal ones of test videos."""

    data: Ssvac40
    trunk: CutResNet | None
    settings: T2silSettings
    device: Device
    networks: dict[str, CutResNet] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    temporal: dict[str, Kept] = field(default_factory=dict)
    reductions: dict[tuple[str, int], Reduction] = field(default_factory=dict)
    tests: dict[str, JudgedSet] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    of_stills: Parts | None = None
    of_test_videos: dict[str, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stills, videos = self.data.stills, self.data.videos
        names = (stills["source"].astype(str) + "/" + stills["image"].astype(str)).to_numpy(str)
        groups = grouped(stills) if "group" in stills else None
        for dataset, part in self._parts_of_stills().items():
            rows = self.stills(part)
            of_part = None if groups is None else groups[rows]
            self.tests[dataset] = JudgedSet(names[rows], self.data.photographs.labels[rows], of_part)
        rows = videos.of("test")
        of_test = videos.table.iloc[rows]
        middles = JudgedSet(of_test["video"].to_numpy(str), videos.labels[rows], grouped(of_test))
        self.tests.setdefault(self.sets.middles, middles)
        for across, within in self._across().items():
            self.tests[across] = replace(self.tests[within], answers={})

    @property
    def sets(self) -> TestSets:
        """What records call the test sets."""
        return self.data.sets

    @property
    def of_midframes(self) -> bool:
        """Whether the stills are mid-frames themselves, so that there is one experiment and not two."""
        return self.sets.middles == self.sets.test

    def _across(self) -> dict[str, str]:
        """Test sets of items that networks of the other domain name -> the same items' own set."""
        sets = {self.sets.middles_by_stills: self.sets.middles, self.sets.stills_by_middles: self.sets.test}
        return {across: within for across, within in sets.items() if across}

    def _parts_of_stills(self) -> dict[str, str]:
        return {self.sets.val: "val", self.sets.test: "test"}

    def stills(self, part: str) -> np.ndarray:
        """Rows of the training, validation or test photographs."""
        return np.flatnonzero(self.data.stills["split"].to_numpy() == part)

    def learn(self, name: str, shown: Instances, watched: Instances, beside: Instances | None = None) -> None:
        """Trains a network that begins like the trunk, and keeps it under its name; `watched`: instances that it does
        not learn from, for its curve; `beside`: further images, one half of each batch. Second networks have a seed of
        their own, and those of videos that of teachers."""
        stills, videos = self.data.origins
        kind, _, further = name.partition("_")
        learnt_from = {"still": (stills,), "augmented": (stills, videos)}.get(kind, (videos,))
        classes, settings = len(self.data.classes), self.settings
        if kind in OF_VIDEOS or further == "again":
            settings = settings.of_teachers
        if further == "again":
            settings = settings.model_copy(update={"seed": settings.seed + AGAIN})
        some = watched.rows(evenly_spaced(len(watched), WATCHED))
        self.networks[name], self.histories[name] = train_network(
            name, shown, classes, self.trunk, settings, self.device, learnt_from, some, beside
        )

    def keep(self, name: str, shown: Instances, views: int = 1, maps: bool = False) -> Kept:
        """What the network `name`, fixed, says of instances."""
        return keep(self.networks[name], shown, self.device, views, self.settings.seed, maps)

    def _of_stills(self) -> tuple[Instances, dict[str, Instances]]:
        """The training photographs, and those of each test set."""
        parts = self._parts_of_stills()
        tested = {dataset: self.data.photographs.rows(self.stills(part)) for dataset, part in parts.items()}
        return self.data.photographs.rows(self.stills("train")), tested

    def learn_augmented(self, name: str, added: Instances | None = None, beside: Instances | None = None) -> None:
        """Baseline 2: trains a network on the training photographs and on images `added` to them at as many steps, or
        `beside` them at as many looks at photographs, and enters its answers under its name."""
        train, tested = self._of_stills()
        self.learn(name, train if added is None else train.joined(added), tested[self.sets.val], beside)
        for dataset, shown in tested.items():
            self.tests[dataset].answer(name, self.keep(name, shown).softmax)

    def learn_stills(self) -> Parts:
        """Trains the network for stills on the training photographs, and enters its answers; returns what it says of
        all photographs."""
        train, tested = self._of_stills()
        self.learn(STILL, train, tested[self.sets.val])
        if self.sets.middles_by_stills:
            tested[self.sets.middles_by_stills] = self.data.videos.middles(self.data.videos.of("test"))
        self.of_stills = self._parts(STILL, train, tested, STILL)
        return self.of_stills

    def learn_middles(self) -> Parts:
        """The videos' mid-frames in place of photographs, and their own network (§5.4). Where the stills are mid-frames
        these are the stills, and theirs the network."""
        if self.of_midframes:
            self.networks[MIDDLE] = self.networks[STILL]
            return self.of_stills
        videos = self.data.videos
        rows, tested = videos.of("train"), {self.sets.middles: videos.middles(videos.of("test"))}
        if per_class := self.settings.stills_per_class:  # as few as there are photographs
            order = pd.Series(np.random.default_rng(self.settings.seed).permutation(rows))
            rows = order[order.groupby(videos.labels[order]).cumcount() < per_class].to_numpy()
        train = videos.middles(rows)
        self.learn(MIDDLE, train, videos.middles(self.watched()))
        if self.sets.stills_by_middles:
            tested[self.sets.stills_by_middles] = self.data.photographs.rows(self.stills("test"))
        return self._parts(MIDDLE, train, tested, STILL)

    def watched(self) -> np.ndarray:
        """Rows of the videos that curves look at: of a validation part, where there is one; else those tested, as the
        paper did (§5.1)."""
        val = self.data.videos.of("val")
        return val if len(val) else self.data.videos.of("test")

    def _parts(self, network: str, train: Instances, tested: dict[str, Instances], arm: str) -> Parts:
        parts = {dataset: self.keep(network, shown, maps=True) for dataset, shown in tested.items()}
        for dataset, found in parts.items():
            self.tests[dataset].answer(arm, found.softmax)
        kept_train = self.keep(network, train, self.settings.views, maps=True)
        return Parts(kept_train, parts, train, tested, self.sets.val)

    def key_frames(self) -> Instances:
        """Baseline 2's frames of the training videos, mined on features of the network taught mid-frames."""
        videos, settings = self.data.videos, self.settings
        every, each = videos.every_frame(videos.of("train")), videos.frames.shape[1]

        def mine() -> dict[str, np.ndarray]:
            features = self.keep(MIDDLE, every).features.unflatten(0, (-1, each)).numpy()
            return {"rows": key_frames(features, settings.most_key_frames, settings.seed)}

        depends_on = (*NETWORK, *LEARNT_FROM["augmented"])
        path = arrays_for(settings.chapter, "key-frames", settings, depends_on, self.data.origins[1:])
        return every.rows(kept(path, mine)["rows"])

    def shown(self, modality: str, rows: np.ndarray) -> Instances:
        """The dynamic images, or the stacks of flow, of the videos `rows`."""
        if modality == "dynamic":
            return self.data.videos.dynamic_images(rows)
        return self.data.videos.stacks(rows, self.settings.stack, self.settings.stacks_per_video)

    def learn_temporal(self, name: str, rows: np.ndarray | None = None) -> None:
        """Trains the network "flow", "dynamic" or, of fewer videos, "dynamic_25" on the training videos `rows` (None:
        all), and keeps what it says of these."""
        rows = self.data.videos.of("train") if rows is None else rows
        shown = self.shown(modality_of(name), rows)
        self.learn(name, shown, self.shown(modality_of(name), self.watched()))
        self.temporal[name] = self.keep(name, shown)
        self.figures[f"{self.sets.test}/{name}/videos"] = float(len(rows))

    def unseen(self, modality: str) -> Kept:
        """What a temporal network says of the test videos, from which it has learnt nothing."""
        if modality not in self.of_test_videos:
            self.of_test_videos[modality] = self.keep(modality, self.shown(modality, self.data.videos.of("test")))
        return self.of_test_videos[modality]

    def experiments(self, stills: Parts, middles: Parts) -> list[Experiment]:
        """The transfers to stills and, where these are others, to mid-frames, each with its own network."""
        found = [self.experiment(stills, STILL)]
        return found if middles is stills else [*found, self.experiment(middles, MIDDLE)]

    def experiment(self, parts: Parts, network: str) -> Experiment:
        """The transfers to stills, or mid-frames, as the network of this name keeps them."""
        base, classes = self.networks[network], len(self.data.classes)
        run = (self.temporal, classes, self.settings, self.device, self.data.origins, self.reductions)
        return Experiment(network, parts, base, *run, ALTERNATIVES)

    def transfer(self, experiment: Experiment, kind: str, teacher: str) -> None:
        """Trains a transfer or a control, and enters its derived and fused answers. The first experiment to train an
        arm chooses its setting; later ones, and teachers of fewer videos, take it, and so does the table of the
        student's teacher, which is to differ from its partners in nothing else."""
        arm, of_all = (kind if name == NO_VIDEO else f"{kind}_{name}" for name in (teacher, modality_of(teacher)))
        taken = self.derived.get(f"tsn_{teacher}" if kind in TABLES else of_all)
        chosen = None if taken is None else taken.setting
        found = experiment.derive(kind, teacher, chosen)
        self.derived.setdefault(of_all, found)
        for dataset, stills in experiment.stills.tested.items():
            self.tests[dataset].answer(arm, found.softmax[dataset])
            self.tests[dataset].answer(f"{arm}_fused", fused(found.softmax[dataset], stills.softmax))

    def subset(self, share: int) -> np.ndarray:
        """Rows of `share` percent of each class's groups of training videos, one at least, drawn by the seed of what
        learns from videos."""
        rows = self.data.videos.of("train")
        table = self.data.videos.table.iloc[rows]
        rng, taken = np.random.default_rng(self.settings.of_teachers.seed), []
        for _, of_class in table.groupby("label", sort=True):
            groups = rng.permutation(np.unique(of_class["group"].astype(str)))
            some = groups[: max(1, round(len(groups) * share / 100))]
            taken.append(np.isin(table["group"].astype(str), some) & (table["label"] == of_class["label"].iloc[0]))
        return rows[np.any(taken, axis=0)]

    def fewer_videos(self, experiment: Experiment) -> None:
        """The transfers of dynamic images once more: of networks that fewer videos have taught, and with fewer
        instances of the network that all have taught, so that it is the transfer alone that lacks them; and the student
        of what its teacher says of videos that it has not learnt."""
        for share in SHARES:
            self.learn_temporal(f"dynamic_{share}", self.subset(share))
        every, whole = self.data.videos.of("train"), self.temporal["dynamic"]
        self.temporal[FEW] = whole.rows(np.flatnonzero(np.isin(whole.item, self.subset(SHARES[0]))))
        others = np.setdiff1d(every, self.subset(SHARES[1]))
        self.temporal[UNSEEN] = self.keep(f"dynamic_{SHARES[1]}", self.shown("dynamic", others))
        for kind in TRANSFERS:
            for teacher in (*(f"dynamic_{share}" for share in SHARES), FEW):
                self.transfer(experiment, kind, teacher)
        self.transfer(experiment, "tsn", UNSEEN)

    def settings_tried(self) -> pd.DataFrame:
        """A row an arm: the setting chosen on the validation stills, and how many were tried."""
        rows = {arm: {**found.setting._asdict(), "tried": found.tried} for arm, found in self.derived.items()}
        return pd.DataFrame(list(rows.values()), index=list(rows), dtype=object)

    def metrics_to_keep(self) -> dict[str, float]:
        """What a record keeps beside scores: standard deviations of the oracle's draws, settings, distances, and of
        watched trainings the accuracy on instances that they do not learn from, "ssvac40/still/accuracy@250", of heads
        and students under the chosen setting that of the fused predictions, "ssvac40/tsn_dynamic/fused@500"."""
        tried = self.settings_tried().stack().dropna()  # what an arm has not is left out
        curves = {
            name: value
            for arm, history in self.histories.items()
            for name, value in curve_to_keep(history, f"{self.sets.test}/{arm}", {"held_out": "accuracy"}).items()
        }
        for arm, derived in self.derived.items():
            for history in derived.curves:
                curves |= curve_to_keep(history, f"{self.sets.test}/{arm}")
        found = {f"{self.sets.test}/{arm}/{name}": float(value) for (arm, name), value in tried.items()}
        return self.figures | curves | found

    def parameter_counts(self) -> dict[str, int]:
        return {name: sum(p.numel() for p in network.parameters()) for name, network in self.networks.items()}

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        found = [test.scores_to_keep(dataset, len(self.data.classes)) for dataset, test in self.tests.items()]
        return {name: values for of_set in found for name, values in of_set.items()}


#: every transfer and modality, the tables that students of random partners can learn, then the controls
ALL_TRANSFERS = [(kind, modality) for kind in (*TRANSFERS, *TABLES) for modality in MODALITIES]
ALL_CONTROLS = [(kind, NO_VIDEO) for kind in CONTROLS]
#: what the paper tried and left, with dynamic images
ALL_LEFT = [(kind, "dynamic") for kind in LEFT]
