"""Verdicts of single comparisons and of sentences over several, from runs whose outcome is known."""

import numpy as np
import pytest
from ledger_fixtures import cells, chapter, class_run, flow_run

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import average_precision, mean_average_precision
from stillact_lib.evidence.estimates import Pool, measured
from stillact_lib.evidence.verdicts import count, decide


def judge(records, *entries):
    """The verdicts on claims over these cells."""
    published = chapter(*entries)
    return [decide(published, entry, Pool(records)) for entry in published.claims]


def labels(records, *entries):
    return [verdict.label for verdict in judge(records, *entries)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return [flow_run(tmp_path_factory.mktemp("runs"), seed=seed, datasets=("ucf101", "hmdb51")) for seed in range(3)]


def test_one_comparison_has_one_of_four_verdicts(runs):
    three = ({"cells": [cells(name)]} for name in ("worse", "better", "equal"))
    assert labels(runs, *three) == ["reproduced", "not reproduced", "inconclusive"]
    (found,) = judge(runs, {"cells": [cells("worse")]})
    assert (found.whole.found.n_clusters, found.whole.found.n_runs) == (30, 3)
    assert found.whole.found.mean == pytest.approx(-0.5, abs=0.1)
    assert found.whole.found.low < found.whole.found.mean < found.whole.found.high < 0
    assert found.whole.excludes_the_papers  # -0.125
    nothing, declined = judge([], {"cells": [cells("worse")]}, {"not_attempted": "No data."})
    assert nothing.label == declined.label == "not attempted"
    assert (nothing.why, declined.why) == ("no kept run scored all arms", "No data.")


def test_direction_follows_the_metric_and_the_claim(runs):
    turned = {"cells": [cells("worse", metric="likeness")]}, {"cells": [cells("better", direction="worse")]}
    assert labels(runs, *turned) == ["reproduced", "reproduced"]
    assert labels(runs, {"cells": [cells("worse", direction="worse")]}) == ["not reproduced"]


def test_every_comparison_must_hold_and_one_that_surely_does_not_refutes(runs):
    sentences = [["worse", "worse"], ["worse", "equal"], ["worse", "better"], ["worse", "nobody"]]
    entries = [
        {"cells": [cells(first), cells(second, "hmdb51")], "decided_by": "every"} for first, second in sentences[:3]
    ]
    assert labels(runs, *entries) == ["reproduced", "inconclusive", "not reproduced"]
    missing = {"cells": [cells("worse"), cells("worse", "willow")], "decided_by": "every"}
    (found,) = judge(runs, missing)
    assert (found.label, found.why) == ("not attempted", "kept runs scored 1 of 2 comparisons")
    assert found.counted()["reproduced"] == 1


def test_one_of_many_refutes_only_with_its_interval_widened(tmp_path):
    """A comparison that lies a tenth of its half-width beyond zero is decided alone, and not as one of three."""
    level = measured("ucf101", "ours", "error", [flow_run(tmp_path, seed=s) for s in range(2)], against="equal")
    runs = [flow_run(tmp_path, seed=seed, shift=1.1 * level.smallest_effect) for seed in range(2)]
    third = cells("worse", metric=["error", "likeness"])
    alone, of_three = {"cells": [cells("equal")]}, {"cells": [cells("equal"), third], "decided_by": "every"}
    assert labels(runs, alone, of_three) == ["not reproduced", "inconclusive"]
    other = {"cells": [cells("equal", direction="worse"), cells("better")], "decided_by": "some"}
    assert labels(runs, {"cells": [cells("equal", direction="worse")]}, other) == ["reproduced", "inconclusive"]


def test_some_needs_one_that_surely_holds(runs):
    def some(*against):
        return {"cells": [cells(list(against))], "decided_by": "some"}

    entries = some("worse", "equal"), some("better", "equal"), some("better", "best"), some("worse", "better")
    assert labels(runs, *entries) == ["reproduced", "inconclusive", "not reproduced", "reproduced"]
    missing = {"cells": [cells("equal"), cells("equal", "willow")], "decided_by": "some"}
    assert labels(runs, missing) == ["not attempted"]


def test_mean_is_decided_as_one_comparison(runs):
    """Half a pixel better than one and half a pixel worse than the other: level on average; twice as bad as another."""
    even = {"cells": [cells("worse"), cells("better", "hmdb51")], "decided_by": "mean"}
    uneven = {"cells": [cells("worse"), cells("best", "hmdb51")], "decided_by": "mean"}
    found = judge(runs, even, uneven)
    assert [one.label for one in found] == ["inconclusive", "not reproduced"]
    assert found[0].whole.found.mean == pytest.approx(0, abs=0.1)
    assert found[1].whole.found.mean == pytest.approx(0.25, abs=0.1)
    assert found[0].whole.found.n_clusters == 60  # two test sets of thirty clips


def test_near_is_an_equivalence(runs):
    entries = [{"cells": [cells(name, near=bound)]} for name, bound in (("equal", 0.2), ("worse", 0.2), ("worse", 0.5))]
    assert labels(runs, *entries) == ["reproduced", "not reproduced", "inconclusive"]


def test_at_most_asks_for_no_harm(runs):
    """Ours is half a pixel below "worse", and as much above "better"."""
    entries = [
        {"cells": [cells(name, at_most=bound)]} for name, bound in (("worse", 0.2), ("better", 0.2), ("better", 0.5))
    ]
    assert labels(runs, *entries) == ["reproduced", "not reproduced", "inconclusive"]


def test_a_contrast_compares_two_differences(runs):
    """Ours gains half a pixel on "worse" and loses as much to "better": one pixel apart."""
    found = judge(runs, {"cells": [cells("worse", more_than={"against": "better"})]})[0]
    assert found.label == "reproduced" and found.whole.found.mean == pytest.approx(-1, abs=0.1)
    level = judge(runs, {"cells": [cells("worse", more_than={"dataset": "hmdb51"})]})[0]
    assert level.label == "inconclusive" and level.whole.found.mean == pytest.approx(0, abs=0.1)


def test_an_arm_against_a_number(runs):
    value = {"dataset": "ucf101", "metric": "error", "arm": "ours"}
    below, above = ({"cells": [value | {"against_value": number}]} for number in (3.0, 1.0))
    assert labels(runs, below, above) == ["reproduced", "not reproduced"]


def test_share_of_the_bound(runs):
    bound = {"arm": "best", "against": "worse"}
    found = judge(runs, {"cells": [cells("worse")], "bound": bound}, {"cells": [cells("equal")]})
    assert found[0].whole.share.mean == pytest.approx(0.5 / 1.5, abs=0.05)
    assert found[0].whole.share.low < 1 / 3 < found[0].whole.share.high and found[1].whole.share is None
    nothing = {"cells": [cells("equal")], "bound": {"arm": "ours", "against": "equal"}}
    assert judge(runs, nothing)[0].whole.share is None  # the bound itself cannot be told from zero


def test_map_is_decided_on_class_scores(tmp_path):
    records = [class_run(tmp_path, seed=seed) for seed in range(2)]
    cell = {"dataset": "willow", "metric": "map", "arm": "both", "against": "appearance"}
    (found,) = judge(records, {"cells": [cell]})
    ours, theirs = (np.mean([one.metrics[f"willow/{arm}/map"] for one in records]) for arm in ("both", "appearance"))
    assert found.label == "reproduced" and found.whole.found.mean == pytest.approx(ours - theirs, abs=1e-3)
    alone = measured("willow", "appearance", "map", records, statistic="map")
    assert alone.mean == pytest.approx(theirs, abs=1e-3) and alone.low < theirs < alone.high


def test_map_of_a_group_is_over_its_classes_alone(tmp_path):
    groups = np.array(["moving", "still", "moving"])
    records = [class_run(tmp_path, seed=seed, class_groups=groups) for seed in range(2)]
    of = {"statistic": "map", "class_group": "moving"}
    expected = []
    for scores in (record.scores() for record in records):
        shown = scores["willow/positives"][:, [0, 2]]
        both, appearance = (
            mean_average_precision(scores[f"willow/{arm}/class_scores"][:, [0, 2]], shown)
            for arm in ("both", "appearance")
        )
        expected.append(100 * (both - appearance))
    assert measured("willow", "both", "map", records, against="appearance", **of).mean == pytest.approx(
        np.mean(expected), abs=1e-6
    )
    still = measured("willow", "appearance", "map", records, statistic="map", class_group="still")
    of_second = [
        average_precision(r.scores()["willow/appearance/class_scores"][:, 1], r.scores()["willow/positives"][:, 1])
        for r in records
    ]
    assert still.mean == pytest.approx(100 * np.mean(of_second))
    assert measured("willow", "both", "map", records, statistic="map", class_group="flying") is None
    with pytest.raises(StillactError, match="should name the group of each class"):
        class_run(tmp_path / "short", class_groups=groups[:2])


def test_runs_that_show_other_things_are_never_joined(tmp_path):
    one = class_run(tmp_path / "a", without=["appearance"])
    other = class_run(tmp_path / "b", without=["both"], turned=True)
    with pytest.raises(StillactError, match="willow positives"):
        measured("willow", "both", "map", [one, other], against="appearance", statistic="map")


def test_arms_of_two_runs_of_one_seed_are_joined(tmp_path):
    whole = flow_run(tmp_path)
    parts = []
    for arm in ("ours", "worse"):
        own = {name: values for name, values in whole.scores().items() if arm in name or name.endswith("clip")}
        part = whole.model_copy(update={"run_id": arm})
        part._scores = own
        parts.append(part)
    found = [measured("ucf101", "ours", "error", records, against="worse") for records in (parts, [whole])]
    assert found[0] == found[1]


def test_worlds_are_pooled_and_clips_of_one_name_are_other_clips(tmp_path):
    records = [flow_run(tmp_path, seed=seed, world=world) for world in (2, 3, 4) for seed in range(2)]
    found = measured("ucf101", "ours", "error", records, against="worse")
    assert (found.n_worlds, found.n_clusters, found.n_runs) == (3, 90, 6)


def test_what_differs_in_more_than_seed_and_world_is_never_pooled(tmp_path):
    one, other = flow_run(tmp_path), flow_run(tmp_path, seed=1)
    longer = other.model_copy(update={"parameters": other.parameters | {"steps": 7}})
    longer._folder = other._folder
    with pytest.raises(StillactError, match="differ in more than world and seed"):
        measured("ucf101", "ours", "error", [one, longer])
    with pytest.raises(StillactError, match="or in nothing"):
        measured("ucf101", "ours", "error", [one, one])
    with pytest.raises(StillactError, match="gpu, mini"):
        measured("ucf101", "ours", "error", [one, flow_run(tmp_path, profile="gpu")])


def test_chance_makes_few_verdicts(runs):
    verdicts = judge(runs, *({"cells": [cells(name)]} for name in ("worse", "equal")), {"not_attempted": "No data."})
    counts = count(verdicts, 0.95)
    assert counts.of == {"reproduced": 1, "not reproduced": 0, "inconclusive": 1, "not attempted": 1}
    assert counts.by_chance == pytest.approx(2 * 0.025)
    near = judge(runs, {"cells": [cells("equal", near=0.2)]})
    assert count(near, 0.95).by_chance == 0  # a true difference of zero makes it true


def test_runs_on_real_data_are_judged_by_comparisons_of_their_own(runs):
    real = [run.model_copy(update={"profile": "real"}) for run in runs]
    for copy, run in zip(real, runs, strict=True):
        copy._folder = run._folder
    entry = {"cells": [cells("better")], "real": [cells("worse")]}
    assert labels(runs, entry) == ["not reproduced"] and labels(real, entry) == ["reproduced"]
    assert labels(real, {"cells": [cells("better")]}) == ["not reproduced"], "without, the others hold there too"
    with pytest.raises(ValueError, match="real goes with cells"):
        chapter({"not_attempted": "No data.", "real": [cells("worse")]})
