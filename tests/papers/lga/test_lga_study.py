"""The data of chapter 02's `study` profile, counted from the layouts alone: nothing is drawn here."""

from collections import Counter

import yaml
from chapter_settings import defaults_of

from stillact_lib.miniature.context_layout import COMPANION, CONTEXT
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.papers.lga.arms import FAIR_ARMS, FURTHER_ARMS, MPII_ARMS, SHORT_ARMS, STANFORD40_ARMS
from stillact_lib.papers.lga.data import COPIES, MINIATURES, SPORTS, STANFORD40, datasets_of
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.paths import project_root

PROFILE = yaml.safe_load((project_root() / "chapters/profiles/study/02-human-mask-loss.yaml").read_text())
SETTINGS = LgaSettings(**(defaults_of("02-human-mask-loss") | PROFILE))
GAIN_MOST = {"texting_message", "brushing_teeth", "phoning", "waving_hands", "applauding"}


def test_five_times_the_scenes_of_a_reading_run_and_the_classes_that_gain_most():
    """Scenes are what pair, place and gains hang on: 24 a class at reading size, of eight classes."""
    rows = layout_of("stanford40_biased", 4, "study").texts[CONTEXT].splitlines()[1:]
    scenes = Counter(row.split(",")[1].partition("/")[0] for row in rows if row.split(",")[2] == "misleading")
    assert set(scenes) == set(COMPANION) >= GAIN_MOST and min(scenes.values()) >= 5 * 24


def test_every_copy_is_read_and_some_arm_learns_from_it():
    assert set(datasets_of(SETTINGS)) == set(MINIATURES) == {STANFORD40, *COPIES, "mpii"}
    arms = (*STANFORD40_ARMS, *FAIR_ARMS, *MPII_ARMS, *FURTHER_ARMS, *SHORT_ARMS)
    assert {arm.trained_on for arm in arms} == {*MINIATURES, SPORTS}, (
        "those of genuine photographs are asked for by name"
    )
    names = [(arm.tested_on, arm.name) for arm in arms]
    assert len(set(names)) == len(names), "a record would hold one of two"
