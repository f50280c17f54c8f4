"""Gains read from records: pooled over seeds, and class by class."""

import numpy as np

from stillact_lib.evidence.gains import class_gains, gains_of


class Kept:
    """A record as `gains` sees it."""

    def __init__(self, seed, **scores):
        self.seed, self._scores = seed, {name.replace("__", "/"): np.asarray(values) for name, values in scores.items()}

    def scores(self):
        return self._scores


def record(seed, gain=(0.0, 100.0, 0.0, 100.0), other=(0.0, 0.0)):
    return Kept(
        seed,
        a__clip=["p", "q", "r", "s"],
        a__tsn__gain=gain,
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


def test_gains_class_by_class():
    found = class_gains([record(0, gain=(0, 100, 100, 100))], "a", ("one", "two"), "tsn", "still")
    assert (found["one"].mean, found["two"].mean) == (50, 100)
