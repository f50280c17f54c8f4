"""The settings of chapter 04: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import Configuration


class Im2FlowSettings(Configuration):
    """One run of the flow half of chapter 04; each field is explained where the chapter sets it."""

    profile: Literal["quick", "mini", "study", "real", "gpu", "paper"]
    dataset: Literal["ucf101", "hmdb51", "weizmann", "ucf101+hmdb51", "ucf101_other", "yupp"]
    data_root: str
    miniature_size: str
    miniature_seed: int = Field(ge=0)
    seed: int = Field(ge=0)
    device: Literal["auto", "cpu", "cuda"]

    held_out_videos: int = Field(ge=1)
    image_size: int = Field(ge=16)
    pairs_per_video: int = Field(ge=0)
    test_frames_per_video: int = Field(ge=1)
    flow_method: Literal["dis", "dis_fast", "farneback", "raft"]
    target: Literal["estimated", "exact"]
    encoding: Literal["sin_cos_magnitude", "u_v_magnitude", "u_v_zero"]
    max_magnitude: float = Field(gt=0)

    full_architectures: bool
    base_width: int = Field(ge=1)
    max_width: int = Field(ge=1)
    dilated: bool
    dropout: float = Field(ge=0, lt=1)
    content_weight: float = Field(ge=0)
    content_distance: Literal["l2", "l1", "none"]
    weight_gradients: bool
    constant_rate: bool
    content_steps: int = Field(ge=1)
    steps: int = Field(ge=1)
    longer: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    workers: int = Field(ge=0)
    keep_checkpoints: bool

    pretraining: Literal["parts", "imagenet"]
    pretraining_photographs: int = Field(ge=10)
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)

    baselines: bool
    baseline_steps: int = Field(ge=1)
    baseline_rate: float = Field(gt=0)
    forest_images: int = Field(ge=1)

    @model_validator(mode="after")
    def _sizes_and_data_fit(self) -> Im2FlowSettings:
        if self.image_size & (self.image_size - 1):
            raise ValueError(f"image_size = {self.image_size} must be a power of two, as the U-Net halves it to 1")
        if self.data_root and self.target == "exact":
            raise ValueError("target = 'exact' exists on the miniature only; with a data_root use 'estimated'")
        if self.profile == "paper" and not self.data_root:
            raise ValueError("profile 'paper' needs data_root, the folder of the real dataset; it is empty")
        return self

    @property
    def arm(self) -> str:
        """Name of this run's flow network in records: "im2flow", or "im2flow_" and what it does otherwise."""
        departures = {
            "u_v_magnitude": self.encoding == "u_v_magnitude",
            "u_v_zero": self.encoding == "u_v_zero",
            "no_content": self.content_distance == "none",
            "l2_content": self.content_distance == "l2",
            "no_weighting": not self.weight_gradients,
            "dilated": self.dilated,
            "dropout": self.profile == "mini" and self.dropout > 0,
            "exact_target": self.target == "exact",
            "longer": self.longer > 1,
        }
        return "_".join(["im2flow", *(name for name, departs in departures.items() if departs)])


#: what an arm calls the videos that taught its flow network
FLOW_SOURCES = {
    "ucf101": "ucf",
    "hmdb51": "hmdb",
    "weizmann": "weizmann",
    "ucf101+hmdb51": "both",
    "ucf101_other": "other",
    "yupp": "yupp",
}


class RecognitionSettings(Im2FlowSettings):
    """One run of chapter 04: the flow half's settings and those of the recognition half."""

    stills: str
    stills_root: str
    stream_network: Literal["alexnet", "vgg16", "resnet50"]
    stream_steps: int = Field(ge=1)
    stream_rate: float = Field(gt=0)
    labels_per_class: int = Field(ge=0)
    curve: str
    validation_share: float = Field(gt=0, lt=1)
    controls: bool
    video_frames: int = Field(ge=1)

    @model_validator(mode="after")
    def _stills_fit(self) -> RecognitionSettings:
        if self.data_root and self.stills.split() and not self.stills_root:
            raise ValueError("stills need stills_root, the folder of their real datasets; it is empty")
        if not all(word.isdecimal() and int(word) > 0 for word in self.curve.split()):
            raise ValueError(f"curve = {self.curve!r} should be numbers of labelled stills a class, as in '10 25 50'")
        return self

    @property
    def motion_arm(self) -> str:
        """Name of the motion stream on this run's flow in records: "motion_im2flow_ucf", and what the run changes."""
        return f"motion_im2flow_{FLOW_SOURCES[self.dataset]}{self.arm.removeprefix('im2flow')}"

    def flow_settings(self) -> Im2FlowSettings:
        """The flow half's settings alone: what its record and its checkpoints are known by."""
        return Im2FlowSettings(**self.model_dump(include=set(Im2FlowSettings.model_fields)))
