"""The settings of chapter 02: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import Configuration
from stillact_lib.papers.lga.human_mask_loss import Reduction


class LgaSettings(Configuration):
    """One run of chapter 02; each field is explained where the chapter sets it."""

    profile: Literal["quick", "mini", "study", "real", "gpu", "paper"]
    stanford40_root: str
    mpii_root: str
    miniature_size: str
    miniature_seed: int = Field(ge=0)
    seed: int = Field(ge=0)
    device: Literal["auto", "cpu", "cuda"]
    workers: int = Field(ge=0)
    keep_checkpoints: bool
    full_architectures: bool

    image_size: int = Field(ge=32)
    pretraining: Literal["own", "imagenet"]
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    mpii_steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    rate: float = Field(gt=0)
    warm_up: int = Field(ge=0)
    mask_loss: Reduction
    further: bool

    @model_validator(mode="after")
    def _fields_fit(self) -> LgaSettings:
        if self.pretraining == "imagenet" and not self.full_architectures:
            raise ValueError("pretraining 'imagenet' has weights for full_architectures only; take 'own'")
        if self.profile == "paper" and not (self.stanford40_root or self.mpii_root):
            raise ValueError("profile 'paper' needs stanford40_root or mpii_root; both are empty")
        return self
