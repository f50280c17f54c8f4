"""Static sets: one photograph a video, its centre frame, as Im2Flow makes UCF-static, HMDB-static and Penn Action's
stills (Gao, Xiong, Grauman, CVPR 2018, section 4). Chapter 04."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from stillact_lib.datasets.clips import UnreadableClip, open_clip
from stillact_lib.datasets.frame_folders import numbered_frames, read_frame
from stillact_lib.datasets.samples import Samples
from stillact_lib.errors import StillactError

if TYPE_CHECKING:
    import pandas as pd


def static_set(samples: Samples) -> pd.DataFrame:
    """The stills of a video dataset, one row a video of its split; videos that the split leaves unused are left out.

    Columns: video (path below the samples' root), frame (index of the centre by the header's count; where a header
    overstates it, as HMDB-51's do, `centre_frame` may take the one before), class_name, label, split, group.
    """
    videos = samples.videos[samples.videos.split != "unused"].reset_index(drop=True)
    return videos.assign(frame=videos.frames // 2)[["video", "frame", "class_name", "label", "split", "group"]]


def centre_frame(path: str | Path) -> np.ndarray:
    """Frame n // 2 of the n that a video file or a folder of frames decodes to, uint8 [H, W, 3] RGB.

    The file is decoded twice, since headers are not to be trusted, and only one frame is kept. Raises StillactError
    that names the file where it cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            frames = numbered_frames(path)
            image = read_frame(frames[len(frames) // 2])
        else:
            image = decoded_frame(path, count_frames(path) // 2)
    except UnreadableClip as reason:
        raise StillactError(f"{path}: {reason}; fetch it again or leave it out") from None
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def count_frames(path: Path) -> int:
    """How many frames a video file decodes to. Raises UnreadableClip."""
    capture, count = open_clip(path), 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def decoded_frame(path: Path, index: int) -> np.ndarray:
    """One frame of a video file by its index, uint8 [H, W, 3] BGR. Raises UnreadableClip."""
    capture = open_clip(path)
    there = all(capture.grab() for _ in range(index + 1))
    there, image = capture.retrieve() if there else (False, None)
    capture.release()
    if not there:
        raise UnreadableClip(f"its frame {index} cannot be decoded")
    return image
