"""The settings of chapter 03: what its `parameters` cell may hold, the bounds of each, and the names of its arms."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.networks.mobile import MobileName
from stillact_lib.papers.pof_sm.flow_loss import READINGS
from stillact_lib.vision.pair_shards import PairRecipe

#: regimes of Table I by the first part of an arm's name, and three of ours: "fresh" is the fine-tuned network without
#: its start, "parts" begins with convolutions that know body parts, "few" learns from one still of each video
REGIMES_IN_SHORT = {
    "scratch": "scratch",
    "few": "scratch, one still a video",
    "fresh": "fine-tuned network from scratch",
    "all": "fine-tune all",
    "top5": "fine-tune top five",
    "parts": "from body parts",
}
#: what a network may be shown of a still, the rest of an arm's name
KINDS = ("rgb", "edges", "pofsm", "pof", "sm", "unthresholded")
KINDS += ("pofsm_naive", "pof_naive", "pofsm_seen", "pof_seen", "pofsm_im2flow", "pof_im2flow")
KINDS += ("pofsm_untrained", "pof_untrained")
#: shown what one network, which learnt from all training videos, predicts
NAIVE = ("pofsm_naive", "pof_naive")
#: shown what two networks of Walker's predict, each for the videos it has not seen
OF_HALVES = ("pofsm", "pof", "unthresholded", "pofsm_seen", "pof_seen")
OF_TRUE_FLOW = ("true_flow", "true_pof")
OF_MASKS = ("sm_inside", "sm_boxed", "sm_outside", "silhouette", "box")


class Arm(NamedTuple):
    """A regime and what its network is shown; named "top5_pofsm" in tables and records."""

    regime: str
    kind: str


class PofSmSettings(RunSettings):
    """One run of chapter 03; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "03-space-time-saliency"

    data_root: str
    willow_root: str
    imagenet_root: str

    classes: str
    every: int = Field(ge=1)
    left_out: int = Field(ge=0)
    stills_per_video: int = Field(ge=0)
    drop_repeats: bool
    tested: Literal["test", "validation"]
    stored_size: int = Field(ge=16)
    image_size: int = Field(ge=16)

    flow_method: Literal["dis", "dis_fast", "farneback", "raft"]
    pairs_per_video: int = Field(ge=0)
    flow_side: int = Field(ge=0)
    flow_encoder: Literal["own", "mobilenet_v2"]
    clusters: int = Field(ge=2)
    most_likely: int = Field(ge=1)
    trunk_photographs: int = Field(ge=0)
    trunk_steps: int = Field(ge=1)
    trunk_rate: float = Field(gt=0)
    flow_steps: int = Field(ge=1)
    flow_batch: int = Field(ge=2)
    flow_rate: float = Field(gt=0)
    im2flow_rate: float = Field(gt=0)
    reading: str
    readings: bool
    full_share: float = Field(gt=0, le=1)

    feature_side: int = Field(ge=3)
    surround_side: int = Field(ge=0)
    steering_axes: Literal["authors", "gradient"]

    arms: str
    further: str
    pretraining: Literal["own", "torchvision", MobileName]
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)
    solver: Literal["sgd", "adamw"]
    steps: int = Field(ge=1)
    fine_steps: int = Field(ge=0)
    fresh_steps: int = Field(ge=0)
    batch_size: int = Field(ge=2)
    rate: float = Field(gt=0)
    rate_rgb: float = Field(ge=0)
    rate_saliency: float = Field(ge=0)
    fresh_rate: float = Field(ge=0)
    fine_rate: float = Field(ge=0)
    fine_rate_rgb: float = Field(ge=0)
    fine_rate_saliency: float = Field(ge=0)
    rate_step: int = Field(ge=1)
    score_every: int = Field(ge=0)
    transfer: bool

    @property
    def chosen_classes(self) -> list[str]:
        """The classes of UCF-101 that are used; empty: all that there are."""
        return self.classes.replace(",", " ").split()

    @property
    def chosen_arms(self) -> dict[str, Arm]:
        """The arms that this run trains, by their names."""
        return {
            name: Arm(REGIMES_IN_SHORT[name.partition("_")[0]], name.partition("_")[2]) for name in self._arm_names()
        }

    def shows(self, *kinds: str) -> bool:
        """Whether a network of this run is shown any of some kinds of picture."""
        return any(arm.kind in kinds for arm in self.chosen_arms.values())

    @model_validator(mode="after")
    def _fields_fit(self) -> PofSmSettings:
        known = [f"{regime}_{kind}" for regime in REGIMES_IN_SHORT for kind in (*KINDS, *OF_TRUE_FLOW, *OF_MASKS)]
        if unknown := [name for name in self._arm_names() if name not in known]:
            raise ValueError(
                f"arms and further: there is no {', '.join(unknown)}; an arm is {', '.join(REGIMES_IN_SHORT)}, then _ "
                f"and one of {', '.join((*KINDS, *OF_TRUE_FLOW, *OF_MASKS))}"
            )
        if self.pretraining == "torchvision" and any(name.startswith("fresh_") for name in self._arm_names()):
            raise ValueError("arms: fresh_* train the mobile network of `pretraining` from scratch, not torchvision's")
        if not self.readings and (self.shows(*NAIVE) or not self.shows(*OF_HALVES)):
            raise ValueError(
                "readings is false: no network learns from all training videos, so that arms need flow of cross-fitted "
                f"ones ({', '.join(OF_HALVES)}), and none may be of {', '.join(NAIVE)}"
            )
        if self.reading not in READINGS:
            raise ValueError(f"reading = {self.reading!r} should be one of {', '.join(map(repr, READINGS))}")
        if self.most_likely > self.clusters:
            raise ValueError(f"most_likely = {self.most_likely} exceeds the {self.clusters} clusters")
        if self.image_size > self.stored_size:
            raise ValueError(f"image_size = {self.image_size} is cut out of stored_size = {self.stored_size}")
        fixed = 227 if self.full_architectures else 224 if self.pretraining == "torchvision" else 0
        if fixed > self.stored_size:
            raise ValueError(f"stored_size = {self.stored_size}: a network of this run sees {fixed} px")
        surround = self.surround_side or 3  # 0 is all pixels
        if self.feature_side % 2 == 0 or surround % 2 == 0 or surround < 3:
            raise ValueError("feature_side and surround_side are odd, 3 px or more (surround_side 0: all pixels)")
        if self.shows(*OF_TRUE_FLOW, *OF_MASKS) and not self._knows_flow():
            least = f"stills_per_video, or pairs_per_video 0 and left_out {PairRecipe.window} or more"
            raise ValueError(f"arms with true flow or masks need a known flow at every still: {least}")
        if self.profile == "paper" and not (self.data_root and self.willow_root):
            raise ValueError("profile 'paper' needs data_root (UCF-101) and willow_root; one is empty")
        if self.profile == "paper" and self.pretraining == "own" and not self.imagenet_root:
            raise ValueError("pretraining 'own' needs imagenet_root in profile 'paper'; or take 'torchvision'")
        return self

    def _arm_names(self) -> list[str]:
        return list(dict.fromkeys([*self.arms.split(), *self.further.split()]))

    def _knows_flow(self) -> bool:
        return self.stills_per_video > 0 or (self.pairs_per_video == 0 and self.left_out >= PairRecipe.window)
