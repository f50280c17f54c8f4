"""What was tried: runs named by what they change, their figures at the end."""

import numpy as np
import pytest

from stillact_lib.configuration import Configuration
from stillact_lib.evidence.records import RunRecord, new_record, save_record
from stillact_lib.evidence.tuning import at_the_end, between_seeds, effects_of_changes, in_the_end, tried


def run(changes, curves, **metrics) -> RunRecord:
    watched = {f"ucf101/{arm}/epe_all@{step}": value for arm, of in curves.items() for step, value in of.items()}
    fields = {
        "run_id": "x",
        "chapter": "04-im2flow",
        "profile": "tuning",
        "seed": 0,
        "code": "c",
        "data": (),
        "device": "cpu",
    }
    parameters = {"profile": "tuning", "seed": 0, "rate": 0.1, "steps": 20, "baselines": False} | changes
    more = {"versions": {}, "wall_seconds": 1.0, "peak_memory_mib": 1.0, "parameter_counts": {}}
    return RunRecord(**fields, **more, parameters=parameters, metrics=watched | metrics)


def test_runs_are_told_apart_by_what_they_change():
    runs = [
        run({"baselines": True}, {"im2flow": {10: 2.0, 20: 1.5}, "walker": {10: 2.5, 20: 2.0}}, other=3.0),
        run({"rate": 0.2}, {"im2flow": {10: 1.9, 20: 1.8}}),
        run({"steps": 40}, {"im2flow_scratch": {10: 2.0, 40: 1.2}}),
        run({"rate": 0.05}, {"im2flow": {20: 1.7}}),
    ]
    found = tried(runs, {})
    assert set(found["change"]) == {"as chosen", "rate 0.2", "steps 40", "rate 0.05"} and len(found) == 9
    table = at_the_end(found, ["epe_all"])["epe_all"]
    assert table.index[0][0] == "as chosen"
    assert table[("as chosen", "im2flow", 20)] == 1.5 and table[("as chosen", "walker", 20)] == 2.0
    assert table[("steps 40", "im2flow", 40)] == 1.2 and len(table) == 5


def test_one_run_alone_is_held_against_its_profile():
    (change,) = tried([run({"rate": 0.2}, {"im2flow": {10: 2.0}})], {"rate": 0.1})["change"].unique()
    assert change == "rate 0.2"


def test_where_data_lies_is_no_change():
    runs = [run({"sports_root": place}, {"im2flow": {10: 2.0}}) for place in ("/here/sports100", "/there/sports100")]
    assert set(tried(runs, {"sports_root": "/data/sports100"})["change"]) == {"as chosen"}


def test_arms_may_be_named_by_all_their_words():
    runs = [run({"arms": "scratch_rgb"}, {"scratch_rgb": {10: 2.0}, "scratch_sm": {10: 1.0}})]
    assert set(tried(runs, {})["arm"]) == {"scratch"} and set(tried(runs, {})["change"]) == {"as chosen"}
    assert set(tried(runs, {}, whole=True)["arm"]) == {"scratch_rgb", "scratch_sm"}


def test_figures_at_the_end_of_trainings_that_were_not_watched():
    scored = {"stanford10/appearance/accuracy": 80.0}
    runs = [
        run({"rate": 0.2, "steps": 40}, {}, **scored),
        run({}, {}, **(scored | {"stanford10/appearance/accuracy": 70.0})),
        run({"rate": 0.2}, {}, **scored),
        run({"rate": 0.3}, {}),
    ]
    table = in_the_end(runs, {"rate": 0.1, "steps": 20}, list(scored))
    assert table.index.tolist() == ["as chosen", "rate 0.2", "rate 0.2, steps 40"]
    assert table.iloc[0, 0] == 70


class TuningSettings(Configuration):
    profile: str = "tuning"
    seed: int = 0
    rate: float = 0.1
    image_size: int = 64


def scored_run(folder, arm, changes, error, clips=20, frames=3):
    """A run whose error on each of `clips` clips, four of a group, is `error`(clip), alike in each of its frames."""
    names = np.repeat([f"v{k:02}" for k in range(clips)], frames)
    of_clip = np.array([error(k) for k in range(clips)])
    scores = {
        "ucf101/clip": names,
        "ucf101/group": np.array([f"g{int(name[1:]) // 4}" for name in names]),
        f"ucf101/{arm}/epe_all": np.repeat(of_clip, frames) + np.tile(np.linspace(-1, 1, frames), clips),
        f"ucf101/{arm}/ds_all": np.repeat(-of_clip, frames),
        "ucf101/walker/epe_all": np.full(clips * frames, 9.0),
    }
    settings = TuningSettings(**changes)
    record = new_record("04-im2flow", settings, data=(), device="cpu", wall_seconds=1.0, scores=scores)
    return save_record(record, folder, scores=scores)


def test_what_a_change_adds_is_found_clip_by_clip(tmp_path):
    def effects(*runs):
        return effects_of_changes(runs, {"rate": 0.1}, "ucf101", "im2flow", ["epe_all", "ds_all"], ["epe_all"])

    chosen = scored_run(tmp_path, "im2flow", {}, lambda k: 2.0 + k)
    faster = scored_run(tmp_path, "im2flow", {"rate": 0.2}, lambda k: 2.5 + k, frames=5)
    larger = scored_run(tmp_path, "im2flow_large", {"image_size": 128}, lambda k: 2.0 + k + (-1) ** (k // 4), clips=16)
    found = effects(chosen, faster, larger)
    assert found["epe_all"] == {"rate 0.2": found["epe_all"]["rate 0.2"]}, "pixels of another size say nothing"
    gain = found["ds_all"]["rate 0.2"]
    assert gain.mean == pytest.approx(-0.5) and gain.high < 0 and (gain.n_clusters, gain.n_runs) == (5, 1)
    uneven = found["ds_all"]["image_size 128"]
    assert uneven.mean == pytest.approx(0) and uneven.low < -0.5 < 0.5 < uneven.high and uneven.n_clusters == 4
    again = scored_run(tmp_path, "im2flow", {"seed": 1}, lambda k: 2.25 + k)
    apart = between_seeds([chosen, again, faster], {"rate": 0.1}, "ucf101", "im2flow", ["epe_all"])["epe_all"]
    assert list(apart) == ["fold None, seed 1"] and apart["fold None, seed 1"].mean == pytest.approx(0.25)
    assert effects(faster, larger) == {}, "without a run as chosen there is nothing to hold a change against"
