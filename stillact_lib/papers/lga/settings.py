"""The settings of chapter 02: what its `parameters` cell may hold, and the bounds of each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.datasets.sports100_people import POOL
from stillact_lib.papers.lga.human_mask_loss import Reduction


class LgaSettings(RunSettings):
    """One run of chapter 02; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "02-human-mask-loss"

    stanford40_root: str
    mpii_root: str
    sports_root: str
    labels_per_class: int = Field(ge=1, lt=POOL)
    tested: Literal["test", "validation"]
    image_size: int = Field(ge=32)
    pretraining: Literal["own", "imagenet", "mobile"]
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    mpii_steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    rate: float = Field(gt=0)
    warm_up: int = Field(ge=0)
    mask_loss: Reduction
    longer: int = Field(ge=1)
    short: int = Field(ge=0)
    score_every: int = Field(ge=0)
    further: bool

    @property
    def draws(self) -> bool:
        """Whether a miniature stands for a dataset whose root is not given."""
        return self.profile not in ("real", "paper") and not self.sports_root

    @model_validator(mode="after")
    def _fields_fit(self) -> LgaSettings:
        if self.pretraining == "imagenet" and not self.full_architectures:
            raise ValueError("pretraining 'imagenet' has weights for full_architectures only; take 'mobile'")
        if not (self.draws or self.stanford40_root or self.mpii_root or self.sports_root):
            raise ValueError(f"profile {self.profile!r} needs stanford40_root, mpii_root or sports_root; all are empty")
        if self.sports_root and (self.stanford40_root or self.mpii_root):
            raise ValueError("sports_root is a run of its own; give neither stanford40_root nor mpii_root with it")
        if self.sports_root and self.pretraining == "own":
            raise ValueError("sports_root needs a network that saw photographs; take pretraining 'mobile'")
        if self.tested == "validation" and not self.sports_root:
            raise ValueError("tested 'validation' is there for photographs of sports_root alone")
        return self
