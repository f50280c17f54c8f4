"""A rehearsal: every training of a run is cut to a few steps, all else is as it stands; and what all steps would take.

`stillact rehearse` sets the environment's STILLACT_REHEARSE to how many and STILLACT_REHEARSED to the file that is
told, one line of JSON a training, how long its steps take.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from stillact_lib.paths import rehearsal_steps


@dataclass(frozen=True)
class Rehearsed:
    """One training: the steps it was asked for, and the seconds of one after the first, which sets up."""

    label: str
    steps: int
    step_seconds: float

    @property
    def seconds(self) -> float:
        """What all its steps would have taken."""
        return self.steps * self.step_seconds


@dataclass
class Stopwatch:
    """Measures a training's steps; does nothing where nothing is rehearsed."""

    label: str
    asked: int
    ends: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many steps are run: those asked for, in a rehearsal a few."""
        return min(self.asked, rehearsal_steps() or self.asked)

    def step_ended(self) -> None:
        if told := os.environ.get("STILLACT_REHEARSED"):
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            self.ends.append(time.perf_counter())
            if len(self.ends) == self.steps > 1:
                taken = (self.ends[-1] - self.ends[0]) / (self.steps - 1)
                with Path(told).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(Rehearsed(self.label, self.asked, taken))) + "\n")


def rehearsed(told: Path) -> list[Rehearsed]:
    """What a rehearsal wrote down."""
    return [Rehearsed(**json.loads(line)) for line in told.read_text(encoding="utf-8").splitlines()]
