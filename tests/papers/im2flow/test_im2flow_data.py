"""Chapter 04's data on a tiny miniature: from settings to test frames with their truth, and to named scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import flow_settings

from stillact_lib.datasets import Samples
from stillact_lib.datasets.groups import fold_of
from stillact_lib.errors import StillactError
from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.im2flow.data import (
    figures_while_training,
    frame_scores,
    frames_to_score,
    mean_field,
    open_videos,
    scores_to_keep,
    split_videos,
)
from stillact_lib.papers.im2flow.figures import best_middle_worst, each_in_its_range
from stillact_lib.training.loop import History
from stillact_lib.vision.flow_pairs import build_flow_pairs
from stillact_lib.vision.pair_shards import PairRecipe
from stillact_lib.vision.shards import worker_processes


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLACT_WORKSPACE", str(tmp_path_factory.mktemp("workspace")))
        settings = flow_settings(miniature_size="tiny", held_out_videos=2)
        samples = open_videos(settings)
        _, test_videos = split_videos(settings, samples)
        folder = tmp_path_factory.mktemp("pairs")
        with worker_processes() as pool:
            pairs = build_flow_pairs(test_videos, samples.root, folder, PairRecipe(32), executor=pool)
            exact = build_flow_pairs(test_videos, samples.root, folder, PairRecipe(32, "exact"), executor=pool)
            frames = frames_to_score(settings, pairs, samples, torch.device("cpu"), pool)
        return settings, samples, frames, exact


def test_test_frames_carry_estimate_truth_and_foreground(tiny):
    _, _, frames, exact = tiny
    assert frames.images.shape == (len(frames), 3, 32, 32) and frames.images.dtype == torch.uint8
    assert frames.target.shape == frames.exact.shape == (len(frames), 32, 32, 2)
    assert 0.01 < frames.foreground.mean() < 0.5
    speed = np.linalg.norm(frames.exact, axis=-1)
    assert speed[frames.foreground].mean() > 5 * speed[~frames.foreground].mean()
    # the pairs built with target="exact" hold the same truth, in half precision
    stored = exact.load()[1].float().permute(0, 2, 3, 1).numpy()
    assert np.allclose(stored, frames.exact, atol=5e-3)


def test_a_perfect_prediction_scores_perfectly_and_names_are_complete(tiny):
    _, samples, frames, _ = tiny
    scores = frame_scores(frames, {"oracle": frames.exact, "estimate": frames.target}, "ucf101")
    assert np.nanmax(scores["ucf101/oracle/exact_epe_fg"]) < 1e-6
    assert np.nanmin(scores["ucf101/oracle/exact_ds_moving"]) > 0.99
    assert np.nanmax(scores["ucf101/estimate/epe_all"]) < 1e-6
    assert len(scores) == 2 + 2 * 2 * 3 * 4  # clip and group names; 2 methods, 2 targets, 3 measures, 4 masks
    assert set(scores["ucf101/clip"]) <= set(samples.videos["video"])


def test_weizmann_holds_out_its_person(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    settings = flow_settings(dataset="weizmann", miniature_size="tiny")
    train, test = split_videos(settings, open_videos(settings))
    assert set(test["group"]) == {"shahar"} and "shahar" not in set(train["group"]) and len(train)


def test_examples_are_the_best_the_middle_and_the_worst():
    similarity = np.linspace(1, -1, 41)
    similarity[3] = np.nan
    groups = np.array([f"group {i // 2}" for i in range(41)])
    groups[20] = "group 1"  # the very middle is of a group that stands among the best
    moving = np.full(41, 0.1)
    moving[0] = 0.0  # the best frame hardly moves: passed over
    chosen = best_middle_worst(similarity, moving, groups)
    assert list(chosen[:3]) == [1, 2, 4]
    assert list(chosen[3:6]) == [19, 21, 22]
    assert list(chosen[6:]) == [37, 39, 40]
    few = best_middle_worst(similarity[:8], moving[:8], groups[:8])
    assert len(few) == len(set(groups[few])) == 4 and few[0] == 1


def test_a_row_of_flow_fills_its_own_range_whatever_its_length():
    flow = np.zeros((2, 8, 8, 2), np.float32)
    flow[:, :4] = (3, 4)
    rows = each_in_its_range({"nearest_neighbour": flow, "walker": flow / 100, "none": 0 * flow})
    assert list(rows) == ["nearest\nneighbour\n5 px", "walker\n0.05 px", "none\n0.001 px"]
    long, short, still = rows.values()
    assert np.array_equal(long, short) and (long[:, :4] < 250).any() and (still == 255).all()


TABLE = pd.DataFrame(
    [
        (f"v_{name}_g{group:02}_c{clip:02}.avi", name, f"g{group:02}")
        for name in "AB"
        for group in range(7)
        for clip in (1, 2, 3)
    ],
    columns=["video", "class_name", "group"],
)


def test_an_ablation_keeps_its_own_arm_only():
    scores = {f"ucf101/{arm}/epe_fg": np.zeros(1) for arm in ("im2flow_dilated", "walker", "zero_flow")}
    scores["ucf101/clip"] = np.array(["a"])
    kept = scores_to_keep(scores, flow_settings(dilated=True), TABLE)
    assert set(kept) == {"ucf101/clip", "ucf101/im2flow_dilated/epe_fg"}
    assert scores_to_keep(scores, flow_settings(), TABLE) == scores


def test_folds_are_of_whole_groups_and_hold_every_class():
    fold = fold_of(TABLE, 3)
    groups = TABLE.assign(fold=fold).groupby(["class_name", "group"])["fold"]
    assert (groups.nunique() == 1).all()
    assert TABLE.assign(fold=fold).groupby("class_name")["fold"].unique().map(sorted).tolist() == [[1, 2, 3]] * 2
    shuffled = TABLE.sample(frac=1, random_state=0)
    assert np.array_equal(fold_of(shuffled, 3), fold[shuffled.index]), "the order of rows plays no part"
    with pytest.raises(StillactError, match="class A: 7 groups make no 8 folds"):
        fold_of(TABLE, 8)


def test_a_fold_shares_no_group_and_with_shared_groups_every_second_clip_is_tested():
    samples = Samples("ucf101", Path("x"), ("A", "B"), TABLE.assign(split="train", label=0), [])
    train, test = split_videos(flow_settings(fold=2, folds=3), samples)
    assert len(train) + len(test) == len(TABLE) and not set(grouped(train)) & set(grouped(test))
    taught, asked = split_videos(flow_settings(fold=2, folds=3, shared_groups=True), samples)
    assert set(asked["video"]) == {video for video in test["video"] if "_c02" in video}
    assert set(grouped(asked)) <= set(grouped(taught)) and len(taught) + len(asked) == len(TABLE)


def test_a_run_of_longer_training_keeps_walkers_network_too_which_was_trained_as_long():
    table = TABLE.head(2)
    arms = ("im2flow", "im2flow_longer", "walker", "walker_longer", "mean_flow")
    scores = {f"ucf101/{arm}/epe_all": np.zeros(2) for arm in arms} | {"ucf101/clip": table["video"].to_numpy(str)}
    kept = scores_to_keep(scores, flow_settings(longer=3), table)
    assert set(kept) == {"ucf101/clip", "ucf101/im2flow_longer/epe_all", "ucf101/walker_longer/epe_all"}


def test_a_run_with_shared_groups_and_one_without_score_the_same_clips():
    samples = Samples("ucf101", Path("x"), ("A", "B"), TABLE.assign(split="train", label=0), [])

    def kept(**changes):
        settings = flow_settings(fold=2, folds=3, **changes)
        table = split_videos(settings, samples)[1]
        scores = {"ucf101/clip": table["video"].to_numpy(str), f"ucf101/{settings.arm}/epe_all": np.zeros(len(table))}
        return scores_to_keep(scores | {"ucf101/walker/epe_all": np.ones(len(table))}, settings, table)

    apart, shared = kept(), kept(shared_groups=True)
    assert np.array_equal(apart["ucf101_shared/clip"], shared["ucf101_shared/clip"])
    assert set(shared) == {
        "ucf101_shared/clip",
        "ucf101_shared/im2flow_shared/epe_all",
        "ucf101_shared/walker_shared/epe_all",
    }
    assert len(apart["ucf101_shared/walker/epe_all"]) == len(shared["ucf101_shared/clip"]) < len(apart["ucf101/clip"])


def test_a_watched_training_leaves_its_curve_in_the_record(tiny):
    settings, _, frames, _ = tiny
    figures = figures_while_training(frames, lambda images: np.zeros_like(frames.target))()
    assert figures["ds_all"] == 0 and figures["epe_all"] == pytest.approx(np.linalg.norm(frames.target, axis=-1).mean())
    history = History([{"step": 10, "loss": 1.0}, {"step": 10, **figures}, {"step": 20, "loss": 0.5}])
    curve = curve_to_keep(history, f"{settings.dataset}/im2flow")
    assert curve["ucf101/im2flow/epe_all@10"] == figures["epe_all"] and not any("loss" in name for name in curve)


def test_the_mean_of_all_flow_is_that_of_a_mirrored_world_too(tiny):
    *_, exact = tiny
    field = mean_field(exact)
    assert np.allclose(field[..., 0], -field[:, ::-1, 0], atol=1e-6) and np.allclose(
        field[..., 1], field[:, ::-1, 1], atol=1e-6
    )
    mean = exact.load()[1].float().mean(0).permute(1, 2, 0).numpy()
    assert np.allclose(field[..., 1], (mean + mean[:, ::-1])[..., 1] / 2, atol=1e-5)
