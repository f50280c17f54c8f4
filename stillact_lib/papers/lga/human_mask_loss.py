"""The loss that asks a classifier where people are (Liu, Tan, You 2018, Eq. 1), and the maps that show where it is
active (Eq. 2). Chapter 02.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Reduction = Literal["sum", "mean"]


def human_mask_loss(heatmap: Tensor, mask: Tensor, reduction: Reduction = "sum", known: Tensor | None = None) -> Tensor:
    """L_mask of Eq. 1, the mean over images: the squared distance of the heatmap [B, 1, h, w] from the mask, float
    [B, 1, H, W], brought to its size by area. "sum" is the norm as printed; "mean" divides it by the cells. Images of
    which no person's place is `known`, bool [B], do not count."""
    squared = squared_errors(heatmap, mask)
    of_image = squared.sum(1) if reduction == "sum" else squared.mean(1)
    return of_image.mean() if known is None else (of_image * known).sum() / known.sum().clamp(min=1)


def squared_errors(heatmap: Tensor, mask: Tensor) -> Tensor:
    """Squared differences, cell by cell [B, h * w], of heatmaps [B, 1, h, w] from masks, float [B, 1, H, W], brought to
    their size by area."""
    wanted = F.adaptive_avg_pool2d(mask, heatmap.shape[-2:])
    return ((heatmap.float() - wanted) ** 2).flatten(1)


def sum_of_activation_maps(maps: Tensor, *, as_printed: bool = False) -> Tensor:
    """SAM of Eq. 2: maps [B, K, h, w] -> [B, h, w], each channel of an image first stretched from its least to its
    greatest value, as for the paper's pictures (§4.2); a constant channel counts as 0. as_printed: without that."""
    if as_printed:
        return maps.sum(dim=1)
    low, high = maps.amin(dim=(2, 3), keepdim=True), maps.amax(dim=(2, 3), keepdim=True)
    stretched = (maps - low) / (high - low).clamp(min=torch.finfo(maps.dtype).tiny)
    return stretched.sum(dim=1)


def predicting_activation_map(maps: Tensor, weights: Tensor, classes: Tensor) -> Tensor:
    """PAM of Eq. 2: maps [B, K, h, w], the linear layer's weights [C, K], a class an image int64 [B] -> [B, h, w]."""
    return torch.einsum("bkhw,bk->bhw", maps, weights[classes])


def beyond_the_others(weights: Tensor) -> Tensor:
    """A linear layer's weights [C, K] less the mean class's: one vector added to all classes' weights changes no
    answer, but every PAM."""
    return weights - weights.mean(0)


def share_inside(maps: Tensor, mask: Tensor) -> Tensor:
    """Share of what is active in maps [B, h, w] that lies in the mask, float [B, 1, H, W] of 0 and 1: [B]. What is
    below zero speaks against the class and counts as nothing; NaN where nothing is active."""
    inside = F.adaptive_avg_pool2d(mask, maps.shape[-2:])[:, 0]
    active = maps.clamp(min=0)
    return (active * inside).sum(dim=(1, 2)) / active.sum(dim=(1, 2))


def overlap(heatmap: Tensor, mask: Tensor) -> Tensor:
    """Intersection over union of the cells where the heatmap [B, h, w] is above one half with those of which the mask,
    float [B, 1, H, W], covers more than half: [B]; NaN where neither has any."""
    wanted = F.adaptive_avg_pool2d(mask, heatmap.shape[-2:])[:, 0] > 0.5
    found = heatmap > 0.5
    return (found & wanted).sum(dim=(1, 2)) / (found | wanted).sum(dim=(1, 2))
