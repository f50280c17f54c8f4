"""Chapter 03 on genuine clips of UCF-101, as its profile `real` reads them, in seconds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import yaml
from chapter_settings import defaults_of
from nine_clips import few_clips
from trained_weights import needs_weights

from stillact_lib.configuration import configure
from stillact_lib.papers.pof_sm import domain, flow
from stillact_lib.papers.pof_sm.arms import Recognition
from stillact_lib.papers.pof_sm.data import masks_of, open_videos, pair_recipe, reports_of, stills_of, true_flow
from stillact_lib.papers.pof_sm.inputs import pictures_of
from stillact_lib.papers.pof_sm.needs import needs
from stillact_lib.papers.pof_sm.predictors import Halves
from stillact_lib.papers.pof_sm.recognition import trained_start
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.paths import project_root
from stillact_lib.training.devices import Device
from stillact_lib.vision.flow_pairs import build_flow_pairs
from stillact_lib.vision.shards import worker_processes
from stillact_lib.vision.still_shards import Squashed, build_stills

CPU = Device(torch.device("cpu"), None)
ARMS = "scratch_rgb scratch_pofsm scratch_true_flow all_pofsm top5_rgb"


@pytest.fixture
def settings(tmp_path) -> PofSmSettings:
    root = few_clips(tmp_path, ("Archery", "BandMarching", "BaseballPitch"))
    profile = yaml.safe_load(
        (project_root() / "chapters" / "profiles" / "real" / "03-space-time-saliency.yaml").read_text()
    )
    small = {"steps": 2, "flow_steps": 2, "pairs_per_video": 4, "stills_per_video": 2, "batch_size": 4, "flow_batch": 4}
    small |= {"classes": "Archery BandMarching BaseballPitch", "image_size": 64, "stored_size": 72, "arms": ARMS}
    small |= {"fine_steps": 2, "fresh_steps": 2, "further": ""}
    given = {"data_root": str(root), "keep_checkpoints": False, "device": "cpu"}
    return configure(PofSmSettings, defaults_of("03-space-time-saliency") | profile | small | given)


def test_the_people_in_genuine_stills_are_those_that_a_detector_found(settings, tmp_path) -> None:
    """By the rule of the profile, on a clip of each class; of other classes the run's needs say so."""
    settings = settings.model_copy(update={"pairs_per_video": 41, "stills_per_video": 6, "arms": "scratch_silhouette"})
    samples = open_videos(settings)
    some = samples.videos.groupby("class_name").head(1)
    with worker_processes() as pool:
        pairs = build_flow_pairs(some, samples.root, tmp_path / "pairs", pair_recipe(settings), executor=pool)
        stills = stills_of(samples, pairs, settings)
        masks = masks_of(stills, pairs, samples.root, settings, pool)
    assert masks.shape == (18, 1, 72, 72) and masks.dtype == torch.bool
    shares = masks[stills["class_name"].to_numpy() == "Archery"].float().mean((1, 2, 3))
    assert 0.005 < shares.mean() < 0.5
    elsewhere = settings.model_copy(update={"classes": "Archery Biking"})
    said = [fault for need in needs(elsewhere) if (fault := need.fault())]
    assert any("no masks of people in Biking; take out arms of sm_inside" in fault for fault in said)
    every = settings.model_copy(update={"classes": ""})
    said = [fault for need in needs(every) if (fault := need.fault())]
    assert any("and 87 more classes; take out arms of sm_inside" in fault for fault in said)


@needs_weights
def test_genuine_clips_become_pof_sm_and_are_recognised(settings, tmp_path) -> None:
    assert not [fault for need in needs(settings) if (fault := need.fault())]
    samples = open_videos(settings)
    with worker_processes() as pool:
        pairs = build_flow_pairs(samples.videos, samples.root, tmp_path / "pairs", pair_recipe(settings), executor=pool)
        rgb = build_stills(stills_of(samples, pairs, settings), samples.root, tmp_path, Squashed(72), executor=pool)
        places = domain.SalientPlaces(72, domain.saliency_of(settings))
        salient = build_stills(rgb.table.drop(columns="row"), samples.root, tmp_path, places, executor=pool)
    report = reports_of(samples, dict(pairs.problems), None, None)["ucf101"]
    assert report.identity.kind == "real" and report.identity.items_found == 24 and len(rgb) == 48
    assert domain.same_stills(rgb.table, salient.table)

    train = flow.of_videos(pairs, samples.videos["video"][samples.videos["split"] == "train"])
    centres, halves = flow.flow_centres(train, settings), Halves.of(samples.videos)
    found, _ = flow.by_halves("walker", train, halves, centres, settings, CPU)
    mapping = domain.FlowMapping.scaled(found, flow.some_images(train), settings, halves)
    predicted = mapping.build(rgb, samples.root, tmp_path)
    pair = rgb.table["pair"].to_numpy()
    true = domain.levels_in_pieces(lambda rows: true_flow(pairs, pair[rows], 72), np.arange(len(rgb)), 0.99)
    pictures = {"rgb": rgb.load, "saliency": salient.load, "flow": predicted.load, "true_flow": true}
    assert pictures_of(settings.chosen_arms) == set(pictures)

    recognition = Recognition(rgb.table, samples.classes, pictures, settings, CPU, trained_start(settings).network)
    for name, arm in settings.chosen_arms.items():
        recognition.train(name, arm)
    kept = recognition.scores_to_keep()
    assert set(ARMS.split()) == set(recognition.scores)
    assert kept["ucfsi101/all_pofsm/class_scores"].shape == (24, 3)
    assert sorted(set(kept["ucfsi101/class_groups"])) == ["Human-Human Interaction", "Sports"]
