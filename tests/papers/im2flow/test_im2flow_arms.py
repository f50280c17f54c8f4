"""The arms of Tables 2 to 4: which streams are trained and fused, and which run keeps which row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from awkward_files import write_clip
from chapter_settings import recognition_settings

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.im2flow_unet import Im2FlowUNet
from stillact_lib.papers.im2flow import arms
from stillact_lib.papers.im2flow.arms import (
    Recognition,
    Workbench,
    keeps_shared_arms,
    over_frames,
    scores_to_keep,
    summary,
)
from stillact_lib.papers.im2flow.recognition import FlowSource, new_network
from stillact_lib.papers.im2flow.stills import StillSet
from stillact_lib.papers.im2flow.streams import Split, StreamScores, stream_scores
from stillact_lib.paths import workspace
from stillact_lib.training.devices import Device
from stillact_lib.vision.flow_encoding import FlowEncoding

CPU = Device(torch.device("cpu"), None)
SIDE = 32
SETTINGS = {"image_size": SIDE, "stream_steps": 2, "batch_size": 4, "base_width": 4, "max_width": 8}


def stills_named(name: str, root, items=None, *, moving: bool = False) -> StillSet:
    """Twelve images of three classes, the last of each four a test image."""
    labels = np.repeat(np.arange(3), 4)
    generator = torch.Generator().manual_seed(0)
    return StillSet(
        name,
        ("a", "b", "c"),
        torch.randint(0, 256, (12, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator),
        np.eye(3, dtype=bool)[labels],
        labels,
        np.tile([False, False, False, True], 3),
        np.array(items if items is not None else [f"image {i}" for i in range(12)]),
        np.array([f"image {i}" for i in range(12)]),
        frozenset(),
        torch.randn(12, 2, SIDE, SIDE, generator=generator) if moving else None,
        root,
    )


def origin(name: str) -> DataOrigin:
    return DataOrigin(name=name, kind="miniature", detail="tiny-seed0-abc")


def bench_with(**changes) -> Workbench:
    settings = recognition_settings(**SETTINGS, **changes)
    torch.manual_seed(0)
    encoding = FlowEncoding(settings.encoding, settings.max_magnitude)
    trunk, flow_network = new_network(settings.stream_network, 3, settings), Im2FlowUNet(SIDE, 4, 8)
    data = {name: origin(name) for name in ("penn_action", "willow", "ucf_static", "ucf101", "hmdb51")}
    return Workbench(settings, CPU, encoding, trunk, flow_network, frozenset({"ucf101:seen.avi"}), data)


def source_named(name: str) -> FlowSource:
    return FlowSource(name, lambda images: images.float() / 127.5 - 1, frozenset())


def test_every_row_of_table_2_is_an_arm(tmp_path):
    bench = bench_with(controls=True)
    source = source_named(bench.settings.motion_arm)
    found = bench.recognise(stills_named("penn_action", tmp_path, moving=True), [source], 0)
    singles = {"appearance", "motion_im2flow_ucf", "motion_truth", "encoder"}
    seconds = {"motion_im2flow_ucf", "motion_truth", "encoder"}
    fused = {f"appearance_{name}" for name in seconds | {"appearance"}} | {f"average_{name}" for name in seconds}
    assert set(found.arms) == singles | fused
    assert set(found.histories) == set(found.networks) == singles | {"second_appearance"}
    halves = (found.arms["appearance"].test + found.arms["encoder"].test) / 2
    assert np.allclose(found.arms["average_encoder"].test, halves)
    for arm, scores in found.arms.items():
        assert scores.test.shape == (3, 3) and np.allclose(scores.test.sum(1), 1, atol=1e-5)
        assert (scores.weight is None) == (arm in singles)
    again = bench.recognise(stills_named("penn_action", tmp_path, moving=True), [source], 0)
    assert all(np.array_equal(found.arms[arm].test, again.arms[arm].test) for arm in found.arms), "a seed decides all"
    photographs = bench_with(controls=False).recognise(stills_named("willow", tmp_path), [], 0)
    assert set(photographs.arms) == {"appearance", "appearance_appearance"}


def test_the_encoder_of_a_flow_network_that_saw_the_videos_is_no_control(tmp_path):
    stills = replace(stills_named("ucf_static", tmp_path), videos=frozenset({"ucf101:seen.avi"}))
    assert set(bench_with(controls=True).recognise(stills, [], 0).arms) == {"appearance", "appearance_appearance"}


def test_every_labelled_image_chooses_the_weight_unseen(tmp_path):
    bench = bench_with(controls=False, turns=3)
    found = bench.recognise(stills_named("penn_action", tmp_path, moving=True), [], 0)
    assert sorted(found.split.choose) == sorted(found.split.fit) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    for fit, choose in found.split.turns:
        assert not set(fit) & set(choose) and sorted([*fit, *choose]) == sorted(found.split.fit)
    assert found.arms["appearance"].choose.shape == (9, 3) and found.arms["appearance"].test.shape == (3, 3)
    whole = bench_with(controls=False).recognise(stills_named("penn_action", tmp_path, moving=True), [], 0)
    assert whole.split.turns == () and len(whole.split.choose) < 9


def test_only_the_last_block_learns_where_that_is_asked_and_features_are_computed_once(tmp_path, monkeypatch):
    asked = []
    compute = arms.features_of_windows
    monkeypatch.setattr(arms, "features_of_windows", lambda *given: asked.append(1) or compute(*given))
    bench = bench_with(controls=False, stream_network="mobilenet_v2", stream_part="last", still_size=SIDE, turns=2)
    untrained = new_network("mobilenet_v2", 3, bench.settings)
    bench = replace(bench, trunk=untrained)
    monkeypatch.setattr(arms, "new_network", lambda *_: deepcopy(untrained))
    stills = stills_named("penn_action", tmp_path, moving=True)
    found = bench.recognise(stills, [], 0)
    bench.recognise(stills, [], 2)
    assert len(asked) == 2, "one for appearance, one for true motion"
    network = found.networks["motion_truth"]
    assert all(torch.equal(*pair) for pair in zip(network.stem.parameters(), untrained.stem.parameters(), strict=True))
    assert not torch.equal(next(network.last_block.parameters()), next(untrained.last_block.parameters()))
    whole = stream_scores(found.networks["appearance"], stills.images, found.split, CPU)
    assert np.allclose(whole.test, found.arms["appearance"].test, atol=2e-2), "the parts together are the network"


def found_with(stills: StillSet, names: list[str]) -> Recognition:
    split = Split(np.arange(2), np.arange(2, 3), np.flatnonzero(stills.test))
    perfect = StreamScores(np.zeros((1, 3)), np.eye(3))
    return Recognition(stills, split, dict.fromkeys(names, perfect))


ARMS = ["appearance", "motion_im2flow_hmdb", "appearance_motion_im2flow_hmdb", "motion_walker"]


def arms_kept(name: str, tmp_path, **changes) -> set[str]:
    settings = recognition_settings(**SETTINGS, **changes)
    names = [arm.replace("im2flow_hmdb", settings.motion_arm.removeprefix("motion_")) for arm in ARMS]
    kept = scores_to_keep(found_with(stills_named(name, tmp_path), names), settings)
    assert {f"{name}/clip", f"{name}/positives"} <= set(kept)
    return {key.split("/")[1] for key in kept if key.endswith("/accuracy")}


def test_one_kind_of_run_keeps_the_shared_rows(tmp_path):
    everything = {"appearance", "motion_im2flow_ucf", "appearance_motion_im2flow_ucf", "motion_walker"}
    assert arms_kept("willow", tmp_path, dataset="ucf101") == everything | {"im2flow_alexnet"}
    own = {"motion_im2flow_hmdb", "appearance_motion_im2flow_hmdb"}
    assert arms_kept("willow", tmp_path, dataset="hmdb51") == own
    shared = own | {"appearance", "motion_walker", "im2flow_alexnet"}
    assert arms_kept("ucf_static", tmp_path, dataset="hmdb51") == shared
    without = {"motion_im2flow_ucf_no_content", "appearance_motion_im2flow_ucf_no_content"}
    assert arms_kept("willow", tmp_path, content_distance="none") == without
    assert arms_kept("willow", tmp_path, stream_network="vgg16") == {"im2flow_vgg16"}
    keepers = [
        (dataset, name)
        for dataset in ("ucf101", "hmdb51", "ucf101+hmdb51", "yupp")
        for name in ("ucf_static", "hmdb_static", "willow", "yupp_static")
        if keeps_shared_arms(name, recognition_settings(**SETTINGS, dataset=dataset))
    ]
    assert sorted(name for _, name in keepers) == ["hmdb_static", "ucf_static", "willow", "yupp_static"]


def test_a_summary_is_in_per_cent(tmp_path):
    found = found_with(stills_named("willow", tmp_path), ["appearance"])
    found.arms["turned"] = StreamScores(np.zeros((1, 3)), np.roll(np.eye(3), 1, axis=1), 0.25)
    rows = summary(found)
    assert rows["appearance"]["accuracy"] == 100 and np.isnan(rows["appearance"]["weight"])
    assert rows["turned"] == {"accuracy": 0, "weight": 0.25}


def test_streams_are_trained_once_and_shared_where_no_flow_is_seen(tmp_path):
    """Another flow network leaves appearance and true motion as they are; other labels or other stills do not."""

    def checkpoints(**changes) -> set[str]:
        bench = bench_with(controls=True, **changes)
        stills = stills_named("penn_action", tmp_path, moving=True)
        bench.recognise(stills, [source_named(bench.settings.motion_arm), source_named("motion_walker")], per_class)
        return {path.name for path in (workspace() / "checkpoints").glob("*.pt")}

    per_class = 0
    first = checkpoints()
    assert len(first) == 6 == len(checkpoints()), "two of appearance, three of motion, the encoder's"
    other = checkpoints(steps=3) - first
    assert {name.split("-")[4] for name in other} == {"motion_im2flow_ucf", "encoder"}
    assert checkpoints(steps=3, workers=1) - first == other, "how a run is carried out changes nothing"
    per_class = 2
    assert len(checkpoints() - first - other) == 6
    assert bench_with(keep_checkpoints=False)._checkpoint("willow", "appearance", 0) is None
    moved = replace(bench_with(), data=bench_with().data | {"willow": origin("willow other")})
    same, elsewhere = (bench._checkpoint("willow", "appearance", 0) for bench in (bench_with(), moved))
    assert same.path != elsewhere.path


def test_frames_of_a_video_are_averaged(tmp_path, monkeypatch):
    bench = bench_with(video_frames=2, dataset="hmdb51", controls=False)
    videos = [write_clip(tmp_path / f"{i}.avi", 6).name if i % 4 == 3 else "not asked for" for i in range(12)]
    stills = stills_named("ucf_static", tmp_path, videos)
    source = source_named(bench.settings.motion_arm)
    found = bench.recognise(stills, [source], 0)
    with ThreadPoolExecutor(1) as pool:
        averaged = over_frames(found, bench, source, pool)
        monkeypatch.setattr("stillact_lib.papers.im2flow.arms.AT_ONCE", 2)
        few_at_once = over_frames(found, bench, source, pool)
    weight = found.arms["appearance_motion_im2flow_hmdb"].weight
    assert set(averaged) == {"appearance_frames", "appearance_motion_frames"}
    for arm, scores in averaged.items():
        assert np.allclose(few_at_once[arm].test, scores.test, atol=1e-5)
        assert scores.test.shape == (3, 3) and np.allclose(scores.test.sum(1), 1, atol=1e-5)
    if weight == 1:
        assert np.allclose(averaged["appearance_frames"].test, averaged["appearance_motion_frames"].test)
    found.arms |= averaged
    kept = scores_to_keep(found, bench.settings)
    assert {"ucf_static/appearance_frames/accuracy", "ucf_static/appearance_motion_frames/accuracy"} <= set(kept)
    with pytest.raises(KeyError):
        over_frames(found, bench, source_named("motion_unheard_of"), ThreadPoolExecutor(1))
