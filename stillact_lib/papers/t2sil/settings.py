"""The settings of chapter 05: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.networks.mobile import MobileName


class T2silSettings(RunSettings):
    """One run of chapter 05; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "05-temporal-transfer"

    stills_root: str
    videos_root: str
    videos_size: str
    stills_of: Literal["ssvac40", "sports", "sports_few", "midframes"]
    classes: str
    folds: int = Field(ge=2)
    fold: int = Field(ge=0)
    stills_per_class: int = Field(ge=0)

    stored_size: int = Field(ge=16)
    image_size: int = Field(ge=16)
    window: int = Field(ge=2)
    stride: int = Field(ge=1)
    dynamic_per_video: int = Field(ge=1)
    pooling: Literal["harmonic", "linear"]
    flow_method: Literal["dis", "dis_fast", "farneback", "raft"]
    flow_frames: int = Field(ge=1)
    flow_side: int = Field(ge=0)
    drop_repeats: bool
    full_flow: float = Field(gt=0)
    stack: int = Field(ge=1)
    stacks_per_video: int = Field(ge=1)
    frames_per_video: int = Field(ge=1)
    most_key_frames: int = Field(ge=1)

    pretraining: Literal["parts", "imagenet", MobileName]
    trunk_photographs: int = Field(ge=1)
    trunk_steps: int = Field(ge=1)
    trunk_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    temporal_steps: int = Field(ge=1)
    shared_teachers: bool
    batch_size: int = Field(ge=2)
    rate: float = Field(gt=0)
    score_every: int = Field(ge=0)

    views: int = Field(ge=1)
    head_steps: int = Field(ge=1)
    head_batch: int = Field(ge=2)
    student_steps: int = Field(ge=1)
    tune: bool
    oracle_draws: int = Field(ge=1)
    further: bool

    @property
    def of_sports(self) -> bool:
        """Whether the stills are photographs of sports, all of them or few."""
        return self.stills_of in ("sports", "sports_few")

    @property
    def of_teachers(self) -> T2silSettings:
        """The settings of the trunk and of what learns from videos: with `shared_teachers` the world's number is their
        seed, so that all seeds of a world share them, and only stills' networks and heads are trained anew."""
        return self.model_copy(update={"seed": self.miniature_seed}) if self.shared_teachers else self

    @model_validator(mode="after")
    def _fields_fit(self) -> T2silSettings:
        if self.image_size > self.stored_size:
            raise ValueError(f"image_size = {self.image_size} is cut out of stored_size = {self.stored_size}")
        if self.full_architectures and self.image_size != 224:
            raise ValueError(f"image_size = {self.image_size}: full_architectures see 224 px")
        if self.pretraining == "imagenet" and not self.full_architectures:
            raise ValueError("pretraining 'imagenet' has weights for full_architectures only; take 'mobilenet_v2'")
        if self.stack > self.flow_frames:
            raise ValueError(f"stack = {self.stack} is cut out of flow_frames = {self.flow_frames}")
        if self.stills_of == "midframes" and not self.classes.split():
            raise ValueError("stills_of 'midframes' needs the classes of UCF-101 that are to be told apart")
        if (self.stills_of == "sports_few") != bool(self.stills_per_class):
            raise ValueError("stills_per_class goes with stills_of 'sports_few', and that with it")
        if self.fold > self.folds or (self.fold and self.stills_of != "midframes"):
            raise ValueError(f"fold = {self.fold}: one of {self.folds} folds, of stills_of 'midframes' alone")
        if self.profile == "paper" and not (self.stills_root and self.videos_root):
            raise ValueError("profile 'paper' needs stills_root and videos_root; one is empty")
        return self


#: settings that change the trunk; all networks; and some, up to "_" in their names, by what they learn from
TRUNK = ("image_size", "full_architectures", "batch_size", "pretraining", "trunk_photographs", "trunk_steps")
TRUNK += ("trunk_rate", "miniature_seed", "shared_teachers")
NETWORK = (*TRUNK, "stored_size", "rate", "score_every", "stills_of", "classes", "folds", "fold")
NETWORK += ("drop_repeats",)
#: which photographs a network, or a head on its features, has learnt from, and how long
PHOTOGRAPHS = ("steps", "stills_per_class")
LEARNT_FROM = {
    "still": PHOTOGRAPHS,
    "middle": PHOTOGRAPHS,
    "augmented": (*PHOTOGRAPHS, "frames_per_video", "most_key_frames"),
    "frames": ("temporal_steps", "frames_per_video"),
    "dynamic": ("temporal_steps", "window", "stride", "dynamic_per_video", "pooling"),
    "flow": ("temporal_steps", "flow_method", "flow_frames", "flow_side", "full_flow", "stack", "stacks_per_video"),
}
#: what learns from all of a video: networks of its motion, and of its frames
OF_VIDEOS = ("frames", "dynamic", "flow")
