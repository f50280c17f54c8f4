"""The interval behind every verdict of the book: over groups of test items and training runs, in one world or several.

An estimate (a mean of item scores, a mean average precision, or a difference, mean or ratio of such) varies for three
reasons: which groups of test items there are (the frames of one clip, the clips of one person and place look alike, so
a group counts as one), which runs were trained (seeds), and how each run fares on each group beside both. The runs of a
world all score its groups: groups and runs are crossed. The rule, "two_way_t":

    estimate ± t · √(variance over groups + variance over runs - variance of what is left)

What is left is in both of the others, hence the minus. t is Student's, its degrees of freedom between groups - 1 and
runs - 1: their harmonic mean, weighted by what varies over groups (without what is left) and over runs. The interval is
never narrower than two thirds of what groups alone give, since three runs may agree by chance. What a group adds to a
mean is exact; to mAP it is twice what counting the group half changes, with as many positives and others as before. So
it is also where a class has few groups of positives (the whole jackknife adds too much there, the derivative too
little), and degrees of freedom between groups are then those of positives. The centre is the plain estimate, so no bias
is to be corrected: a bootstrap draws some positives twice, which raises mAP.

Worlds are drawn anew with another seed of the miniature, their groups and runs too. Several are compared as wholes: the
interval is Student's over their totals, never below one third of what groups alone give, and covers worlds, runs and
groups together. Two worlds say little of further ones (t = 12.7), five much (2.8), even with one run each. Folds of one
data set are no sample of worlds: groups and runs are told apart within each fold, and what lies between folds adds
nothing. With one run a fold nothing else shows how runs differ, and folds are compared as worlds are.

An interval covers what varied: over one run it speaks of no other seed, over one world of no other world.

Sources: Dorfman, Berbaum & Metz 1992, Investigative Radiology 27(9) (readers and cases crossed, jackknifed accuracies:
the same design); Cameron, Gelbach & Miller 2011, JBES 29(2) (two-way clustering); Efron & Stein 1981, Annals of
Statistics 9(3) (jackknife); Hartung & Knapp 2001, Statistics in Medicine 20(24) (t over few studies). The weighted
degrees of freedom and the least widths are ours: with Satterthwaite's (Biometrics Bulletin 2(6), 1946) three runs cover
92 % where most varies over runs. `benchmarks/interval_coverage.py` measures the coverage at the sizes in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import mean_average_precision

#: an interval is at least this share of the one that groups alone give, half as much where worlds are compared
LEAST_SHARE = 2 / 3


class Interval(NamedTuple):
    """An estimate with its interval, and how many groups, runs and worlds it covers (1: that one, and no other)."""

    mean: float
    low: float
    high: float
    n_clusters: int
    n_runs: int
    n_worlds: int = 1

    @property
    def smallest_effect(self) -> float:
        """The least difference that the rule would have noticed: the interval's half-width.

        Shifting all scores of one arm moves the interval and leaves its width, so the verdict turns exactly where the
        difference reaches the half-width. One that truly is as large is noticed in about half of all repetitions. For
        answers right or wrong and for mAP, where scores can't just be shifted, it is an approximation: lifting the
        positives of one arm until the rule decides gave 1.01 times as much in the median of the first 78 claims in mAP.
        """
        return (self.high - self.low) / 2


class Block(NamedTuple):
    """What the runs and groups of one test set in one world add to the error of an estimate.

    free: degrees of freedom between groups; total: all of them together, by which the world differs from others;
    without it: groups [K] and runs [R] by their names, and what is left of each run on each group [R, K].
    """

    run_names: np.ndarray
    group_names: np.ndarray
    free: int
    total: float
    runs: np.ndarray
    groups: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(
        cls, run_names: np.ndarray, group_names: np.ndarray, free: int, parts: np.ndarray, shares: np.ndarray
    ) -> Block:
        """parts [R, K]: what each run on each group adds; shares [R, K]: of all items, those it scored (0: none)."""
        total, of_groups, of_runs = parts.sum(), shares.sum(0), shares.sum(1)
        parts = parts - shares * (total / shares.sum())
        groups, runs = parts.sum(0), parts.sum(1)
        rest = parts - shares * (groups / of_groups + (runs / of_runs)[:, None])
        return cls(run_names, group_names, free, float(total), runs, groups, rest)

    def times(self, factor: float) -> Block:
        return Block(*self[:3], *(factor * part for part in self[3:]))

    def plus(self, other: Block) -> Block:
        """Both on one test set, group by group; a group that one lacks adds nothing there."""
        names = np.union1d(self.group_names, other.group_names)
        groups, rest = np.zeros(len(names)), np.zeros((len(self.runs), len(names)))
        for block in (self, other):
            columns = np.searchsorted(names, block.group_names)
            groups[columns] += block.groups
            rest[:, columns] += block.rest
        free = min(self.free, other.free)
        return Block(self.run_names, names, free, self.total + other.total, self.runs + other.runs, groups, rest)


class Estimate(NamedTuple):
    """A figure and what every run and group adds to its error: (world, test set) -> `Block`; `folds`: the worlds are
    folds of one data set.

    Estimates add, subtract, scale and divide; on one test set they are paired group by group, on different ones by the
    same runs they share the runs only.
    """

    value: float
    blocks: dict[tuple[object, str], Block]
    folds: bool = False

    def __add__(self, other: Estimate) -> Estimate:
        blocks = dict(self.blocks)
        runs = {world: block.run_names for (world, _), block in self.blocks.items()}
        for key, block in other.blocks.items():
            if not np.array_equal(runs.get(key[0]), block.run_names):
                raise StillactError(
                    "interval: two estimates were scored by different runs; keep records of the same seeds"
                )
            blocks[key] = blocks[key].plus(block) if key in blocks else block
        return self._replace(value=self.value + other.value, blocks=blocks)

    def __mul__(self, factor: float) -> Estimate:
        return self._replace(value=factor * self.value, blocks={key: b.times(factor) for key, b in self.blocks.items()})

    def __sub__(self, other: Estimate) -> Estimate:
        return self + other * -1

    def __truediv__(self, other: Estimate) -> Estimate:
        """The ratio, by its tangent (delta method); means little where the interval of `other` holds zero."""
        ratio = self.value / other.value
        return ((self - other * ratio) * (1 / other.value))._replace(value=ratio)

    def interval(self, level: float = 0.95) -> Interval:
        """By the module's rule. Where nothing varied (one group, one run) low and high are NaN."""
        of_world: dict[object, list[Block]] = {}
        for (world, _), block in self.blocks.items():
            of_world.setdefault(world, []).append(block)
        runs = [sum(block.runs for block in world) for world in of_world.values()]
        over_groups, _ = _summed((block.groups, len(block.groups) - 1) for block in self.blocks.values())
        over_groups = over_groups, sum(block.free for block in self.blocks.values())
        alone = _half_width(level, over_groups)
        if len(runs) > 1 and (not self.folds or max(map(len, runs)) == 1):
            totals = np.array([sum(block.total for block in world) for world in of_world.values()])
            half = max(_half_width(level, _summed([(totals, len(totals) - 1)])), LEAST_SHARE / 2 * alone)
        else:
            over_runs = _summed((of, len(of) - 1) for of in runs)
            left, _ = _summed((b.rest, (len(b.runs) - 1) * (len(b.groups) - 1)) for b in self.blocks.values())
            half = max(_half_width(level, over_groups, over_runs, left), LEAST_SHARE * alone)
            if over_groups[1] + over_runs[1] == 0:
                half = np.nan
        counts = sum(len(block.groups) for block in self.blocks.values()), sum(map(len, runs)), len(runs)
        return Interval(self.value, self.value - half, self.value + half, *counts)


def mean_estimate(
    scores: np.ndarray,
    against: np.ndarray | None = None,
    *,
    clusters: np.ndarray | None = None,
    runs: np.ndarray | None = None,
    worlds: np.ndarray | None = None,
    test_set: str = "",
) -> Estimate:
    """Mean of item scores [N], or of how far they exceed other scores of the same items.

    clusters [N]: the group of each item, whose items are drawn together (default: each item its own); runs [N]: the run
    (seed) that scored it; worlds [N]: the world it lies in (default: one). Items where a score is not finite are left
    out: a measure may be undefined there (no Canny pixel in the frame). Raises StillactError when nothing is left.
    """
    values = np.asarray(scores, float) - (0 if against is None else np.asarray(against, float))
    if values.ndim != 1:
        raise ValueError(f"item scores should be one-dimensional, got {values.shape}")
    kept = np.isfinite(values)
    if not kept.any():
        raise StillactError("interval: no item has a finite score in both arms; nothing to compare")
    mean = float(values[kept].mean())
    clusters = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    runs, worlds = (np.zeros(len(values), int) if of is None else np.asarray(of) for of in (runs, worlds))
    blocks = {}
    for world, rows in _rows_of(worlds, np.flatnonzero(kept)):
        run_names, run = np.unique(runs[rows], return_inverse=True)
        names, cluster = np.unique(clusters[rows], return_inverse=True)
        shape = len(run_names), len(names)
        cell = run * len(names) + cluster
        counts, sums = (np.bincount(cell, of, np.prod(shape)).reshape(shape) for of in (None, values[rows]))
        parts = (sums - mean * counts) / kept.sum()
        blocks[world, test_set] = Block.of(run_names, names, len(names) - 1, parts, counts / kept.sum())
    return Estimate(mean, blocks)


def map_estimate(
    scores: np.ndarray,
    positives: np.ndarray,
    *,
    clusters: np.ndarray,
    runs: np.ndarray,
    worlds: np.ndarray | None = None,
    test_set: str = "",
) -> Estimate:
    """Mean average precision in %, the mean over runs; runs with nothing positive in any class are left out.

    scores [N, C]: class scores of N items; positives [N, C]: 0 or 1; clusters, runs and worlds [N] as in
    `mean_estimate`. A group's part is twice what counting it half changes. Degrees of freedom between groups are as
    many as groups show each class, less one a class: how much the positives vary is known from them alone. Raises
    StillactError where no item is positive for any class.
    """
    shown = np.asarray(positives) > 0
    clusters, runs = np.asarray(clusters), np.asarray(runs)
    worlds = np.zeros(len(scores), int) if worlds is None else np.asarray(worlds)
    measured, free = {}, {}
    for world, of_world in _rows_of(worlds, np.arange(len(scores))):
        names, group = np.unique(clusters[of_world], return_inverse=True)
        showing = [len(np.unique(group[column])) for column in shown[of_world].T]
        free[world] = min(len(names) - 1, max(1, sum(number - 1 for number in showing if number)))
        for run, rows in _rows_of(runs[of_world], np.arange(len(of_world))):
            given = scores[of_world[rows]], shown[of_world[rows]]
            if given[1].any():
                halved = 100 * mean_average_precision(*given, group[rows], len(names))
                measured.setdefault(world, {})[run] = 100 * float(mean_average_precision(*given)), halved, names
    if not measured:
        raise StillactError("mean average precision: no item is positive for any class; nothing to measure")
    found = [one for of_runs in measured.values() for one, *_ in of_runs.values()]
    mean, blocks = float(np.mean(found)), {}
    for world, of_runs in measured.items():
        each, halved, names = (np.stack(of) for of in zip(*of_runs.values(), strict=True))
        added = (2 - 1 / halved.shape[1]) * (halved.mean(1, keepdims=True) - halved)
        parts = (added + (each[:, None] - mean) / halved.shape[1]) / len(found)
        blocks[world, test_set] = Block.of(np.array(list(of_runs)), names[0], free[world], parts, np.ones(parts.shape))
    return Estimate(mean, blocks)


def expected_by_chance(attempted: int, level: float = 0.95) -> float:
    """How many of so many verdicts would be "reproduced" if no arm differed from another, and as many "not reproduced".

    An interval at `level` lies wholly on a given side of a true zero with probability (1 - level) / 2. For sentences
    over several comparisons, decided by all of them or with intervals widened for their number, it is an upper bound.
    """
    return attempted * (1 - level) / 2


def _rows_of(names: np.ndarray, rows: np.ndarray) -> Iterator[tuple[object, np.ndarray]]:
    """Each name among `rows` with the rows that have it."""
    known, number = np.unique(names[rows], return_inverse=True)
    for k, name in enumerate(known.tolist()):
        yield name, rows[number == k]


def _summed(parts: Iterable[tuple[np.ndarray, int]]) -> tuple[float, int]:
    """Variance of the sum of parts, each an array that sums to zero with its degrees of freedom, and theirs."""
    known = [(part.size / free * float((part**2).sum()), free) for part, free in parts if free]
    return sum(variance for variance, _ in known), sum(free for _, free in known)


def _half_width(
    level: float, groups: tuple[float, int], runs: tuple[float, int] = (0.0, 0), left: float = 0.0
) -> float:
    """t standard errors, from the variances over groups and over runs, each with its degrees of freedom; `left` is the
    variance of what is left, which both hold."""
    variance = groups[0] + runs[0] - left
    parts = [(max(groups[0] - left, 0.0), groups[1]), runs]
    if variance <= 0:
        return 0.0
    free = sum(part for part, _ in parts) / sum(part / free for part, free in parts if part)
    return float(student.ppf((1 + level) / 2, free) * np.sqrt(variance))
