"""FRA (Rosenfeld and Ullman 2016, §2): five actions of Stanford 40 at the face, with what the paper annotated in them,
faces and action objects outlined and hands boxed. Chapter 01.

The annotation was never released. Here it is a file of COCO instances, `annotations/fra_instances.json` in Stanford
40's folder; `book/annotating_fra.md` says how to make one. Without it the photographs are read all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stillact_lib.datasets.coco_instances import AnnotatedImage, read_instances
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
    """FRA in Stanford 40's folder `root`.

    Raises StillactError where Stanford 40 is not there, or where the annotation is there but damaged, lacks an image or
    has a category of another name.
    """
    stills = read_stanford40(root, subset=SUBSET)
    path = Path(root) / ANNOTATIONS
    if not path.is_file():
        return Fra(stills, None)
    found = read_instances(path)
    images = [Path(image).name for image in stills.persons["image"]]
    if lacking := [name for name in images if name not in found]:
        raise StillactError(f"{path}: {len(lacking)} images are not in it, the first {lacking[0]}; annotate them too")
    for name in images:
        for one in found[name].instances:
            if one.category not in CATEGORIES:
                raise StillactError(
                    f"{path}: {name}: there is no category {one.category!r} here; use {', '.join(CATEGORIES)}"
                )
    for name, size in zip(images, stills.persons[["height", "width"]].itertuples(index=False), strict=True):
        if found[name].size != tuple(size):
            said, is_so = ("x".join(map(str, reversed(two))) for two in (found[name].size, tuple(size)))
            raise StillactError(f"{path}: {name}: annotated at {said} pixels, the file has {is_so}; annotate this file")
    return Fra(stills, tuple(found[name] for name in images))
