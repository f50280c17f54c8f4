"""Instances in COCO's format (Lin et al., ECCV 2014): boxes and outlines of things in images, as tools for annotation
export them. Chapter 01 keeps FRA's faces, hands and action objects so.

Read are the fields `images` (id, file_name, width, height), `categories` (id, name) and `annotations` (image_id,
category_id, bbox, segmentation); others are left aside. A segmentation is a list of polygons or a run
length encoding, written out or compressed as COCO's own code (and so CVAT) writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillact_lib.datasets.annotations import Box
from stillact_lib.errors import StillactError


@dataclass(frozen=True)
class Instance:
    """One thing in an image: its category's name, box (x0, y0, x1, y1 in pixels, the far edges past the last pixel) and
    mask, bool [H, W] of the whole image, or None where only the box was drawn."""

    category: str
    box: Box
    mask: np.ndarray | None


@dataclass(frozen=True)
class AnnotatedImage:
    """An image's size, (height, width), its instances in the file's order, and what is wrong with those left out."""

    size: tuple[int, int]
    instances: tuple[Instance, ...]
    faults: tuple[str, ...] = ()

    def of(self, *categories: str) -> list[Instance]:
        """The instances of some categories."""
        return [one for one in self.instances if one.category in categories]


def read_instances(path: Path) -> dict[str, AnnotatedImage]:
    """File name -> what is annotated in it; an image without annotations has none. An instance without extent (an empty
    outline, a box of no width) is left out and listed. Raises StillactError that names the file, the entry and the
    field for anything that cannot be read."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StillactError(f"{path}: no such annotation file") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise StillactError(f"{path}: cannot be read as JSON ({reason}); export it again") from None
    images = {_value(path, f"images[{k}]", one, "id"): one for k, one in enumerate(_list(path, whole, "images"))}
    names = {
        _value(path, f"categories[{k}]", one, "id"): str(_value(path, f"categories[{k}]", one, "name"))
        for k, one in enumerate(_list(path, whole, "categories"))
    }
    sizes, found, faults = {}, {}, {}
    for number, image in images.items():
        where = f"image {number}"
        name = str(_value(path, where, image, "file_name"))
        sizes[number] = tuple(int(_value(path, where, image, field)) for field in ("height", "width"))
        if name in found:
            raise StillactError(f"{path}: {where}: file_name {name!r} stands twice; export it again")
        found[name], faults[name] = [], []
    for k, annotation in enumerate(_list(path, whole, "annotations")):
        where = f"annotations[{k}]"
        number, kind = (_value(path, where, annotation, field) for field in ("image_id", "category_id"))
        if number not in images or kind not in names:
            raise StillactError(f"{path}: {where}: no image {number} or no category {kind}; export it again")
        instance, name = _instance(path, where, annotation, names[kind], sizes[number]), images[number]["file_name"]
        if isinstance(instance, Instance):
            found[name].append(instance)
        else:
            faults[name].append(instance)
    by_name = {str(image["file_name"]): sizes[number] for number, image in images.items()}
    return {name: AnnotatedImage(by_name[name], tuple(own), tuple(faults[name])) for name, own in found.items()}


def _instance(path: Path, where: str, annotation: dict, category: str, size: tuple[int, int]) -> Instance | str:
    """An annotation, or what is wrong with it where it has no extent."""
    mask = _mask(path, where, annotation.get("segmentation"), size)
    if mask is not None and mask.any():
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
        return Instance(category, box, mask)
    sides = annotation.get("bbox")
    try:
        x, y, width, height = (float(side) for side in sides)
    except (TypeError, ValueError):
        if mask is not None:
            return f"{where}: {category}: its outline is empty"
        raise StillactError(f"{path}: {where}: it has neither an outline nor a bbox of four numbers") from None
    if width <= 0 or height <= 0:
        return f"{where}: {category}: its box is {width:g} x {height:g} pixels"
    return Instance(category, (x, y, x + width, y + height), None)


def _mask(path: Path, where: str, outline: object, size: tuple[int, int]) -> np.ndarray | None:
    """A segmentation as a mask bool [H, W]; None where there is none."""
    if not outline:
        return None
    if isinstance(outline, dict):
        counts = outline.get("counts")
        counts = written_out(counts) if isinstance(counts, str) else counts
        runs = np.asarray(counts if isinstance(counts, list) else [], int)
        if (runs < 0).any() or runs.sum() != size[0] * size[1] or tuple(outline.get("size", ())) != size:
            raise StillactError(f"{path}: {where}: its run length encoding does not cover {size[0]} x {size[1]} pixels")
        values = np.arange(len(runs)) % 2 == 1
        return np.repeat(values, runs).reshape(size[::-1]).T  # column by column
    mask = np.zeros(size, bool)
    for polygon in outline:
        points = np.asarray(polygon, float)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2:
            raise StillactError(f"{path}: {where}: a polygon is no list of three points or more")
        mask |= _inside(points.reshape(-1, 2), size)
    return mask


def written_out(compressed: str) -> list[int]:
    """The lengths of a compressed run length encoding (COCO's `rleFrString`): five bits a character above "0", the
    sixth says that the number goes on; from the fourth on, lengths are given less the last but one."""
    runs: list[int] = []
    value = place = 0
    for character in compressed:
        bits = ord(character) - 48
        value |= (bits & 31) << place
        place += 5
        if not bits & 32:
            value -= (bits & 16) << (place - 4)  # negative: its last group's highest bit is the sign
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = place = 0
    return runs


def _inside(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels whose middles lie in a polygon [K, 2], bool [H, W] (a drawing function would add its outline)."""
    from matplotlib.path import Path as Outline

    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    middles = np.stack([columns.ravel(), rows.ravel()], axis=1)
    return Outline(corners).contains_points(middles).reshape(size)


def _list(path: Path, whole: object, field: str) -> list:
    found = whole.get(field) if isinstance(whole, dict) else None
    if not isinstance(found, list):
        raise StillactError(f"{path}: {field}: there is no such list; export it in COCO's format")
    return found


def _value(path: Path, where: str, entry: object, field: str) -> object:
    if not isinstance(entry, dict) or field not in entry:
        raise StillactError(f"{path}: {where}: has no {field}; export it again")
    return entry[field]


def as_runs(mask: np.ndarray) -> dict[str, object]:
    """A mask bool [H, W] as an uncompressed run length encoding, column by column, beginning with what is not in it."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), len(flat)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}
