"""HMDB-51 (Kuehne et al., ICCV 2011): class folders of film clips and three 70/30 splits. Chapters 04 and 05."""

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
    entries,
    existing_folder,
    files_below,
    inside_root,
    is_video,
    match,
    read_lines,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "hmdb51"
VIDEOS, LISTS = "hmdb51_org", "testTrainMulti_7030_splits"
PARTS = {"0": "unused", "1": "train", "2": "test"}
AFTER_CLASS = r"_(?:h|u|f|l)_(?:cm|nm)_np\d+_(?:fr|ba|le|ri)_(?:goo|med|bad)_\d+\.avi"


def read_hmdb51(root: str | Path, split: int = 1, classes: Collection[str] | None = None) -> Samples:
    """HMDB-51 at `root` under official split 1, 2 or 3; all that is there of it, or `classes` of it.

    `root` holds `testTrainMulti_7030_splits/` and the class folders (or `hmdb51_org/` with them), or is `hmdb51_org`
    itself with the splits beside it. The class is that of the list, never of the file name, which is ambiguous;
    labels are alphabetical over the classes that have a list. Groups are the films. Raises StillactError where the
    dataset or the split's lists are not there.
    """
    return as_samples(survey_hmdb51(root, split), classes)


def survey_hmdb51(root: str | Path, split: int = 1) -> Survey:
    """What lies at `root`, held against the lists of `split`; no video is opened."""
    if split not in (1, 2, 3):
        raise StillactError(f"split: HMDB-51 has splits 1, 2 and 3, not {split!r}")
    root = existing_folder(NAME, root)
    videos = root / VIDEOS if (root / VIDEOS).is_dir() else root
    lists = next((f for f in (root / LISTS, videos / LISTS, root.absolute().parent / LISTS) if f.is_dir()), None)
    on_disk = files_below(videos, skip=[LISTS])
    official = set(load_manifest(NAME).class_names)
    if not any(is_video(path) and path.split("/")[0].lower() in official for path in on_disk):
        raise absent(NAME, root, "no folder of one of its 51 classes holds a video")

    survey = Survey(NAME, root, str(split), video_files=sum(map(is_video, on_disk)))
    ending = f"_test_split{split}.txt"
    if lists is not None:
        names = [entry.name for entry in entries(lists) if re.search(r"_test_split[123]\.txt$", entry.name)]
        survey.list_files = {f"{LISTS}/{name}": lists / name for name in names}
    chosen = {name: path for name, path in survey.list_files.items() if name.endswith(ending)}
    survey.classes = tuple(sorted(Path(name).name.removesuffix(ending) for name in chosen))
    if not chosen:
        survey.note("list", f"{LISTS}/<class>{ending}", "no such list is there")
        return survey

    listed = []
    for label, class_name in enumerate(survey.classes):
        listed += read_list(survey, f"{LISTS}/{class_name}{ending}", class_name, label)
    match(survey, listed, on_disk, prefix="" if videos == root else f"{VIDEOS}/")
    if not survey.here:
        raise absent(NAME, root, f"none of the {len(on_disk)} files below {videos.name}/ is in its lists")
    return survey


def read_list(survey: Survey, file: str, class_name: str, label: int) -> list[Listed]:
    """One class's list of a split: `name flag` a line, with a space at its end in the official files."""
    film = re.compile(f"(?P<film>.+)_{re.escape(class_name)}{AFTER_CLASS}")
    listed = []
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        name, _, flag = line.rpartition(" ")
        name = inside_root(name.strip() or line, where)
        if flag not in PARTS or "/" in name or not is_video(name):
            survey.note("list", where, f"not `name.avi flag` with flag 0, 1 or 2: {line!r}")
            continue
        known = film.fullmatch(name)
        if not known:
            survey.note("list", where, f"{name!r} is not named like {class_name}: it is its own film")
        group = known["film"] if known else name.removesuffix(".avi")
        listed.append(Listed(f"{class_name}/{name}", class_name, label, PARTS[flag], group))
    return listed
