"""The table that every reader of photographs returns, and what those readers share to make it: sister of `samples`.

A row is a labelled person, since people in one photograph may do different things and one person several. A reader
surveys its root like a reader of videos; then the annotations give each listed person a box, and the image headers the
sizes. What is wrong becomes a problem; a person without a usable box stays, with NaN for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.datasets.annotations import Annotation, Box, Object, UnreadableAnnotation, read_annotation
from stillact_lib.datasets.images import UnreadableImage, read_size
from stillact_lib.datasets.samples import Listed, Problem, Survey, absent, inside_root, is_debris, match, read_lines

if TYPE_CHECKING:
    import pandas as pd

PERSON_COLUMNS = ("image", "person", "class_name", "label", "split", "x0", "y0", "x1", "y1", "width", "height")
PERSON_LINE = re.compile(r"(?P<image>\S+)\s+(?P<person>\d+)\s+(?P<flag>[+-]?1|0)")
IMAGES, ANNOTATIONS = "JPEGImages", "Annotations"


@dataclass(frozen=True)
class Stills:
    """A dataset of photographs as read: its labelled people and its problems.

    `persons` has one row a person, ordered by image and person: image (posix path below `root`), person (1-based, as
    the lists count), class_name and label (the first positive class, 0-based in the official order of `classes`; ""
    and -1 where there is none), split (train, val or test), x0 y0 x1 y1 (box in pixels, 0-based, the far edges past
    the last pixel, inside the image; NaN where there is none), width, height. `positives` is bool [rows, classes].
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    persons: pd.DataFrame
    positives: np.ndarray
    problems: list[Problem]


@dataclass
class Person:
    """One labelled person, as the lists give them; the box comes from the annotation."""

    image: str
    index: int
    split: str
    labels: set[int]
    box: Box | None = None


@dataclass
class StillSurvey(Survey):
    """A root of photographs as found: `listed` and `here` hold images, `persons` the people of all listed images.

    `units` says what the manifest's splits count where it is not images: "people", or "acting people" (positive for
    one class at least). `others_beside`: images of no list lie in the same folder; `enlarged_boxes`: boxes are made
    larger than the person, so that leaving the image is no fault.
    """

    persons: list[Person] = field(default_factory=list)
    annotation_faults: list[Problem] = field(default_factory=list)
    stated_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)  # image -> (width, height) of its annotation
    units: dict[str, str] = field(default_factory=dict)
    others_beside: bool = False
    enlarged_boxes: bool = False


def image_files(folder: Path) -> list[str]:
    """The names in a folder of images, sorted; hidden files and subfolders are not listed."""
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_file() and not is_debris(entry.name))


def read_person_list(survey: StillSurvey, file: str) -> dict[tuple[str, int], bool]:
    """One list in VOC's format, `image  k  flag` with any spaces: (image, k) -> positive, in the list's order.

    The flag is 1 or -1 (0, "left open", counts as not positive). Faulty and contradictory lines are noted and passed
    over; so are repeated ones, in one note a list.
    """
    people: dict[tuple[str, int], bool] = {}
    repeats = 0
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        entry = PERSON_LINE.fullmatch(line)
        name = inside_root(entry["image"] if entry else line, where)
        if not entry or "/" in name or int(entry["person"]) < 1:
            survey.list_faults.append(Problem(where, f"not `image person 1|-1`: {line!r}"))
            continue
        key, positive = (name, int(entry["person"])), int(entry["flag"]) == 1
        if key not in people:
            people[key] = positive
        elif people[key] == positive:
            repeats += 1
        else:
            survey.list_faults.append(Problem(where, f"contradicts an earlier line: {line!r}"))
    if repeats:
        survey.list_faults.append(Problem(file, f"{repeats:,} lines repeat earlier ones"))
    return people


def place(survey: StillSurvey, persons: list[Person], folder: str, ending: str = "") -> None:
    """Finds the persons' images in `folder` (below the root), as `samples.match` does, and fills the survey.

    A person's `image` is the lists' name; `ending` completes it. Raises StillactError where no listed image is here.
    """
    on_disk = image_files(survey.root / folder)
    survey.video_files = len(on_disk)
    splits: dict[str, str] = {}
    for person in persons:
        first = splits.setdefault(person.image, person.split)
        if first != person.split:
            survey.list_faults.append(Problem(person.image, f"named twice: as {first} and as {person.split}"))
    listed = [Listed(name + ending, "", -1, split, name) for name, split in splits.items()]
    prefix = f"{folder}/" if folder != "." else ""
    match(survey, listed, on_disk, prefix, belongs=lambda _: not survey.others_beside)
    if not survey.here:
        raise absent(survey.name, survey.root, f"none of the {len(on_disk)} files in {folder}/ is in its lists")
    placed = {item.group: item.video for item in survey.listed}
    for person in persons:
        if splits[person.image] == person.split and person.image in placed:
            person.image = placed[person.image]
            survey.persons.append(person)


def attach_boxes(
    survey: StillSurvey,
    folder: str,
    counted: Callable[[Annotation], tuple[Object, ...]],
    check: Callable[[Person, Object], str],
) -> None:
    """Reads the annotation of every image that is here and gives its persons their boxes.

    `counted`: the objects among which the lists count their persons; `check` compares a person with their object and
    returns what does not agree, "" where all does.
    """
    if not (survey.root / folder).is_dir():
        survey.missing.append(Problem(f"{folder}/", "no such folder: nobody has a box"))
        return
    files = {name.casefold(): name for name in image_files(survey.root / folder)}
    by_image: dict[str, list[Person]] = {}
    for person in survey.persons:
        by_image.setdefault(person.image, []).append(person)
    for item in survey.here:
        wanted = PurePosixPath(item.video).with_suffix(".xml").name
        path = f"{folder}/{files.get(wanted.casefold(), wanted)}"
        if wanted.casefold() not in files:
            survey.missing.append(Problem(path, "annotation not on disk: no box"))
            continue
        try:
            annotation = read_annotation(survey.root / path)
        except UnreadableAnnotation as reason:
            survey.annotation_faults.append(Problem(path, str(reason)))
            continue
        if annotation.size:
            survey.stated_sizes[item.video] = annotation.size
        objects = counted(annotation)
        for person in by_image.get(item.video, []):
            if person.index > len(objects):
                fault = f"the lists name person {person.index}, it has {len(objects)}"
            else:
                found = objects[person.index - 1]
                person.box = found.box
                fault = found.fault or check(person, found)
            if fault:
                survey.annotation_faults.append(Problem(path, f"person {person.index}: {fault}"))


def measure(survey: StillSurvey) -> tuple[dict[str, tuple[int, int]], list[Problem]]:
    """Opens the header of every image that is here: image -> (width, height), and the images that cannot be read.

    Holds the annotations against the sizes: boxes are cut to the image, and what does not fit is noted as a fault.
    """
    images = [item.video for item in survey.here]

    def size_or_reason(image: str) -> tuple[int, int] | str:
        try:
            return read_size(survey.root / image)
        except UnreadableImage as reason:
            return str(reason)

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found = dict(zip(images, pool.map(size_or_reason, images), strict=True))
    unreadable = [Problem(image, size) for image, size in found.items() if isinstance(size, str)]
    sizes = {image: size for image, size in found.items() if not isinstance(size, str)}
    for image, size in sizes.items():
        stated = survey.stated_sizes.get(image, size)
        if stated != size and 0 not in stated:  # some tools write 0 x 0
            reason = f"{size[0]}x{size[1]} pixels, its annotation says {stated[0]}x{stated[1]}"
            survey.annotation_faults.append(Problem(image, reason))
    for person in survey.persons:
        if person.box and person.image in sizes:
            person.box, fault = _cut(person.box, *sizes[person.image])
            if fault and not (survey.enlarged_boxes and person.box):
                survey.annotation_faults.append(Problem(person.image, f"person {person.index}: {fault}"))
    return sizes, unreadable


def told_apart(survey: StillSurvey, stated: set[int], listed: set[int]) -> str:
    """What to say where an annotation states other labels than the lists; "" where they agree."""
    if stated == listed:
        return ""
    said = [", ".join(survey.classes[n] for n in sorted(labels)) or "nothing" for labels in (stated, listed)]
    return f"the annotation says {said[0]}, the lists {said[1]}"


def _cut(box: Box, width: int, height: int) -> tuple[Box | None, str]:
    x0, y0, x1, y1 = box
    inside = (min(x0, width), min(y0, height), min(x1, width), min(y1, height))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return None, f"the box lies outside the {width}x{height} image: {_numbers(box)}"
    if x1 > width + 1 or y1 > height + 1:
        return inside, f"the box leaves the {width}x{height} image: {_numbers(box)}"
    return inside, ""


def _numbers(box: Box) -> str:
    return ", ".join(f"{edge:g}" for edge in box)


def as_stills(survey: StillSurvey) -> Stills:
    """The table of a survey. Raises StillactError where no image is usable."""
    import pandas as pd

    sizes, unreadable = measure(survey)
    people = sorted((p for p in survey.persons if p.image in sizes), key=lambda p: (p.image, p.index))
    if not people:
        example = f"; {unreadable[0].path}: {unreadable[0].reason}" if unreadable else ""
        raise absent(survey.name, survey.root, f"none of its {len(survey.here)} images can be read{example}")
    nowhere = (float("nan"),) * 4
    rows = []
    for person in people:
        label = min(person.labels, default=-1)
        name = survey.classes[label] if label >= 0 else ""
        box = person.box or nowhere
        rows.append((person.image, person.index, name, label, person.split, *box, *sizes[person.image]))
    positives = np.zeros((len(people), len(survey.classes)), bool)
    for row, person in enumerate(people):
        positives[row, sorted(person.labels)] = True
    table = pd.DataFrame(rows, columns=list(PERSON_COLUMNS))
    problems = survey.list_faults + survey.missing + survey.unexpected + survey.annotation_faults + unreadable
    return Stills(survey.name, survey.root, survey.classes, table, positives, problems)
