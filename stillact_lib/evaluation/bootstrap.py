"""Paired bootstrap over test clips and training seeds: the interval behind every verdict of the book.

Frames of one clip look alike, so clips are drawn, not frames; runs with other seeds differ too, so runs are drawn
as well. Clips and runs are crossed (every run is scored on the same clips) and drawn independently, with
replacement: the two-way "pigeonhole" bootstrap (Owen 2007, Annals of Applied Statistics 1(2)), which errs on the
wide side. Percentile intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stillact_lib.errors import StillactError


class Interval(NamedTuple):
    """A mean (or mean difference) with its interval, and how many clips and runs were drawn from."""

    mean: float
    low: float
    high: float
    n_clusters: int
    n_runs: int


def paired_bootstrap(
    a: np.ndarray,
    b: np.ndarray,
    *,
    clusters: np.ndarray | None = None,
    runs: np.ndarray | None = None,
    level: float = 0.95,
    seed: int = 0,
    n: int = 10_000,
) -> Interval:
    """Interval of mean(a - b) for item scores a, b [N] of the same items.

    clusters [N]: the clip of each item (default: each item its own); runs [N]: the run (seed) that scored it
    (default: one). Items where either score is not finite are left out: a measure may be undefined there (no Canny
    pixel in the frame). Raises StillactError when nothing is left.
    """
    difference = np.asarray(a, float) - np.asarray(b, float)
    if difference.ndim != 1:
        raise ValueError(f"item scores should be one-dimensional, got {difference.shape}")
    clusters = np.arange(len(difference)) if clusters is None else np.asarray(clusters)
    runs = np.zeros(len(difference), int) if runs is None else np.asarray(runs)
    keep = np.isfinite(difference)
    if not keep.any():
        raise StillactError("paired bootstrap: no item has a finite score in both arms; nothing to compare")
    difference = difference[keep]
    clip_ids, clip = np.unique(clusters[keep], return_inverse=True)
    run_ids, run = np.unique(runs[keep], return_inverse=True)

    sums = np.zeros((len(run_ids), len(clip_ids)))
    counts = np.zeros_like(sums)
    np.add.at(sums, (run, clip), difference)
    np.add.at(counts, (run, clip), 1)

    rng = np.random.default_rng(seed)
    clip_weights = rng.multinomial(len(clip_ids), np.full(len(clip_ids), 1 / len(clip_ids)), size=n)
    run_weights = rng.multinomial(len(run_ids), np.full(len(run_ids), 1 / len(run_ids)), size=n)
    total = ((run_weights @ sums) * clip_weights).sum(1)
    items = ((run_weights @ counts) * clip_weights).sum(1)
    means = total[items > 0] / items[items > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(difference.mean()), float(low), float(high), len(clip_ids), len(run_ids))


def bootstrap_mean(scores: np.ndarray, **options: object) -> Interval:
    """Interval of the mean of item scores [N]; the options are those of `paired_bootstrap`."""
    return paired_bootstrap(scores, np.zeros(len(scores)), **options)
