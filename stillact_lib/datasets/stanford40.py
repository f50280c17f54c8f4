"""Stanford 40 Actions (Yao et al., ICCV 2011): photographs of one person, one action, one box. Chapters 01, 02, 04, 05.

Its classes also come as three subsets: Stanford10 (Chen & Grauman, CVPR 2013; chapter 04), FRA, the actions at the face
(Rosenfeld & Ullman, 2016; chapter 01), and our own Motion4, pairs of actions that no thing tells apart (chapter 04).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from pathlib import Path

from stillact_lib.datasets.annotations import Object
from stillact_lib.datasets.samples import absent, entries, existing_folder, inside_root, narrowed, read_lines
from stillact_lib.datasets.stills import (
    IMAGES,
    Person,
    Stills,
    StillSurvey,
    as_stills,
    attach_boxes,
    image_files,
    place,
    told_apart,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "stanford40"
XML, LISTS = "XMLAnnotations", "ImageSplits"
IMAGE = re.compile(r"(?P<action>[A-Za-z_]+)_\d{3}\.jpg", re.IGNORECASE)
CLASS_LIST = re.compile(r"(?P<action>[A-Za-z_]+)_(?P<part>train|test)\.txt", re.IGNORECASE)


def read_stanford40(root: str | Path, subset: str | None = None, classes: Collection[str] | None = None) -> Stills:
    """Stanford 40 at `root`, or its `subset` "stanford10", "fra" or "motion4", or some `classes`.

    `root` holds `JPEGImages/`, `ImageSplits/` and `XMLAnnotations/` (without which nobody has a box). Classes are those
    of actions.txt, or of the lists where it is not there, in alphabetical order; of a subset, those that this copy
    lists, numbered anew. Raises StillactError where the dataset, a list or the whole subset is not there.
    """
    survey = survey_stanford40(root)
    return as_stills(only(survey, subset) if subset else survey, classes)


def survey_stanford40(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against its lists and annotations; no image is opened."""
    root = existing_folder(NAME, root)
    for folder in (IMAGES, LISTS):
        if not (root / folder).is_dir():
            raise absent(NAME, root, f"it holds no {folder}/")
    survey = StillSurvey(NAME, root, "official", len(image_files(root / IMAGES)))
    for entry in entries(root / LISTS):
        if entry.name.lower().endswith(".txt"):
            survey.list_files[f"{LISTS}/{entry.name}"] = Path(entry.path)
    lists = part_lists(survey)
    for part, files in lists.items():
        if not files:
            survey.note("list", f"{LISTS}/{part}.txt", "list not there")
    if survey.problems:
        return survey

    named: dict[str, list[tuple[str, str]]] = {}  # part -> (image, action)
    for part, files in lists.items():
        named[part] = [pair for file in files for pair in read_list(survey, file)]
    survey.classes = class_names(survey, {action for pairs in named.values() for _, action in pairs})
    numbers = {name.casefold(): label for label, name in enumerate(survey.classes)}
    persons = [
        Person(image, 1, part, {numbers[action]})
        for part, pairs in named.items()
        for image, action in pairs
        if action in numbers
    ]
    place(survey, persons, IMAGES)
    attach_boxes(survey, XML, lambda annotation: annotation.persons, partial(disagreement, survey))
    return survey


def only(survey: StillSurvey, subset: str) -> StillSurvey:
    """The survey cut down to a subset of the manifest's, by its name in any case."""
    subsets = {block.name.casefold(): block for block in load_manifest(NAME).subsets}
    if subset.casefold() not in subsets:
        raise StillactError(f"subset: Stanford 40 has no subset {subset!r}; it has {', '.join(subsets)}")
    block = subsets[subset.casefold()]
    classes = [name for name in block.classes if name in survey.classes]
    lacking = [name for name in block.classes if name not in survey.classes]
    if lacking and not classes:
        raise StillactError(f"{survey.root}: it lists none of the {block.name} classes ({', '.join(lacking)})")
    found = narrowed(survey, classes)
    found.split, found.named_classes = block.name, 0
    if lacking:
        found.note("absent", f"{LISTS}/", f"{block.name} classes not listed: {', '.join(lacking)}")
    return found


def part_lists(survey: StillSurvey) -> dict[str, list[str]]:
    """The lists to read for each part: `train.txt`, or where that is not there the lists of the classes."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for file in survey.list_files:
        if entry := CLASS_LIST.fullmatch(file.rpartition("/")[2]):
            lists[entry["part"].lower()].append(file)
    for part in lists:
        whole = [file for file in survey.list_files if file.rpartition("/")[2].lower() == f"{part}.txt"]
        lists[part] = whole or lists[part]
    return lists


def read_list(survey: StillSurvey, file: str) -> list[tuple[str, str]]:
    """(image, action in lower case) of each line. Faulty lines are noted and passed over; so are repeated ones, once a
    list: a public copy of test.txt names 3,000 images twice."""
    found: dict[str, str] = {}
    repeats = 0
    for number, line in read_lines(survey.list_files[file]):
        where = f"{file}:{number}"
        image = IMAGE.fullmatch(inside_root(line, where))
        if not image:
            survey.note("list", where, f"not `action_NNN.jpg`: {line!r}")
        else:
            repeats += line in found
            found[line] = image["action"].casefold()
    if repeats:
        survey.note("list", file, f"{repeats:,} lines repeat earlier ones")
    return list(found.items())


def class_names(survey: StillSurvey, listed: set[str]) -> tuple[str, ...]:
    """The classes of actions.txt (a header line, then `action<TAB>count`), or of the lists, in alphabetical order."""
    official = {name.casefold(): name for name in load_manifest(NAME).class_names}
    file = next((file for file in survey.list_files if file.lower() == f"{LISTS}/actions.txt".lower()), None)
    if file is None:
        names = {official.get(action, action) for action in listed}
    else:
        rows = [line.split() for _, line in read_lines(survey.list_files[file])[1:]]
        names = {row[0] for row in rows}
        if unknown := sorted(listed - {name.casefold() for name in names}):
            survey.note("list", file, f"the lists hold other actions too: {', '.join(unknown)}")
    return tuple(sorted(names, key=str.casefold))


def disagreement(survey: StillSurvey, person: Person, found: Object) -> str:
    """What the annotation's action, where it has one, says otherwise than the list, which decides."""
    stated = {action for action, done in found.actions.items() if done}
    known = {label for label, name in enumerate(survey.classes) if name.casefold() in stated}
    if stated and not known:
        return f"the annotation says {', '.join(sorted(stated))}"
    return told_apart(survey, known, person.labels) if stated else ""
