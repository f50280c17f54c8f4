"""FRA (Rosenfeld and Ullman 2016, §2): five actions of Stanford 40 at the face, with what the paper annotated in them,
faces and action objects outlined and hands boxed. Chapter 01.

The annotation was never released. Here it is a file of COCO instances, `annotations/fra_instances.json` in Stanford
40's folder; `book/annotating_fra.md` says how to make one. Without it the photographs are read all the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from stillact_lib.datasets.coco_instances import AnnotatedImage, read_instances
from stillact_lib.datasets.images import read_header, turned_size, unturned, unturned_box
from stillact_lib.datasets.problems import Problem
from stillact_lib.datasets.stanford40 import read_stanford40
from stillact_lib.datasets.stills import Stills
from stillact_lib.errors import StillactError

SUBSET = "fra"
ANNOTATIONS = "annotations/fra_instances.json"
FACE, HAND = "face", "hand"
#: class -> its action object, as the annotation calls it
OBJECT_OF = {
    "blowing_bubbles": "bubble wand",
    "brushing_teeth": "toothbrush",
    "drinking": "cup",
    "phoning": "phone",
    "smoking": "cigarette",
}
OBJECTS = tuple(OBJECT_OF.values())
#: the labels of a pixel beside 0, background (Eq. 1: L has eight)
CATEGORIES = (FACE, HAND, *OBJECTS)


@dataclass(frozen=True)
class Fra:
    """The photographs of the five classes, and what is annotated in each, in the order of `stills.persons`; None where
    there is no annotation at all."""

    stills: Stills
    annotated: tuple[AnnotatedImage, ...] | None


def read_fra(root: str | Path) -> Fra:
    """FRA in Stanford 40's folder `root`. Photographs that the annotation lacks, or shows at another size, are left out
    and listed, since nobody can say what is in them.

    Raises StillactError where Stanford 40 is not there, or where the annotation is there but damaged, has a category
    of another name or none of the photographs.
    """
    stills = read_stanford40(root, subset=SUBSET)
    path = Path(root) / ANNOTATIONS
    if not path.is_file():
        return Fra(stills, None)
    found = by_photograph(path, read_instances(path))
    annotated: dict[str, AnnotatedImage] = {}
    problems = []
    for person in stills.persons.itertuples(index=False):
        name = Path(person.image).name
        if name not in found:
            problems.append(Problem(person.image, f"{ANNOTATIONS} lacks it: annotate it too", "missing"))
            continue
        for one in found[name].instances:
            if one.category not in CATEGORIES:
                raise StillactError(
                    f"{path}: {name}: there is no category {one.category!r} here; use {', '.join(CATEGORIES)}"
                )
        image, fault = as_in_the_file(found[name], stills.root / person.image)
        if image is None:
            problems.append(Problem(person.image, fault, "missing"))
            continue
        annotated[person.image] = image
        problems += [Problem(person.image, fault, "note")] if fault else []
        problems += [Problem(person.image, f"{ANNOTATIONS}: {one}", "annotation") for one in found[name].faults]
    if not annotated:
        example = f"it names {next(iter(found), 'none')}; {problems[0]}"
        raise StillactError(f"{path}: it has none of the {len(stills.persons)} photographs; {example}")
    kept = stills.persons["image"].isin(annotated).to_numpy()
    digest = hashlib.sha256(stills.lists.sha256.encode() + path.read_bytes()).hexdigest()
    stills = replace(
        stills,
        persons=stills.persons[kept].reset_index(drop=True),
        positives=stills.positives[kept],
        problems=stills.problems + problems,
        lists=replace(stills.lists, sha256=digest),
    )
    return Fra(stills, tuple(annotated[image] for image in stills.persons["image"]))


def by_photograph(path: Path, found: dict[str, AnnotatedImage]) -> dict[str, AnnotatedImage]:
    """The annotated images by the photographs' own names, whatever folder and whatever digits and dash of an upload an
    exporting tool has put in front (Label Studio: `images/cb0618f6-smoking_001.jpg`). Raises StillactError where two
    are of one photograph."""
    named: dict[str, str] = {}
    for name in found:
        own = re.sub(r"^[0-9a-f]{8}-", "", name.replace("\\", "/").rpartition("/")[2])
        if own in named:
            raise StillactError(f"{path}: {named[own]} and {name} are one photograph, {own}; leave one of them out")
        named[own] = name
    return {own: found[name] for own, name in named.items()}


def as_in_the_file(image: AnnotatedImage, path: Path) -> tuple[AnnotatedImage | None, str]:
    """What is annotated as the pixels lie in the file, and what was mended: an annotating tool shows a photograph as
    its EXIF tag turns it. None, and why, where the sizes say that another image was annotated, or do not tell."""
    (width, height), orientation = read_header(path)
    said, turned = image.size[::-1], turned_size((width, height), orientation)
    if said not in ((width, height), turned):
        return None, f"annotated at {said[0]}x{said[1]} pixels, the file has {width}x{height}: annotate this file"
    if orientation == 1 or (turned != (width, height) and said == (width, height)):
        return image, ""
    if turned == (width, height):
        return None, "its EXIF tag turns it, its size does not tell which view is annotated: save it without the tag"
    instances = tuple(
        replace(
            one,
            box=unturned_box(one.box, orientation, (width, height)),
            mask=None if one.mask is None else unturned(one.mask, orientation),
        )
        for one in image.instances
    )
    return replace(image, size=(height, width), instances=instances), "annotated as its EXIF tag turns it: turned back"
