"""PASCAL VOC 2012 Action (Everingham et al., IJCV 2015): boxed people, any of ten actions each. Chapter 04.

The test labels stay on the evaluation server; the parts are train and val, as Im2Flow uses them. It reports 2,645 and
2,658 person crops and not how they arise; `person_counts` gives both likely readings.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stillact_lib.datasets.annotations import Object
from stillact_lib.datasets.samples import absent, entries, existing_folder, inside_root, read_lines
from stillact_lib.datasets.stills import (
    ANNOTATIONS,
    IMAGES,
    Person,
    Stills,
    StillSurvey,
    as_stills,
    attach_boxes,
    image_files,
    place,
    read_person_list,
    told_apart,
)
from stillact_lib.manifests import load_manifest

if TYPE_CHECKING:
    import pandas as pd

NAME = "voc2012_action"
PLACES = ("VOCdevkit/VOC2012/", "VOC2012/", "")
LISTS = "ImageSets/Action"
PARTS = ("train", "val")


def read_voc2012_action(root: str | Path, classes: Collection[str] | None = None) -> Stills:
    """VOC 2012 Action at `root`, parts train and val.

    `root` holds `VOCdevkit/`, is it, or is `VOC2012/`. The people are those of the classes' lists; one who does only
    other things has no class. Raises StillactError where the dataset or its lists are not there.
    """
    return as_stills(survey_voc2012_action(root), classes)


def person_counts(stills: Stills) -> pd.DataFrame:
    """People a part: all that are labelled, and those positive for one of the ten actions."""
    import pandas as pd

    acting = stills.persons[stills.positives.any(axis=1)]
    columns = {"labelled people": stills.persons, "people with a named action": acting}
    return pd.DataFrame({name: rows.split.value_counts() for name, rows in columns.items()}).reindex(list(PARTS))


def survey_voc2012_action(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against its lists and annotations; no image is opened."""
    root = existing_folder(NAME, root)
    prefix = next((place for place in PLACES if (root / place / LISTS).is_dir()), None)
    if prefix is None:
        raise absent(NAME, root, f"it holds no {PLACES[0]}{LISTS}/")
    if not (root / prefix / IMAGES).is_dir():
        raise absent(NAME, root, f"it holds no {prefix}{IMAGES}/")

    survey = StillSurvey(NAME, root, "images", len(image_files(root / prefix / IMAGES)), others_beside=True)
    survey.units = {"people": "people", "Im2Flow's person crops": "acting people"}
    official = load_manifest(NAME).classes
    on_disk = {entry.name: Path(entry.path) for entry in entries(root / prefix / LISTS)}
    survey.list_files = {f"{prefix}{LISTS}/{name}": path for name, path in on_disk.items() if path.suffix == ".txt"}
    survey.classes = tuple(name for name in official if any(f"{name}_{part}.txt" in on_disk for part in PARTS))
    wanted = [f"{name}_{part}.txt" for name in survey.classes for part in PARTS]
    lacking = [name for name in wanted if name not in on_disk] or ([] if wanted else ["<action>_{train,val}.txt"])
    for name in lacking:
        survey.note("list", f"{prefix}{LISTS}/{name}", "list not there")
    if survey.problems:
        return survey

    persons: list[Person] = []
    for part in PARTS:
        people: dict[tuple[str, int], Person] = {}
        for label, name in enumerate(survey.classes):
            for (image, index), positive in read_person_list(survey, f"{prefix}{LISTS}/{name}_{part}.txt").items():
                person = people.setdefault((image, index), Person(image, index, part, set()))
                person.labels |= {label} if positive else set()
        persons += people.values()
        note_other_images(survey, f"{prefix}{LISTS}/{part}.txt", {image for image, _ in people})
    place(survey, persons, f"{prefix}{IMAGES}", ending=".jpg")
    attach_boxes(survey, f"{prefix}{ANNOTATIONS}", lambda annotation: annotation.objects, partial(disagreement, survey))
    return survey


def note_other_images(survey: StillSurvey, file: str, people_in: set[str]) -> None:
    """Holds a part's list of images against the images of the classes' lists (an object's number may follow the id)."""
    if file not in survey.list_files:
        return
    images = {inside_root(line.split()[0], f"{file}:{n}") for n, line in read_lines(survey.list_files[file])}
    for image in sorted(images ^ people_in):
        reason = "no class's list names anybody in" if image in images else "it lacks"
        survey.note("list", file, f"{reason} {image}")


def disagreement(survey: StillSurvey, person: Person, found: Object) -> str:
    """What the object's `<actions>` say otherwise than the lists, which decide."""
    if found.name != "person":
        return f"the object is a {found.name}"
    if not found.actions:
        return "no <actions>; the lists' labels are kept"
    stated = {label for label, name in enumerate(survey.classes) if found.actions.get(name.casefold())}
    return told_apart(survey, stated, person.labels)
