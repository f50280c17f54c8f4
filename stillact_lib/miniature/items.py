"""What a layout's entries become on disk: one class a kind of file, each rendering and writing itself, whole or not at
all. A kind with annotations writes them from the same rendering, before its own file, whose presence means "done".

The boxes of photographs are those of people's visible pixels; Stanford 40, Willow and VOC 2012 write them each in their
own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.dynamic_scenes import SceneSpec, render_scene
from stillact_lib.miniature.object_photographs import ThingSpec, render_photograph
from stillact_lib.miniature.world import ClipSpec, render_clip
from stillact_lib.paths import written_whole

# colour at full resolution: halved, as cameras store it, it would blur things of a few pixels in pictures this small
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
Tag = tuple[str, object]  # name, and what stands in it: text, a number, a list of tags
VOC_ACTIONS = (
    *("jumping", "phoning", "playinginstrument", "reading", "ridingbike", "ridinghorse", "running"),
    *("takingphoto", "usingcomputer", "walking"),
)


class Item(Protocol):
    """One entry of a layout; `spec` is what it shows. Items travel to worker processes, so they must pickle."""

    @property
    def spec(self) -> ClipSpec | SceneSpec | ThingSpec: ...

    def write(self, root: Path, path: str) -> None:
        """Renders the item and writes it at `root / path`, and below `root` whatever else belongs to it."""


@dataclass(frozen=True)
class Avi:
    """A clip as an XVID .avi, as UCF-101, HMDB-51 and Weizmann have."""

    spec: ClipSpec

    def write(self, root: Path, path: str) -> None:
        encode_video(root / path, render_clip(self.spec).frames, self.spec.fps, "XVID")


@dataclass(frozen=True)
class SceneMp4:
    """A dynamic scene as an MPEG-4 .mp4, as YUP++ has; `version` is that of the scenes, told in the identity."""

    spec: SceneSpec
    version: int

    def write(self, root: Path, path: str) -> None:
        encode_video(root / path, render_scene(self.spec), self.spec.fps, "mp4v")


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
        clip = render_clip(self.spec, boxes=True)
        self.put(clip.frames[0], clip.person_boxes[0, 0], root, path)

    def put(self, image: np.ndarray, box: np.ndarray, root: Path, path: str) -> None:
        """Writes the photograph uint8 [H, W, 3] and its annotation, the person's box [4]."""
        person = [("name", "person"), ("action", self.action), ("bndbox", sorted(_edges(box)))]
        size = [("depth", 3), ("height", image.shape[0]), ("width", image.shape[1])]
        annotate(root / self.xml, path, [("folder", "Stanford40"), ("object", person), ("size", size)])
        develop(root / path, image)


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
        objects += [("person", box) for box in clip.person_boxes[0][:: -1 if self.actor_last else 1]]
        size = [("width", self.spec.size[1]), ("height", self.spec.size[0]), ("depth", 3)]
        inner = [("folder", "Willow-actions"), ("segmented", 0), ("size", size)]
        for name, box in objects:
            rest = [("pose", "Unspecified"), ("difficult", 0), ("truncated", 0)]
            inner.append(("object", [("name", name), ("bndbox", _edges(box)), *rest]))
        annotate(root / self.xml, path, inner)
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
        inner: list[Tag] = [("folder", "VOC2012")]
        for number, box in enumerate(clip.person_boxes[0][:: -1 if self.actor_last else 1]):
            person: list[Tag] = [("name", "person")]
            if self.doing is not None:
                done = self.doing[number] or ("other",)
                person.append(("actions", [(name, int(name in done)) for name in (*VOC_ACTIONS, "other")]))
            middle = [("x", round((box[0] + box[2]) / 2)), ("y", round((box[1] + box[3]) / 2))]
            person += [("bndbox", _edges(box)), ("difficult", 0), ("pose", "Unspecified"), ("point", middle)]
            inner.append(("object", person))
        inner.append(("size", [("depth", 3), ("height", self.spec.size[0]), ("width", self.spec.size[1])]))
        annotate(root / self.xml, path, inner)
        develop(root / path, clip.frames[0])


@dataclass(frozen=True)
class ImageNetPhoto:
    """A photograph of a thing; `version` is that of the photographs of things, told in the identity."""

    spec: ThingSpec
    version: int

    def write(self, root: Path, path: str) -> None:
        develop(root / path, render_photograph(self.spec))


def _edges(box: np.ndarray) -> list[Tag]:
    """A box in pixels counted from 1, both edges inside, from one counted from 0 with the far edges past the last."""
    x0, y0, x1, y1 = (int(edge) for edge in box)
    return [("xmin", x0 + 1), ("ymin", y0 + 1), ("xmax", x1), ("ymax", y1)]


def annotate(path: Path, image: str, tags: Sequence[Tag]) -> None:
    """Writes the annotation of an image: tags in their order, those of a list inside their own."""

    def written(tag: Tag) -> str:
        name, value = tag
        inner = "".join(map(written, value)) if isinstance(value, list) else value
        return f"<{name}>{inner}</{name}>"

    put(path, (written(("annotation", [("filename", Path(image).name), *tags])) + "\n").encode())


def develop(path: Path, image: np.ndarray) -> None:
    """Writes an image uint8 [H, W, 3] RGB as a JPEG, whole or not at all."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), QUALITY)
    put(path, data.tobytes())


def put(path: Path, data: bytes) -> None:
    """Writes a file, whole or not at all, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        temporary.write_bytes(data)


def encode_video(path: Path, frames: np.ndarray, fps: float, codec: str) -> None:
    """Frames uint8 [T, H, W, 3] RGB to a video file; the container follows the file's ending."""
    height, width = frames.shape[1:3]
    with written_whole(path) as temporary:
        video = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*codec), fps, (width, height))
        if not video.isOpened():
            raise StillactError(f"{path}: this OpenCV cannot write {codec} video; install opencv-python from PyPI")
        for frame in frames:
            video.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        video.release()
