"""PASCAL-style XML annotations as Stanford 40, Willow and VOC 2012 write them: objects with a box and their actions.

Elements are read by tag, since their order differs; coordinates may be fractions. File names inside an annotation are
never followed. Parsed by defusedxml: no entities, no external documents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

Box = tuple[float, float, float, float]


class UnreadableAnnotation(Exception):
    """The reason why a file is no annotation, as one line without the file's name."""


@dataclass(frozen=True)
class Object:
    """One `<object>`: its box in pixels (x0, y0, x1, y1; 0-based, the far edges past the last pixel), or why it has
    none; its actions, folded to lower case: done, not done, or None where it is marked ambiguous."""

    name: str
    box: Box | None
    fault: str
    actions: dict[str, bool | None]


@dataclass(frozen=True)
class Annotation:
    """One image's objects in the order of the file, and the size it states, (width, height), None where it does not."""

    size: tuple[int, int] | None
    objects: tuple[Object, ...]

    @property
    def persons(self) -> tuple[Object, ...]:
        return tuple(item for item in self.objects if item.name == "person")


def read_annotation(path: Path) -> Annotation:
    """The annotation at `path`. Raises UnreadableAnnotation with the reason."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(path.read_bytes())
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise UnreadableAnnotation(f"not valid XML: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise UnreadableAnnotation(f"cannot be read: {error.strerror}") from None
    if root.tag != "annotation":
        raise UnreadableAnnotation(f"its root is <{root.tag}>, not <annotation>")
    size = [_number(root, f"size/{side}") for side in ("width", "height")]
    stated = (int(size[0]), int(size[1])) if None not in size else None
    return Annotation(stated, tuple(_object(element) for element in root.findall("object")))


def _object(element: Element) -> Object:
    name = _text(element, "name").casefold()
    edges = [_number(element, f"bndbox/{tag}") for tag in ("xmin", "ymin", "xmax", "ymax")]
    if None in edges:
        return Object(name, None, "its box lacks a number", _actions(element))
    x_min, y_min, x_max, y_max = edges
    if x_max < x_min or y_max < y_min:
        fault = f"its box is inside out: xmin {x_min:g}, xmax {x_max:g}, ymin {y_min:g}, ymax {y_max:g}"
        return Object(name, None, fault, _actions(element))
    # the files count pixels from 1 and name the last one inside; some readers' copies start at 0
    return Object(name, (max(0.0, x_min - 1), max(0.0, y_min - 1), x_max, y_max), "", _actions(element))


def _actions(element: Element) -> dict[str, bool | None]:
    """Stanford: `<action>running</action>`; Willow: `<action><actionname/><ambiguous/></action>`, several; VOC:
    `<actions><running>1</running>...</actions>`."""
    found: dict[str, bool | None] = {}
    for action in element.findall("action"):
        name = (_text(action, "actionname") or (action.text or "").strip()).casefold()
        if name:
            found[name] = None if _number(action, "ambiguous") else True
    for action in element.findall("actions/*"):
        found[action.tag.casefold()] = (action.text or "").strip() == "1"
    return found


def _text(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _number(element: Element, path: str) -> float | None:
    try:
        value = float(element.findtext(path) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
