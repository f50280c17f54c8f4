"""Chapter 05 on genuine clips and photographs, as its profile `real` reads them, in seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from awkward_files import shared
from chapter_settings import defaults_of, workspace_in
from nine_clips import few_clips
from trained_weights import needs_weights

from stillact_lib.configuration import configure
from stillact_lib.datasets.sports100 import SPLIT_LIST, read_split
from stillact_lib.errors import StillactError
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.t2sil import data as t2sil_data
from stillact_lib.papers.t2sil import yardsticks
from stillact_lib.papers.t2sil.arms import MODALITIES, TemporalTransfer
from stillact_lib.papers.t2sil.genuine import SPORTS, _few, same_scene
from stillact_lib.papers.t2sil.needs import needs
from stillact_lib.papers.t2sil.settings import LEARNT_FROM, NETWORK, T2silSettings
from stillact_lib.papers.t2sil.transfers import NO_VIDEO
from stillact_lib.paths import project_root
from stillact_lib.training.devices import Device

CHAPTER = "05-temporal-transfer"
PROFILES = project_root() / "chapters" / "profiles"
CPU = Device(torch.device("cpu"), None)
FEW = {"steps": 2, "head_steps": 2, "student_steps": 2, "batch_size": 4, "head_batch": 8, "oracle_draws": 3}
FEW |= {"stored_size": 72, "image_size": 64, "flow_frames": 6, "stack": 3, "window": 4, "views": 1, "tune": False}
FEW |= {"frames_per_video": 3, "keep_checkpoints": False, "device": "cpu", "pretraining": "mobilenet_v2"}


def settings_of(**changes) -> T2silSettings:
    return configure(T2silSettings, defaults_of("05-temporal-transfer") | FEW | changes)


def loaded(settings: T2silSettings) -> t2sil_data.Ssvac40:
    assert not [fault for need in needs(settings) if (fault := need.fault())]
    with ThreadPoolExecutor(1) as executor:
        return t2sil_data.load_tables(*t2sil_data.read_tables(settings), settings, executor)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stills_of": "midframes", "videos_root": "/v"}, "needs the classes of UCF-101 that are to be told apart"),
        ({"stills_per_class": 5}, "stills_per_class goes with stills_of 'sports_few', and that with it"),
        ({"stills_of": "sports_few"}, "stills_per_class goes with stills_of 'sports_few'"),
        ({"stills_of": "sports", "fold": 2}, "one of 5 folds, of stills_of 'midframes' alone"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(StillactError, match=said):
        settings_of(**changes)


def test_roots_that_are_not_given_are_named_before_anything_is_read():
    asked = settings_of(stills_of="sports_few", stills_per_class=4)
    said = [fault for need in needs(asked) if (fault := need.fault())]
    assert "videos_root: empty; give the folder that holds ucf101/" in said
    assert "stills_root: empty; give the folder that holds sports100/" in said


def test_few_photographs_are_drawn_from_one_half_and_the_other_is_tested_for_every_seed():
    rows = {"class_name": np.repeat(["a", "b"], 30), "label": np.repeat([0, 1], 30)}
    table = pd.DataFrame(rows | {"group": [f"g{k // 2 if k < 10 else k}" for k in range(60)]})
    table["split"] = (["train"] * 22 + ["val"] * 4 + ["test"] * 4) * 2
    few, other = (_few(table, 3, seed) for seed in (0, 1))
    for drawn in (few, other):
        counts = drawn.groupby("label")["split"].value_counts().unstack()
        assert (counts["train"] == 3).all() and (counts["val"] == 3).all() and (counts["test"] > 10).all()
        of_split = drawn.groupby("split")[["label", "group"]].apply(lambda part: set(map(tuple, part.to_numpy())))
        assert not of_split["train"] & (of_split["test"] | of_split["val"]), "what shows the same is on one side"
    assert few.index[few["split"] == "test"].equals(other.index[other["split"] == "test"])
    assert set(few.index[few["split"] == "train"]) != set(other.index[other["split"] == "train"])
    assert _few(table, 0, seed=0).equals(table)


def test_variants_have_networks_and_test_sets_of_their_own():
    """Else a run would take from its checkpoint, or pool with, what another learnt."""
    base = defaults_of("05-temporal-transfer") | yaml.safe_load((PROFILES / f"real/{CHAPTER}.yaml").read_text())
    variants = yaml.safe_load((PROFILES / f"variants/real/{CHAPTER}.yaml").read_text())
    runs = [configure(T2silSettings, base | {"keep_checkpoints": True} | changed) for changed in variants.values()]
    depends_on = (*NETWORK, *LEARNT_FROM["still"])
    assert len({checkpoint_for(CHAPTER, "still", run, depends_on).path for run in runs}) == len(runs)
    tested = [(t2sil_data.TEST_SETS[run.stills_of].test, run.fold) for run in runs]
    assert len(set(tested)) == len(tested)


def test_photographs_that_show_the_same_are_one_group():
    listed, same = read_split(SPLIT_LIST)
    alike = next(numbers for numbers in same if len({one.class_name for one in listed if one.number in numbers}) == 1)
    path = {one.number: f"train/{one.path}" for one in listed}
    alone = next(one.number for one in listed if not any(one.number in numbers for numbers in same))
    names = same_scene(pd.Series([path[alike[0]], path[alone], path[alike[1]]]))
    assert names[0] == names[2] != names[1]


@needs_weights
def test_mid_frames_of_genuine_clips_are_recognised_with_what_their_videos_teach(tmp_path):
    classes = ("Archery", "BandMarching", "BaseballPitch")
    root = few_clips(tmp_path, classes, clips=5).parent
    with workspace_in(tmp_path / "workspace"):
        settings = settings_of(stills_of="midframes", videos_root=str(root), classes=" ".join(classes))
        data = loaded(settings)
        assert data.classes == classes and data.sets[:3] == ("nine_val", "nine", "nine")
        counts = data.stills["split"].value_counts()
        assert (counts["train"], counts["val"]) == (12, 3) and counts["test"] > 9
        assert not set(data.videos.of("train")) & set(np.flatnonzero(data.stills["split"] == "val"))
        run = TemporalTransfer(data, None, settings, CPU)
        stills = run.learn_stills()
        assert run.learn_middles() is stills, "the stills are mid-frames already"
        run.learn_augmented("augmented", run.key_frames())
        for modality in MODALITIES:
            run.learn_temporal(modality)
            yardsticks.two_streams(run, modality)
        yardsticks.all_frames(run)
        yardsticks.second_network(run, stills)
        (experiment,) = run.experiments(stills, run.of_stills)
        for kind, modality in (("tsn", "dynamic"), ("relabelled", NO_VIDEO)):
            run.transfer(experiment, kind, modality)
        yardsticks.oracle(run, stills, "dynamic")
        assert not set(run.watched()) & set(data.videos.of("test"))
        kept = run.scores_to_keep()
    assert {name.split("/")[0] for name in kept} == {"nine", "nine_val"} and len(kept["nine/clip"]) == counts["test"]
    assert len(set(kept["nine/group"])) == counts["test"], "one clip of each group"
    arms = {"still", "augmented", "tsn_dynamic_fused", "relabelled", "oracle_dynamic", "two_streams_flow", "two_stills"}
    assert {f"nine/{arm}/accuracy" for arm in arms} <= set(kept)
    assert {report.identity.kind for report in data.reports.values()} == {"real"}


@needs_weights
def test_photographs_of_sports_meet_clips_of_the_same(tmp_path):
    wanted = tuple(name for classes in SPORTS.values() for name in classes)
    root = few_clips(tmp_path, wanted, clips=3).parent
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "sports100").symlink_to(shared("nine", "sports100"), target_is_directory=True)
    with workspace_in(tmp_path / "workspace"):
        roots = {"videos_root": str(root), "stills_root": str(tmp_path / "stills")}
        settings = settings_of(stills_of="sports_few", stills_per_class=4, **roots)
        data = loaded(settings)
        run = TemporalTransfer(data, None, settings, CPU)
        stills, middles = run.learn_stills(), run.learn_middles()
        run.learn_temporal("dynamic")
        for experiment in run.experiments(stills, middles):
            run.transfer(experiment, "triplet", "dynamic")
        distances = yardsticks.distances(run, stills)
        kept = run.scores_to_keep()
    assert data.classes == tuple(SPORTS) and data.sets.test == "sports_few"
    counts = data.stills.groupby("label")["split"].value_counts().unstack()
    assert (counts[["train", "val"]] == 4).all(None) and (counts["test"] > 5).all()
    assert np.bincount(middles.train.labels).max() <= 4, "as few mid-frames as photographs"
    assert {"val", "train", "test"} == set(data.videos.table["split"])
    dunks = data.videos.table["video"].str.contains("Dunk")
    assert dunks.any() and (data.videos.table.loc[dunks, "class_name"] == "basketball").all()
    groups = data.videos.table.groupby("class_name")["group"].unique()["basketball"]
    assert {name.split()[0] for name in groups} == {"Basketball", "BasketballDunk"}
    own = {"sports_few", "sports_few_val", "sports_few_midframes"}
    across = {"sports_few_to_midframes", "sports_few_from_midframes"}
    assert own | across == {name.split("/")[0] for name in kept} == set(data.reports)
    for dataset in across:
        assert {f"{dataset}/still/accuracy", f"{dataset}/triplet_dynamic_fused/accuracy"} <= set(kept)
    assert kept["sports_few_to_midframes/clip"].tolist() == kept["sports_few_midframes/clip"].tolist()
    assert set(distances) == {"stills, two random halves", "stills and mid-frames"}
    assert data.stills_report.identity.name == "sports100" and data.videos.report.identity.name == "ucf101"
