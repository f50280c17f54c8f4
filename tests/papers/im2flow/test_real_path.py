"""Chapter 04 on genuine clips of UCF-101 and photographs of sports, as its profile `real` reads them, in seconds."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
import torch
import yaml
from awkward_files import shared
from chapter_settings import recognition_settings
from nine_clips import few_clips
from trained_weights import needs_weights

from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.manifests import load_manifest
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.im2flow import flow as im2flow
from stillact_lib.papers.im2flow import settings as im2flow_settings
from stillact_lib.papers.im2flow.arms import Workbench
from stillact_lib.papers.im2flow.data import (
    figures_while_training,
    frame_scores,
    frames_to_score,
    open_videos,
    pairs_of,
    split_videos,
    video_ids,
    video_reports,
)
from stillact_lib.papers.im2flow.recognition import FlowSource, new_network
from stillact_lib.papers.im2flow.settings import RecognitionSettings
from stillact_lib.papers.im2flow.stills import open_stills
from stillact_lib.paths import project_root
from stillact_lib.training.devices import Device
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.shards import worker_processes

CPU = Device(torch.device("cpu"), None)
CLASSES = ("BaseballPitch", "Basketball")
WHOLE = ("archery", "balance beam", "baseball", "basketball")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> RecognitionSettings:
    root = tmp_path_factory.mktemp("real")
    few_clips(root, CLASSES)
    (root / "sports100").symlink_to(shared("nine", "sports100"))
    profile = yaml.safe_load((project_root() / "chapters" / "profiles" / "real" / "04-im2flow.yaml").read_text())
    small = {"steps": 2, "content_steps": 1, "stream_steps": 2, "still_size": 64, "pairs_per_video": 4, "batch_size": 8}
    small |= {"classes": " ".join(CLASSES), "folds": 2, "fold": 1, "turns": 2, "score_every": 1}
    roots = {"data_root": str(root), "stills_root": str(root)}
    return recognition_settings(**profile | small | roots | {"keep_checkpoints": False})


@pytest.fixture(autouse=True, scope="module")
def workspace(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLACT_WORKSPACE", str(tmp_path_factory.mktemp("workspace")))
        yield


@needs_weights
def test_a_fold_of_genuine_clips_teaches_flow_and_recognition(settings):
    samples = open_videos(settings)
    training, testing = split_videos(settings, samples)
    assert len(samples.videos) == 16 and not set(grouped(training)) & set(grouped(testing))
    with worker_processes() as pool:
        of = partial(pairs_of, samples=samples, settings=settings, executor=pool, target="estimated")
        pairs, held_out = of(training, per_video=4), of(testing, per_video=2)
        test = frames_to_score(settings, held_out, samples, torch.device("cpu"), pool)
        stills = open_stills("ucf_static", settings, pool)
    assert test.foreground is None and test.exact is None and not pairs.problems
    report = video_reports(samples, pairs.problems)["ucf101"]
    assert report.identity.kind == "real" and report.identity.items_found == 16

    torch.manual_seed(0)
    network, encoding = im2flow.new_flow_network(settings), FlowEncoding(settings.encoding, settings.max_magnitude)
    predict = partial(im2flow.predict_flow, network, encoding=encoding, device=CPU)
    flow_only = settings.flow_settings().model_copy(update={"content_distance": "none"})
    figures = figures_while_training(test, predict)
    history = im2flow.train_im2flow(network, pairs, encoding, None, flow_only, CPU, (), figures)
    assert {name for name in curve_to_keep(history, f"{settings.dataset}/im2flow") if "epe_all" in name} == {
        "ucf101/im2flow/epe_all@1",
        "ucf101/im2flow/epe_all@2",
    }
    scores = frame_scores(test, {"im2flow": predict(test.images)}, "ucf101")
    assert np.isfinite(scores["ucf101/im2flow/epe_all"]).all() and not any("_fg" in name for name in scores)

    assert set(stills.items[stills.test]) == set(testing["video"]), "the stills follow the fold"
    infer = partial(im2flow.infer_flow_images, network, device=CPU)
    source = FlowSource("motion_im2flow_ucf", infer, video_ids(samples, training), 64)
    trunk = new_network("mobilenet_v2", 1000, settings)
    origin = DataOrigin(**asdict(report.identity) | {"name": "ucf101"})
    bench = Workbench(settings, CPU, encoding, trunk, network, source.seen, {"ucf_static": origin, "ucf101": origin})
    found = bench.recognise(stills, [source], 0)
    assert {"appearance", "appearance_motion_im2flow_ucf", "appearance_motion_truth"} <= set(found.arms)
    assert found.arms["appearance_motion_truth"].test.shape == (stills.test.sum(), 2)


@needs_weights
def test_sports_photographs_meet_flow_that_saw_none_of_them(settings, monkeypatch):
    """The four sports that are there whole: photographs, so no true motion, and no video to keep apart."""
    monkeypatch.setitem(im2flow_settings.PHOTOGRAPHS, "sports", ("sports100", {"classes": list(WHOLE)}))
    settings = settings.model_copy(update={"stills": "sports", "curve": ""})
    with worker_processes() as pool:
        stills = open_stills("sports", settings, pool)
    counts = load_manifest("sports100").splits[0].per_class
    assert stills.classes == WHOLE and stills.whole and not stills.videos and stills.true_flow is None
    assert np.bincount(stills.labels[stills.test]).tolist() == [counts[name]["test"] for name in WHOLE]
    assert set(stills.items[stills.test]).isdisjoint(stills.items[~stills.test])
    assert stills.report.identity.kind == "real" and stills.report.identity.name == "sports100"

    network, encoding = im2flow.new_flow_network(settings), FlowEncoding(settings.encoding, settings.max_magnitude)
    infer = partial(im2flow.infer_flow_images, network, device=CPU)
    source = FlowSource("motion_im2flow_ucf", infer, frozenset(), 64)
    trunk = new_network("mobilenet_v2", 1000, settings)
    origin = DataOrigin(**asdict(stills.report.identity))
    videos = origin.model_copy(update={"name": "ucf101"})
    bench = Workbench(settings, CPU, encoding, trunk, network, source.seen, {"sports": origin, "ucf101": videos})
    found = bench.recognise(stills, [source], 0)
    assert {"appearance", "appearance_appearance", "appearance_motion_im2flow_ucf"} <= set(found.arms)
    assert not any("truth" in arm for arm in found.arms)
    assert all(scores.test.shape == (stills.test.sum(), 4) for scores in found.arms.values())


def test_a_part_of_the_sports_photographs_is_refused_as_such(settings):
    """A part of the set is no set: which photographs are missing decides what is hard."""
    with worker_processes() as pool, pytest.raises(StillactError, match="sports100"):
        open_stills("sports", settings, pool)
