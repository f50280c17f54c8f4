"""Chapter 05 on genuine clips and photographs, as its profile `real` reads them, in seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from awkward_files import shared
from chapter_settings import defaults_of, workspace_in
from nine_clips import few_clips
from trained_weights import needs_weights

from stillact_lib.configuration import configure
from stillact_lib.errors import StillactError
from stillact_lib.papers.t2sil import data as t2sil_data
from stillact_lib.papers.t2sil.arms import MODALITIES, TemporalTransfer
from stillact_lib.papers.t2sil.genuine import SPORTS, _few
from stillact_lib.papers.t2sil.needs import needs
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.papers.t2sil.transfers import NO_VIDEO
from stillact_lib.training.loop import Device

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
        ({"stills_per_class": 5}, "stills_per_class goes with stills_of 'sports'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(StillactError, match=said):
        settings_of(**changes)


def test_roots_that_are_not_given_are_named_before_anything_is_read():
    said = [fault for need in needs(settings_of(stills_of="sports")) if (fault := need.fault())]
    assert "videos_root: empty; give the folder that holds ucf101/" in said
    assert "stills_root: empty; give the folder that holds sports100/" in said


def test_few_photographs_are_a_share_of_all_and_no_others_move():
    table = pd.DataFrame({"label": np.repeat([0, 1], 20), "split": ["train"] * 12 + ["val"] * 3 + ["test"] * 25})
    few = _few(table, 5, seed=0)
    assert few.groupby("label")["split"].value_counts().to_dict() == {
        (0, "test"): 5,
        (0, "unused"): 7,
        (0, "train"): 5,
        (0, "val"): 3,
        (1, "test"): 20,
    }
    assert set(few.index[few["split"] == "train"]) != set(_few(table, 5, seed=1).query("split == 'train'").index)
    assert _few(table, 0, seed=0).equals(table)


@needs_weights
def test_mid_frames_of_genuine_clips_are_recognised_with_what_their_videos_teach(tmp_path):
    classes = ("Archery", "BandMarching", "BaseballPitch")
    root = few_clips(tmp_path, classes, clips=5).parent
    with workspace_in(tmp_path / "workspace"):
        settings = settings_of(stills_of="midframes", videos_root=str(root), classes=" ".join(classes))
        data = loaded(settings)
        assert data.classes == classes and data.sets == ("nine_val", "nine", "nine")
        counts = data.stills["split"].value_counts()
        assert (counts["train"], counts["val"]) == (12, 3) and counts["test"] > 9
        assert not set(data.videos.of("train")) & set(np.flatnonzero(data.stills["split"] == "val"))
        run = TemporalTransfer(data, None, settings, CPU)
        stills = run.learn_stills("still")
        assert run.learn_middles() is stills, "the stills are mid-frames already"
        run.learn_stills("augmented", run.key_frames())
        for modality in MODALITIES:
            run.learn_temporal(modality)
            run.two_streams(modality, run.unseen(modality))
        (experiment,) = run.experiments(stills, run.of_stills)
        for kind, modality in (("tsn", "dynamic"), ("relabelled", NO_VIDEO)):
            run.transfer(experiment, kind, modality)
        run.oracle(stills, "dynamic", run.unseen("dynamic"))
        kept = run.scores_to_keep()
    assert {name.split("/")[0] for name in kept} == {"nine", "nine_val"} and len(kept["nine/clip"]) == counts["test"]
    assert len(set(kept["nine/group"])) == counts["test"], "one clip of each group"
    arms = {"still", "augmented", "tsn_dynamic_fused", "relabelled", "oracle_dynamic", "two_streams_flow"}
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
        settings = settings_of(stills_of="sports", stills_per_class=6, **roots)
        data = loaded(settings)
        run = TemporalTransfer(data, None, settings, CPU)
        stills, middles = run.learn_stills("still"), run.learn_middles()
        run.learn_temporal("dynamic")
        for experiment in run.experiments(stills, middles):
            run.transfer(experiment, "triplet", "dynamic")
        distances = run.distances(stills)
        kept = run.scores_to_keep()
    assert data.classes == tuple(SPORTS) and data.sets.test == "sports"
    counts = data.stills.groupby("label")["split"].value_counts().unstack()
    assert (counts["train"] == 6).all() and (counts[["val", "test"]] > 5).all(None)
    dunks = data.videos.table["video"].str.contains("Dunk")
    assert dunks.any() and (data.videos.table.loc[dunks, "class_name"] == "basketball").all()
    groups = data.videos.table.groupby("class_name")["group"].unique()["basketball"]
    assert {name.split()[0] for name in groups} == {"Basketball", "BasketballDunk"}
    assert {"sports", "sports_val", "sports_midframes"} == {name.split("/")[0] for name in kept}
    assert set(distances) == {"stills, two random halves", "stills and mid-frames"}
    assert data.stills_report.identity.name == "sports100" and data.videos.report.identity.name == "ucf101"
