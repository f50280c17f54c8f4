"""Decoding a video once, into RGB frames.

The datasets hold Xvid and DivX `.avi` files whose headers may promise a frame too many (HMDB-51), so a header is a hint
and the decoder's count is the truth; `.mp4` files (YUP++); and folders of numbered JPEG frames (Penn Action). Used by
every chapter that builds data from videos.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# A damaged file is reported by us, once, and not by ffmpeg line by line.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from stillact_lib.datasets.clips import UnreadableClip
from stillact_lib.datasets.frame_folders import numbered_frames, read_frame
from stillact_lib.errors import StillactError

#: A header may overstate the frames by this many (HMDB-51 does by one) or this share before a file counts as truncated.
HEADER_SLACK_FRAMES, HEADER_SLACK_SHARE = 2, 0.02


class UnreadableVideo(StillactError):
    """A video that cannot be decoded, or ends long before its header says."""


def iterate_frames(path: Path | str) -> Iterator[np.ndarray]:
    """Yields the frames of a video in order, each uint8 [H, W, 3] RGB; `path` is a video file or a folder of frames.

    Raises `UnreadableVideo` where the file cannot be opened, and at the end where no frame or far fewer frames came
    out than the header states (a truncated download); for a folder where a frame is missing, cut, or of another size.
    """
    if Path(path).is_dir():
        yield from iterate_folder(Path(path))
        return
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            reason = "is not a video that can be opened" if Path(path).is_file() else "does not exist"
            raise UnreadableVideo(f"{path}: {reason}; fetch it again or leave it out")
        promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        decoded = 0
        while True:
            there, frame = capture.read()
            if not there:
                break
            decoded += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()
    missing = promised - decoded
    if decoded == 0 or missing > max(HEADER_SLACK_FRAMES, HEADER_SLACK_SHARE * promised):
        raise UnreadableVideo(f"{path}: {decoded} of {promised} frames decode (truncated?); fetch the file again")


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
