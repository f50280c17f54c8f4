"""Paired bootstrap over test clips and training seeds: the interval behind every verdict of the book.

Frames of one clip look alike, so clips are drawn, not frames; runs with other seeds differ too, so runs are drawn
as well. Clips and runs are crossed (every run is scored on the same clips) and drawn independently, with
replacement: the two-way "pigeonhole" bootstrap (Owen 2007, Annals of Applied Statistics 1(2)), which errs on the
wide side. Percentile intervals.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import mean_average_precision

#: draws of an interval of mAP, which has to be computed anew for each
MAP_DRAWS = 500


class Interval(NamedTuple):
    """A mean or mAP (or a difference of two) with its interval, and how many clips and runs were drawn from."""

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
    totals = _Totals.of(difference[keep], clusters[keep], runs[keep])
    clip_weights, run_weights = _drawn(*totals.sums.T.shape, n, seed)
    means = totals.means(clip_weights, run_weights)
    low, high = _quantiles(means, level)
    return Interval(float(difference[keep].mean()), low, high, *totals.sums.T.shape)


def bootstrap_mean(scores: np.ndarray, **options: object) -> Interval:
    """Interval of the mean of item scores [N]; the options are those of `paired_bootstrap`."""
    return paired_bootstrap(scores, np.zeros(len(scores)), **options)


def bootstrap_map(
    scores: np.ndarray,
    positives: np.ndarray,
    against: np.ndarray | None = None,
    *,
    clusters: np.ndarray,
    runs: np.ndarray,
    level: float = 0.95,
    seed: int = 0,
    n: int = MAP_DRAWS,
) -> Interval:
    """Interval of the mean average precision in %, or of how far it exceeds that of other scores of the same items.

    scores, against [N, C]: class scores of N items; positives [N, C]: 0 or 1; clusters and runs [N] as in
    `paired_bootstrap`, and drawn as there. mAP is no mean over items: each draw weighs the items by their clips and
    computes it for every run; the drawn runs' values are averaged. A class without a positive item in a draw is left
    out of that draw. Raises StillactError where no item is positive for any class.
    """
    clip_ids, clip = np.unique(clusters, return_inverse=True)
    run_ids, run = np.unique(runs, return_inverse=True)
    clip_weights, run_weights = _drawn(len(clip_ids), len(run_ids), n, seed)
    clip_weights = np.concatenate([np.ones_like(clip_weights[:1]), clip_weights])  # the first: the items as they are
    of_runs = []
    for number in range(len(run_ids)):
        rows = run == number
        shown, of_clip = positives[rows] > 0, clip[rows]
        found = mean_average_precision(scores[rows], shown, clip_weights, of_clip)
        if against is not None:
            found = found - mean_average_precision(against[rows], shown, clip_weights, of_clip)
        of_runs.append(found)
    values = 100 * np.stack(of_runs, axis=1)
    known = np.isfinite(values)
    if not known[0].any():
        raise StillactError("mean average precision: no item is positive for any class; nothing to measure")
    weights = np.concatenate([np.ones_like(run_weights[:1]), run_weights]) * known
    total, counted = (weights * np.where(known, values, 0)).sum(1), weights.sum(1)
    means = total[1:][counted[1:] > 0] / counted[1:][counted[1:] > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(total[0] / counted[0]), float(low), float(high), len(clip_ids), len(run_ids))


class Scored(NamedTuple):
    """Item scores [N] of one test set, the clip (or group) of each item, and the run that scored it."""

    values: np.ndarray
    clusters: np.ndarray
    runs: np.ndarray


def bootstrap_contrast(
    first: Scored, second: Scored, *, level: float = 0.95, seed: int = 0, n: int = 10_000
) -> Interval:
    """Interval of mean(first) - mean(second) for scores of *different* test sets by the same runs: the clips of each
    are drawn by themselves, the runs together. Raises StillactError where the runs differ."""
    one, two = _Totals.of(*first), _Totals.of(*second)
    if not np.array_equal(np.unique(first.runs), np.unique(second.runs)):
        raise StillactError("contrast: the two test sets were scored by different runs; keep records of the same seeds")
    clips, runs = one.sums.T.shape
    clip_weights, run_weights = _drawn(clips, runs, n, seed)
    other_weights, _ = _drawn(len(two.sums.T), runs, n, seed + 1)
    means = one.means(clip_weights, run_weights) - two.means(other_weights, run_weights)
    low, high = _quantiles(means, level)
    mean = float(np.mean(first.values) - np.mean(second.values))
    return Interval(mean, low, high, clips + len(two.sums.T), runs)


def bootstrap_ratio(part: Scored, whole: Scored, *, level: float = 0.95, seed: int = 0, n: int = 10_000) -> Interval:
    """Interval of mean(part) / mean(whole) for two scores of the same items. Means little where the interval of
    mean(whole) holds zero."""
    one, two = _Totals.of(*part), _Totals.of(*whole)
    weights = _drawn(*one.sums.T.shape, n, seed)
    low, high = _quantiles(one.means(*weights) / two.means(*weights), level)
    return Interval(float(np.mean(part.values) / np.mean(whole.values)), low, high, *one.sums.T.shape)


class _Totals(NamedTuple):
    """Sums and numbers of the item scores of each run and clip, [R, K]."""

    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, clusters: np.ndarray, runs: np.ndarray) -> _Totals:
        clip_ids, clip = np.unique(clusters, return_inverse=True)
        run_ids, run = np.unique(runs, return_inverse=True)
        sums = np.zeros((len(run_ids), len(clip_ids)))
        counts = np.zeros_like(sums)
        np.add.at(sums, (run, clip), values)
        np.add.at(counts, (run, clip), 1)
        return cls(sums, counts)

    def means(self, clip_weights: np.ndarray, run_weights: np.ndarray) -> np.ndarray:
        """The mean score in each draw that holds an item."""
        total = ((clip_weights @ self.sums.T) * run_weights).sum(1)
        items = ((clip_weights @ self.counts.T) * run_weights).sum(1)
        return total[items > 0] / items[items > 0]


def _quantiles(means: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@lru_cache(maxsize=4)
def _drawn(clips: int, runs: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each clip [n, clips] and each run [n, runs] is drawn in n draws with replacement; drawn once for all
    comparisons over as many clips and runs, since drawing takes longer than comparing."""
    rng = np.random.default_rng(seed)
    return tuple(rng.multinomial(count, np.full(count, 1 / count), size=n).astype(float) for count in (clips, runs))
