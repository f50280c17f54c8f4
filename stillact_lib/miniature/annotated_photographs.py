"""Photographs as items of a layout: a JPEG, and the XML annotation that the real dataset may have, from one rendering.

The boxes are those of the people's visible pixels. Stanford 40, Willow and VOC 2012 write them each in their own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.truth import Clip
from stillact_lib.miniature.world import ClipSpec, render_clip
from stillact_lib.paths import written_whole

# colour at full resolution: halved, as cameras store it, it would blur things of a few pixels in pictures this small
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
VOC_ACTIONS = (
    *("jumping", "phoning", "playinginstrument", "reading", "ridingbike", "ridinghorse", "running"),
    *("takingphoto", "usingcomputer", "walking"),
)


@dataclass(frozen=True)
class PlainPhoto:
    """A photograph without an annotation: its folder or its name says what is done."""

    spec: ClipSpec

    def write(self, root: Path, path: str) -> None:
        develop(root / path, render_clip(self.spec).frames[0])


@dataclass(frozen=True)
class StanfordPhoto:
    """One person, one action; far edges of the box first, pixels counted from 1, both edges inside."""

    spec: ClipSpec
    xml: str  # the annotation's path in the dataset's folder
    action: str

    def write(self, root: Path, path: str) -> None:
        self.put(render_clip(self.spec, boxes=True), root, path)

    def put(self, clip: Clip, root: Path, path: str) -> None:
        """Writes the rendered photograph and its annotation."""
        x0, y0, x1, y1 = _from_one(clip.person_boxes[0, 0])
        box = _tags([("xmax", x1), ("xmin", x0), ("ymax", y1), ("ymin", y0)])
        person = _tags([("name", "person"), ("action", self.action), ("bndbox", box)])
        size = _tags([("depth", 3), ("height", self.spec.size[0]), ("width", self.spec.size[1])])
        inner = [("filename", Path(path).name), ("folder", "Stanford40"), ("object", person), ("size", size)]
        _annotate(root / self.xml, inner)
        develop(root / path, clip.frames[0])


@dataclass(frozen=True)
class WillowPhoto:
    """People without their actions, which only the lists hold; the thing in use stands first and is no person."""

    spec: ClipSpec
    xml: str
    actor_last: bool = False

    def write(self, root: Path, path: str) -> None:
        clip = render_clip(self.spec, boxes=True)
        objects = []
        if np.isfinite(clip.object_boxes[0]).all():
            objects.append((ACTIONS[self.spec.action].props[0], clip.object_boxes[0]))
        objects += [("person", box) for box in _in_order(clip.person_boxes[0], self.actor_last)]
        inner = [("filename", Path(path).name), ("folder", "Willow-actions"), ("segmented", 0)]
        inner.append(("size", _tags([("width", self.spec.size[1]), ("height", self.spec.size[0]), ("depth", 3)])))
        for name, box in objects:
            rest = [("pose", "Unspecified"), ("difficult", 0), ("truncated", 0)]
            inner.append(("object", _tags([("name", name), ("bndbox", _near_edges_first(box)), *rest])))
        _annotate(root / self.xml, inner)
        develop(root / path, clip.frames[0])


@dataclass(frozen=True)
class VocPhoto:
    """People with what each does, in the order of the file, and the point in the middle of each; `doing` is None where
    nobody's actions are labelled."""

    spec: ClipSpec
    xml: str
    doing: tuple[tuple[str, ...], ...] | None
    actor_last: bool = False

    def write(self, root: Path, path: str) -> None:
        clip = render_clip(self.spec, boxes=True)
        inner = [("filename", Path(path).name), ("folder", "VOC2012")]
        for number, box in enumerate(_in_order(clip.person_boxes[0], self.actor_last)):
            person = [("name", "person")]
            if self.doing is not None:
                done = self.doing[number] or ("other",)
                person.append(("actions", _tags([(name, int(name in done)) for name in (*VOC_ACTIONS, "other")])))
            middle = [("x", round((box[0] + box[2]) / 2)), ("y", round((box[1] + box[3]) / 2))]
            person += [("bndbox", _near_edges_first(box)), ("difficult", 0), ("pose", "Unspecified")]
            inner.append(("object", _tags([*person, ("point", _tags(middle))])))
        inner.append(("size", _tags([("depth", 3), ("height", self.spec.size[0]), ("width", self.spec.size[1])])))
        _annotate(root / self.xml, inner)
        develop(root / path, clip.frames[0])


def _in_order(boxes: np.ndarray, actor_last: bool) -> list[np.ndarray]:
    return list(boxes[::-1] if actor_last else boxes)


def _from_one(box: np.ndarray) -> tuple[int, int, int, int]:
    """A box in pixels counted from 1, both edges inside, from one counted from 0 with the far edges past the last."""
    return int(box[0]) + 1, int(box[1]) + 1, int(box[2]), int(box[3])


def _near_edges_first(box: np.ndarray) -> str:
    return _tags(zip(("xmin", "ymin", "xmax", "ymax"), _from_one(box), strict=True))


def _tags(pairs: Sequence[tuple[str, object]]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in pairs)


def _annotate(path: Path, inner: Sequence[tuple[str, object]]) -> None:
    _put(path, f"<annotation>{_tags(inner)}</annotation>\n".encode())


def develop(path: Path, image: np.ndarray) -> None:
    """Writes an image uint8 [H, W, 3] RGB as a JPEG, whole or not at all."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), QUALITY)
    _put(path, data.tobytes())


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        temporary.write_bytes(data)
