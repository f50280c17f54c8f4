"""Average precision by hand, against a slow literal twin, and its two-way bootstrap."""

import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import average_precision, average_precisions, mean_average_precision
from stillact_lib.evidence.bootstrap import bootstrap_map


def literal(scores, positive):
    """VOC since 2010, word for word: at each distinct score a point (recall, precision); each gain of recall counts
    with the best precision at that recall or beyond."""
    points = []
    for threshold in sorted(set(scores), reverse=True):
        taken = [shown for score, shown in zip(scores, positive, strict=True) if score >= threshold]
        points.append((sum(taken) / sum(positive), sum(taken) / len(taken)))
    area, reached = 0.0, 0.0
    for recall, _ in points:
        area += (recall - reached) * max(precision for further, precision in points if further >= recall)
        reached = recall
    return area


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], 1.0),
        ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], (1 + 2 / 3) / 2),
        # precisions at the hits 1/2, 2/3, 3/4, rising with recall: the envelope takes 3/4 throughout
        ([0.9, 0.8, 0.7, 0.6], [0, 1, 1, 1], 3 / 4),
        # precisions 1, 2/4, 3/5: the envelope lifts the middle one to 3/5; without it (1 + 1/2 + 3/5) / 3
        ([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 0, 1, 1], (1 + 3 / 5 + 3 / 5) / 3),
        # two tied at the top, one of them right: a single point of recall 1/2 and precision 1/2, then 2/3
        ([0.9, 0.9, 0.7, 0.6], [1, 0, 1, 0], 2 / 3),
        ([0.9, 0.9, 0.7, 0.6], [1, 0, 0, 1], 1 / 2),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 1 / 4),
        ([0.1, 0.2, 0.3], [1, 0, 0], 1 / 3),
    ],
)
def test_by_hand(scores, positive, expected):
    scores, positive = np.array(scores), np.array(positive, bool)
    for order in (slice(None), slice(None, None, -1)):  # the order of the items, among ties too, must not matter
        assert average_precision(scores[order], positive[order]) == pytest.approx(expected)


def test_nothing_positive_is_undefined_and_left_out_of_the_mean():
    scores = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert np.isnan(average_precision(scores[:, 0], np.zeros(2, bool)))
    shown = np.array([[0, 0], [1, 0]], bool)
    assert mean_average_precision(scores, shown) == pytest.approx(0.5)
    assert np.isnan(mean_average_precision(scores, np.zeros((2, 2), bool)))


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_literal_twin_with_many_ties(seed):
    rng = np.random.default_rng(seed)
    scores, positive = rng.integers(0, 12, 60) / 12, rng.random(60) < 0.3
    assert average_precision(scores, positive) == pytest.approx(literal(scores, positive))


def test_weights_are_repetitions():
    rng = np.random.default_rng(3)
    scores, positives = rng.integers(0, 15, (30, 4)) / 15, rng.random((30, 4)) < 0.3
    weights = rng.multinomial(30, np.full(30, 1 / 30), size=20)
    together = mean_average_precision(scores, positives, weights)
    assert together.shape == (20,)
    for row, found in zip(weights, together, strict=True):
        repeated = np.repeat(np.arange(30), row)
        each = [literal(scores[repeated, c], positives[repeated, c]) for c in range(4) if positives[repeated, c].any()]
        assert found == pytest.approx(np.mean(each))


def test_a_cluster_s_weight_is_that_of_each_of_its_items():
    rng = np.random.default_rng(5)
    scores, positives = rng.integers(0, 15, (30, 4)) / 15, rng.random((30, 4)) < 0.3
    clusters, weights = rng.integers(0, 9, 30), rng.multinomial(9, np.full(9, 1 / 9), size=20)
    together = average_precisions(scores, positives, weights, clusters)
    assert np.allclose(together, average_precisions(scores, positives, weights[:, clusters]), equal_nan=True)
    none = np.zeros(9, int)
    assert np.isnan(average_precision(scores[:, 0], positives[:, 0], none, clusters)), "nothing was drawn"


def scored(seed, items=60, classes=4, signal=1.0):
    """One run: labels that go round, class scores that know them as well as `signal` says."""
    rng = np.random.default_rng(seed)
    positives = np.eye(classes)[np.arange(items) % classes]
    return rng.normal(size=(items, classes)) + signal * positives, positives


def test_two_clips_by_hand():
    """Clip x: its positive is first; clip y: its positive is below a wrong one. x twice 1, y twice 1/2 (probability 1/4
    each); both as they are: of .9 yes, .8 no, .1 yes, .05 no, 1/2 * (1 + 2/3)."""
    scores, positives = np.array([[0.9], [0.05], [0.8], [0.1]]), np.array([[1], [0], [0], [1]])
    drawn = {"clusters": np.array(["x", "x", "y", "y"]), "runs": np.zeros(4)}
    found = bootstrap_map(scores, positives, **drawn)
    assert found[:3] == pytest.approx((100 * 5 / 6, 50, 100)) and found[3:] == (2, 1)
    narrow = bootstrap_map(scores, positives, **drawn, level=0.4)  # inside the middle half
    assert (narrow.low, narrow.high) == pytest.approx((100 * 5 / 6, 100 * 5 / 6))


def test_equals_a_slow_loop_over_the_same_draws():
    """Every item of a drawn clip as often as the clip is drawn, every drawn run averaged."""
    scores, positives = (np.concatenate(parts) for parts in zip(scored(1, 24), scored(2, 24), strict=True))
    clusters, runs = np.tile(np.arange(24) // 3, 2), np.repeat([4, 9], 24)
    found = bootstrap_map(scores, positives, clusters=clusters, runs=runs, n=200)
    rng = np.random.default_rng(0)
    clip_draws, run_draws = (rng.multinomial(k, np.full(k, 1 / k), size=200) for k in (8, 2))
    values = []
    for of_clips, of_runs in zip(clip_draws, run_draws, strict=True):
        each = []
        for run, times in zip((4, 9), of_runs, strict=True):
            rows = np.concatenate(
                [np.flatnonzero((runs == run) & (clusters == c)).repeat(k) for c, k in enumerate(of_clips)]
            )
            each += times * [mean_average_precision(scores[rows], positives[rows] > 0)]
        values.append(100 * np.mean(each))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    apart = [100 * mean_average_precision(scores[runs == run], positives[runs == run] > 0) for run in (4, 9)]
    assert found.mean == pytest.approx(np.mean(apart)), "runs are averaged, their scores are not ranked together"


def test_no_width_where_nothing_can_vary():
    """Scores that rank every draw alike in every run: the interval is the point; the same for equal arms."""
    _, positives = scored(0)
    runs, clusters = np.repeat([0, 1, 2], 60), np.tile(np.arange(60), 3)
    everywhere = np.tile(positives, (3, 1))
    found = bootstrap_map(everywhere, everywhere, clusters=clusters, runs=runs)
    assert found == (pytest.approx(100), pytest.approx(100), pytest.approx(100), 60, 3)
    noisy = np.concatenate([scored(seed)[0] for seed in range(3)])
    assert bootstrap_map(noisy, everywhere, noisy, clusters=clusters, runs=runs)[:3] == (0, 0, 0)


def test_the_difference_is_paired_and_signed():
    """A better arm on the same items: above zero, the other way round below; sharing the draws narrows the interval."""
    runs, clusters = np.repeat([0, 1], 60), np.tile(np.arange(60), 2)
    base = np.concatenate([scored(seed)[0] for seed in (5, 6)])
    positives = np.concatenate([scored(5)[1]] * 2)
    better = base + 0.6 * positives
    drawn = {"clusters": clusters, "runs": runs}
    gain, loss = bootstrap_map(better, positives, base, **drawn), bootstrap_map(base, positives, better, **drawn)
    assert 0 < gain.low < gain.mean < gain.high
    assert loss[:3] == pytest.approx((-gain.mean, -gain.high, -gain.low))
    alone, other = bootstrap_map(better, positives, **drawn), bootstrap_map(base, positives, **drawn)
    assert gain.mean == pytest.approx(alone.mean - other.mean)
    assert gain.high - gain.low < 0.8 * np.hypot(alone.high - alone.low, other.high - other.low)


def test_draws_without_any_positive_are_left_out():
    """One clip of two shows something: a quarter of the draws has nothing to measure."""
    found = bootstrap_map(
        np.array([[0.9], [0.1]]), np.array([[1], [0]]), clusters=np.array(["x", "y"]), runs=np.zeros(2)
    )
    assert found[:3] == pytest.approx((100, 100, 100))
    with pytest.raises(StillactError, match="no item is positive"):
        bootstrap_map(np.ones((2, 1)), np.zeros((2, 1)), clusters=np.array(["x", "y"]), runs=np.zeros(2))
