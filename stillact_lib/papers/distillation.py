"""T2SIL by a teacher and a student: the student sees a still and learns to answer as the teacher does to temporal
instances of the same class (Herath, Fernando, Harandi, Pattern Recognition 2019, §3.3). Chapter 05.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from stillact_lib.errors import StillactError
from stillact_lib.networks.temporal_resnet import CutResNet


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Eqs. 5 and 6, the mean over pairs: cross entropy of the student's softmax under the teacher's, both class scores
    [B, C] divided by the temperature first (Hinton et al.). No gradient reaches the teacher."""
    wanted = (teacher.detach() / temperature).softmax(1)
    return -(wanted * (student / temperature).log_softmax(1)).sum(1).mean()


def random_partners(labels: np.ndarray, by_class: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A temporal instance of each still's class, drawn at random (Remark 2): labels int [B] -> items int [B].

    Raises StillactError where a class has none.
    """
    if lacking := sorted({int(label) for label in labels if not len(by_class[label])}):
        raise StillactError(f"class {lacking[0]} has stills but no temporal instance to learn from; leave it out")
    return np.array([rng.choice(by_class[label]) for label in labels])


class Student(nn.Module):
    """The last block, three convolutions, of a network for stills, which are trained, and its classifier, which is not.

    Inputs are the maps in front of that block, [B, C, h, w]: what comes before is fixed too, so it is computed once.
    """

    def __init__(self, stills: CutResNet) -> None:
        super().__init__()
        self.last_block = stills.last_block
        self.pool = stills.pool
        self.classifier = stills.classifier.requires_grad_(False)

    def forward(self, maps: Tensor) -> Tensor:
        """Class scores before the softmax, [B, C]."""
        return self.classifier(self.pool(self.last_block(maps)))
