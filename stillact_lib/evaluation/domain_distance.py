"""How far apart two domains lie: the proxy A-distance (Ben-David et al., NIPS 2006). Chapter 05."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stillact_lib.errors import StillactError

FOLDS = 5


def proxy_a_distance(first: np.ndarray, second: np.ndarray, seed: int = 0) -> float:
    """2 (1 - 2 error) of a linear classifier that tells features [N, D] of one domain from those [M, D] of another:
    0 where it cannot, 2 where it always can; below 0 by chance.

    The error is that of five-fold cross-validation, the mean of both domains' errors, so that the greater domain does
    not count more. Raises StillactError where a domain has fewer items than folds.
    """
    if min(len(first), len(second)) < FOLDS:
        raise StillactError(f"domain distance: {min(len(first), len(second))} items are fewer than {FOLDS} folds")
    features = np.concatenate([first, second])
    domain = np.repeat([0, 1], [len(first), len(second)])
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced"))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    wrong = cross_val_predict(classifier, features, domain, cv=folds) != domain
    error = (wrong[domain == 0].mean() + wrong[domain == 1].mean()) / 2
    return float(2 * (1 - 2 * error))
