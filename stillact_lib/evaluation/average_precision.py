"""Average precision as PASCAL VOC has computed it since 2010: all points, a precision that never rises with recall.

Chapter 04 (Tables 3 and 4) and every chapter that reports mAP. scikit-learn's `average_precision_score` leaves the
precision as it is, so it gives other numbers.
"""

from __future__ import annotations

import numpy as np


def average_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Area under the interpolated precision-recall curve of one class.

    scores [N], higher is more confident; positive bool [N]; weights [..., N], how often each item counts (default once;
    a bootstrap gives many rows at once). Returns [...]; NaN where nothing positive counts. Items of equal score are
    taken together, since no order among them is known.
    """
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, float)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_ties = np.append(ordered[1:] != ordered[:-1], True)
    taken = weights[..., order]
    hits = np.cumsum(taken * positive[order], axis=-1)[..., last_of_ties]
    found = np.cumsum(taken, axis=-1)[..., last_of_ties]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(found > 0, hits / found, 0)
        recall = hits / hits[..., -1:]
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    gained = np.diff(recall, axis=-1, prepend=0)
    return (gained * envelope).sum(-1)


def mean_average_precision(scores: np.ndarray, positives: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean over classes of `average_precision`: scores and positives [N, C], weights [..., N] -> [...].

    Classes without a positive item (in a bootstrap: in that draw) are left out of the mean; NaN where none is left.
    """
    classes = range(scores.shape[1])
    each = np.stack([average_precision(scores[:, c], positives[:, c], weights) for c in classes], axis=-1)
    with np.errstate(invalid="ignore"):
        return np.nansum(each, axis=-1) / np.isfinite(each).sum(-1)
