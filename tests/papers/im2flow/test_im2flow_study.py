"""The data of chapter 04's `study` profile, counted from the layouts alone: nothing is drawn here."""

import re
from collections import Counter

import pandas as pd
import pytest
import yaml
from chapter_settings import recognition_settings

from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import ACTIONS, clip_specs, players
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.papers.im2flow.data import hold_out
from stillact_lib.papers.im2flow.settings import PHOTOGRAPHS
from stillact_lib.paths import project_root

PROFILES = project_root() / "chapters/profiles"
PROFILE = yaml.safe_load((PROFILES / "study/04-im2flow.yaml").read_text())
SETTINGS = recognition_settings(**PROFILE)
VIDEO = {
    "ucf101": re.compile(r"UCF-101/(?P<class_name>\w+)/v_\w+_(?P<group>g\d\d)_c\d\d\.avi"),
    "hmdb51": re.compile(r"(?P<class_name>\w+)/(?P<group>.+)_(?P=class_name)_f_.*\.avi"),
}


def videos_of(name: str) -> pd.DataFrame:
    return pd.DataFrame(
        [{"video": path} | VIDEO[name].fullmatch(path).groupdict() for path in clip_specs(name, 3, "study")]
    )


def groups(videos: pd.DataFrame) -> int:
    return videos.groupby(["class_name", "group"]).ngroups


@pytest.mark.parametrize("name", VIDEO)
def test_flow_is_tested_on_300_groups_and_learnt_from_twice_as_many(name):
    videos = videos_of(name)
    train, test = hold_out(videos, SETTINGS.held_out_videos, seed=0)
    assert groups(test) >= 300 and groups(train) >= 2 * groups(test)
    assert groups(train) + groups(test) == groups(videos), "none is on both sides, nor left out of both"
    assert set(videos["class_name"]) <= set(load_manifest(name).class_names)


def test_ucf101_has_its_official_groups():
    assert set(videos_of("ucf101")["group"]) == {f"g{number:02d}" for number in range(1, 26)}


def test_videos_are_larger_than_they_are_used_and_long_enough_for_flow_after_their_centre():
    for name in ("ucf101", "hmdb51", "penn_action", "yupp"):
        specs = list(clip_specs(name, 3, "study").values())
        assert min(min(spec.size) for spec in specs) >= 3 * SETTINGS.image_size
        assert min(spec.frames - spec.frames // 2 for spec in specs) > 5


def stills_to_test_on(name: str) -> Counter:
    """Class -> how many, by a set's name in the profile."""
    dataset, options = PHOTOGRAPHS.get(name, (name, {}))
    layout = layout_of(dataset, 3, "study")
    if dataset == "penn_action":
        return Counter(item.class_name for item in layout.items.values() if item.part == -1)
    part = "val" if name == "voc2012_action" else "test"
    counts = Counter()
    for path, text in layout.texts.items():
        if found := re.search(rf"/(\w+)_{part}\.txt$", path):
            counts[found[1]] = sum(not line.endswith("-1") for line in text.splitlines())
    subset = options.get("subset", "").capitalize()
    return Counter({one: counts[one] for one in load_manifest(dataset).subset(subset).classes}) if subset else counts


@pytest.mark.parametrize(
    ("name", "classes"),
    [("motion4", 4), ("stanford10", 10), ("willow", 7), ("voc2012_action", 10), ("penn_action", 15)],
)
def test_photographs_and_sequences_give_2000_stills_to_test_on(name, classes):
    counts = stills_to_test_on(name)
    assert len(counts) == classes and sum(counts.values()) >= 2000
    assert min(counts.values()) >= 100


def test_nothing_is_held_or_ridden_by_whoever_acts_a_class_of_motion4():
    acted, classes = players("stanford40"), load_manifest("stanford40").subset("Motion4").classes
    assert len(classes) == 4
    assert not any(ACTIONS[action].props for name in classes for action in acted[name])


def test_only_the_variants_of_study_ask_for_motion4():
    shared, own = (
        yaml.safe_load((PROFILES / "variants" / path).read_text())
        for path in ("04-im2flow.yaml", "study/04-im2flow.yaml")
    )
    assert own.keys() == shared.keys()
    asking = {name for name, changed in own.items() if "motion4" in changed.get("stills", PROFILE["stills"]).split()}
    assert {"ucf101", "hmdb51", "both"} <= asking
    assert not any("motion4" in changed.get("stills", "") for changed in shared.values())
