"""What a layout's entries become on disk: one class a kind of file, each rendering and writing itself, whole or not at
all. A kind with annotations writes them from the same rendering, before its own file, whose presence means "done"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.miniature.dynamic_scenes import SceneSpec, render_scene
from stillact_lib.miniature.object_photographs import ThingSpec
from stillact_lib.miniature.world import ClipSpec, render_clip
from stillact_lib.paths import written_whole


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
