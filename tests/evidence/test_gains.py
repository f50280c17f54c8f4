"""Gains read from records: pooled over seeds, and class by class."""

import numpy as np

from stillact_lib.evidence.gains import class_gains, decisions_changed, gains_of


class Drawn:
    """An origin of data that is drawn."""

    kind = "miniature"


class Kept:
    """A record as `gains` sees it."""

    def __init__(self, seed, **scores):
        self.parameters, self.data = {}, ()
        self.metrics = {"a/both/weight": 0.5 + seed / 10}
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


def test_seeds_lie_within_their_worlds():
    """One number in two worlds is two runs, and worlds are compared as wholes."""
    of_worlds = [record(0), record(1), record(0), record(1)]
    for one, world in zip(of_worlds, (3, 3, 4, 4), strict=True):
        one.parameters, one.data = {"miniature_seed": world}, (Drawn,)
    found = class_gains(of_worlds, "a", ("one", "two"), "tsn", "still")["one"]
    assert (found.n_worlds, found.n_runs) == (2, 4)


def test_decisions_that_a_second_stream_changes():
    first = [[3, 1, 0], [3, 1, 0], [0, 3, 1], [0, 3, 1]]  # right, wrong, right, wrong
    both = [[3, 1, 0], [0, 3, 1], [3, 0, 1], [0, 1, 3]]  # kept, corrected, spoilt, changed to another wrong one
    arms = {"a__appearance__class_scores": first, "a__both__class_scores": both}
    arms |= {"a__appearance__accuracy": [100, 0, 100, 0], "a__both__accuracy": [100, 100, 0, 0]}
    without = {"a__appearance__class_scores": first, "a__appearance__accuracy": [100, 0, 100, 0]}
    found = decisions_changed([Kept(0, **arms), Kept(1, **arms), Kept(2, **without)], "a", ["both", "nobody"])
    assert found.index.tolist() == ["both"] and found.loc["both", "runs"] == 2
    assert found.loc["both", ["changed", "corrected", "spoilt"]].tolist() == [75, 25, 25]
    assert abs(found.loc["both", "weight"] - 0.55) < 1e-9
    assert decisions_changed([], "a", ["both"]).empty


def test_a_weight_that_was_not_kept_is_solved_for():
    first, second = np.array([[3.0, 1], [1, 3]]), np.array([[0.0, 4], [4, 0]])
    arms = {"a__appearance__class_scores": first, "a__motion__class_scores": second}
    arms |= {"a__appearance_motion__class_scores": 0.7 * first + 0.3 * second}
    arms |= {f"a__{arm}__accuracy": [100, 0] for arm in ("appearance", "appearance_motion")}
    unkept = Kept(0, **arms)
    unkept.metrics.clear()
    assert decisions_changed([unkept], "a", ["appearance_motion"]).loc["appearance_motion", "weight"] == 0.7
