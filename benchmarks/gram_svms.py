"""SVMs of all classes and all choices of features from one Gram matrix beside refitting scikit-learn's LinearSVC.

Run by `make bench`. Asked of it: at least 10 times the speed of refitting for each class and choice, with average
precision equal to three decimals. Five kinds of features of 500 training and 715 test images, FRA's numbers; all of
them, each left out, and each alone, as chapter 01's Tables 2 and 3. Seconds are the processor's.
"""

from __future__ import annotations

import time

import numpy as np
from measuring import best_of, print_table
from sklearn.svm import LinearSVC

from stillact_lib.evaluation.average_precision import average_precision
from stillact_lib.evaluation.kernel_svm import decide, fit_from_gram

TRAIN, TEST, CLASSES, STRENGTH = 500, 715, 5, 2.0
LENGTHS = {"global": 4096, "face": 4096, "object": 8192, "coarse": 8, "fine": 8}


def choices() -> list[tuple[str, ...]]:
    every = tuple(LENGTHS)
    return [every, *(tuple(n for n in every if n != left_out) for left_out in every), *((n,) for n in every)]


def refit(features: dict[str, np.ndarray], positives: np.ndarray) -> list[np.ndarray]:
    found = []
    for chosen in choices():
        joined = np.concatenate([features[name] for name in chosen], axis=1)
        scores = [
            LinearSVC(C=STRENGTH, tol=1e-5, max_iter=20_000, random_state=0)
            .fit(joined[:TRAIN], positives[:TRAIN, column])
            .decision_function(joined[TRAIN:])
            for column in range(CLASSES)
        ]
        found.append(np.stack(scores, axis=1))
    return found


def from_gram(features: dict[str, np.ndarray], positives: np.ndarray) -> list[np.ndarray]:
    parts = {name: values @ values[:TRAIN].T for name, values in features.items()}
    found = []
    for chosen in choices():
        gram = sum(parts[name] for name in chosen)
        found.append(decide(gram[TRAIN:], fit_from_gram(gram[:TRAIN], positives[:TRAIN], STRENGTH)))
    return found


def main() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=TRAIN + TEST)
    positives = labels[:, None] == np.arange(CLASSES)
    features = {}
    for name, length in LENGTHS.items():
        values = rng.normal(size=(TRAIN + TEST, length)) + 0.05 * rng.normal(size=(CLASSES, length))[labels]
        features[name] = values / np.linalg.norm(values, axis=1, keepdims=True)
    theirs, ours = refit(features, positives), from_gram(features, positives)
    precisions = [
        np.array([average_precision(scores[:, k], positives[TRAIN:, k]) for scores in found for k in range(CLASSES)])
        for found in (theirs, ours)
    ]
    apart = np.abs(precisions[0] - precisions[1]).max()
    assert apart < 5e-4, f"average precision differs by {apart:.1e}"
    seconds = best_of(
        {"refit": lambda: refit(features, positives), "one Gram matrix": lambda: from_gram(features, positives)},
        rounds=1,
        clock=time.process_time,
    )
    rows = [(name, f"{taken:.2f} s", f"{seconds['refit'] / taken:.1f}x") for name, taken in seconds.items()]
    title = f"{len(choices())} choices x {CLASSES} classes of {TRAIN} images; average precision within {apart:.0e}"
    print_table(title, ("what", "time", "over refitting"), rows)


if __name__ == "__main__":
    main()
