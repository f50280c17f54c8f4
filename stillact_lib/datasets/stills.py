"""The table that every reader of photographs returns, and what those readers share to make it: sister of `samples`.

A row is a labelled person, since people in one photograph may do different things and one person several. A reader
surveys its root like a reader of videos; then the annotations give each listed person a box, and the image headers the
sizes. What is wrong becomes a problem; a person without a usable box stays, with NaN for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

import numpy as np
from joblib import cpu_count

from stillact_lib.datasets.annotations import Annotation, Box, Object, UnreadableAnnotation, read_annotation
from stillact_lib.datasets.images import UnreadableImage, read_header, turned_size, unturned_box
from stillact_lib.datasets.problems import Problem
from stillact_lib.datasets.samples import (
    Listed,
    Lists,
    Survey,
    absent,
    entries,
    inside_root,
    match,
    narrowed,
    read_lines,
)

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
    lists: Lists = field(default_factory=Lists)


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
    stated_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)  # image -> (width, height) of its annotation
    units: dict[str, str] = field(default_factory=dict)
    others_beside: bool = False
    enlarged_boxes: bool = False

    def labels_here(self) -> set[int]:
        here, found = {item.video for item in self.here}, set()
        for person in self.persons:
            if person.image in here:
                found |= person.labels
        return found

    def cut(self, new: Mapping[int, int]) -> Self:
        """Of people who do something else as well, nobody is left; who does nothing that is named stays."""
        kept = [person for person in self.persons if person.labels <= new.keys()]
        images = {person.image for person in kept}
        return replace(
            self,
            persons=[replace(person, labels={new[label] for label in person.labels}) for person in kept],
            listed=[item for item in self.listed if item.video in images],
            here=[item for item in self.here if item.video in images],
        )


def image_files(folder: Path) -> list[str]:
    """The names in a folder of images, sorted; hidden files and subfolders are not listed."""
    return [entry.name for entry in entries(folder) if entry.is_file()]


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
            survey.note("list", where, f"not `image person 1|-1`: {line!r}")
            continue
        key, positive = (name, int(entry["person"])), int(entry["flag"]) == 1
        if key not in people:
            people[key] = positive
        elif people[key] == positive:
            repeats += 1
        else:
            survey.note("list", where, f"contradicts an earlier line: {line!r}")
    if repeats:
        survey.note("list", file, f"{repeats:,} lines repeat earlier ones")
    return people


def place(survey: StillSurvey, persons: list[Person], folder: str, ending: str = "") -> None:
    """Finds the persons' images in `folder` (below the root), as `samples.match` does, and fills the survey.

    A person's `image` is the lists' name; `ending` completes it. Raises StillactError where no listed image is here.
    """
    on_disk = image_files(survey.root / folder)
    does = [sorted(survey.classes[label] for label in person.labels) for person in persons]
    survey.digest(f"{p.image} {p.index} {p.split} {d} {p.box}" for p, d in zip(persons, does, strict=True))
    splits: dict[str, str] = {}
    for person in persons:
        first = splits.setdefault(person.image, person.split)
        if first != person.split:
            survey.note("list", person.image, f"named twice: as {first} and as {person.split}")
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
        survey.note("annotation", f"{folder}/", "no such folder: nobody has a box")
        return
    files = {name.casefold(): name for name in image_files(survey.root / folder)}
    by_image: dict[str, list[Person]] = {}
    for person in survey.persons:
        by_image.setdefault(person.image, []).append(person)
    for item in survey.here:
        wanted = PurePosixPath(item.video).with_suffix(".xml").name
        path = f"{folder}/{files.get(wanted.casefold(), wanted)}"
        if wanted.casefold() not in files:
            survey.note("annotation", path, "annotation not on disk: no box")
            continue
        try:
            annotation = read_annotation(survey.root / path)
        except UnreadableAnnotation as reason:
            survey.note("annotation", path, str(reason))
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
                survey.note("annotation", path, f"person {person.index}: {fault}")


def measure(survey: StillSurvey) -> tuple[dict[str, tuple[int, int]], list[Problem]]:
    """Opens the header of every image that is here: image -> (width, height), and the images that cannot be read.

    Holds the annotations against the sizes: boxes are cut to the image, and what does not fit is noted as a fault.
    """
    images = [item.video for item in survey.here]

    def header_or_reason(image: str) -> tuple[tuple[int, int], int] | str:
        try:
            return read_header(survey.root / image)
        except UnreadableImage as reason:
            return str(reason)

    with ThreadPoolExecutor(max_workers=min(8, cpu_count())) as pool:
        found = dict(zip(images, pool.map(header_or_reason, images), strict=True))
    unreadable = [Problem(image, header, "unreadable") for image, header in found.items() if isinstance(header, str)]
    sizes = {image: header[0] for image, header in found.items() if not isinstance(header, str)}
    turned = {image: header[1] for image, header in found.items() if not isinstance(header, str) and header[1] > 1}
    people = [person for person in survey.persons if person.box and person.image in sizes]
    for image, orientation in turned.items():
        _unturn(survey, image, sizes[image], orientation, [person for person in people if person.image == image])
    for image, size in sizes.items():
        stated = survey.stated_sizes.get(image, size)
        if stated != size and 0 not in stated and image not in turned:  # some tools write 0 x 0
            reason = f"{size[0]}x{size[1]} pixels, its annotation says {stated[0]}x{stated[1]}"
            survey.note("annotation", image, reason)
    for person in people:
        if person.box:
            person.box, fault = _cut(person.box, *sizes[person.image])
            if fault and not (survey.enlarged_boxes and person.box):
                survey.note("annotation", person.image, f"person {person.index}: {fault}")
    return sizes, unreadable


def _unturn(survey: StillSurvey, image: str, size: tuple[int, int], orientation: int, people: list[Person]) -> None:
    """Boxes of a photograph whose EXIF tag turns it. Pixels are read unturned, so boxes that were drawn on the turned
    view, as the size in the annotation tells, are turned back; where it does not tell, there are none."""
    turned, stated = turned_size(size, orientation), survey.stated_sizes.get(image)
    if people and (turned == size or stated not in (size, turned)):
        survey.note("annotation", image, "its EXIF tag turns it, nothing says which view its boxes are of: no box")
        for person in people:
            person.box = None
    elif people and stated == turned:
        survey.note("note", image, "its EXIF tag turns it, its boxes are of the turned view: turned back")
        for person in people:
            person.box = unturned_box(person.box, orientation, size)


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


def as_stills(survey: StillSurvey, classes: Collection[str] | None = None) -> Stills:
    """The table of a survey: of `classes`, or of those of which anything is on disk. Raises StillactError where no
    image is usable, and for a class that the lists do not name."""
    import pandas as pd

    survey = narrowed(survey, classes)
    sizes, unreadable = measure(survey)
    people = sorted((p for p in survey.persons if p.image in sizes), key=lambda p: (p.image, p.index))
    if not people:
        example = f"; {unreadable[0]}" if unreadable else ""
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
    problems = survey.problems + unreadable
    return Stills(survey.name, survey.root, survey.classes, table, positives, problems, survey.lists())
