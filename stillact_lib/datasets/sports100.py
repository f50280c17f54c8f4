"""Photographs of a hundred sports in class folders: Kaggle's "100 Sports", under a split of our own. Chapter 04.

The photographs come without test labels, so `data_manifests/sports100_split.txt` divides them, once for everybody: it
holds each photograph's number, side and the first digits of the SHA-256 of its bytes. The bytes decide, not the name: a
renamed copy of the set has the same split, and a photograph that was changed, or added, is not part of it. What shows
the same, exactly or nearly, is on one side. `data_manifests/sports100_split.py` made the list.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from joblib import cpu_count

from stillact_lib.datasets.samples import Listed, absent, existing_folder, files_below, read_lines
from stillact_lib.datasets.stills import Person, Stills, StillSurvey, as_stills
from stillact_lib.errors import StillactError
from stillact_lib.manifests import manifest_folder

NAME, SPLIT = "sports100", "ours"
FOLDER = "train"
SPLIT_LIST = manifest_folder() / "sports100_split.txt"
DIGITS = 8  # of a SHA-256: one in 450,000 other photographs has those of a listed one
LINE = re.compile(r"(?P<class>[^|]+) \| (?P<part>train|test) \| (?P<photographs>\d+:[0-9a-f]{8}(?: \d+:[0-9a-f]{8})*)")
SAME = re.compile(r"same \| (?P<numbers>\d+(?: \d+)+)")


class Photograph(NamedTuple):
    """One photograph of the list: `train/<class_name>/Image_<number>.jpg`; no two have the same number."""

    class_name: str
    number: int
    part: str
    digest: str

    @property
    def path(self) -> str:
        return f"{self.class_name}/Image_{self.number}.jpg"


def read_sports100(root: str | Path, classes: Collection[str] | None = None) -> Stills:
    """The sports at `root`, the folder that holds `train/` (or that folder itself): all that are there, or `classes`.

    A photograph is labelled as a whole: it is one row, person 1, without a box. Every file is read, to know it by its
    bytes. Raises StillactError where nothing of the set is there.
    """
    return as_stills(survey_sports100(root), classes)


def survey_sports100(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against the list by its bytes; no image is decoded."""
    root = existing_folder(NAME, root)
    prefix = f"{FOLDER}/" if (root / FOLDER).is_dir() else ""
    on_disk = [path for path in files_below(root / prefix) if path.endswith("/") or is_photograph(path)]
    if not any(is_photograph(path) for path in on_disk):
        raise absent(NAME, root, f"{prefix or 'it'} holds no sport's folder with photographs")
    listed, same = read_split(SPLIT_LIST)
    survey = StillSurvey(NAME, root, SPLIT, sum(map(is_photograph, on_disk)), list_files={SPLIT_LIST.name: SPLIT_LIST})
    survey.classes = tuple(dict.fromkeys(photograph.class_name for photograph in listed))
    survey.digest(f"{one.class_name} {one.part} {one.digest}" for one in listed)

    digests = digests_of(root / prefix, [path for path in on_disk if is_photograph(path)])
    named = {photograph.path: photograph for photograph in listed}
    renamed = defaultdict(list)  # (class, digest) -> files that have not the name under which these bytes are listed
    for path, digest in digests.items():
        if path not in named or named[path].digest != digest:
            renamed[path.split("/")[0], digest].append(path)
    place = {}
    for one in listed:
        others = renamed[one.class_name, one.digest]
        path = one.path if digests.get(one.path) == one.digest else others.pop(0) if others else None
        item = Listed(prefix + (path or one.path), one.class_name, survey.classes.index(one.class_name), one.part, "")
        survey.listed.append(item)
        survey.persons.append(Person(item.video, 1, one.part, {item.label}))
        if path:
            survey.here.append(item)
            place[one.number] = item
        else:
            survey.note("missing", item.video, f"listed for {one.part}, not on disk")
    for path in sorted(path for paths in renamed.values() for path in paths):
        altered = path in named
        reason = "on the list, but with other bytes: damaged, or another photograph" if altered else "not on the list"
        survey.note("unexpected", prefix + path, reason)
    for path in (path for path in on_disk if path.endswith("/")):
        survey.note("unreadable", prefix + path, "no permission to read this folder")
    _note_crossing(survey, [[place[number] for number in numbers if number in place] for numbers in same])
    return survey


def _note_crossing(survey: StillSurvey, same: list[list[Listed]]) -> None:
    """Notes photographs of several classes that show the same; the list has them on one side."""
    for first, *others in filter(None, same):
        if crossing := [other.video for other in others if other.label != first.label]:
            survey.note("note", first.video, f"shows the same as {', '.join(map(repr, crossing))}: kept on one side")


def is_photograph(path: str) -> bool:
    return "/" in path and path.lower().endswith((".jpg", ".jpeg", ".png"))


def digests_of(folder: Path, paths: list[str]) -> dict[str, str]:
    """Path below `folder` -> the first digits of the SHA-256 of its bytes. Raises StillactError where one cannot be
    read."""

    def digest(path: str) -> str:
        try:
            return hashlib.sha256((folder / path).read_bytes()).hexdigest()[:DIGITS]
        except OSError as error:
            raise StillactError(f"{folder / path}: cannot be read ({error.strerror}); make it readable") from None

    with ThreadPoolExecutor(max_workers=min(8, cpu_count())) as pool:
        return dict(zip(paths, pool.map(digest, paths), strict=True))


def read_split(path: Path) -> tuple[list[Photograph], list[list[int]]]:
    """The list: its photographs, and the numbers of those that show the same. Raises StillactError for a line that is
    not in its format, and for a number that is there twice."""
    photographs, same = [], []
    for number, line in read_lines(path):
        if line.startswith("#"):
            continue
        if entry := LINE.fullmatch(line):
            for one in entry["photographs"].split(" "):
                name, digest = one.split(":")
                photographs.append(Photograph(entry["class"], int(name), entry["part"], digest))
        elif entry := SAME.fullmatch(line):
            same.append([int(name) for name in entry["numbers"].split(" ")])
        else:
            raise StillactError(f"{path.name}:{number}: not `class | side | number:digest ...`; fetch the list again")
    if len({photograph.number for photograph in photographs}) < len(photographs):
        raise StillactError(f"{path.name}: two photographs have one number; fetch the list again")
    return photographs, same
