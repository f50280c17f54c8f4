"""A video decoded once, and the flow between its frames estimated once, for whatever is made of it.

Worker processes run this, so it imports no torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.vision.optical_flow import optical_flow, without_camera
from stillact_lib.vision.video import read_frames

#: a frame repeats the one before where it differs by less than this in grey levels of 0 to 255, mean over its pixels
REPEAT_LEVELS = 0.5
#: ... and by less than this share of the clip's upper quartile of such differences, so that a still scene stays
REPEAT_SHARE = 0.25


def repeated(frames: np.ndarray) -> np.ndarray:
    """Which frames uint8 [T, H, W, 3] merely repeat the one before: bool [T].

    Videos that were brought from 24 to 30 frames a second hold every fifth frame twice; of UCF-101's BaseballPitch and
    Basketball that is every seventh. The flow into a repeated frame is zero whatever moves.
    """
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    change = np.array([cv2.absdiff(*pair).mean() for pair in itertools.pairwise(grey)])
    if not len(change):
        return np.zeros(len(frames), bool)
    repeats = (change < REPEAT_LEVELS) & (change < REPEAT_SHARE * np.quantile(change, 0.75))
    return np.concatenate([[False], repeats])


def enlarged(frame: np.ndarray, short_side: int) -> np.ndarray:
    """A frame uint8 [H, W, 3] brought to a short side of `short_side` where its own is less."""
    scale = short_side / min(frame.shape[:2])
    if scale <= 1:
        return frame
    height, width = (round(scale * side) for side in frame.shape[:2])
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC)


class DecodedVideo:
    """The frames of a video and the flow between them, each computed when first asked for, and once.

    drop_repeats: frames that `repeated` finds are left out, as if they were not in the video. Raises `UnreadableVideo`
    where it cannot be decoded.
    """

    def __init__(self, path: Path, drop_repeats: bool = False) -> None:
        self.path = path
        self.drop_repeats = drop_repeats
        self._flows: dict[tuple[int, str, bool, int], np.ndarray] = {}

    @cached_property
    def _decoded(self) -> tuple[np.ndarray, np.ndarray]:
        frames = read_frames(self.path)
        kept = np.flatnonzero(~repeated(frames)) if self.drop_repeats else np.arange(len(frames))
        return (frames if len(kept) == len(frames) else frames[kept]), kept

    @property
    def frames(self) -> np.ndarray:
        """uint8 [T, H, W, 3] RGB."""
        return self._decoded[0]

    @property
    def index(self) -> np.ndarray:
        """Where each of the frames lies in the file, int64 [T]."""
        return self._decoded[1]

    def flow(self, at: int, method: str, camera_removed: bool = False, short_side: int = 0) -> np.ndarray:
        """Flow float32 [H, W, 2] from one frame to the next, in pixels of the video, as the camera saw it or without
        the camera's own motion. With `short_side` small frames are enlarged to it first, and H, W and the pixels are
        those of the enlarged frames: estimators see more of what is small."""
        known = (at, method, camera_removed, short_side)
        if known not in self._flows:
            if camera_removed:
                self._flows[known] = without_camera(self.flow(at, method, short_side=short_side))
            else:
                pair = (enlarged(self.frames[number], short_side) for number in (at, at + 1))
                self._flows[known] = optical_flow(*pair, method)
        return self._flows[known]

    def flows(
        self,
        method: str,
        camera_removed: bool = False,
        first: int = 0,
        most: int | None = None,
        short_side: int = 0,
    ) -> Iterator[np.ndarray]:
        """The flows from frame `first` on, at most so many."""
        last = len(self.frames) - 1 if most is None else min(len(self.frames) - 1, first + most)
        return (self.flow(at, method, camera_removed, short_side) for at in range(first, last))
