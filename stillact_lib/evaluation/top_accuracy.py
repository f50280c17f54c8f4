"""Top-k accuracy, still by still: right if the true class is among the k that score highest. Chapter 03 (Table I)."""

from __future__ import annotations

import numpy as np


def within_top(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether each item's true class is among its k best: scores [N, C], labels int [N] -> bool [N].

    The accuracy is the mean; an interval is taken over the items (`evidence.bootstrap`), which is why scikit-learn's
    `top_k_accuracy_score`, a mean alone, does not do. A class of equal score counts as better than the true one, so
    that a network which tells nothing apart, or gives NaN, is right nowhere.
    """
    true = scores[np.arange(len(labels)), labels][:, None]
    return (~(scores < true)).sum(axis=1) <= k
