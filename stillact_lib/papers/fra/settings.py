"""The settings of chapter 01: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.networks.fcn8s import STRIDE
from stillact_lib.networks.mobile import MobileName


class FraSettings(RunSettings):
    """One run of chapter 01; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "01-action-objects"

    stanford40_root: str
    face_detector_file: str
    videos_root: str
    image_size: int = Field(ge=16)
    coarse_size: int = Field(ge=STRIDE, multiple_of=STRIDE)
    fine_size: int = Field(ge=STRIDE, multiple_of=STRIDE)
    window_share: float = Field(gt=0, le=1)
    face_times: float = Field(ge=1)
    windows: int = Field(ge=1)
    apart: float = Field(ge=1)
    maxima: int = Field(ge=1)
    kept_regions: int = Field(ge=1)

    pretraining: Literal["own", "imagenet", MobileName]
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    solver: Literal["sgd", "adam"]
    rate: float = Field(gt=0)
    whole_steps: int = Field(ge=1)
    whole_rate: float = Field(gt=0)
    svm_lambda: float = Field(gt=0)
    svr_strength: float = Field(gt=0)
    pooling_steps: int = Field(ge=1)
    score_every: int = Field(ge=0)
    further: bool

    @model_validator(mode="after")
    def _fields_fit(self) -> FraSettings:
        if self.pretraining == "imagenet" and not self.full_architectures:
            raise ValueError("pretraining 'imagenet' has weights for full_architectures only; take 'mobilenet_v2'")
        if self.videos_root and (not self.face_detector_file or self.pretraining == "own"):
            raise ValueError("videos_root needs face_detector_file, and a network that saw photographs (pretraining)")
        if self.profile == "real" and not self.videos_root:
            raise ValueError("profile 'real' needs videos_root; it is empty")
        if self.profile == "paper" and not self.stanford40_root:
            raise ValueError("profile 'paper' needs stanford40_root; it is empty")
        return self
