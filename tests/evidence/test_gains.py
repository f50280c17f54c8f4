"""Gains read from records: pooled over seeds, contrasted between test sets, as shares of an oracle's."""

import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.evidence.gains import class_gains, contrast, gains_of, share_reached


class Kept:
    """A record as `gains` sees it."""

    def __init__(self, seed, **scores):
        self.seed, self._scores = seed, {name.replace("__", "/"): np.asarray(values) for name, values in scores.items()}

    def scores(self):
        return self._scores


def record(seed, gain=(0.0, 100.0, 0.0, 100.0), other=(0.0, 0.0), oracle=(100.0, 100.0, 100.0, 100.0)):
    return Kept(
        seed,
        a__clip=["p", "q", "r", "s"],
        a__tsn__gain=gain,
        a__oracle__gain=oracle,
        a__positives=[[1, 0], [1, 0], [0, 1], [0, 1]],
        a__tsn__accuracy=gain,
        a__still__accuracy=[0.0] * 4,
        b__clip=["v", "w"],
        b__group=["g", "g"],
        b__tsn__gain=other,
    )


def test_gains_are_pooled_over_seeds_the_last_record_of_a_seed_counting():
    found = gains_of([record(0), record(0, gain=(0, 0, 0, 0)), record(1)], "a", "tsn")
    assert found.values.tolist() == [0, 0, 0, 0, 0, 100, 0, 100]
    assert found.runs.tolist() == [0] * 4 + [1] * 4 and found.clusters[:2].tolist() == ["p", "q"]
    assert gains_of([record(0)], "b", "tsn").clusters.tolist() == ["g", "g"]
    assert gains_of([record(0)], "a", "nothing") is None


def test_a_contrast_is_the_difference_of_two_gains():
    found = contrast([record(0), record(1)], "tsn", "a", "b")
    assert found.mean == 50 and found.low < 50 < found.high and found.n_runs == 2
    assert contrast([record(0)], "nothing", "a", "b") is None


def test_a_share_of_the_oracle():
    found = share_reached([record(0), record(1)], "a", "tsn", "oracle")
    half = (
        3.1824 * 0.5 / 3**0.5
    )  # four groups: Student's t at three degrees of freedom; the gains lie 1/2 beside theirs
    assert found[:3] == pytest.approx((0.5, 0.5 - half, 0.5 + half), abs=1e-3)
    assert share_reached([record(0)], "a", "tsn", "nothing") is None


def test_test_sets_of_different_runs_are_not_contrasted():
    only_a = Kept(1, a__clip=["p"], a__tsn__gain=[0.0])
    with pytest.raises(StillactError, match="different runs"):
        contrast([record(0), only_a], "tsn", "a", "b")


def test_gains_class_by_class():
    found = class_gains([record(0, gain=(0, 100, 100, 100))], "a", ("one", "two"), "tsn", "still")
    assert (found["one"].mean, found["two"].mean) == (50, 100)
