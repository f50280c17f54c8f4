"""Weizmann actions (Gorelick et al., PAMI 2007): nine people, ten actions, one person held out. Chapter 04."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from stillact_lib.datasets.samples import (
    Listed,
    Samples,
    Survey,
    absent,
    as_samples,
    existing_folder,
    files_below,
    is_video,
)
from stillact_lib.errors import StillactError

NAME = "weizmann"
PERSONS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
ACTIONS = ("bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2")
TWICE = ("run", "skip", "walk")  # lena's takes 1 and 2
# wave1 and wave2 stand before the optional take, so that wave1 is an action and run1 a take
VIDEO = re.compile(
    rf"(?P<person>{'|'.join(PERSONS)})_(?P<action>{'|'.join(ACTIONS)})(?P<take>[12])?\.avi", re.IGNORECASE
)


def official_files() -> list[str]:
    """The 93 files of the full dataset."""
    return [
        f"{person}_{action}{take}.avi"
        for action in ACTIONS
        for person in PERSONS
        for take in (("1", "2") if person == "lena" and action in TWICE else ("",))
    ]


def read_weizmann(root: str | Path, held_out: str = "shahar", classes: Collection[str] | None = None) -> Samples:
    """Weizmann at `root`: the `.avi` files, or one folder an action with them; the person `held_out` is the test set.

    There is no official list, so a clip that is not there is no problem here (`stillact data verify` names it).
    Groups are the persons. Raises StillactError where no clip of Weizmann's, or none of the person, is there.
    """
    survey = survey_weizmann(root, held_out)
    return as_samples(replace(survey, problems=[p for p in survey.problems if p.kind != "missing"]), classes)


def survey_weizmann(root: str | Path, held_out: str = "shahar") -> Survey:
    """What lies at `root`, held against the 93 official names; no video is opened."""
    if held_out not in PERSONS:
        raise StillactError(f"held_out: Weizmann has no person {held_out!r}; choose from {', '.join(PERSONS)}")
    root = existing_folder(NAME, root)
    on_disk = [path for path in files_below(root) if is_video(path) or path.endswith("/")]
    survey = Survey(NAME, root, f"{held_out} held out", len(on_disk), classes=ACTIONS)
    seen: dict[str, str] = {}
    for path in on_disk:
        folder, _, file = path.rpartition("/")
        clip = VIDEO.fullmatch(file)
        if not file:
            survey.note("unreadable", path, "no permission to read this folder")
        elif not clip:
            survey.note("unexpected", path, "not named <person>_<action>.avi")
        elif folder.lower() in ACTIONS and folder.lower() != clip["action"].lower():
            survey.note("unexpected", path, f"a clip of {clip['action']} in the folder of {folder}")
        elif file.lower() in seen:
            survey.note("unexpected", path, f"the same clip as {seen[file.lower()]}")
        else:
            seen[file.lower()] = path
            person, action = clip["person"].lower(), clip["action"].lower()
            part = "test" if person == held_out else "train"
            survey.here.append(Listed(path, action, ACTIONS.index(action), part, person))
    if not survey.here:
        raise absent(NAME, root, "no video named <person>_<action>.avi")
    if not any(item.split == "test" for item in survey.here):
        there = ", ".join(sorted({item.group for item in survey.here}))
        raise StillactError(f"held_out: no clip of {held_out} at {root}; there are {there}")
    survey.listed = survey.here
    for file in official_files():
        if file not in seen:
            survey.note("missing", file, "one of the 93 clips, not on disk")
    return survey
