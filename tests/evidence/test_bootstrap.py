"""The paired bootstrap against hand cases and scipy."""

import numpy as np
import pytest
import scipy.stats

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import (
    Scored,
    bootstrap_contrast,
    bootstrap_mean,
    bootstrap_ratio,
    paired_bootstrap,
)


def test_constant_difference_has_no_width():
    a = np.arange(12.0)
    found = paired_bootstrap(a, a - 0.5, clusters=np.repeat([0, 1, 2], 4), runs=np.tile([0, 1], 6))
    assert found.mean == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))
    assert (found.n_clusters, found.n_runs) == (3, 2)


def test_two_clips_by_hand():
    """Clips with differences 0 and 1 (two items each): draws give mean 0, 1/2, 1 with probability 1/4, 1/2, 1/4."""
    a = np.array([0.0, 0.0, 1.0, 1.0])
    found = paired_bootstrap(a, np.zeros(4), clusters=np.array(["x", "x", "y", "y"]), level=0.95)
    assert (found.mean, found.low, found.high) == (0.5, 0.0, 1.0)
    narrow = paired_bootstrap(a, np.zeros(4), clusters=np.array(["x", "x", "y", "y"]), level=0.4)
    assert (narrow.low, narrow.high) == (0.5, 0.5)  # 30 % to 70 % lies inside the middle half


def test_agrees_with_scipy_on_plain_items():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 150), rng.normal(0, 1, 150)
    ours = paired_bootstrap(a, b, n=20_000)
    theirs = scipy.stats.bootstrap(
        (a - b,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_frames_of_a_clip_count_as_one_draw():
    """Copies of every item inside its clip must not narrow the interval; taken for independent items they would."""
    difference = np.random.default_rng(3).normal(0, 1, 40)
    once = bootstrap_mean(difference)
    copies = np.repeat(difference, 25)
    clustered = bootstrap_mean(copies, clusters=np.repeat(np.arange(40), 25))
    independent = bootstrap_mean(copies)
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high), abs=0.02)
    assert independent.high - independent.low < 0.3 * (once.high - once.low)


def test_spread_between_runs_widens_the_interval():
    runs = np.repeat([0, 1, 2], 50)
    clips = np.tile(np.arange(50), 3)
    scores = np.array([-1.0, 0.0, 1.0])[runs] + np.random.default_rng(0).normal(0, 0.01, 150)
    with_runs = bootstrap_mean(scores, clusters=clips, runs=runs)
    assert with_runs.low < -0.6 and with_runs.high > 0.6
    assert with_runs.n_runs == 3


def test_coverage_is_near_the_stated_level():
    """Of 200 samples with true mean 0, about 95 % of the intervals hold it (binomial: 0.90 to 0.99)."""
    rng = np.random.default_rng(7)
    held = 0
    for trial in range(200):
        clip_effects = np.repeat(rng.normal(0, 1, 60), 3)
        found = bootstrap_mean(
            clip_effects + rng.normal(0, 0.5, 180), clusters=np.repeat(np.arange(60), 3), n=1000, seed=trial
        )
        held += found.low <= 0 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_items_without_a_score_are_left_out_in_both_arms():
    a = np.array([1.0, np.nan, 3.0, 5.0])
    b = np.array([0.0, 0.0, np.nan, 4.0])
    assert paired_bootstrap(a, b).mean == 1.0
    with pytest.raises(StillactError, match="nothing to compare"):
        paired_bootstrap(np.array([np.nan]), np.array([1.0]))


def test_same_seed_same_interval():
    a = np.random.default_rng(0).normal(size=30)
    assert bootstrap_mean(a, seed=4) == bootstrap_mean(a, seed=4)
    assert bootstrap_mean(a, seed=4) != bootstrap_mean(a, seed=5)


def scored(values, clusters=None, runs=None) -> Scored:
    values = np.asarray(values, float)
    clusters = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    return Scored(values, clusters, np.zeros(len(values), int) if runs is None else np.asarray(runs))


def test_a_contrast_of_constants_has_no_width_and_one_of_noise_is_as_wide_as_both():
    sure = bootstrap_contrast(scored(np.full(9, 3.0)), scored(np.full(4, 1.0)))
    assert (sure.mean, sure.low, sure.high, sure.n_clusters) == (2, 2, 2, 13)
    rng = np.random.default_rng(0)
    first, second = scored(rng.normal(0, 1, 300)), scored(rng.normal(0, 1, 100))
    found = bootstrap_contrast(first, second)
    wanted = 2 * 1.96 * np.sqrt(first.values.var() / 300 + second.values.var() / 100)
    assert found.high - found.low == pytest.approx(wanted, rel=0.06)


def test_in_a_contrast_what_a_run_does_to_both_cancels():
    """Runs that lift both test sets alike widen neither: they are drawn together."""
    runs = np.repeat([0, 1, 2], 40)
    lifted = 10.0 * runs
    found = bootstrap_contrast(
        scored(lifted + 1, np.tile(np.arange(40), 3), runs), scored(lifted, np.tile(np.arange(40), 3), runs)
    )
    assert (found.low, found.high) == pytest.approx((1, 1))
    with pytest.raises(StillactError, match="different runs"):
        bootstrap_contrast(scored([1.0, 2.0], runs=[0, 1]), scored([1.0, 2.0], runs=[0, 2]))


def test_a_ratio_of_proportional_scores_has_no_width():
    whole = np.random.default_rng(2).uniform(1, 2, 50)
    found = bootstrap_ratio(scored(0.25 * whole), scored(whole))
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))
