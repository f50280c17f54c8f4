"""The settings of chapter 03: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.networks.mobile import MobileName
from stillact_lib.papers.pof_sm.flow_loss import READINGS
from stillact_lib.vision.pair_shards import PairRecipe


class PofSmSettings(RunSettings):
    """One run of chapter 03; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "03-space-time-saliency"

    data_root: str
    willow_root: str
    imagenet_root: str

    every: int = Field(ge=1)
    left_out: int = Field(ge=0)
    stored_size: int = Field(ge=16)
    image_size: int = Field(ge=16)

    flow_method: Literal["dis", "dis_fast", "farneback", "raft"]
    pairs_per_video: int = Field(ge=0)
    clusters: int = Field(ge=2)
    most_likely: int = Field(ge=1)
    trunk_photographs: int = Field(ge=0)
    trunk_steps: int = Field(ge=1)
    trunk_rate: float = Field(gt=0)
    flow_steps: int = Field(ge=1)
    flow_batch: int = Field(ge=2)
    flow_rate: float = Field(gt=0)
    reading: str
    full_share: float = Field(gt=0, le=1)

    feature_side: int = Field(ge=3)
    surround_side: int = Field(ge=0)
    steering_axes: Literal["authors", "gradient"]

    pretraining: Literal["own", "torchvision", MobileName]
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    rate: float = Field(gt=0)
    rate_step: int = Field(ge=1)
    ablations: bool

    @model_validator(mode="after")
    def _fields_fit(self) -> PofSmSettings:
        if self.reading not in READINGS:
            raise ValueError(f"reading = {self.reading!r} should be one of {', '.join(map(repr, READINGS))}")
        if self.most_likely > self.clusters:
            raise ValueError(f"most_likely = {self.most_likely} exceeds the {self.clusters} clusters")
        if self.image_size > self.stored_size:
            raise ValueError(f"image_size = {self.image_size} is cut out of stored_size = {self.stored_size}")
        fixed = 227 if self.full_architectures else 224 if self.pretraining != "own" else 0
        if fixed > self.stored_size:
            raise ValueError(f"stored_size = {self.stored_size}: a network of this run sees {fixed} px")
        surround = self.surround_side or 3  # 0 is all pixels
        if self.feature_side % 2 == 0 or surround % 2 == 0 or surround < 3:
            raise ValueError("feature_side and surround_side are odd, 3 px or more (surround_side 0: all pixels)")
        if self.ablations and (self.pairs_per_video or self.left_out < PairRecipe.window):
            least = f"pairs_per_video 0 and left_out {PairRecipe.window} or more"
            raise ValueError(f"ablations need the true flow of every still: {least}, or ablations False")
        if self.profile == "paper" and not (self.data_root and self.willow_root):
            raise ValueError("profile 'paper' needs data_root (UCF-101) and willow_root; one is empty")
        if self.profile == "paper" and self.pretraining == "own" and not self.imagenet_root:
            raise ValueError("pretraining 'own' needs imagenet_root in profile 'paper'; or take 'torchvision'")
        return self
