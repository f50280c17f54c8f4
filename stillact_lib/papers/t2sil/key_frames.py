"""X-means (Pelleg and Moore, ICML 2000): k-means that finds its own number of clusters by the Bayesian information
criterion. Chapter 05 mines a video's key frames with it (Herath et al., §5, baseline 2).
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans


def bic(points: np.ndarray, labels: np.ndarray, centres: np.ndarray) -> float:
    """Schwarz's criterion of a clustering under equal spherical Gaussians, greater is better.

    points float [N, D], labels int [N], centres [K, D]. With R_n points in cluster n and R in all: log likelihood
    sum_n R_n log(R_n / R) - R D / 2 log(2 pi s) - D (R - K) / 2, less p / 2 log R with p = K (D + 1) free numbers. The
    variance s of a coordinate is estimated over D (R - K), as corrections of the paper have it; its print lacks the D.
    -inf where as many clusters as points leave no variance to estimate.
    """
    count, dimensions = points.shape
    clusters = len(centres)
    if count <= clusters:
        return -np.inf
    spread = float(((points - centres[labels]) ** 2).sum()) / (dimensions * (count - clusters))
    spread = max(spread, np.finfo(float).tiny)  # equal points: the likelihood is then as great as numbers go
    sizes = np.bincount(labels, minlength=clusters)
    sizes = sizes[sizes > 0]
    likelihood = float((sizes * np.log(sizes / count)).sum())
    likelihood -= count * dimensions / 2 * np.log(2 * np.pi * spread) + dimensions * (count - clusters) / 2
    return likelihood - clusters * (dimensions + 1) / 2 * np.log(count)


def x_means(points: np.ndarray, most: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Centres float [K, D] and labels int [N] with K of at most `most`: of all clusterings met, that of the best BIC.

    The search starts from one cluster and, since the best split of a symmetric set may explain no more than none at
    all, also from two. In each round every cluster is split in two by 2-means where that raises the BIC of its own
    points, the best splits first where not all are allowed; then k-means goes on from the new centres.
    """
    points = np.asarray(points, float)
    met = [(points.mean(axis=0, keepdims=True), np.zeros(len(points), int))]
    if min(most, len(np.unique(points, axis=0)) - 1) >= 2:
        two = KMeans(2, n_init=3, random_state=seed).fit(points)
        met.append((two.cluster_centers_, two.labels_))
    for centres, labels in met:  # which grows
        if refined := _split(points, centres, labels, most, seed):
            met.append(refined)
    return max(met, key=lambda found: bic(points, found[1], found[0]))


def _split(
    points: np.ndarray, centres: np.ndarray, labels: np.ndarray, most: int, seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """One round: the clustering with those clusters split that gain by it; None where none does, or none may."""
    splits = []
    for number, centre in enumerate(centres):
        own = points[labels == number]
        if len(np.unique(own, axis=0)) < 3:  # two clusters of one point each have no variance
            continue
        halves = KMeans(2, n_init=3, random_state=seed).fit(own)
        gain = bic(own, halves.labels_, halves.cluster_centers_) - bic(own, np.zeros(len(own), int), centre[None])
        if gain > 0:
            splits.append((gain, number, halves.cluster_centers_))
    chosen = sorted(splits, key=lambda split: -split[0])[: most - len(centres)]
    if not chosen:
        return None
    replaced = {number for _, number, _ in chosen}
    kept = [centre[None] for number, centre in enumerate(centres) if number not in replaced]
    begin = np.concatenate(kept + [halves for _, _, halves in chosen])
    refined = KMeans(len(begin), init=begin, n_init=1).fit(points)
    return refined.cluster_centers_, refined.labels_


def key_points(points: np.ndarray, most: int, seed: int = 0) -> np.ndarray:
    """The points nearest to the x-means centres: their indices int [K], sorted, each once."""
    centres, _ = x_means(points, most, seed)
    apart = ((np.asarray(points, float)[:, None] - centres[None]) ** 2).sum(axis=2)
    return np.unique(apart.argmin(axis=0))


def key_frames(features: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Baseline 2: of E evenly spaced frames of each of V videos, those nearest to the x-means centres of their features
    [V, E, D]: indices into all V E of them."""
    chosen = [key_points(of_video, most, seed) for of_video in features]
    return np.concatenate([n * features.shape[1] + found for n, found in enumerate(chosen)])
