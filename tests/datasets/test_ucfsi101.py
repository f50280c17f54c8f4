"""UCFSI-101: stills as references under the split, its arithmetic, its groups, and the shards computed from it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from awkward_files import real, truncate

from stillact_lib.datasets import read
from stillact_lib.datasets.samples import COLUMNS, Samples
from stillact_lib.datasets.ucf101 import survey_ucf101
from stillact_lib.datasets.ucfsi101 import (
    FrameRule,
    class_group_of,
    paper_rule,
    split_arithmetic,
    still_references,
)
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.top_accuracy import within_top
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import write
from stillact_lib.miniature.actions import EVERYONE
from stillact_lib.vision.still_shards import FRAMES_AT_ONCE, Squashed, build_still_shard, build_stills
from stillact_lib.vision.video import read_frames


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Samples:
    """The tiny miniature of UCF-101: 4 classes of 4 groups of 2 clips, 12 frames each."""
    root = tmp_path_factory.mktemp("data") / "ucf101"
    return read("ucf101", write("ucf101", root, size="tiny", workers=1, progress=False))


@pytest.fixture
def own_samples(samples, tmp_path) -> Samples:
    """A copy that a test may damage."""
    return replace(samples, root=Path(shutil.copytree(samples.root, tmp_path / "own")))


def listed_at_full_size(frames: int) -> Samples:
    """Samples of all that the official lists of split 1 name, as if each video had as many frames."""
    survey = survey_ucf101(real("ucf101"))
    rows = [(i.video, i.class_name, i.label, i.split, i.group, frames, 25.0, 320, 240) for i in survey.listed]
    return Samples("ucf101", survey.root, survey.classes, pd.DataFrame(rows, columns=list(COLUMNS)), [])


@pytest.mark.parametrize(
    ("rule", "count", "frames"),
    [
        (FrameRule(), 5, [0, 1, 2, 3, 4]),
        (FrameRule(every=4), 9, [0, 4, 8]),
        (FrameRule(every=4), 3, [0]),
        (FrameRule(left_out=3), 5, [0, 1]),
        (FrameRule(every=2, left_out=3), 8, [0, 2, 4]),
        (FrameRule(left_out=21), 12, [0]),
        (FrameRule(left_out=12), 12, [0]),
    ],
)
def test_the_frame_rule(rule, count, frames) -> None:
    assert rule.frames_of(count).tolist() == frames


@pytest.mark.parametrize("wrong", [{"every": 0}, {"left_out": -1}])
def test_a_senseless_rule_is_refused(wrong) -> None:
    with pytest.raises(StillactError, match=r"frame rule: .*not FrameRule\("):
        FrameRule(**wrong)


def test_stills_are_references_on_their_videos_side(samples) -> None:
    table = still_references(samples, FrameRule(every=5))
    assert table.columns.tolist() == ["video", "frame", "class_name", "label", "split", "group", "class_group"]
    assert len(table) == 3 * len(samples.videos) == 3 * 4 * 4 * 2
    for video, row in samples.videos.set_index("video").iterrows():
        of_video = table[table["video"] == video]
        assert of_video["frame"].tolist() == [0, 5, 10]
        for column in ("class_name", "label", "split", "group"):
            assert set(of_video[column]) == {row[column]}
    sides = table.groupby("video", observed=True)["split"].nunique()
    assert sides.max() == 1 and len(sides) == len(samples.videos)
    by_source = table.groupby(["class_name", "group"], observed=True)["split"].nunique()
    assert by_source.max() == 1, "nor is any source video on both sides"
    of_class = table.drop_duplicates("class_name").set_index("class_name")["class_group"].to_dict()
    assert of_class == {
        "Drumming": "Playing Musical Instruments",
        "HandstandPushups": "Body-Motion Only",
        "JumpingJack": "Body-Motion Only",
        "SalsaSpin": "Human-Human Interaction",
    }


def test_videos_that_a_split_leaves_unused_give_no_stills(samples) -> None:
    videos = samples.videos.assign(split=np.where(samples.videos["label"] == 0, "unused", samples.videos["split"]))
    fewer = replace(samples, videos=videos)
    table = still_references(fewer, FrameRule())
    assert set(table["label"]) == {1, 2, 3} and set(table["class_name"]) == set(samples.classes[1:])
    assert len(table) == fewer.videos.loc[fewer.videos["split"] != "unused", "frames"].sum()


def test_a_video_on_both_sides_is_refused(samples) -> None:
    twice = pd.concat([samples.videos, samples.videos.iloc[[3]].assign(split="test")], ignore_index=True)
    with pytest.raises(StillactError, match=f"{samples.videos['video'][3]} is listed twice"):
        still_references(replace(samples, videos=twice), FrameRule())


def test_no_video_is_on_both_sides_at_full_size() -> None:
    table = still_references(listed_at_full_size(90), FrameRule(every=45))
    videos = {part: set(table.loc[table["split"] == part, "video"]) for part in ("train", "test")}
    assert {part: len(names) for part, names in videos.items()} == load_manifest("ucf101").split("1").counts
    assert not videos["train"] & videos["test"]
    sources = table["class_name"].astype(str) + table["group"].astype(str)
    assert not set(sources[table["split"] == "train"]) & set(sources[table["split"] == "test"])


def test_the_papers_counts_lack_some_21_frames_of_each_video_of_split_1() -> None:
    """The figures of the counts' comparison, worked out by hand from 1,788,425 / 697,865 and 1,585,071 / 617,321."""
    table = split_arithmetic().set_index(["split", "part"])
    left_out = table["left_out_per_video"].unstack()[["train", "test"]]
    assert left_out.loc["1"].tolist() == pytest.approx([203_354 / 9_537, 80_544 / 3_783])
    assert left_out.round(2).to_numpy().tolist() == [[21.32, 21.29], [21.51, 20.80], [20.89, 22.41]]
    for column in ("left_out_per_video", "kept_share"):
        sides = table[column].unstack()
        assert (sides["train"] / sides["test"] - 1).abs().idxmin() == "1"
    relative = {
        c: abs(table[c]["1", "train"] / table[c]["1", "test"] - 1) for c in ("left_out_per_video", "kept_share")
    }
    assert relative["left_out_per_video"] < relative["kept_share"]


def test_the_reconstruction() -> None:
    rule = paper_rule()
    assert rule == FrameRule(every=1, left_out=21)
    table = split_arithmetic().query("split == '1'")
    assert ((table["reconstructed"] - table["paper"]) / table["videos"]).between(0, 0.5).all()
    stills = still_references(listed_at_full_size(100), rule)
    assert stills["split"].value_counts().to_dict() == {"train": 9537 * 79, "test": 3783 * 79}


def test_groups_partition_the_101_classes() -> None:
    classes = load_manifest("ucf101").class_names
    found = Counter(class_group_of(classes))
    assert len(classes) == 101
    assert found == {
        "Human-Object Interaction": 20,
        "Body-Motion Only": 16,
        "Human-Human Interaction": 5,
        "Playing Musical Instruments": 10,
        "Sports": 50,
    }
    with pytest.raises(StillactError, match="class 'Juggling' is in no group"):
        class_group_of(("Archery", "Juggling"))


def test_the_miniature_puts_its_actions_in_the_same_groups() -> None:
    shown = {action.real["ucf101"]: action.group for action in EVERYONE.values() if "ucf101" in action.real}
    assert len(shown) >= 30 and len(set(shown.values())) == 5
    assert shown == dict(zip(shown, class_group_of(tuple(shown)), strict=True))


def test_the_papers_all_groups_is_a_mean_over_classes() -> None:
    """Table II: with the groups' sizes as weights its rows give its last row, as nearly as two digits let them."""
    rows = {
        "Human-Object Interaction": (0.20, 0.17, 0.35, 0.56),
        "Body-Motion Only": (0.11, 0.42, 0.58, 0.84),
        "Human-Human Interaction": (0.10, 0.35, 0.42, 0.58),
        "Playing Musical Instruments": (0.20, 0.18, 0.30, 0.60),
        "Sports": (0.17, 0.23, 0.42, 0.65),
    }
    each = np.array([rows[group] for group in class_group_of(load_manifest("ucf101").class_names)])  # as its group
    last_row = np.array([0.16, 0.24, 0.42, 0.65])
    assert np.abs(each.mean(axis=0) - last_row).max() < 0.01
    assert np.abs(np.mean(list(rows.values()), axis=0) - last_row).max() > 0.02, "the mean over groups is another"


@pytest.mark.parametrize("k", [1, 5])
def test_top_k_is_scikit_learns_but_item_by_item(k) -> None:
    from sklearn.metrics import top_k_accuracy_score

    rng = np.random.default_rng(k)
    scores, labels = rng.normal(size=(200, 9)), rng.integers(0, 8, 200)
    assert within_top(scores, labels, k).mean() == top_k_accuracy_score(labels, scores, k=k, labels=range(9))


def test_ties_and_nan_are_no_success() -> None:
    scores = np.array([[0.5, 0.5, 0.1], [0.1, 0.1, 0.1], [np.nan, 0.2, 0.9], [0.3, np.nan, 0.2]])
    labels = np.array([0, 2, 0, 0])
    assert within_top(scores, labels, 1).tolist() == [False, False, False, False]
    assert within_top(scores, labels, 2).tolist() == [True, False, False, True]


@dataclass(frozen=True)
class Inverted:
    """A frame map that is not the frame itself."""

    side: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        assert 0 < len(frames) <= FRAMES_AT_ONCE
        return 255 - Squashed(self.side)(frames)


@dataclass(frozen=True)
class Unasked:
    """A map that must not be called any more."""

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        raise AssertionError("computed again")


def build(samples, folder, rule=FrameRule(every=4), of_frames=Squashed(24), **options):  # noqa: B008
    with ThreadPoolExecutor(1) as executor:
        references = still_references(samples, rule)
        return build_stills(references, samples.root, folder, of_frames, executor=executor, **options)


def test_stored_stills_are_the_frames(samples, tmp_path) -> None:
    stills = build(samples, tmp_path)
    references = still_references(samples, FrameRule(every=4))
    assert stills.problems == [] and stills.table[references.columns].equals(references)
    images = stills.load()
    assert images.shape == (len(references), 3, 24, 24) and images.dtype == torch.uint8
    rows = np.array([50, 7, 7, 0])
    for row, image in zip(rows, stills.load(rows), strict=True):
        video, frame = references.loc[row, ["video", "frame"]]
        expected = Squashed(24)(read_frames(samples.root / video)[frame : frame + 1])[0]
        assert np.array_equal(image.permute(1, 2, 0).numpy(), expected)
    assert torch.equal(stills.held_in_memory().load(rows), images[rows]) and stills.load(rows[:0]).shape[0] == 0


def test_a_frame_map_has_a_store_of_its_own(samples, tmp_path) -> None:
    plain, inverted = build(samples, tmp_path), build(samples, tmp_path, of_frames=Inverted(24))
    assert plain.folder != inverted.folder != build(samples, tmp_path, of_frames=Inverted(16)).folder
    assert torch.equal(inverted.load(), 255 - plain.load())
    index = json.loads((inverted.folder / "index.json").read_text())
    assert index["recipe"] == {"of_frames": "Inverted", "side": 24}
    assert all(len(entry["sha256"]) == 64 and entry["frames"] == 3 for entry in index["shards"].values())


def test_worker_processes_store_the_same(samples, tmp_path) -> None:
    references = still_references(samples, FrameRule(every=4)).iloc[:12]
    stored = build_stills(references, samples.root, tmp_path / "a", Squashed(24))
    assert torch.equal(stored.load(), build(samples, tmp_path / "b").load(np.arange(12)))


def test_an_interrupted_build_goes_on_and_a_damaged_shard_is_made_again(samples, tmp_path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(Squashed, "__call__", interrupted_after(5, calls))
    with pytest.raises(KeyboardInterrupt):
        build(samples, tmp_path)
    (folder,) = tmp_path.glob("stills-*")
    assert not (folder / "index.json").exists() and not list(folder.glob(".*"))
    early = {path: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}
    assert len(early) == 5
    monkeypatch.undo()
    stills = build(samples, tmp_path)
    assert len(stills) == 3 * len(samples.videos)
    assert all(path.stat().st_mtime_ns == time for path, time in early.items())

    shard = folder / stills.shards[samples.videos["video"][4]].file
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-50])
    build(samples, tmp_path)
    assert shard.read_bytes() == whole
    shard.write_bytes(whole[:-50] + bytes(50))
    build(samples, tmp_path, verify=True)
    assert shard.read_bytes() == whole


def interrupted_after(count: int, calls: list[int]):
    """`Squashed`, until the user presses Ctrl-C."""
    original = Squashed.__call__

    def squash(self: Squashed, frames: np.ndarray) -> np.ndarray:
        if len(calls) == count:
            raise KeyboardInterrupt
        calls.append(len(frames))
        return original(self, frames)

    return squash


def test_a_denser_choice_extends_a_shard_and_a_sparser_one_uses_it(samples, tmp_path) -> None:
    sparse = build(samples, tmp_path, FrameRule(every=4))
    wanted = sparse.load()
    dense = build(samples, tmp_path, FrameRule(every=3))
    assert dense.table["frame"][:4].tolist() == [0, 3, 6, 9] and dense.table["row"][:4].tolist() == [0, 3, 4, 5]
    assert torch.equal(dense.load(), build(samples, tmp_path / "fresh", FrameRule(every=3)).load())
    assert torch.equal(sparse.load(), wanted), "who reads the shards while others extend them reads the same rows"
    before = {path: path.stat().st_mtime_ns for path in dense.folder.iterdir() if path.suffix == ".safetensors"}
    again = build(samples, tmp_path, FrameRule(every=4))
    assert torch.equal(again.load(), wanted) and again.table["row"][:3].tolist() == [0, 1, 2]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_long_videos_are_handed_over_in_parts(samples, tmp_path, monkeypatch) -> None:
    whole = build(samples, tmp_path / "whole", FrameRule()).load()
    monkeypatch.setattr("stillact_lib.vision.still_shards.FRAMES_AT_ONCE", 5)
    assert torch.equal(build(samples, tmp_path / "parts", FrameRule()).load(), whole)


def test_references_beyond_the_last_frame_are_listed_once_and_not_tried_again(samples, tmp_path) -> None:
    """A header that promises two frames too many, as real ones do."""
    promising = samples.videos.assign(frames=samples.videos["frames"].where(samples.videos.index != 2, 14))
    optimistic = replace(samples, videos=promising)
    stills = build(optimistic, tmp_path, FrameRule())
    video = promising["video"][2]
    assert [v for v, _ in stills.problems] == [video] and "2 of 14 stills lie beyond" in stills.problems[0][1]
    assert len(stills) == 12 * len(promising) and stills.table["frame"].max() == 11
    frames, folder = np.arange(14), stills.folder
    (kept,) = build_still_shard(video, samples.root, folder, frames, Unasked(), {folder: {}})
    assert kept.frames == tuple(range(12))
    (missed,) = build_still_shard(video, samples.root, tmp_path, np.array([30]), Squashed(8), {tmp_path: {}})
    assert "only 12 frames decode, and the stills asked for lie beyond" in missed.problem


def test_an_unreadable_video_is_listed_and_too_many_stop_the_build(own_samples, tmp_path) -> None:
    broken = own_samples.videos["video"][1]
    truncate(own_samples.root / broken, 0.4)
    stills = build(own_samples, tmp_path)
    assert [video for video, _ in stills.problems] == [broken] and broken not in set(stills.table["video"])
    assert len(stills) == 3 * (len(own_samples.videos) - 1) and stills.load().shape[0] == len(stills)
    (own_samples.root / own_samples.videos["video"][2]).unlink()
    with pytest.raises(StillactError, match=r"2 of 32 videos cannot be used \(at most 5% may fail\); the first: ") as e:
        build(own_samples, tmp_path / "anew")
    assert "\n" not in str(e.value)


def test_no_reference_is_an_error(samples, tmp_path) -> None:
    none = still_references(samples, FrameRule()).iloc[:0]
    with pytest.raises(StillactError, match="no still is asked for"):
        build_stills(none, samples.root, tmp_path, Squashed(8))
