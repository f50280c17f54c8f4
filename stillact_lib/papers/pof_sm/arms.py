"""The rows of Tables I to III as arms: which network is trained on what, and what a record keeps of it (chapter 03).

Arms are named by regime and input: "scratch_rgb", "all_pofsm", "top5_pofsm", "top5_pof" (no saliency), ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from stillact_lib.datasets.ucfsi101 import class_group_of
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.notebook.run_data import checkpoint_for, grouped
from stillact_lib.papers.pof_sm import domain as pof_sm
from stillact_lib.papers.pof_sm.data import WILLOW_GROUPS
from stillact_lib.papers.pof_sm.flow import NETWORK
from stillact_lib.papers.pof_sm.recognition import REGIME, START, Network, accuracies, begin, fit, linear_softmax
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.training.classification import scores_of
from stillact_lib.training.loop import Checkpoint, Device, History
from stillact_lib.vision.crops import Mirror, mirrored_photograph
from stillact_lib.vision.photographs import Photographs

UCFSI, WILLOW = "ucfsi101", "willow"
#: what stands for a regime in an arm's name
SHORT = {"scratch": "scratch", "fine-tune all": "all", "fine-tune top five": "top5"}
#: the settings that change predicted flow and saliency
FLOW = (*NETWORK, "reading", "most_likely", "full_share")
SALIENCY = ("feature_side", "surround_side", "steering_axes")
#: stills that are scored together
AT_ONCE = 512


class Input(NamedTuple):
    """What a network is shown of a still: images uint8 [N, 3, S, S] -> images, what a mirror does to them, the settings
    that change them, and of which pictures of the still they are made."""

    of_images: Callable[[Tensor], Tensor]
    mirror: Mirror = pof_sm.mirrored
    depends_on: tuple[str, ...] = ()
    pictures: str = "pofsm"


INPUTS = {
    "pofsm": Input(pof_sm.thresholded, depends_on=FLOW + SALIENCY),
    "pof": Input(lambda images: pof_sm.without(images, "saliency"), depends_on=FLOW),
    "sm": Input(lambda images: pof_sm.without(pof_sm.thresholded(images), "flow"), depends_on=SALIENCY),
    "unthresholded": Input(lambda images: images, depends_on=FLOW + SALIENCY),
    "rgb": Input(lambda images: images, mirrored_photograph, pictures="rgb"),
    "true_flow": Input(pof_sm.thresholded, depends_on=("flow_method", "full_share", *SALIENCY), pictures="true_flow"),
}
#: Table I, with the photograph's own fine-tuned rows, which the paper lacks; then what it does not report either
PUBLISHED_ARMS = (
    ("scratch", "rgb"),
    ("scratch", "pofsm"),
    ("fine-tune all", "pofsm"),
    ("fine-tune top five", "pofsm"),
    ("fine-tune all", "rgb"),
    ("fine-tune top five", "rgb"),
)
FURTHER_ARMS = (
    ("fine-tune top five", "pof"),
    ("fine-tune top five", "sm"),
    ("fine-tune top five", "unthresholded"),
    ("fine-tune top five", "true_flow"),
)


@dataclass
class Recognition:
    """One run's stills and what became of each arm.

    pictures: of some rows of `table`, uint8 [N, 3, S, S]: "rgb", "pofsm" (saliency whole) and, where it is known,
    "true_flow"; data: what they are of, and `start_data` what the network `start` has learnt from.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    pictures: dict[str, Callable[[np.ndarray], Tensor]]
    settings: PofSmSettings
    device: Device
    start: Network
    data: Sequence[DataOrigin] = ()
    start_data: Sequence[DataOrigin] = ()
    networks: dict[str, Network] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    scores: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def test(self) -> np.ndarray:
        """Which stills are of test videos, bool [N]."""
        return self.table["split"].to_numpy() == "test"

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy(np.int64)

    def images(self, kind: str, rows: np.ndarray) -> Tensor:
        """What networks of an input are shown of some stills, uint8 [N, 3, S, S]."""
        return INPUTS[kind].of_images(self.pictures[INPUTS[kind].pictures](rows))

    def train(self, regime: str, kind: str) -> str:
        """Trains one arm, scores the test stills, and returns its name."""
        arm = f"{SHORT[regime]}_{kind}"
        seen, asked = np.flatnonzero(~self.test), np.flatnonzero(self.test)
        load, of_images = self.pictures[INPUTS[kind].pictures], INPUTS[kind].of_images
        network = begin(regime, self.start, len(self.classes), self.settings)
        self.histories[arm] = fit(
            network,
            lambda rows, _: of_images(load(seen[rows])),
            self.labels[seen],
            regime,
            INPUTS[kind].mirror,
            self.settings,
            self.device,
            label=f"{regime}, {kind}",
            checkpoint=self.checkpoint(regime, kind),
        )
        self.networks[arm] = network
        pieces = np.split(asked, range(AT_ONCE, len(asked), AT_ONCE))
        self.scores[arm] = np.concatenate([scores_of(network, self.images(kind, rows), self.device) for rows in pieces])
        return arm

    def checkpoint(self, regime: str, kind: str) -> Checkpoint | None:
        """Where an arm keeps its network: by all that changes it."""
        pretrained = regime != "scratch"
        depends_on = (*REGIME, *INPUTS[kind].depends_on, *(START if pretrained else ()))
        data = (*self.data, *(self.start_data if pretrained else ()))
        return checkpoint_for(self.settings.chapter, f"{SHORT[regime]}-{kind}", self.settings, depends_on, data)

    def summary(self) -> pd.DataFrame:
        """Top-1 and top-5 of each arm on the test stills in %, and seconds of training."""
        wanted = self.labels[self.test]
        rows = {
            arm: {k: float(values.mean()) for k, values in accuracies(scores, wanted).items()}
            | {"seconds": self.histories[arm].seconds}
            for arm, scores in self.scores.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        """What a record keeps: of each arm top-1, top-5 and class scores; of the stills their video, the group of clips
        that an interval draws, what they show, and UCF-101's group of each class."""
        asked = self.table[self.test]
        shown = np.eye(len(self.classes), dtype=np.float32)[self.labels[self.test]]
        kept = {
            f"{UCFSI}/clip": asked["video"].to_numpy(str),
            f"{UCFSI}/group": grouped(asked),
            f"{UCFSI}/positives": shown,
            f"{UCFSI}/class_groups": np.array(class_group_of(self.classes)),
        }
        for arm, scores in self.scores.items():
            kept |= {f"{UCFSI}/{arm}/{k}": v for k, v in accuracies(scores, self.labels[self.test]).items()}
            kept[f"{UCFSI}/{arm}/class_scores"] = scores.astype(np.float32)
        return kept


@dataclass
class WillowTransfer:
    """Table III: fixed features of trained networks on Willow's photographs, and of their POF-SM images."""

    photographs: Photographs
    pofsm: Tensor
    device: Device
    scores: dict[str, np.ndarray] = field(default_factory=dict)

    def classify(self, arm: str, network: Network, kind: str) -> None:
        """Class scores of the test photographs from `network`'s fixed features, under the name `arm`."""
        images = INPUTS[kind].of_images(self.photographs.images if kind == "rgb" else self.pofsm)
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
