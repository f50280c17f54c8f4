"""UCF-101 (Soomro, Zamir, Shah 2012): class folders of Xvid clips beside seven official lists. Chapters 03, 04, 05."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from stillact_lib.datasets.samples import (
    Listed,
    Samples,
    Survey,
    absent,
    as_samples,
    existing_folder,
    files_below,
    inside_root,
    is_video,
    match,
    read_lines,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "ucf101"
VIDEOS, LISTS = "UCF-101", "ucfTrainTestlist"
LINE = re.compile(r"(?P<path>\S.*?\.avi)(?:\s+(?P<label>\d+))?", re.IGNORECASE)
VIDEO = re.compile(r"(?P<folder>[^/]+)/v_(?P<prefix>.+)_(?P<group>g\d+)_c\d+\.avi", re.IGNORECASE)


def read_ucf101(root: str | Path, split: int = 1, classes: Collection[str] | None = None) -> Samples:
    """UCF-101 at `root` under official split 1, 2 or 3; all that is there of it, or `classes` of it.

    `root` holds `UCF-101/` and `ucfTrainTestlist/`, or is `UCF-101` itself with the lists inside or beside it. Labels
    follow classInd.txt, whatever numbers it gives, and come from the folder, since HandstandPushups holds files named
    HandStandPushups. Groups are g01 to g25 *of each class*. Raises StillactError where the dataset or the split's lists
    are not there.
    """
    return as_samples(survey_ucf101(root, split), classes)


def survey_ucf101(root: str | Path, split: int = 1) -> Survey:
    """What lies at `root`, held against the lists of `split`; no video is opened."""
    if split not in (1, 2, 3):
        raise StillactError(f"split: UCF-101 has splits 1, 2 and 3, not {split!r}")
    root = existing_folder(NAME, root)
    videos, lists = locate(root)
    on_disk = files_below(videos, skip=[LISTS])
    if not any(is_video(path) and "/" in path for path in on_disk):
        raise absent(NAME, root, f"{videos.name}/ holds no class folder with videos")

    survey = Survey(NAME, root, str(split), video_files=sum(map(is_video, on_disk)))
    for file in ["classInd.txt"] + [f"{part}list0{s}.txt" for s in (1, 2, 3) for part in ("train", "test")]:
        if (lists / file).is_file():
            survey.list_files[f"{LISTS}/{file}"] = lists / file
    needed = [f"{LISTS}/{file}" for file in ("classInd.txt", f"trainlist0{split}.txt", f"testlist0{split}.txt")]
    for file in needed:
        if file not in survey.list_files:
            survey.note("list", file, "list not there")
    if survey.problems:
        return survey

    numbers = read_classes(survey, needed[0])
    survey.classes = tuple(sorted(numbers, key=numbers.get))
    listed = [*read_list(survey, needed[1], "train", numbers), *read_list(survey, needed[2], "test", numbers)]
    match(survey, listed, on_disk, prefix="" if videos == root else f"{VIDEOS}/")
    if not survey.here:
        raise absent(NAME, root, f"none of the {len(on_disk)} files below {videos.name}/ is in its lists")
    return survey


def locate(root: Path) -> tuple[Path, Path]:
    """The folders of the videos and of the lists, for either root that is accepted."""
    if (root / VIDEOS).is_dir():
        return root / VIDEOS, root / LISTS
    for lists in (root / LISTS, root.absolute().parent / LISTS):
        if lists.is_dir():
            return root, lists
    raise absent(NAME, root, f"it holds no {VIDEOS}/, and no {LISTS}/ lies in or beside it")


def read_classes(survey: Survey, file: str) -> dict[str, int]:
    """classInd.txt: class, in the official spelling, -> its number there (parts of the dataset leave gaps). A faulty or
    repeated line is noted and passed over."""
    official = {name.casefold(): name for name in load_manifest(NAME).class_names}
    numbers: dict[str, int] = {}
    for number, line in read_lines(survey.list_files[file]):
        index, _, name = line.partition(" ")
        name = official.get(name.strip().casefold(), name.strip())
        if not index.isdecimal() or not name or int(index) < 1:
            survey.note("list", f"{file}:{number}", f"not `number class`: {line!r}")
        elif name in numbers or int(index) in numbers.values():
            survey.note("list", f"{file}:{number}", f"class or number given before: {line!r}")
        else:
            numbers[name] = int(index)
    return numbers


def read_list(survey: Survey, file: str, part: str, numbers: dict[str, int]) -> list[Listed]:
    """One list of a split. The label column is optional; where it is there, it must agree with the folder."""
    spelling = {name.casefold(): name for name in numbers}
    listed = []
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        entry = LINE.fullmatch(line)
        path = inside_root(entry["path"], where) if entry else inside_root(line, where)
        video = VIDEO.fullmatch(path)
        if not video:
            survey.note("list", where, f"not a UCF-101 video: {line!r}")
            continue
        class_name = spelling.get(video["folder"].casefold())
        if class_name is None:
            survey.note("list", where, f"class {video['folder']!r} is not in classInd.txt")
            continue
        if entry["label"] and int(entry["label"]) != (known := numbers[class_name]):
            reason = f"label {entry['label']}, but classInd.txt gives {class_name} the number {known}"
            survey.note("list", where, reason)
        label = survey.classes.index(class_name)
        listed.append(Listed(path, class_name, label, part, video["group"].lower()))
    return listed
