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
    clusters int [N] it is [n_clusters]: the figures where the items of one cluster count half, and the others so much
    more that as many are positive and as many are not; by them an interval knows what each cluster adds. Items of equal
    score are taken together, since no order among them is known.
    """
    positive = np.asarray(positive, bool)  # zeros and ones would be taken for places
    if not positive.any():
        return np.full((n_clusters,) if clusters is not None else (), np.nan)
    # recall grows, and precision peaks, only where something positive is found: nothing is computed in between
    thresholds = np.unique(-scores[positive])
    level = np.searchsorted(thresholds, -scores)  # the first threshold that an item reaches; the last: none
    if clusters is None:
        return _area(*_reached(level, positive, np.zeros(len(level), int), 1, len(thresholds) + 1))[0]
    order = np.argsort(clusters)
    if np.array_equal(clusters[order], np.arange(n_clusters)):  # each item alone: those of one level and kind add alike
        _, first, alike = np.unique(2 * level + positive, return_index=True, return_inverse=True)
        return _halved(level, positive, first, np.arange(len(first)), len(first))[alike[order]]
    return _halved(level, positive, slice(None), clusters, n_clusters)


def _reached(
    level: np.ndarray, positive: np.ndarray, clusters: np.ndarray, n_clusters: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """How many of each cluster's positive items, and of its others, reach each level or a higher: [clusters, steps]."""
    return tuple(
        np.bincount(clusters[of] * steps + level[of], minlength=n_clusters * steps)
        .reshape(n_clusters, steps)
        .cumsum(axis=1)
        for of in (positive, ~positive)
    )


def _halved(
    level: np.ndarray, positive: np.ndarray, rows: np.ndarray | slice, clusters: np.ndarray, n_clusters: int
) -> np.ndarray:
    """The area where the items of one cluster, of those in `rows`, count half."""
    steps = level[positive].max() + 2
    own = _reached(level[rows], positive[rows], clusters, n_clusters, steps)
    every = _reached(level, positive, np.zeros(len(level), int), 1, steps)
    left = [of - part / 2 for of, part in zip(every, own, strict=True)]
    return _area(*(part * (of[:, -1:] / np.maximum(part[:, -1:], 0.5)) for of, part in zip(every, left, strict=True)))


def _area(hits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From how many items [..., T + 1] reach falling thresholds (the last: none): positive ones and others."""
    hits, others = hits[..., :-1], others[..., :-1]
    precision = hits / (hits + others)
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
