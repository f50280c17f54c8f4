"""The table of samples that every reader returns, and what the readers share to make it.

A reader surveys its root (which files do the official lists name, which of them are here, which files are in no
list?) and turns the survey into `Samples`: one row a usable video, and a list of problems for everything else.
Nothing is globbed and nothing is handed to a shell: HMDB-51's names hold `[`, `#`, `&` and `;`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self, TypeVar

from joblib import cpu_count

from stillact_lib.datasets.clips import Header, UnreadableClip
from stillact_lib.datasets.frame_folders import header_of_video
from stillact_lib.datasets.problems import Kind, Problem
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("video", "class_name", "label", "split", "group", "frames", "fps", "width", "height")
DEBRIS = {"thumbs.db", "desktop.ini", "lost+found"}  # and all that is hidden, such as macOS's ._ files


@dataclass(frozen=True)
class Lists:
    """What a dataset's lists name. split: the manifest's name for how they divide it; items: part -> how many, of the
    classes that are read; classes: how many they name, read or not; sha256: of who is where under which class, whatever
    the line ends, "" where there are no lists."""

    split: str = ""
    items: Mapping[str, int] = field(default_factory=dict)
    classes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Samples:
    """A dataset as read: its usable videos and its problems.

    `videos` has one row a video, ordered by label and name: video (posix path below `root`), class_name, label
    (0-based, in the official order of `classes`), split (train, test or unused), group (videos that must stay on one
    side of any split: UCF-101's gNN, HMDB-51's film, Weizmann's person, else the video itself), frames (as the header
    says), fps (NaN where nothing says), width, height. `parts` are the datasets that were joined to this one.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    videos: pd.DataFrame
    problems: list[Problem]
    lists: Lists = field(default_factory=Lists)
    parts: tuple[Samples, ...] = ()


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
    """A root as found, before any video is opened. `split` is the manifest's name of the split read; `named_classes`,
    how many classes the lists name, where `narrowed` has left some out."""

    name: str
    root: Path
    split: str
    video_files: int  # whatever they are called
    classes: tuple[str, ...] = ()
    listed: list[Listed] = field(default_factory=list)
    here: list[Listed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    list_files: dict[str, Path] = field(default_factory=dict)  # official path -> where it lies
    lists_sha256: str = ""
    named_classes: int = 0

    def note(self, kind: Kind, path: str, reason: str) -> None:
        self.problems.append(Problem(path, reason, kind))

    def of(self, *kinds: Kind) -> list[Problem]:
        return [problem for problem in self.problems if problem.kind in kinds]

    def digest(self, lines: Iterable[str]) -> None:
        """Adds to the digest what lists say, a line an item, in any order."""
        text = "\n".join([self.lists_sha256, *sorted(lines)])
        self.lists_sha256 = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def labels_here(self) -> set[int]:
        """The labels of which anything is on disk."""
        return {item.label for item in self.here}

    def cut(self, new: Mapping[int, int]) -> Self:
        """The survey with some labels only; `new`: old label -> new."""
        listed, here = (
            [replace(item, label=new[item.label]) for item in items if item.label in new]
            for items in (self.listed, self.here)
        )
        return replace(self, listed=listed, here=here)

    def lists(self) -> Lists:
        items = Counter(item.split for item in self.listed)
        return Lists(self.split, dict(items), self.named_classes or len(self.classes), self.lists_sha256)


AnySurvey = TypeVar("AnySurvey", bound=Survey)


def narrowed(survey: AnySurvey, classes: Collection[str] | None = None) -> AnySurvey:
    """The survey cut down to `classes` or, without them, to those of which anything is on disk; labels count from 0 in
    the order of the lists. Raises StillactError for a class that the lists do not name, and where nothing that they
    name is on disk, with the first reason."""
    if not survey.here:
        why = survey.problems[0] if survey.problems else "it holds nothing that is wanted"
        raise absent(survey.name, survey.root, str(why))
    if unknown := [name for name in classes or () if name not in survey.classes]:
        raise StillactError(f"classes: {survey.name} has no {', '.join(unknown)}; it has {', '.join(survey.classes)}")
    kept = survey.labels_here() if classes is None else {survey.classes.index(name) for name in classes}
    if not kept or len(kept) == len(survey.classes):
        return survey
    old = sorted(kept)
    found = survey.cut({label: place for place, label in enumerate(old)})
    found.classes, found.named_classes = tuple(survey.classes[label] for label in old), len(survey.classes)
    gone = {stem(item.video) for item in survey.listed} - {stem(item.video) for item in found.listed}
    bound = ("missing", "annotation", "unreadable", "note")
    found.problems = [p for p in survey.problems if p.kind not in bound or stem(p.path) not in gone]
    if classes is None and (lost := len(survey.listed) - len(found.listed)):
        names = ", ".join(name for label, name in enumerate(survey.classes) if label not in kept)
        reason = f"nothing of them is on disk ({lost:,} items): {names}"
        found.note("absent", f"{len(survey.classes) - len(old)} of {len(survey.classes)} classes", reason)
    return found


def stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0] or path.rpartition("/")[2]


def said_as_part(lists: Lists, classes: int, found: int, unit: str) -> str:
    """What to say where only some of the classes that the lists name are read; "" for a whole dataset."""
    if classes >= lists.classes:
        return ""
    part, named = f"part: {classes} of {lists.classes} classes", sum(lists.items.values())
    state = f", {'in' * (found < named)}complete: {found:,} of {named:,} {unit} of these classes"
    return part + state * bool(named)


def absent(name: str, root: Path, found: str) -> StillactError:
    """The error for a root that does not hold dataset `name`: what is wrong, where it should lie, where to get it."""
    manifest = load_manifest(name)
    size = manifest.size.text if manifest.size else "size not known"
    drawn = f", or make a miniature: stillact data miniature {name} OUT" * manifest.miniature
    return StillactError(
        f"{manifest.title} is not at {root}: {found}. Give {manifest.place}; "
        f"get it from {manifest.page or manifest.sources[0].url} ({size}; licence: {manifest.licence.text}){drawn}"
    )


def existing_folder(name: str, root: str | Path) -> Path:
    """`root` as a path. Raises StillactError where there is no such folder."""
    root = Path(root)
    if not root.is_dir():
        raise absent(name, root, "it is a file, not a folder" if root.exists() else "no such folder")
    return root


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a list with their numbers from 1: any line ends, no byte order mark, no blank lines. Raises
    StillactError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise StillactError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def inside_root(listed: str, where: str) -> str:
    """`listed`, a relative path, with `/` for the `\\` that tools on Windows write. Raises StillactError for a name
    that would leave the data root."""
    path = listed.replace("\\", "/")
    if "\0" in path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise StillactError(f"{where}: the name {listed!r} leaves the data root; fetch the official list again")
    return path


def entries(folder: Path) -> list[os.DirEntry]:
    """What lies in a folder, by name, without debris. Raises StillactError where it cannot be read."""
    try:
        return sorted((entry for entry in os.scandir(folder) if not is_debris(entry.name)), key=lambda e: e.name)
    except OSError as error:
        raise StillactError(f"{folder}: cannot be read ({error.strerror}); make it readable or take it away") from None


def files_below(folder: Path, skip: Iterable[str] = ()) -> list[str]:
    """Files in `folder` and in its folders (one level), as sorted posix paths below it; hidden files are not listed. A
    folder that cannot be read stands as itself, with a `/` at its end."""
    found = []
    for entry in (entry for entry in entries(folder) if entry.name not in skip):
        if not entry.is_dir():
            found.append(entry.name)
            continue
        try:
            found += [f"{entry.name}/{inner.name}" for inner in entries(Path(entry.path))]
        except StillactError:
            found.append(f"{entry.name}/")
    return sorted(found)


def is_debris(name: str) -> bool:
    return name.startswith(".") or name.lower() in DEBRIS


def is_video(path: str) -> bool:
    return path.lower().endswith((".avi", ".mp4"))


def match(
    survey: Survey, listed: list[Listed], on_disk: list[str], prefix: str, belongs: Callable[[str], bool] = is_video
) -> None:
    """Fills `survey` with which of `listed` lies on disk, what is missing and what is in no list.

    Paths are compared without regard to case (HandstandPushups, HandStandPushups); `prefix` leads from the root to
    them. Of the other files those are unexpected that lie in a class's folder or that `belongs` to the dataset.
    """
    survey.digest(f"{stem(i.video).casefold()} {i.class_name} {i.split} {i.group}" for i in listed)
    exact, folded = set(on_disk), {path.casefold(): path for path in on_disk}
    class_folders = {name.casefold() for name in survey.classes}
    used, named = set(), {}
    for item in listed:
        if (key := item.video.casefold()) in named:
            survey.note("list", item.video, f"named twice: as {named[key]} and as {item.split}")
            continue
        named[key] = item.split
        path = item.video if item.video in exact else folded.get(key)
        place = replace(item, video=prefix + (path or item.video))
        survey.listed.append(place)
        if path is None:
            survey.note("missing", place.video, f"listed for {item.split}, not on disk")
        else:
            used.add(path)
            survey.here.append(place)
    for path in on_disk:
        in_class_folder = "/" in path and path.split("/")[0].casefold() in class_folders
        if path.endswith("/"):
            survey.note("unreadable", prefix + path, "no permission to read this folder")
        elif path not in used and (in_class_folder or belongs(path)):
            survey.note("unexpected", prefix + path, "in no list")


def as_samples(survey: Survey, classes: Collection[str] | None = None) -> Samples:
    """Opens each video of a survey once and builds its table: of `classes`, or of those of which anything is on disk.

    A video that cannot be opened or is cut short becomes a problem, not a row. Raises StillactError where no video is
    usable, and for a class that the lists do not name.
    """
    import pandas as pd  # here, so that verifying, which needs no table, starts quickly

    survey = narrowed(survey, classes)
    ordered = sorted(survey.here, key=lambda item: (item.label, item.video))
    with ThreadPoolExecutor(max_workers=min(8, cpu_count())) as pool:
        headers = pool.map(lambda item: header_or_reason(survey.root, item), ordered)
        found = list(zip(ordered, headers, strict=True))
    unreadable = [Problem(i.video, h, "unreadable") for i, h in found if isinstance(h, str)]
    rows = [
        (i.video, i.class_name, i.label, i.split, i.group, h.frames, h.fps, h.width, h.height)
        for i, h in found
        if isinstance(h, Header)
    ]
    if not rows:
        example = f"; {unreadable[0]}" if unreadable else ""
        raise absent(survey.name, survey.root, f"none of its {len(ordered)} videos can be read{example}")
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Samples(survey.name, survey.root, survey.classes, table, survey.problems + unreadable, survey.lists())


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
