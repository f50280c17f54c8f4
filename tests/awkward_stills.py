"""Hand-made datasets of photographs for the tests of the readers: tiny pictures under the names that real ones use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from awkward_files import crlf
from PIL import Image

SIZE = (60, 40)  # width, height


def write_photo(path: Path, size: tuple[int, int] = SIZE, mode: str = "RGB", kind: str = "JPEG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path, kind, quality=92)
    return path


def box_xml(x0: object, y0: object, x1: object, y1: object) -> str:
    """As Stanford writes it: far edges first."""
    return f"<bndbox><xmax>{x1}</xmax><xmin>{x0}</xmin><ymax>{y1}</ymax><ymin>{y0}</ymin></bndbox>"


def write_xml(path: Path, *objects: str, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(f"<object>{inner}</object>" for inner in objects)
    shape = f"<size><depth>3</depth><height>{size[1]}</height><width>{size[0]}</width></size>"
    path.write_text(f"<annotation><filename>../../etc/passwd</filename>{body}{shape}</annotation>")
    return path


def person(inner: str = "", box: str | None = None, name: str = "person") -> str:
    return f"<name>{name}</name>{inner}{box_xml(3, 5, 50, 40) if box is None else box}"


def make_stanford40(root: Path) -> Path:
    """Three classes, one photograph a part and class, CRLF lists, all right."""
    names = {"jumping": ("001", "003"), "smoking": ("002", "001"), "watching_TV": ("001", "002")}
    for action, numbers in names.items():
        for number in numbers:
            write_photo(root / "JPEGImages" / f"{action}_{number}.jpg")
            write_xml(root / "XMLAnnotations" / f"{action}_{number}.xml", person(f"<action>{action}</action>"))
    lists = root / "ImageSplits"
    lists.mkdir()
    crlf(lists / "train.txt", [f"{action}_{numbers[0]}.jpg" for action, numbers in names.items()])
    crlf(lists / "test.txt", [f"{action}_{numbers[1]}.jpg" for action, numbers in names.items()])
    return root


def make_willow(root: Path) -> Path:
    """Two classes, lists of every set, one image whose second person comes after a bicycle and does both."""
    base = root / "willowactions"
    for image in ("a1", "b2", "c3"):
        write_photo(base / "JPEGImages" / f"{image}.jpg")
        write_xml(base / "Annotations" / f"{image}.xml", person())
    bicycle = person(name="bicycle", box=box_xml(1, 1, 9, 9))
    write_xml(base / "Annotations" / "b2.xml", person(box=box_xml(1, 1, 20, 40)), bicycle, person())
    sets = base / "ImageSets" / "Action"
    sets.mkdir(parents=True)
    for part, people in {"train": ("a1 1",), "val": ("b2 1", "b2 2"), "test": ("c3 1",)}.items():
        for name, doing in (("ridingbike", ("a1 1", "b2 2")), ("Running", ("b2 2", "c3 1"))):
            lines = [f"{who} {1 if who in doing else -1}" for who in people]
            (sets / f"{name}_{part}.txt").write_text("".join(f"{line}\n" for line in lines))
    for name in ("ridingbike", "Running"):
        both = "".join((sets / f"{name}_{part}.txt").read_text() for part in ("train", "val"))
        (sets / f"{name}_trainval.txt").write_text(both)
    return root


def make_voc(root: Path) -> Path:
    """Two actions; a person who does both, one who does neither, fractions, an image without action labels."""
    base = root / "VOCdevkit" / "VOC2012"
    labels = {("2010_000001", 1): (1, 1), ("2010_000001", 2): (0, 0), ("2011_000002", 1): (1, 0)}
    people: dict[str, list[str]] = {"2012_000009": [person()]}
    for (image, _), (phoning, walking) in labels.items():
        actions = f"<actions><walking>{walking}</walking><other>{int(not phoning + walking)}</other>"
        actions += f"<phoning>{phoning}</phoning></actions>"
        people.setdefault(image, []).append(person(actions, box_xml("3.5", "5.25", "50.5", 40)))
    for image, objects in people.items():
        write_photo(base / "JPEGImages" / f"{image}.jpg")
        write_xml(base / "Annotations" / f"{image}.xml", *objects)
    sets = base / "ImageSets" / "Action"
    sets.mkdir(parents=True)
    for part, images in (("train", ["2010_000001"]), ("val", ["2011_000002"])):
        (sets / f"{part}.txt").write_text("".join(f"{image}\n" for image in images))
        for column, name in enumerate(("phoning", "walking")):
            rows = [f"{i}  {k}  {1 if done[column] else -1:2d}" for (i, k), done in labels.items() if i in images]
            (sets / f"{name}_{part}.txt").write_text("".join(f"{row}\n" for row in rows))
    return root
