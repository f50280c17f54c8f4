"""YUP++ dynamic scenes (Feichtenhofer, Pinz, Wildes, CVPR 2017): twenty kinds of scene, with a still and with a moving
camera, and a split with one tenth for training. Chapter 04."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal

from stillact_lib.datasets.samples import (
    Listed,
    Samples,
    Survey,
    absent,
    as_samples,
    existing_folder,
    files_below,
    inside_root,
    is_debris,
    is_video,
    match,
    read_lines,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "yupp"
TREE = "YUP++"
FOLDERS = {"static": "camera_stationary", "moving": "camera_moving"}
LINE = re.compile(
    r"(?P<stem>(?P<class>[A-Za-z]+)_(?P<camera>static|moving)_cam_\d+)(?:\.mp4)?\s+(?P<tag>static|moving)_(?P<part>train|test)"
)


def read_yupp(
    root: str | Path,
    camera: Literal["static", "moving"] | None = None,
    split: int = 1,
    classes: Collection[str] | None = None,
) -> Samples:
    """YUP++ at `root`, which holds `YUP++/` or is that folder itself; the videos of one `camera`, or of both.

    The list `10_90_randsplit_<split>.txt` may lie in `YUP++/`, beside it, or in a folder inside it. Labels are
    alphabetical over the classes that the list names; each video is a group of its own. Raises StillactError where the
    dataset or the list is not there.
    """
    if camera not in (None, *FOLDERS):
        raise StillactError(f"camera: YUP++ has static and moving cameras, not {camera!r}")
    survey = survey_yupp(root, split)
    if camera is not None:
        kept = f"{FOLDERS[camera]}/"
        listed, here = ([item for item in items if kept in item.video] for items in (survey.listed, survey.here))
        problems = [p for p in survey.problems if p.kind == "list" or kept in p.path]
        survey = replace(survey, split=f"{survey.split}, {camera}", listed=listed, here=here, problems=problems)
    return as_samples(survey, classes)


def survey_yupp(root: str | Path, split: int = 1) -> Survey:
    """What lies at `root`, held against the split's list; no video is opened."""
    if not isinstance(split, int) or split < 1:
        raise StillactError(f"split: YUP++'s random splits are numbered from 1, not {split!r}")
    root = existing_folder(NAME, root)
    tree = root / TREE if (root / TREE).is_dir() else root
    on_disk = {f: files_below(tree / f) if (tree / f).is_dir() else [] for f in FOLDERS.values()}
    if not any(is_video(path) for paths in on_disk.values() for path in paths):
        raise absent(NAME, root, f"no video in {' or '.join(f'{TREE}/{folder}/' for folder in on_disk)}")
    prefix = "" if tree == root else f"{TREE}/"
    survey = Survey(NAME, root, "10-90", video_files=sum(is_video(p) for paths in on_disk.values() for p in paths))
    file = f"10_90_randsplit_{split}.txt"
    if (found := find_list(tree, file)) is None:
        survey.note("list", f"{TREE}/{file}", "list not there")
        return survey
    survey.list_files = {f"{TREE}/{file}": found}

    listed = read_list(survey, f"{TREE}/{file}")
    for folder, paths in on_disk.items():
        inside = [replace(i, video=i.video.removeprefix(f"{folder}/")) for i in listed if i.video.startswith(folder)]
        match(survey, inside, paths, f"{prefix}{folder}/")
    if survey.listed and not survey.here:
        raise absent(NAME, root, f"none of its {survey.video_files} videos is in {file}")
    return survey


def find_list(tree: Path, file: str) -> Path | None:
    """Where the list lies: in the tree (as the authors' script has it), beside it, or in a folder of the tree's."""
    inside = sorted(path for path in tree.iterdir() if path.is_dir() and not is_debris(path.name))
    places = [tree, tree.absolute().parent, *inside]
    return next((place / file for place in places if (place / file).is_file()), None)


def read_list(survey: Survey, file: str) -> list[Listed]:
    """The list of a split; sets the survey's classes. A faulty line is noted and passed over."""
    known, rows = set(load_manifest(NAME).class_names), []
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        entry = LINE.fullmatch(line)
        if not entry:
            inside_root(line, where)
            survey.note("list", where, f"not `<Class>_<camera>_cam_<n> <camera>_<part>`: {line!r}")
        elif entry["camera"] != entry["tag"]:
            survey.note("list", where, f"another camera in the name than in the tag: {line!r}")
        elif entry["class"] not in known:
            survey.note("list", where, f"class {entry['class']!r} is none of the {len(known)} classes")
        else:
            rows.append(entry)
    survey.classes = tuple(sorted({entry["class"] for entry in rows}))
    return [
        Listed(
            f"{FOLDERS[entry['camera']]}/{entry['class']}/{entry['stem']}.mp4",
            entry["class"],
            survey.classes.index(entry["class"]),
            entry["part"],
            entry["stem"],
        )
        for entry in rows
    ]
