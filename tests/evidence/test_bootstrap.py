"""The two-way interval against hand cases, Student's t, worlds and folds; estimates added, subtracted and divided."""

import numpy as np
import pytest
import scipy.stats

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import LEAST_SHARE, expected_by_chance, map_estimate, mean_estimate
from stillact_lib.evidence.records import CLIP, GROUP, load_records


def crossed(values, worlds=None):
    """Scores [R, K] of every run on every group, as a mean."""
    runs, groups = values.shape
    drawn = {"clusters": np.tile(np.arange(groups), runs), "runs": np.repeat(np.arange(runs), groups)}
    return mean_estimate(values.ravel(), **drawn, worlds=None if worlds is None else np.full(values.size, worlds))


def half(found):
    return found.high - found.mean


def students(values):
    """Half the width of Student's interval of the mean of independent values."""
    low, high = scipy.stats.ttest_1samp(values, 0).confidence_interval()
    return (high - low) / 2


def test_constant_difference_has_no_width():
    a = np.arange(12.0)
    found = mean_estimate(a, a - 0.5, clusters=np.repeat([0, 1, 2], 4), runs=np.tile([0, 1], 6)).interval()
    assert found[:3] == pytest.approx((0.5, 0.5, 0.5)) and found[3:] == (3, 2, 1)


def test_by_hand():
    """Two runs on three groups. Group means 1, 3, 8 about 4: variance over groups (9 + 1 + 16) / 2 / 3 = 13/3; run
    means 3 and 5: (1 + 1) / 1 / 2 = 1; left of each run on each group ±2, ±1, ±1: 2 (4 + 1 + 1) / 2 / 6 = 1."""
    found = crossed(np.array([[2.0, 1, 6], [0, 5, 10]])).interval()
    assert found.mean == 4
    free = (10 / 3 + 1) / (10 / 3 / 2 + 1 / 1)
    assert half(found) == pytest.approx(scipy.stats.t.ppf(0.975, free) * np.sqrt(13 / 3 + 1 - 1))
    assert half(crossed(np.array([[2.0, 1, 6], [0, 5, 10]])).interval(0.8)) < 0.7 * half(found)


def test_one_run_is_students_t_over_groups_and_one_group_over_runs():
    values = np.random.default_rng(1).normal(size=12)
    assert half(crossed(values[None]).interval()) == pytest.approx(students(values))
    assert half(crossed(values[:, None]).interval()) == pytest.approx(students(values))


def test_runs_that_move_every_group_alike_are_students_t_over_runs():
    values = np.array([0.0, 1.0, 5.0])[:, None] + np.zeros(40)
    assert half(crossed(values).interval()) == pytest.approx(students(values[:, 0]))


def test_runs_that_agree_by_chance_leave_two_thirds_of_what_groups_alone_give():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 50))
    values -= values.mean(1, keepdims=True)  # the runs' means are equal to the last digit
    assert half(crossed(values).interval()) == pytest.approx(LEAST_SHARE * students(values.mean(0)))


def test_frames_of_a_clip_count_as_one():
    """Copies of every item inside its clip must not narrow the interval; taken for independent items they would."""
    values = np.random.default_rng(3).normal(0, 1, 40)
    copies = np.repeat(values, 25)
    once, clustered = (
        mean_estimate(values).interval(),
        mean_estimate(copies, clusters=np.repeat(range(40), 25)).interval(),
    )
    assert clustered[:3] == pytest.approx(once[:3])
    assert half(mean_estimate(copies).interval()) < 0.3 * half(once)


def test_items_without_a_score_are_left_out_in_both_arms():
    a = np.array([1.0, np.nan, 3.0, 5.0])
    b = np.array([0.0, 0.0, np.nan, 4.0])
    assert mean_estimate(a, b).value == 1.0
    with pytest.raises(StillactError, match="nothing to compare"):
        mean_estimate(np.array([np.nan]), np.array([1.0]))


def test_where_nothing_varied_nothing_is_known():
    found = mean_estimate(np.array([1.0, 2.0]), clusters=np.array(["x", "x"])).interval()
    assert found.mean == 1.5 and np.isnan([found.low, found.high]).all()


def worlds_of(offsets, runs=3, groups=20, seed=0):
    """Scores of several worlds whose runs and groups bear the same names, and what tells them apart."""
    rng = np.random.default_rng(seed)
    values = np.array(offsets)[:, None, None] + rng.normal(size=(len(offsets), runs, groups))
    world, run, group = (index.ravel() for index in np.indices(values.shape))
    return values, {"clusters": group, "runs": run, "worlds": world}


def test_several_worlds_are_compared_as_wholes():
    values, drawn = worlds_of([0.0, 1.0, 3.0])
    found = mean_estimate(values.ravel(), **drawn).interval()
    assert half(found) == pytest.approx(students(values.mean((1, 2)))) and found[3:] == (60, 9, 3)
    alike, drawn = worlds_of([0.0, 0.0, 0.0])
    alike -= alike.mean((1, 2), keepdims=True)
    over_groups = np.sqrt(sum(one.mean(0).var(ddof=1) / 20 for one in alike)) / 3
    least = LEAST_SHARE / 2 * scipy.stats.t.ppf(0.975, 57) * over_groups
    assert half(mean_estimate(alike.ravel(), **drawn).interval()) == pytest.approx(least)


def test_between_folds_nothing_is_added():
    values, drawn = worlds_of([0.0, 0.0, 0.0])
    apart, _ = worlds_of([0.0, 10.0, 30.0])
    one, other = (mean_estimate(of.ravel(), **drawn)._replace(folds=True) for of in (values, apart))
    assert half(one.interval()) == pytest.approx(half(other.interval()))
    assert half(other.interval()) < 0.1 * half(other._replace(folds=False).interval())
    assert (other - one).folds and (one * 2).folds
    single, drawn = worlds_of([0.0, 10.0, 30.0], runs=1)
    found = mean_estimate(single.ravel(), **drawn)
    assert found._replace(folds=True).interval() == found.interval(), "one run a fold: runs are seen between folds only"


def test_a_contrast_is_as_wide_as_both_and_what_a_run_does_to_both_cancels():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, 300), rng.normal(0, 1, 100)
    found = (mean_estimate(first, test_set="a") - mean_estimate(second, test_set="b")).interval()
    wanted = 1.97 * np.sqrt(first.var() / 300 + second.var() / 100)
    assert half(found) == pytest.approx(wanted, rel=0.02) and found.n_clusters == 400
    lift = 10.0 * np.arange(3)[:, None]
    drawn = {"clusters": np.tile(np.arange(40), 3), "runs": np.repeat(range(3), 40)}
    one, two = (mean_estimate((lift + of + np.zeros(40)).ravel(), **drawn, test_set=str(of)) for of in (1, 0))
    assert (one - two).interval()[:3] == pytest.approx((1, 1, 1))
    with pytest.raises(StillactError, match="different runs"):
        mean_estimate(first[:2], runs=np.array([0, 1])) - mean_estimate(first[:2], runs=np.array([0, 2]))


def test_on_one_test_set_estimates_are_paired_group_by_group():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3, 30))
    a += b
    assert (crossed(a) - crossed(b)).interval() == pytest.approx(crossed(a - b).interval())
    assert ((crossed(a) + crossed(b)) * 0.5).interval() == pytest.approx(crossed((a + b) / 2).interval())
    lacking = b.ravel().copy()
    lacking[:30:29] = np.nan  # the first run has no score on the first and the last group
    drawn = {"clusters": np.tile(np.arange(30), 3), "runs": np.repeat(range(3), 30)}
    found = (crossed(a) - mean_estimate(lacking, **drawn)).interval()
    assert found.n_clusters == 30 and half(found) == pytest.approx(half(crossed(a - b).interval()), rel=0.2)


def test_a_ratio_of_proportional_scores_has_no_width_and_others_have_the_tangents():
    rng = np.random.default_rng(2)
    whole = rng.uniform(1, 2, 200)
    found = (mean_estimate(0.25 * whole) / mean_estimate(whole)).interval()
    assert found[:3] == pytest.approx((0.25, 0.25, 0.25))
    part = rng.uniform(0, 1, 200)
    ratio = part.mean() / whole.mean()
    found = (mean_estimate(part) / mean_estimate(whole)).interval()
    assert found.mean == pytest.approx(ratio)
    assert half(found) == pytest.approx(students((part - ratio * whole) / whole.mean()))


def test_the_verdict_turns_where_the_difference_reaches_the_smallest_effect():
    """Shifting one arm's scores: exactly so for means."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 3, 60))
    least = crossed(a - b).interval().smallest_effect
    shift = least - (a - b).mean()
    assert crossed(a + 1.001 * shift - b).interval().low > 0 > crossed(a + 0.999 * shift - b).interval().low


def test_a_true_difference_of_that_size_is_noticed_about_half_the_time():
    """Answers right or wrong, 3 runs on 150 items, both arms right on 40 % of them; then one arm better by as much."""
    rng = np.random.default_rng(0)

    def difference(gain):
        item, chance = rng.normal(size=150), rng.normal(size=(2, 3, 150))
        right = (item + chance > np.sqrt(2) * scipy.stats.norm.isf([[[0.4 + gain]], [[0.4]]])).astype(float)
        return crossed(right[0] - right[1]).interval()

    least = np.median([difference(0).smallest_effect for _ in range(300)])
    noticed = np.mean([difference(least).low > 0 for _ in range(600)])
    assert 0.02 < least < 0.2 and 0.42 < noticed < 0.58


def test_lifting_one_arms_positives_until_the_rule_decides_takes_about_the_smallest_effect():
    """mAP has no scores to shift: both arms equal at first, then the positives of one are lifted step by step."""
    rng = np.random.default_rng(1)
    shown = np.tile(np.eye(6)[np.arange(180) % 6], (8, 1))
    item = np.tile(rng.normal(size=(180, 6)), (8, 1))
    one, other = (shown + 0.7 * item + 0.7 * rng.normal(size=shown.shape) for _ in range(2))
    drawn = {"clusters": np.tile(np.arange(180), 8), "runs": np.repeat(range(8), 180)}
    against = map_estimate(other, shown, **drawn)
    found = [
        (map_estimate(one + lift * shown, shown, **drawn) - against).interval() for lift in np.linspace(-0.5, 0.5, 51)
    ]
    decided = next(interval for interval in found if interval.low > 0)
    assert decided.mean == pytest.approx(found[25].smallest_effect, rel=0.3)


def test_chance_decides_as_often_as_it_is_said_to():
    """Kept scores of two arms, exchanged at random in half of the groups, so that neither is better."""
    records = [record for record in load_records(chapter="04-im2flow") if record.profile == "mini"]
    by_arms = {}
    for record in records:
        scores = record.scores()
        for name in (name for name in scores if name.startswith("ucf101/") and name.endswith("/epe_all")):
            groups = scores.get(f"ucf101/{GROUP}", scores[f"ucf101/{CLIP}"])
            by_arms.setdefault(name, {})[record.seed] = scores[name], groups
    first, second = sorted(by_arms.values(), key=len)[-2:]
    seeds = sorted(first.keys() & second.keys())
    assert len(seeds) > 1
    difference = np.concatenate([first[seed][0] - second[seed][0] for seed in seeds])
    names, group = np.unique(np.concatenate([first[seed][1] for seed in seeds]), return_inverse=True)
    runs = np.repeat(seeds, [len(first[seed][0]) for seed in seeds])
    rng = np.random.default_rng(0)
    trials = 1500
    found = [
        mean_estimate(rng.choice([-1, 1], len(names))[group] * difference, clusters=group, runs=runs).interval()
        for _ in range(trials)
    ]
    wanted = expected_by_chance(trials)
    assert wanted == pytest.approx(37.5) and expected_by_chance(40, level=0.9) == pytest.approx(2)
    for count in (sum(one.low > 0 for one in found), sum(one.high < 0 for one in found)):
        assert 0.4 * wanted < count < 1.6 * wanted
