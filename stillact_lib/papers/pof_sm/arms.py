"""The rows of Tables I to III as arms: which network is trained on what, and what a record keeps of it (chapter 03).

Arms are named by regime and input: "scratch_rgb", "all_pofsm", "top5_pofsm", "top5_pof" (no saliency), ...
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from torch import Tensor

from stillact_lib.datasets.ucfsi101 import class_group_of
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.networks.lrn_alexnet import LRNAlexNet
from stillact_lib.notebook.run_data import checkpoint_for, grouped
from stillact_lib.papers.pof_sm.data import WILLOW_GROUPS
from stillact_lib.papers.pof_sm.inputs import INPUTS, Pictures
from stillact_lib.papers.pof_sm.recognition import (
    PARTS,
    REGIME,
    REGIMES,
    START,
    Network,
    accuracies,
    begin,
    fit,
    linear_softmax,
)
from stillact_lib.papers.pof_sm.settings import OF_MASKS, Arm, PofSmSettings
from stillact_lib.training.classification import scores_of
from stillact_lib.training.devices import Device, precise
from stillact_lib.training.loop import Checkpoint, History, Watch, evenly_spaced
from stillact_lib.vision.photographs import Photographs

UCFSI, WILLOW = "ucfsi101", "willow"
#: stills that are scored together, and the most that a curve looks at
AT_ONCE, WATCHED = 512, 1500
#: far less than one still, to order classes that have as many; the least softmax score told from 0
TIES, TINY = 1e-6, 1e-30
#: Table III: whose features describe Willow's photographs, by what they are shown; no other network outlives its scores
FEATURES_OF = {"pofsm": "top5_pofsm", "rgb": "top5_rgb"}
#: inputs whose class scores a record keeps, for average precision
RANKED = ("rgb", "pofsm", "sm", "true_flow")
#: which rate of the settings an input learns at from scratch; with ImageNet's start at "fine_" and that
RATES = {"rgb": "rate_rgb"} | dict.fromkeys(("sm", "edges", *OF_MASKS), "rate_saliency")


def rates_of(arm: Arm) -> list[str]:
    """The settings that say how fast an arm learns; the first that is not 0 does."""
    of_input = RATES.get(arm.kind, "rate")
    own = {"fine_": [f"fine_{of_input}", "fine_rate"], "fresh_": ["fresh_rate"]}.get(begins(arm), [])
    return list(dict.fromkeys([*own, of_input, "rate"]))


def steps_of(arm: Arm) -> list[str]:
    """The settings that say for how many steps an arm learns; the first that is not 0 does."""
    return list(dict.fromkeys([f"{begins(arm)}steps", "steps"]))


def begins(arm: Arm) -> str:
    """How settings of an arm's rate and steps begin: "fine_" with ImageNet's start, "fresh_" where the network that has
    one elsewhere learns without, "" for the paper's from scratch."""
    regime = REGIMES[arm.regime]
    return "fine_" if regime.pretrained else "fresh_" if regime.fresh else ""


def first_set(names: Sequence[str], settings: PofSmSettings) -> float:
    """The first of some settings that is not 0."""
    return next(value for name in names if (value := getattr(settings, name)))


def one_of_each(videos: pd.Series) -> np.ndarray:
    """Which stills are the middle one of their video's, bool [N]."""
    of_each = videos.groupby(videos, observed=True, sort=False)
    return (of_each.cumcount() == of_each.transform("size") // 2).to_numpy()


@dataclass
class Recognition:
    """One run's stills and what became of each arm.

    pictures: by name, of some rows of `table`; data: what they are of, and `start_data` what the network `start` has
    learnt from; parts: a network that knows body parts, where an arm begins from one; outliving: the arms whose
    networks are wanted after their scores.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    pictures: Mapping[str, Pictures]
    settings: PofSmSettings
    device: Device
    start: Network | None
    parts: LRNAlexNet | None = None
    data: Sequence[DataOrigin] = ()
    start_data: Sequence[DataOrigin] = ()
    outliving: Collection[str] = tuple(FEATURES_OF.values())
    networks: dict[str, Network] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    learnt: dict[str, float] = field(default_factory=dict)

    @property
    def test(self) -> np.ndarray:
        """Which stills are of test videos, bool [N]."""
        return self.table["split"].to_numpy() == "test"

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy(np.int64)

    def images(self, kind: str, rows: np.ndarray) -> Tensor:
        """What networks of an input are shown of some stills, uint8 [N, 3, S, S]."""
        return INPUTS[kind].joined(*(self.pictures[name](rows) for name in INPUTS[kind].pictures))

    def train(self, name: str, arm: Arm) -> None:
        """Trains one arm and scores the test stills."""
        there = self.made_of(arm.kind)
        taught = there & (one_of_each(self.table["video"]) if REGIMES[arm.regime].few else True)
        seen, asked = np.flatnonzero(~self.test & taught), np.flatnonzero(self.test & there)
        network = begin(arm.regime, self.start, len(self.classes), self.settings, self.parts)
        watched = asked[evenly_spaced(len(asked), WATCHED)]

        def top1() -> dict[str, float]:
            right = accuracies(self._scored(network, arm.kind, watched), self.labels[watched])
            return {"top1": float(right["top1"].mean())}

        self.histories[name] = fit(
            network,
            lambda rows, _: self.images(arm.kind, seen[rows]),
            self.labels[seen],
            arm.regime,
            INPUTS[arm.kind].mirror,
            first_set(rates_of(arm), self.settings),
            int(first_set(steps_of(arm), self.settings)),
            self.settings,
            self.device,
            label=name.replace("_", " "),
            checkpoint=self.checkpoint(name, arm),
            watch=Watch(self.settings.score_every, top1),
        )
        if name in self.outliving:
            self.networks[name] = network
        self.scores[name] = np.full((int(self.test.sum()), len(self.classes)), np.nan)
        self.scores[name][there[self.test]] = self._scored(network, arm.kind, asked)
        some = seen[evenly_spaced(len(seen), WATCHED)]
        learnt = accuracies(self._scored(network, arm.kind, some), self.labels[some])
        self.learnt[name] = float(learnt["top1"].mean())

    def made_of(self, kind: str) -> np.ndarray:
        """Of which stills the pictures of an input can be made, bool [N]: of those that need a mask, where it is not
        empty."""
        if "mask" not in INPUTS[kind].pictures:
            return np.ones(len(self.table), bool)
        pieces = np.array_split(np.arange(len(self.table)), -(-len(self.table) // AT_ONCE))
        return np.concatenate([self.pictures["mask"](rows).flatten(1).any(1).numpy() for rows in pieces])

    def _scored(self, network: Network, kind: str, rows: np.ndarray) -> np.ndarray:
        """Scores in full precision: in bfloat16 one still in a hundred has two best classes."""
        pieces = np.split(rows, range(AT_ONCE, len(rows), AT_ONCE))
        exact = precise(self.device)
        return np.concatenate([scores_of(network, self.images(kind, some), exact) for some in pieces])

    def checkpoint(self, name: str, arm: Arm) -> Checkpoint | None:
        """Where an arm keeps its network: by all that changes it, the stills among it, as arms that are shown true flow
        leave those out that have none."""
        regime = REGIMES[arm.regime]
        depends_on = (*REGIME, *rates_of(arm), *steps_of(arm), *INPUTS[arm.kind].depends_on)
        depends_on += (*(START if regime.pretrained else ()), *(PARTS if regime.knows_parts else ()))
        data = (*self.data, *(self.start_data if regime.pretrained else ()))
        stills = f"{pd.util.hash_pandas_object(self.table[['video', 'frame']].astype(str), index=False).sum():x}"
        return checkpoint_for(self.settings.chapter, f"{name}-{stills[-8:]}", self.settings, depends_on, data)

    def summary(self) -> pd.DataFrame:
        """Top-1 and top-5 of each arm on the test stills in %, top-1 on training stills, seconds of training."""
        wanted = self.labels[self.test]
        rows = {
            arm: {k: float(np.nanmean(values)) for k, values in accuracies(scores, wanted).items()}
            | {"top1, learnt from": self.learnt[arm], "seconds": self.histories[arm].seconds}
            for arm, scores in self.scores.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics_to_keep(self) -> dict[str, float]:
        """What a record keeps of trainings: "ucfsi101/scratch_rgb/top1@200" is the figure at step 200 of a watched one,
        "ucfsi101/scratch_rgb/top1_learnt" that on some of the stills which were learnt from."""
        curves = (curve_to_keep(history, f"{UCFSI}/{arm}") for arm, history in self.histories.items())
        learnt = {f"{UCFSI}/{arm}/top1_learnt": share for arm, share in self.learnt.items()}
        return {name: value for curve in curves for name, value in curve.items()} | learnt

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        """What a record keeps: of each arm top-1, top-5 and class scores; of the stills their video, the group of clips
        that an interval draws, what they show, and UCF-101's group of each class; and as an arm the "constant" answer,
        the classes with the most training stills."""
        asked, labels = self.table[self.test], self.labels[self.test]
        learnt = np.bincount(self.labels[~self.test], minlength=len(self.classes)).astype(float)
        constant = accuracies(np.tile(learnt + TIES * np.arange(len(learnt)), (len(labels), 1)), labels)
        shown = np.eye(len(self.classes), dtype=np.float32)[labels]
        kept = {
            f"{UCFSI}/clip": asked["video"].to_numpy(str),
            f"{UCFSI}/group": grouped(asked),
            f"{UCFSI}/positives": shown,
            f"{UCFSI}/class_groups": np.array(class_group_of(self.classes)),
            **{f"{UCFSI}/constant/{k}": v for k, v in constant.items()},
            f"{UCFSI}/constant/class_scores": np.zeros(shown.shape),  # ranks nothing: precision is the share
        }
        for arm, scores in self.scores.items():
            kept |= {f"{UCFSI}/{arm}/{k}": v for k, v in accuracies(scores, labels).items()}
            if arm.partition("_")[2] in RANKED:
                # logarithms in half precision keep the ranks of softmax scores near 0 and near 1
                kept[f"{UCFSI}/{arm}/class_scores"] = np.log(scores.astype(float) + TINY).astype(np.float16)
        return kept


@dataclass
class WillowTransfer:
    """Table III: fixed features of trained networks on Willow's photographs, and of their POF-SM images [N, 3, S, S],
    saliency above its threshold."""

    photographs: Photographs
    pofsm: Tensor
    device: Device
    scores: dict[str, np.ndarray] = field(default_factory=dict)

    def classify(self, arm: str, network: Network, kind: str) -> None:
        """Class scores of the test photographs from `network`'s fixed features, under the name `arm`; kind "rgb" or
        "pofsm"."""
        images = self.photographs.images if kind == "rgb" else self.pofsm
        self.scores[arm] = linear_softmax(network, self.photographs, images, INPUTS[kind].mirror, self.device)

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        """What a record keeps of Willow: photographs, what they show, the two groups of classes, class scores."""
        asked = self.photographs.test
        group_of = {name: group for group, names in WILLOW_GROUPS.items() for name in names}
        return {
            f"{WILLOW}/clip": self.photographs.names[asked],
            f"{WILLOW}/positives": self.photographs.positives[asked].astype(np.float32),
            f"{WILLOW}/class_groups": np.array([group_of[name] for name in self.photographs.classes]),
            **{f"{WILLOW}/{arm}/class_scores": scores.astype(np.float32) for arm, scores in self.scores.items()},
        }
