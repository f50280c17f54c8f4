"""Linear support-vector machines from a Gram matrix, for many classes and choices of features at once (chapter 01).

The machine is scikit-learn's `LinearSVC` at its defaults: squared hinge loss, and an intercept that is regularised like
a weight. With few images and long features all that the fit needs are inner products. Those of concatenated features
are the sums of their parts', so that leaving a feature out subtracts a matrix, and nothing is computed again.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from stillact_lib.errors import StillactError

#: rounds after which a fit that still changes its mind is given up; a handful is usual
MOST_ROUNDS = 200
#: a step towards the minimum that is shorter than this share of the way counts as none
SMALLEST_STEP = 1e-6


def fit_from_gram(gram: np.ndarray, positives: np.ndarray, strength: float) -> np.ndarray:
    """Dual weights [N, C] of one-versus-all machines: gram [N, N] of the training items, positives bool [N, C].

    Minimises |w|^2 / 2 + strength * sum_n max(0, 1 - y_n f(x_n))^2 with f(x) = w.x + b and b part of w. Where it is
    known which items violate their margin the minimum has a closed form, (K + I / (2 strength)) a = y over those items
    (Chapelle, Neural Computation 2007, Eq. 10, for this loss). Each round steps towards it, half as far as long as the
    sum does not fall; it is the minimum when the items it violates are those it was made for. Raises StillactError
    where that never comes.
    """
    kernel = gram + 1.0  # the intercept is a feature that is always 1
    signs = np.where(positives, 1.0, -1.0)
    weights = np.zeros_like(signs)
    for column, wanted in enumerate(signs.T):
        now, decided = weights[:, column], np.zeros(len(wanted))
        for _ in range(MOST_ROUNDS):
            violating = wanted * decided < 1
            there = _minimum(kernel, wanted, violating, strength)
            decided_there = kernel @ there
            if np.array_equal(wanted * decided_there < 1, violating):
                now = there
                break
            share, before = 1.0, _objective(now, decided, wanted, strength)
            while True:
                step = now + share * (there - now)
                decided_after = decided + share * (decided_there - decided)
                if _objective(step, decided_after, wanted, strength) < before or share < SMALLEST_STEP:
                    break
                share /= 2
            if share < SMALLEST_STEP:  # items within rounding of their margin: nothing is left to gain
                break
            now, decided = step, decided_after
        else:
            raise StillactError(f"SVM of class {column}: no solution in {MOST_ROUNDS} rounds; scale the features")
        weights[:, column] = now
    return weights


def _minimum(kernel: np.ndarray, wanted: np.ndarray, violating: np.ndarray, strength: float) -> np.ndarray:
    """Dual weights [N] if these items, bool [N], were those that violate their margin."""
    found = np.zeros(len(wanted))
    own = kernel[np.ix_(violating, violating)]
    own[np.diag_indices_from(own)] += 1 / (2 * strength)
    found[violating] = cho_solve(cho_factor(own, lower=True, overwrite_a=True), wanted[violating])
    return found


def _objective(weights: np.ndarray, decided: np.ndarray, wanted: np.ndarray, strength: float) -> float:
    """What is minimised; decided: the kernel times the weights."""
    return float(weights @ decided / 2 + strength * (np.maximum(0, 1 - wanted * decided) ** 2).sum())


def decide(gram: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Decision values [M, C] of other items: gram [M, N] of these with the training items, weights [N, C]."""
    return (gram + 1.0) @ weights
