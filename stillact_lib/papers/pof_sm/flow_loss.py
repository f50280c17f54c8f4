"""Predicted optical flow of POF-SM: the spatial loss, Eqs. 1-3, and what its order statistic may mean (chapter 03).

Safaei and Foroosh, "Single image action recognition by predicting space-time saliency", arXiv 1705.04641, §III-A. Flow
is classified, cell by cell, into C = 40 clusters; Eq. 1 is Walker's loss, `walker.walker_loss`. Against its noise,
Eq. 2 replaces the sum over clusters by an order statistic filter: sort the C terms P_r = 1(Y = r) log F_r of a cell in
descending order, weight the first K = 10 by 1/K, drop the rest. But the indicator leaves at most one term that is not
0; that term is negative, so it comes last and is dropped: as written, the loss is 0 whatever the network says.
`READINGS` holds four things that may have been meant. The prose, "averaging over the probabilities of the K most-likely
clusters", describes a decoding better than it does a loss.

Scores before the softmax are float [B,C,M,N]; labels int64 [B,M,N]; flow (u, v) in pixels. Losses are summed over the
cells of an image and averaged over the batch, as `walker_loss` is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.errors import StillactError
from stillact_lib.papers.motion_baselines.walker import decode_expectation, enlarge, walker_loss

#: K of Eq. 2; its weights are omega_r = 1 / K
MOST_LIKELY = 10


def order_statistic_loss(logits: Tensor, labels: Tensor, k: int = MOST_LIKELY) -> Tensor:
    """Eqs. 2 and 3 to the letter: 0, with a gradient of exactly 0, for every k below the number of clusters C.

    A cell's C - 1 zeros stand before its one negative term, log of the right cluster's probability; the gradient goes
    to the zeros, where the indicator stops it, and weight decay alone moves the network. At k = C the loss is Eq. 1
    divided by C. (Sorted by size, the negative term would come first: Eq. 1 divided by k, Walker's loss again.)
    """
    _check_k(k, logits)
    one_hot = F.one_hot(labels, logits.shape[1]).movedim(-1, 1)
    terms = one_hot * logits.float().log_softmax(1)
    filtered = terms.sort(dim=1, descending=True).values[:, :k].mean(1)
    return -filtered.sum() / len(labels)


def likely_label_loss(logits: Tensor, labels: Tensor, k: int = MOST_LIKELY) -> Tensor:
    """Eq. 1 / k over those cells only whose right cluster is among the k likeliest of the network's own.

    It is Eqs. 2 and 3 with (r) ordering the probabilities F, as the notation F_(r) allows, instead of the terms. A cell
    that is too far off gives no gradient; at the start, where all scores are equal, every cell counts (ties are in).
    With k = C every cell counts always: Eq. 1 divided by C.
    """
    _check_k(k, logits)
    logits = logits.float()
    likelier = (logits > logits.gather(1, labels[:, None])).sum(1)  # clusters ahead of the right one
    cell_losses = F.cross_entropy(logits, labels, reduction="none")
    return torch.where(likelier < k, cell_losses, 0.0).sum() / (k * len(labels))


def decode_most_likely(
    logits: Tensor,
    centres: Tensor,
    size: tuple[int, int],
    k: int = MOST_LIKELY,
    weights: Literal["probability", "equal"] = "probability",
) -> Tensor:
    """Each cell's mean of the centres [C,2] of its k likeliest clusters, enlarged to (height, width): -> [B,2,H,W].

    weights:
        "probability", made to sum to 1 again: with k = C it is Walker's expectation, with k = 1 the likeliest centre;
        "equal", 1/k each: even a cell that is sure of its cluster is drawn towards nine others.
    """
    _check_k(k, logits)
    scores, clusters = logits.float().topk(k, dim=1)
    share = scores.softmax(1) if weights == "probability" else torch.full_like(scores, 1 / k)
    cells = torch.einsum("bkyx,bkyxc->bcyx", share, centres.to(logits.device).float()[clusters])
    return enlarge(cells, size)


@dataclass(frozen=True)
class Reading:
    """One way to read Eqs. 2 and 3: the loss (logits, labels) and the decoding (logits, centres, size) it leads to."""

    loss: Callable[[Tensor, Tensor], Tensor]
    decode: Callable[[Tensor, Tensor, tuple[int, int]], Tensor]


#: Readings with the same loss share one trained network.
READINGS: dict[str, Reading] = {
    "all clusters": Reading(walker_loss, decode_expectation),  # the order statistic has no effect
    "likely expectation": Reading(walker_loss, decode_most_likely),  # it is meant for the decoding
    "likely mean": Reading(walker_loss, partial(decode_most_likely, weights="equal")),  # likewise, with omega = 1 / K
    "likely labels": Reading(likely_label_loss, decode_expectation),  # it orders the probabilities, in training
}


def _check_k(k: int, logits: Tensor) -> None:
    if not 1 <= k <= logits.shape[1]:
        raise StillactError(f"k = {k}: take 1 to {logits.shape[1]}, the number of clusters")
