"""Average precision as PASCAL VOC has computed it since 2010: all points, a precision that never rises with recall.

Chapter 04 (Tables 3 and 4), chapter 03 (Tables II and III: by groups of classes) and every chapter that reports mAP.
scikit-learn's `average_precision_score` leaves the precision as it is, so it gives other numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from stillact_lib.errors import StillactError

ALL_GROUPS = "All groups"


def average_precision(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None, clusters: np.ndarray | None = None
) -> np.ndarray:
    """Area under the interpolated precision-recall curve of one class.

    scores [N], higher is more confident; positive bool [N]. weights [..., G]: how often items count (default once), one
    column for each item or, with clusters int [N], for each cluster of items; a bootstrap gives many rows at once.
    Returns [...]; NaN where nothing positive counts. Items of equal score are taken together, since no order among
    them is known.
    """
    positive = np.asarray(positive, bool)  # zeros and ones would be taken for places
    if weights is None:
        weights, clusters = np.ones(1), np.zeros(len(scores), int)
    elif clusters is None:
        clusters = np.arange(len(scores))
    if not positive.any():
        return np.full(weights.shape[:-1], np.nan)
    # recall grows, and precision peaks, only where something positive is found: nothing is computed in between
    thresholds = np.unique(scores[positive])[::-1]
    hits = weights @ _counted(scores[positive], clusters[positive], thresholds, weights.shape[-1])
    found = weights @ _counted(scores, clusters, thresholds, weights.shape[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(found > 0, hits / found, 0)
        recall = hits / hits[..., -1:]
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    gained = np.diff(recall, axis=-1, prepend=0)
    return (gained * envelope).sum(-1)


def _counted(scores: np.ndarray, clusters: np.ndarray, thresholds: np.ndarray, n_clusters: int) -> np.ndarray:
    """How many items of each cluster score at or above each of the falling thresholds: [clusters, thresholds]."""
    counts = np.zeros((n_clusters, len(thresholds) + 1))
    np.add.at(counts, (clusters, np.searchsorted(-thresholds, -scores)), 1)  # the last column: below all
    return counts[:, :-1].cumsum(axis=1)


def average_precisions(
    scores: np.ndarray, positives: np.ndarray, weights: np.ndarray | None = None, clusters: np.ndarray | None = None
) -> np.ndarray:
    """`average_precision` of each class: scores and positives [N, C] -> [..., C]."""
    classes = range(scores.shape[1])
    return np.stack([average_precision(scores[:, c], positives[:, c], weights, clusters) for c in classes], axis=-1)


def mean_average_precision(
    scores: np.ndarray, positives: np.ndarray, weights: np.ndarray | None = None, clusters: np.ndarray | None = None
) -> np.ndarray:
    """Mean over classes of `average_precision`: scores and positives [N, C] -> [...].

    Classes without a positive item (in a bootstrap: in that draw) are left out of the mean; NaN where none is left.
    """
    return _mean_over_classes(average_precisions(scores, positives, weights, clusters))


def mean_by_group(
    each: np.ndarray, classes: Sequence[str], groups: Mapping[str, Collection[str]]
) -> dict[str, np.ndarray]:
    """mAP of each group of classes, and of "All groups", from the classes' own `each` [..., C]: group -> [...].

    `groups` names the classes of each group, as `class_groups` of a manifest does; one that has none of `classes` is
    left out. "All groups" is the mean over all classes, not over groups: with the groups' sizes as weights, the groups'
    figures of Table II (Safaei & Foroosh) give its last row to within its two digits, unweighted they do not.
    Raises StillactError for a class that is in no group.
    """
    if ungrouped := set(classes) - {name for members in groups.values() for name in members}:
        raise StillactError(f"class {min(ungrouped)!r} is in no group: see class_groups in the dataset's manifest")
    columns = {group: [c for c, name in enumerate(classes) if name in members] for group, members in groups.items()}
    means = {group: _mean_over_classes(each[..., of_group]) for group, of_group in columns.items() if of_group}
    return means | {ALL_GROUPS: _mean_over_classes(each)}


def _mean_over_classes(each: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.nansum(each, axis=-1) / np.isfinite(each).sum(-1)
