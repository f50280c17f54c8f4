"""UCF-101 (Soomro, Zamir, Shah 2012): class folders of Xvid clips beside seven official lists. Chapters 03, 04, 05."""

from __future__ import annotations

import re
from pathlib import Path

from stillact_lib.datasets.samples import (
    Listed,
    Problem,
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

NAME = "ucf101"
VIDEOS, LISTS = "UCF-101", "ucfTrainTestlist"
LINE = re.compile(r"(?P<path>\S.*?\.avi)(?:\s+(?P<label>\d+))?", re.IGNORECASE)
VIDEO = re.compile(r"(?P<folder>[^/]+)/v_(?P<prefix>.+)_(?P<group>g\d+)_c\d+\.avi", re.IGNORECASE)


def read_ucf101(root: str | Path, split: int = 1) -> Samples:
    """UCF-101 at `root` under official split 1, 2 or 3.

    `root` holds `UCF-101/` and `ucfTrainTestlist/`, or is `UCF-101` itself with the lists inside or beside it. Labels
    follow classInd.txt and come from the folder, since HandstandPushups holds files named HandStandPushups. Groups
    are g01 to g25 *of each class*. Raises StillactError where the dataset or the split's lists are not there.
    """
    survey = survey_ucf101(root, split)
    if not survey.listed:
        fault = survey.list_faults[0]
        raise absent(NAME, survey.root, f"{fault.path}: {fault.reason}")
    return as_samples(survey)


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
    survey.list_faults += [Problem(file, "list not there") for file in needed if file not in survey.list_files]
    if survey.list_faults:
        return survey

    ids = read_classes(survey, needed[0])
    survey.classes = tuple(sorted(ids, key=ids.get))
    listed = [*read_list(survey, needed[1], "train", ids), *read_list(survey, needed[2], "test", ids)]
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
    """classInd.txt: class -> 0-based label. A faulty or repeated line is noted and passed over."""
    ids: dict[str, int] = {}
    for number, line in read_lines(survey.list_files[file]):
        index, _, name = line.partition(" ")
        if not index.isdecimal() or not name.strip() or int(index) < 1:
            survey.list_faults.append(Problem(f"{file}:{number}", f"not `number class`: {line!r}"))
        elif name.strip() in ids or int(index) - 1 in ids.values():
            survey.list_faults.append(Problem(f"{file}:{number}", f"class or number given before: {line!r}"))
        else:
            ids[name.strip()] = int(index) - 1
    return ids


def read_list(survey: Survey, file: str, part: str, ids: dict[str, int]) -> list[Listed]:
    """One list of a split. The label column is optional; where it is there, it must agree with the folder."""
    spelling = {name.casefold(): name for name in ids}
    listed = []
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        entry = LINE.fullmatch(line)
        path = inside_root(entry["path"], where) if entry else inside_root(line, where)
        video = VIDEO.fullmatch(path)
        if not video:
            survey.list_faults.append(Problem(where, f"not a UCF-101 video: {line!r}"))
            continue
        class_name = spelling.get(video["folder"].casefold())
        if class_name is None:
            survey.list_faults.append(Problem(where, f"class {video['folder']!r} is not in classInd.txt"))
            continue
        label = ids[class_name]
        if entry["label"] and int(entry["label"]) != label + 1:
            reason = f"label {entry['label']}, but classInd.txt gives {class_name} the number {label + 1}"
            survey.list_faults.append(Problem(where, reason))
        listed.append(Listed(path, class_name, label, part, video["group"].lower()))
    return listed
