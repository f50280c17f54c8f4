"""Average precision as PASCAL VOC has computed it since 2010: all points, a precision that never rises with recall.

Chapter 04 (Tables 3 and 4), chapter 03 (Tables II and III: by groups of classes) and every chapter that reports mAP.
scikit-learn's `average_precision_score` leaves the precision as it is, so it gives other numbers.
"""

from __future__ import annotations

import numpy as np


def average_precision(
    scores: np.ndarray, positive: np.ndarray, clusters: np.ndarray | None = None, n_clusters: int = 0
) -> np.ndarray:
    """Area under the interpolated precision-recall curve of one class.

    scores [N], higher is more confident; positive bool [N]. Returns one figure, NaN where nothing is positive. With
    clusters int [N] it is [n_clusters]: the figures where the items of one cluster count half, by which an interval
    knows what each adds. Items of equal score are taken together, since no order among them is known.
    """
    positive = np.asarray(positive, bool)  # zeros and ones would be taken for places
    if not positive.any():
        return np.full((n_clusters,) if clusters is not None else (), np.nan)
    # recall grows, and precision peaks, only where something positive is found: nothing is computed in between
    thresholds = np.unique(-scores[positive])
    level = np.searchsorted(thresholds, -scores)  # the first threshold that an item reaches
    steps = len(thresholds) + 1  # the last: below all
    hits, found = (np.bincount(level[of], minlength=steps)[:-1].cumsum() for of in (positive, slice(None)))
    if clusters is None:
        return _area(hits, found)
    order = np.argsort(clusters)
    if np.array_equal(clusters[order], np.arange(n_clusters)):  # each item alone: those of one level and kind add alike
        _, first, alike = np.unique(2 * level + positive, return_index=True, return_inverse=True)
        of_kind = _halved(hits, found, level[first], positive[first], np.arange(len(first)), len(first))
        return of_kind[alike[order]]
    return _halved(hits, found, level, positive, clusters, n_clusters)


def _halved(
    hits: np.ndarray, found: np.ndarray, level: np.ndarray, positive: np.ndarray, clusters: np.ndarray, n_clusters: int
) -> np.ndarray:
    steps = len(hits) + 1
    own_hits, own = (
        np.bincount(clusters[of] * steps + level[of], minlength=n_clusters * steps)
        .reshape(n_clusters, steps)[:, :-1]
        .cumsum(axis=1)
        for of in (positive, slice(None))
    )
    return _area(hits - own_hits / 2, found - own / 2)


def _area(hits: np.ndarray, found: np.ndarray) -> np.ndarray:
    """From how many items [..., T] score at or above falling thresholds, and how many of those are positive."""
    precision = hits / found
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    return (np.diff(hits, axis=-1, prepend=0) * envelope).sum(-1) / hits[..., -1]


def average_precisions(
    scores: np.ndarray, positives: np.ndarray, clusters: np.ndarray | None = None, n_clusters: int = 0
) -> np.ndarray:
    """`average_precision` of each class: scores and positives [N, C] -> [..., C]."""
    classes = range(scores.shape[1])
    return np.stack([average_precision(scores[:, c], positives[:, c], clusters, n_clusters) for c in classes], axis=-1)


def mean_average_precision(
    scores: np.ndarray, positives: np.ndarray, clusters: np.ndarray | None = None, n_clusters: int = 0
) -> np.ndarray:
    """Mean over classes of `average_precision`: scores and positives [N, C] -> [...].

    Classes without a positive item are left out of the mean; NaN where none is left.
    """
    return _mean_over_classes(average_precisions(scores, positives, clusters, n_clusters))


def _mean_over_classes(each: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.nansum(each, axis=-1) / np.isfinite(each).sum(-1)
