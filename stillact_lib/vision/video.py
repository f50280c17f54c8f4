"""Decoding a video once, into RGB frames.

The datasets hold Xvid and DivX `.avi` files whose headers may promise a frame too many (HMDB-51), so a header is a hint
and the decoder's count is the truth; `.mp4` files (YUP++); and folders of numbered JPEG frames (Penn Action). Used by
every chapter that builds data from videos.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.datasets.clips import UnreadableClip, open_clip
from stillact_lib.datasets.frame_folders import numbered_frames, read_frame
from stillact_lib.errors import StillactError


class UnreadableVideo(StillactError):
    """A video that cannot be decoded, or of which a part is missing."""


def iterate_frames(path: Path | str) -> Iterator[np.ndarray]:
    """Yields the frames of a video in order, each uint8 [H, W, 3] RGB; `path` is a video file or a folder of frames.

    Raises `UnreadableVideo` where the file cannot be opened, is cut short or has a hole (by its bytes, see
    `datasets.clips.open_clip`), or no frame decodes; for a folder where a frame is missing, cut, or of another size.
    """
    path = Path(path)
    if path.is_dir():
        yield from iterate_folder(path)
        return
    try:
        capture = open_clip(path, to_decode=True)
    except UnreadableClip as reason:
        raise UnreadableVideo(f"{path}: {reason}; fetch it again or leave it out") from None
    decoded = 0
    try:
        while (read := capture.read())[0]:
            decoded += 1
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()
    if decoded == 0:
        raise UnreadableVideo(f"{path}: none of its frames can be decoded; fetch it again or leave it out")


def iterate_folder(folder: Path) -> Iterator[np.ndarray]:
    """The frames of a folder, as `iterate_frames` yields them."""
    size = None
    try:
        for path in numbered_frames(folder):
            image = read_frame(path)
            if image.shape != (size := size or image.shape):
                raise UnreadableClip(f"frame {path.name} is {image.shape[1]}x{image.shape[0]}, the first is not")
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    except UnreadableClip as reason:
        raise UnreadableVideo(f"{folder}: {reason}; fetch the folder again or leave it out") from None


def read_frames(path: Path | str) -> np.ndarray:
    """All frames of a video, decoded once: uint8 [T, H, W, 3] RGB. Errors as in `iterate_frames`."""
    return np.stack(list(iterate_frames(path)))
