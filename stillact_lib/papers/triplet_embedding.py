"""T2SIL by deep embedding: stills' features are embedded in the fixed space of temporal features by a triplet loss
(Herath, Fernando, Harandi, Pattern Recognition 2019, §3.2). Chapter 05.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def triplet_loss(stills: Tensor, labels: Tensor, temporal: Tensor, temporal_labels: Tensor, margin: float) -> Tensor:
    """Eq. 4 over all pairs (still i, temporal j) of one class, its mean: [d_ij - d_ik + margin]_+.

    stills [B, d1], embedded, with labels int64 [B]; temporal [B', d1], fixed; d is the Euclidean distance. k is the
    semi-hard negative: of the temporal instances of other classes, the nearest to the still with d_ik > d_ij; where
    none is that far, the farthest (Schroff et al.'s heuristic says nothing of this case). 0 without any pair.
    """
    apart = torch.cdist(stills, temporal)
    alike = labels[:, None] == temporal_labels[None, :]
    if not alike.any() or alike.all():
        return stills.sum() * 0
    negatives = semi_hard_negatives(apart.detach(), alike)
    still, positive = alike.nonzero(as_tuple=True)
    return F.relu(apart[still, positive] - apart[still, negatives] + margin).mean()


def semi_hard_negatives(apart: Tensor, alike: Tensor) -> Tensor:
    """The column k of each positive pair, in the order of `alike.nonzero()`: int64 [P].

    apart: distances [B, B']; alike: bool [B, B'], which pairs are of one class; every row has some that are not.
    """
    still, positive = alike.nonzero(as_tuple=True)
    reach = apart[still, positive][:, None]
    others = apart[still].masked_fill(alike[still], torch.nan)
    beyond = others.masked_fill(~(others > reach), torch.inf)  # NaN compares false
    nearest, farthest = beyond.argmin(1), others.nan_to_num(nan=-torch.inf).argmax(1)
    return torch.where(beyond.isfinite().any(1), nearest, farthest)


def class_batch(
    by_class: list[np.ndarray], classes: int, instances: int, rng: np.random.Generator, of: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Items of a batch, `instances` of each of `classes` classes (Table 8's "4 classes x 4 instances"): (items, the
    classes drawn). by_class: the items of each class; `of`: draw of these classes. With replacement where a class has
    fewer."""
    known = [number for number, items in enumerate(by_class) if len(items)]
    drawn = rng.choice(known, min(classes, len(known)), replace=False) if of is None else of
    items = [rng.choice(by_class[c], instances, replace=len(by_class[c]) < instances) for c in drawn]
    return np.concatenate(items), drawn
