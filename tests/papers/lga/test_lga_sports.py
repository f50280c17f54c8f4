"""Chapter 02 on genuine photographs of sports, as its profile `real` reads them, in seconds."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from awkward_files import shared
from chapter_settings import defaults_of
from pydantic import ValidationError
from trained_weights import needs_weights

from stillact_lib.configuration import configure
from stillact_lib.datasets import sports100_people
from stillact_lib.datasets.sports100 import SPLIT_LIST, read_split
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga import run as lga_run
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.paths import project_root
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)
WHOLE = ("archery", "balance beam", "baseball", "basketball")


@pytest.fixture
def settings(monkeypatch) -> LgaSettings:
    """Profile `real` with a few steps, on the four sports that are there whole."""
    root = shared("nine", "sports100")
    monkeypatch.setattr(lga_data, "load_manifest", lambda name: SimpleNamespace(in_ucf101=dict.fromkeys(WHOLE)))
    profile = yaml.safe_load((project_root() / "chapters/profiles/real/02-human-mask-loss.yaml").read_text())
    small = {"image_size": 64, "steps": 2, "warm_up": 1, "batch_size": 4, "score_every": 1, "labels_per_class": 3}
    given = {"sports_root": str(root), "keep_checkpoints": False, "device": "cpu"}
    return configure(LgaSettings, defaults_of("02-human-mask-loss") | profile | small | given)


def test_each_seed_draws_others_to_train_on_and_all_are_tested(settings):
    drawn = {}
    for seed in (0, 1):
        data = lga_data.open_datasets(settings.model_copy(update={"seed": seed}))[lga_data.SPORTS]
        names, labels = data.photographs.names, data.photographs.labels
        assert np.bincount(labels[data.train]).tolist() == [3, 3, 3, 3]
        counts = load_manifest("sports100").splits[0].per_class
        assert np.bincount(labels[data.test]).tolist() == [counts[name]["test"] for name in WHOLE]
        assert set(names[data.train]).isdisjoint(names[data.test])
        drawn[seed] = set(names[data.train])
    assert drawn[0] != drawn[1]
    chosen = settings.model_copy(update={"tested": "validation"})
    data = lga_data.open_datasets(chosen)[lga_data.SPORTS]
    assert set(data.photographs.names[data.train]) == drawn[0], "what is watched changes nothing that is learnt from"
    assert np.bincount(data.photographs.labels[data.test]).tolist() == [sports100_people.POOL - 3] * 4


@needs_weights
def test_arms_are_trained_and_asked_for_what_they_rest_on(settings):
    assert not [fault for need in lga_run.needs(settings) if (fault := need.fault())]
    run = lga_run.GuidedRun(lga_data.open_datasets(settings), lga_data.open_imagenet(settings), settings, CPU)
    run.pretrain()
    arms = lga_arms.arms_of(settings)
    assert [arm.name for arm in arms] == [
        f"resnet_{kind}" for kind in ("without", "with", "elsewhere", "another", "average")
    ]
    run.train_and_test(arms[:3])
    kept = run.scores_to_keep()
    for name in (
        "lost_person",
        "lost_placebo",
        "lost_rest",
        "right_without_person",
        "sam_inside",
        "pam_right_inside",
        "input_inside",
    ):
        assert np.isfinite(kept[f"sports100/resnet_with/{name}"]).any(), name
    assert np.isfinite(kept["sports100/resnet_elsewhere/heatmap_error"]).any()
    assert not any("/lost_thing" in name or "/lost_object" in name for name in kept), "nobody knows of any"
    assert "sports100/resnet_with/right@2" in run.curves_to_keep()


def test_people_are_where_a_detector_saw_them():
    listed, _ = read_split(SPLIT_LIST)
    wanted = [one for one in listed if one.class_name in load_manifest("sports100").in_ucf101]
    tested = [one for one in wanted if one.part == "test"]
    assert all(sports100_people.looked_at(one.path) for one in tested)
    boxes = sports100_people.people_in([one.path for one in tested], 112)
    assert all(of.shape[1] == 4 and (of[:, 2:] > of[:, :2]).all() and (of <= 112).all() for of in boxes)
    taught = [one for one in wanted if one.part == "train" and sports100_people.looked_at(one.path)]
    assert len(taught) == sports100_people.POOL * len({one.class_name for one in wanted})
    assert sports100_people.agreement().shape == (12,) and sports100_people.agreement().mean() > 0.8
    table = sports100_people.people_by_part()
    assert table["photographs"].tolist() == [len(taught), len(tested)]
    other = next(one for one in listed if one.class_name not in load_manifest("sports100").in_ucf101)
    with pytest.raises(StillactError, match="nobody looked for people in"):
        sports100_people.people_in([other.path], 64)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sports_root": "s", "mpii_root": "m", "pretraining": "mobile"}, "a run of its own"),
        ({"sports_root": "s"}, "needs a network that saw photographs"),
        ({"tested": "validation"}, "for photographs of sports_root alone"),
        ({"profile": "real"}, "needs stanford40_root, mpii_root or sports_root"),
        ({"labels_per_class": 20}, "less than 20"),
    ],
)
def test_what_does_not_go_together_is_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        LgaSettings(**(defaults_of("02-human-mask-loss") | given))
