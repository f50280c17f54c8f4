"""Willow Actions (Delaitre, Laptev, Sivic, BMVC 2010): people in Flickr photographs, seven actions. Chapters 03, 04.

No original file was at hand: the layout is that of the authors' own Matlab code. Every person is named in every
class's list, so one may be positive for several classes or for none.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from stillact_lib.datasets.annotations import Object
from stillact_lib.datasets.samples import Problem, absent, existing_folder
from stillact_lib.datasets.stills import (
    ANNOTATIONS,
    IMAGES,
    Person,
    Stills,
    StillSurvey,
    as_stills,
    attach_boxes,
    place,
    read_person_list,
    told_apart,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "willow_actions"
FOLDERS = ("willowactions", "willow-actions")
LISTS = "ImageSets/Action"
SPLITS = {"trainval/test": {"trainval": "train", "test": "test"}, "train/val": {"train": "train", "val": "val"}}


def read_willow(root: str | Path, split: str = "trainval/test") -> Stills:
    """Willow Actions at `root`, divided "trainval/test" (parts train and test) or, for tuning, "train/val".

    `root` holds `willowactions/`, or is it. Classes are read from the names of the set files, up to the first
    underscore and without regard to case; they follow the manifest's order and spelling, unknown ones come last. The
    lists decide who does what; an action that the annotation marks as ambiguous counts as not done, as in the authors'
    code. Raises StillactError where the dataset or the split's lists are not there.
    """
    survey = survey_willow(root, split)
    if not survey.here:
        fault = survey.list_faults[0]
        raise absent(NAME, survey.root, f"{fault.path}: {fault.reason}")
    return as_stills(survey)


def survey_willow(root: str | Path, split: str = "trainval/test") -> StillSurvey:
    """What lies at `root`, held against the lists of `split` and the annotations; no image is opened."""
    if split not in SPLITS:
        raise StillactError(f"split: Willow divides as {' or '.join(map(repr, SPLITS))}, not {split!r}")
    root = existing_folder(NAME, root)
    below = sorted(path.name for path in root.iterdir() if path.name.casefold() in FOLDERS and path.is_dir())
    prefix = "" if (root / IMAGES).is_dir() or not below else f"{below[0]}/"
    base = root / prefix
    for folder in (IMAGES, LISTS):
        if not (base / folder).is_dir():
            raise absent(NAME, root, f"it holds no {prefix}{folder}/")

    survey = StillSurvey(NAME, root, split, 0)
    parts: dict[str, dict[str, list[str]]] = {}  # part -> class in lower case -> its list files
    spelling = {name.casefold(): name for name in load_manifest(NAME).classes}
    known = list(spelling)
    for path in sorted((base / LISTS).iterdir()):
        class_name, _, part = path.name.removesuffix(".txt").partition("_")
        if path.suffix != ".txt" or part.lower() not in ("train", "val", "trainval", "test"):
            continue
        survey.list_files[file := f"{prefix}{LISTS}/{path.name}"] = path
        spelling.setdefault(class_name.casefold(), class_name)
        parts.setdefault(part.lower(), {}).setdefault(class_name.casefold(), []).append(file)
    if "trainval" not in parts and "train" in parts:  # their union
        for part in ("train", "val"):
            for name, files in parts.get(part, {}).items():
                parts.setdefault("trainval", {}).setdefault(name, []).extend(files)
    for part in SPLITS[split]:
        if part not in parts:
            survey.list_faults.append(Problem(f"{prefix}{LISTS}/<class>_{part}.txt", "no such list is there"))
    if survey.list_faults:
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
                survey.list_faults.append(Problem(missing, "list not there, though other parts of the class are"))
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
