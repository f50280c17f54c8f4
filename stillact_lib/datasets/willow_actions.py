"""Willow Actions (Delaitre, Laptev, Sivic, BMVC 2010): people in Flickr photographs, seven actions. Chapters 03, 04.

No original file was at hand: the layout is that of the authors' own Matlab code. Every person is named in every
class's list, so one may be positive for several classes or for none.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from stillact_lib.datasets.annotations import Object
from stillact_lib.datasets.samples import absent, entries, existing_folder
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
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "willow_actions"
FOLDERS = ("willowactions", "willow-actions")
LISTS = "ImageSets/Action"
OFFICIAL = "trainval/test"
SPLITS = {OFFICIAL: {"trainval": "train", "test": "test"}, "train/val": {"train": "train", "val": "val"}}


def read_willow(root: str | Path, split: str = OFFICIAL, classes: Collection[str] | None = None) -> Stills:
    """Willow Actions at `root`, divided "trainval/test" (parts train and test) or, for tuning, "train/val".

    `root` holds `willowactions/`, or is it. Classes are read from the names of the set files, up to the first
    underscore and without regard to case; they follow the manifest's order and spelling, unknown ones come last. The
    lists decide who does what; an action that the annotation marks as ambiguous counts as not done, as in the authors'
    code. Raises StillactError where the dataset or the split's lists are not there.
    """
    return as_stills(survey_willow(root, split), classes)


def survey_willow(root: str | Path, split: str = OFFICIAL) -> StillSurvey:
    """What lies at `root`, held against the lists of `split` and the annotations; no image is opened."""
    if split not in SPLITS:
        raise StillactError(f"split: Willow divides as {' or '.join(map(repr, SPLITS))}, not {split!r}")
    root = existing_folder(NAME, root)
    below = [entry.name for entry in entries(root) if entry.name.casefold() in FOLDERS and entry.is_dir()]
    prefix = "" if (root / IMAGES).is_dir() or not below else f"{below[0]}/"
    base = root / prefix
    for folder in (IMAGES, LISTS):
        if not (base / folder).is_dir():
            raise absent(NAME, root, f"it holds no {prefix}{folder}/")

    survey = StillSurvey(NAME, root, "official" if split == OFFICIAL else split, len(image_files(base / IMAGES)))
    parts: dict[str, dict[str, list[str]]] = {}  # part -> class in lower case -> its list files
    spelling = {name.casefold(): name for name in load_manifest(NAME).classes}
    known = list(spelling)
    for entry in entries(base / LISTS):
        class_name, _, part = entry.name.removesuffix(".txt").partition("_")
        if not entry.name.endswith(".txt") or part.lower() not in ("train", "val", "trainval", "test"):
            continue
        survey.list_files[file := f"{prefix}{LISTS}/{entry.name}"] = Path(entry.path)
        spelling.setdefault(class_name.casefold(), class_name)
        parts.setdefault(part.lower(), {}).setdefault(class_name.casefold(), []).append(file)
    if "trainval" not in parts and "train" in parts:  # their union
        for part in ("train", "val"):
            for name, files in parts.get(part, {}).items():
                parts.setdefault("trainval", {}).setdefault(name, []).extend(files)
    for part in SPLITS[split]:
        if part not in parts:
            survey.note("list", f"{prefix}{LISTS}/<class>_{part}.txt", "no such list is there")
    if survey.problems:
        return survey

    there = {name for part in SPLITS[split] for name in parts[part]}
    order = [name for name in known if name in there] + sorted(there - set(known))
    survey.classes = tuple(spelling[name] for name in order)
    persons: list[Person] = []
    for part, called in SPLITS[split].items():
        people: dict[tuple[str, int], Person] = {}
        for label, name in enumerate(order):
            if name not in parts[part]:
                missing = f"{prefix}{LISTS}/{spelling[name]}_{part}.txt"
                survey.note("list", missing, "list not there, though other parts of the class are")
            for file in parts[part].get(name, []):
                for (image, index), positive in read_person_list(survey, file).items():
                    person = people.setdefault((image, index), Person(image, index, called, set()))
                    person.labels |= {label} if positive else set()
        persons += people.values()
    place(survey, persons, f"{prefix}{IMAGES}", ending=".jpg")
    attach_boxes(survey, f"{prefix}{ANNOTATIONS}", lambda annotation: annotation.persons, partial(settle, survey))
    return survey


def settle(survey: StillSurvey, person: Person, found: Object) -> str:
    """Takes ambiguous actions from a person's labels, and says where the annotation (before its conversion to VOC's
    format it names actions) and the lists differ otherwise."""
    numbers = {name.casefold(): label for label, name in enumerate(survey.classes)}
    person.labels -= {numbers[name] for name, done in found.actions.items() if done is None and name in numbers}
    stated = {numbers[name] for name, done in found.actions.items() if done and name in numbers}
    return told_apart(survey, stated, person.labels) if found.actions else ""
