"""The table of samples that every reader returns, and what the readers share to make it.

A reader surveys its root (which files do the official lists name, which of them are here, which files are in no
list?) and turns the survey into `Samples`: one row a usable video, and a list of problems for everything else.
Nothing is globbed and nothing is handed to a shell: HMDB-51's names hold `[`, `#`, `&` and `;`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stillact_lib.datasets.clips import Header, UnreadableClip
from stillact_lib.datasets.frame_folders import header_of_video
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("video", "class_name", "label", "split", "group", "frames", "fps", "width", "height")
DESKTOP_DEBRIS = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `path` below the root (a list's line as `list.txt:12`) and the reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class Samples:
    """A dataset as read: its usable videos and its problems.

    `videos` has one row a video, ordered by label and name: video (posix path below `root`), class_name, label
    (0-based, in the official order of `classes`), split (train, test or unused), group (videos that must stay on one
    side of any split: UCF-101's gNN, HMDB-51's film, Weizmann's person, else the video itself), frames (as the header
    says), fps (NaN where nothing says), width, height.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    videos: pd.DataFrame
    problems: list[Problem]


@dataclass(frozen=True)
class Listed:
    """One video (or photograph) that a dataset's lists name; `video` is its path below the root. `promised` is what
    annotations say of its frames and size."""

    video: str
    class_name: str
    label: int
    split: str
    group: str
    promised: Header | None = None


@dataclass
class Survey:
    """A root as found, before any video is opened. `split` is the manifest's name of the split read."""

    name: str
    root: Path
    split: str
    video_files: int  # whatever they are called
    classes: tuple[str, ...] = ()
    listed: list[Listed] = field(default_factory=list)
    here: list[Listed] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)
    unexpected: list[Problem] = field(default_factory=list)
    list_faults: list[Problem] = field(default_factory=list)
    list_files: dict[str, Path] = field(default_factory=dict)  # official path -> where it lies


def absent(name: str, root: Path, found: str) -> StillactError:
    """The error for a root that does not hold dataset `name`: what is wrong, where it should lie, where to get it."""
    manifest = load_manifest(name)
    size = manifest.size.text if manifest.size else "size not known"
    return StillactError(
        f"{manifest.title} is not at {root}: {found}. Give {manifest.place}; "
        f"get it from {manifest.page or manifest.sources[0].url} ({size}; licence: {manifest.licence.text}), "
        f"or make a miniature: stillact data miniature {name} OUT"
    )


def existing_folder(name: str, root: str | Path) -> Path:
    """`root` as a path. Raises StillactError where there is no such folder."""
    root = Path(root)
    if not root.is_dir():
        raise absent(name, root, "it is a file, not a folder" if root.exists() else "no such folder")
    return root


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a list with their numbers from 1: any line ends, no byte order mark, no blank lines."""
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def inside_root(listed: str, where: str) -> str:
    """`listed` itself, a relative path. Raises StillactError for a name that would leave the data root."""
    if "\\" in listed or "\0" in listed or listed.startswith("/") or ".." in PurePosixPath(listed).parts:
        raise StillactError(f"{where}: the name {listed!r} leaves the data root; fetch the official list again")
    return listed


def files_below(folder: Path, skip: Iterable[str] = ()) -> list[str]:
    """Files in `folder` and in its folders (one level), as sorted posix paths below it; hidden files are not listed."""
    found = []
    for entry in os.scandir(folder):
        if entry.name in skip or is_debris(entry.name):
            continue
        if entry.is_dir():
            found += [f"{entry.name}/{inner.name}" for inner in os.scandir(entry.path) if not is_debris(inner.name)]
        else:
            found.append(entry.name)
    return sorted(found)


def is_debris(name: str) -> bool:
    return name.startswith(".") or name.lower() in DESKTOP_DEBRIS


def is_video(path: str) -> bool:
    return path.lower().endswith((".avi", ".mp4"))


def match(
    survey: Survey,
    listed: list[Listed],
    on_disk: list[str],
    prefix: str,
    belongs: Callable[[str], bool] = is_video,
) -> None:
    """Fills `survey` with which of `listed` lies on disk, what is missing and what is in no list.

    Paths are compared without regard to case (HandstandPushups, HandStandPushups); `prefix` leads from the root to
    them. Of the other files those are unexpected that lie in a class's folder or that `belongs` to the dataset.
    """
    exact, folded = set(on_disk), {path.casefold(): path for path in on_disk}
    class_folders = {name.casefold() for name in survey.classes}
    used, named = set(), {}
    for item in listed:
        if (key := item.video.casefold()) in named:
            survey.list_faults.append(Problem(item.video, f"named twice: as {named[key]} and as {item.split}"))
            continue
        named[key] = item.split
        path = item.video if item.video in exact else folded.get(key)
        place = Listed(prefix + (path or item.video), item.class_name, item.label, item.split, item.group)
        survey.listed.append(place)
        if path is None:
            survey.missing.append(Problem(place.video, f"listed for {item.split}, not on disk"))
        else:
            used.add(path)
            survey.here.append(place)
    for path in on_disk:
        in_class_folder = "/" in path and path.split("/")[0].casefold() in class_folders
        if path not in used and (in_class_folder or belongs(path)):
            survey.unexpected.append(Problem(prefix + path, "in no list"))


def as_samples(survey: Survey) -> Samples:
    """Opens each video of a survey once and builds its table. Raises StillactError where no video is usable.

    A video that cannot be opened or is cut short becomes a problem, not a row.
    """
    import pandas as pd  # here, so that verifying, which needs no table, starts quickly

    ordered = sorted(survey.here, key=lambda item: (item.label, item.video))
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        headers = list(pool.map(lambda item: header_or_reason(survey.root, item), ordered))
    unreadable = [Problem(i.video, h) for i, h in zip(ordered, headers, strict=True) if isinstance(h, str)]
    rows = [
        (i.video, i.class_name, i.label, i.split, i.group, h.frames, h.fps, h.width, h.height)
        for i, h in zip(ordered, headers, strict=True)
        if isinstance(h, Header)
    ]
    if not rows:
        example = f"; {unreadable[0].path}: {unreadable[0].reason}" if unreadable else ""
        raise absent(survey.name, survey.root, f"none of its {len(ordered)} videos can be read{example}")
    problems = [*survey.list_faults, *survey.missing, *survey.unexpected, *unreadable]
    return Samples(survey.name, survey.root, survey.classes, pd.DataFrame(rows, columns=list(COLUMNS)), problems)


def header_or_reason(root: Path, item: Listed) -> Header | str:
    """An item's header, or why it cannot be used: it is unreadable, or is not what its annotations promise."""
    try:
        found, promised = header_of_video(root / item.video), item.promised
    except UnreadableClip as reason:
        return str(reason)
    if promised and (found.frames, found.width, found.height) != (promised.frames, promised.width, promised.height):
        here, there = (f"{h.frames} frames of {h.width}x{h.height}" for h in (found, promised))
        return f"has {here}, its labels say {there}"
    return found
