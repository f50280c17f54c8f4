"""Average precision by hand, against a slow literal twin, and the interval of its mean over classes and runs."""

import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import average_precision, average_precisions, mean_average_precision
from stillact_lib.evidence.bootstrap import map_estimate


def literal(scores, positive, weights=None):
    """VOC since 2010, word for word: at each distinct score a point (recall, precision); each gain of recall counts
    with the best precision at that recall or beyond. Weights: how much each item counts."""
    weights = np.ones(len(scores)) if weights is None else weights
    every = sum(weight for weight, shown in zip(weights, positive, strict=True) if shown)
    points = []
    for threshold in sorted(set(scores), reverse=True):
        taken = [(w, shown) for score, w, shown in zip(scores, weights, positive, strict=True) if score >= threshold]
        hits, found = sum(w for w, shown in taken if shown), sum(w for w, _ in taken)
        points.append((hits / every, hits / found))
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


@pytest.mark.parametrize("n_clusters", [7, 30, 33])
def test_each_cluster_counted_half(n_clusters):
    """Clusters of several items, of one item each, and some without an item, equal to the twin's with weights."""
    rng = np.random.default_rng(n_clusters)
    scores, positives = rng.integers(0, 15, (30, 4)) / 15, rng.random((30, 4)) < 0.3
    clusters = rng.permutation(30) % n_clusters
    found = average_precisions(scores, positives, clusters, n_clusters)
    assert found.shape == (n_clusters, 4)
    for cluster, row in enumerate(found):
        for shown, column, figure in zip(positives.T, scores.T, row, strict=True):
            weights = np.where(clusters == cluster, 0.5, 1)
            for kind in (shown, ~shown):  # as many right ones as before, and as many others
                weights[kind] *= kind.sum() / weights[kind].sum()
            assert figure == pytest.approx(literal(column, shown, weights))
    assert np.isnan(average_precision(scores[:, 0], np.zeros(30, bool), clusters, n_clusters)).all()


def scored(seed, items=60, classes=4, signal=1.0):
    """One run: labels that go round, class scores that know them as well as `signal` says."""
    rng = np.random.default_rng(seed)
    positives = np.eye(classes)[np.arange(items) % classes]
    return rng.normal(size=(items, classes)) + signal * positives, positives


def test_two_clips_by_hand():
    """Clip x: .9 right, .05 wrong; clip y: .8 wrong, .1 right. Precisions 1 and 2/3: 5/6. With x counted half (2/3 of
    an item, beside 4/3) 1 and 2/(10/3), so (2/3 + 4/3 · .6)/2 = 11/15; with y counted half (4/3 + 2/3 · .75)/2 = 11/12.
    3/2 of what either changes beside their mean is ±11/80; t at one degree of freedom times twice that."""
    scores, positives = np.array([[0.9], [0.05], [0.8], [0.1]]), np.array([[1], [0], [0], [1]])
    found = map_estimate(scores, positives, clusters=np.array(["x", "x", "y", "y"]), runs=np.zeros(4)).interval()
    assert found.mean == pytest.approx(100 * 5 / 6) and found[3:] == (2, 1, 1)
    t = np.tan(np.pi * 0.475)  # one degree of freedom
    assert found.high - found.mean == pytest.approx(100 * t * 2 * 11 / 80)


def test_runs_are_averaged_and_differ_between_themselves():
    """Their scores are not ranked together; where groups agree, the interval is Student's over the runs' mAPs."""
    runs, clusters = np.repeat([4, 9], 24), np.tile(np.arange(24) // 3, 2)
    (first, positives), (second, _) = scored(1, 24), scored(2, 24)
    both = map_estimate(np.concatenate([first, 100 + second]), np.tile(positives, (2, 1)), clusters=clusters, runs=runs)
    apart = [100 * mean_average_precision(scores, positives > 0) for scores in (first, second)]
    assert both.value == pytest.approx(np.mean(apart))
    block = both.blocks[0, ""]
    assert block.runs == pytest.approx((np.array(apart) - np.mean(apart)) / 2) and block.groups.sum() == pytest.approx(
        0
    )


def test_worlds_have_runs_of_their_own():
    """Two worlds with a run "0" each: neither ranked nor averaged together but as wholes."""
    (first, positives), (second, _) = scored(1), scored(2)
    drawn = {"clusters": np.tile(np.arange(60), 2), "runs": np.zeros(120, int), "worlds": np.repeat([0, 1], 60)}
    found = map_estimate(np.concatenate([first, second]), np.tile(positives, (2, 1)), **drawn).interval()
    apart = [100 * mean_average_precision(scores, positives > 0) for scores in (first, second)]
    assert found.mean == pytest.approx(np.mean(apart)) and found[3:] == (120, 2, 2)
    least = found.high - found.mean
    assert least >= np.tan(np.pi * 0.475) * abs(apart[0] - apart[1]) / 2 - 1e-9


def test_no_width_where_nothing_can_vary():
    """Scores that rank all alike in every run: the interval is the point; the same for equal arms."""
    _, positives = scored(0)
    runs, clusters = np.repeat([0, 1, 2], 60), np.tile(np.arange(60), 3)
    everywhere = np.tile(positives, (3, 1))
    found = map_estimate(everywhere, everywhere, clusters=clusters, runs=runs)
    assert found.interval()[:3] == pytest.approx((100, 100, 100))
    noisy = map_estimate(
        np.concatenate([scored(seed)[0] for seed in range(3)]), everywhere, clusters=clusters, runs=runs
    )
    assert (noisy - noisy).interval()[:3] == (0, 0, 0)


def test_the_difference_is_paired_and_signed():
    """A better arm on the same items: above zero, the other way round below; pairing narrows the interval."""
    runs, clusters = np.repeat(range(4), 60), np.tile(np.arange(60), 4)
    base = np.concatenate([scored(seed)[0] for seed in range(5, 9)])
    positives = np.tile(scored(5)[1], (4, 1))
    one, other = (map_estimate(of, positives, clusters=clusters, runs=runs) for of in (base + 0.6 * positives, base))
    gain, loss = (one - other).interval(), (other - one).interval()
    assert 0 < gain.low < gain.mean < gain.high
    assert loss[:3] == pytest.approx((-gain.mean, -gain.high, -gain.low))
    assert gain.mean == pytest.approx(one.value - other.value)
    assert gain.smallest_effect < 0.8 * np.hypot(one.interval().smallest_effect, other.interval().smallest_effect)


def test_few_groups_that_show_a_class_say_little_however_many_do_not():
    """One class in three of forty groups: two degrees of freedom between groups; in all of them: thirty-nine."""
    scores, clusters = np.random.default_rng(0).normal(size=(120, 1)), np.arange(120) % 40
    few, many = clusters[:, None] < 3, np.arange(120)[:, None] < 80
    for shown, free in ((few, 2), (many, 39)):
        assert map_estimate(scores, shown, clusters=clusters, runs=np.zeros(120)).blocks[0, ""].free == free


def test_what_shows_nothing_is_left_out():
    """A run in which no item shows any class, a class that one group alone shows, and none at all."""
    scores, shown = np.array([[0.9], [0.1], [0.9], [0.1]]), np.array([[1], [0], [0], [0]])
    drawn = {"clusters": np.array(["x", "y", "x", "y"]), "runs": np.array([0, 0, 1, 1])}
    found = map_estimate(scores, shown, **drawn).interval()
    assert found[:3] == pytest.approx((100, 100, 100)) and found.n_runs == 1
    with pytest.raises(StillactError, match="no item is positive"):
        map_estimate(scores, 0 * shown, **drawn)
