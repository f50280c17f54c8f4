"""What each arm answered to the items of a test set, and what a record keeps (T2SIL, Tables 1 to 4). Chapter 05."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

#: the arm that all others are held against
STILL = "still"
#: what temporal networks see
MODALITIES = ("flow", "dynamic")
#: the answers that lie nearer to a student's or farther from it: of the network that it began like, of students of the
#: labels, of the tables of mean answers, and of the same student with another seed
BESIDE_STUDENTS = (STILL, "relabelled", "smoothed", *(f"table_{modality}" for modality in MODALITIES))
BESIDE_STUDENTS += tuple(f"tsn_{modality}_again" for modality in MODALITIES)


class Answer(NamedTuple):
    """How often each item of a test set is named right, float [N] in %, and the softmax behind it, [N, C] or None."""

    right: np.ndarray
    softmax: np.ndarray | None


@dataclass
class JudgedSet:
    """N items of a test set, what they show, and what each arm answered. `groups`: the units that an interval draws,
    where they are more than one item."""

    items: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None
    answers: dict[str, Answer] = field(default_factory=dict)

    def answer(self, arm: str, softmax: np.ndarray) -> None:
        self.answers[arm] = Answer(100.0 * (softmax.argmax(1) == self.labels), softmax)

    def accuracy(self, arm: str) -> float:
        return float(self.answers[arm].right.mean())

    def gain(self, arm: str) -> np.ndarray:
        """What an arm is right more often than the network for stills, float [N] in percentage points."""
        return self.answers[arm].right - self.answers[STILL].right

    def apart(self, modality: str) -> dict[str, np.ndarray]:
        """How far answers beside it are from those of the student of a modality: half the sum over classes of what they
        differ by, the share of the probability that would have to move, float [N] in %."""
        student = self.answers.get(f"tsn_{modality}")
        found = {arm: self.answers[arm].softmax for arm in BESIDE_STUDENTS if arm in self.answers and student}
        return {arm: 50 * np.abs(softmax - student.softmax).sum(1) for arm, softmax in found.items()}

    def scores_to_keep(self, dataset: str, classes: int) -> dict[str, np.ndarray]:
        """What a record keeps of it; "class_mean" weighs each item so that every class counts alike, and its mean is
        the mean of the classes' accuracies."""
        found = {"clip": self.items, "positives": np.eye(classes, dtype=np.float32)[self.labels]}
        found |= {} if self.groups is None else {"group": self.groups}
        found |= {f"{arm}/accuracy": answer.right.astype(np.float32) for arm, answer in self.answers.items()}
        found |= {f"{arm}/gain": self.gain(arm).astype(np.float32) for arm in self.answers}
        alike = len(self.labels) / (
            len(np.unique(self.labels)) * np.bincount(self.labels, minlength=classes)[self.labels]
        )
        found |= {f"{arm}/class_mean": (alike * of.right).astype(np.float32) for arm, of in self.answers.items()}
        for modality in MODALITIES:
            of_modality = self.apart(modality).items()
            found |= {f"{arm}/from_student_{modality}": values.astype(np.float32) for arm, values in of_modality}
        return {f"{dataset}/{name}": values for name, values in found.items()}
