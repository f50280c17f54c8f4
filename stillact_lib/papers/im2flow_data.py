"""The data of Im2Flow's first half (§4, §4.1): which videos are held out, training pairs, and the test frames with
everything they are scored against. Used by chapter 04."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from stillact_lib.errors import StillactError
from stillact_lib.miniature import truth_of
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.optical_flow import resize_flow, sliding_mean


def hold_out(videos: pd.DataFrame, per_class: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training videos, test videos): `per_class` videos of each class held out, as in §4.1.

    The paper does not say whether clips cut from one source video may fall on both sides. They may not here: whole
    groups (UCF-101's g01..g25, HMDB-51's films) are drawn at random until the number is reached; clips of the last
    group beyond it are left out of both sides.
    """
    test, unused = [], []
    rng = np.random.default_rng(seed)
    for class_name, of_class in videos.groupby("class_name", sort=True):
        groups = {group: list(rows) for group, rows in of_class.groupby("group", sort=True).groups.items()}
        taken: list[int] = []
        for group in rng.permutation(sorted(groups)):
            if len(taken) < per_class:
                taken += groups[group]
        if len(taken) == len(of_class):
            raise StillactError(
                f"class {class_name}: holding out {per_class} videos takes all of its {len(groups)} groups; "
                "lower held_out_videos"
            )
        test += taken[:per_class]
        unused += taken[per_class:]
    return videos.drop(index=test + unused).reset_index(drop=True), videos.loc[test].reset_index(drop=True)


@dataclass(frozen=True)
class TestFrames:
    """Frames to predict flow for, and what predictions are scored against; N frames of side S.

    images: uint8 [N, 3, S, S]; target: float32 [N, S, S, 2], the estimated mean flow, the paper's "ground truth";
    foreground: bool [N, S, S]; exact: float32 [N, S, S, 2], the miniature's own mean flow, None for real videos;
    table: a row a frame (video, frame, class_name, label, group).
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    images: torch.Tensor
    target: np.ndarray
    foreground: np.ndarray
    exact: np.ndarray | None
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rgb(self) -> np.ndarray:
        """The images as uint8 [N, S, S, 3], for pictures and OpenCV."""
        return self.images.permute(0, 2, 3, 1).contiguous().numpy()


def _truth_at(root: Path, video: str, frames: np.ndarray, side: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact mean flow [n, side, side, 2] and foreground [n, side, side] of some frames of one miniature clip."""
    cv2.setNumThreads(1)
    clip = truth_of(root, video)
    means = list(sliding_mean(clip.flow, window))
    flow = np.stack([resize_flow(means[t], side, side) for t in frames])
    acting = (clip.person_mask | clip.object_mask).astype(np.float32)
    share = np.stack([cv2.resize(acting[t], (side, side), interpolation=cv2.INTER_AREA) for t in frames])
    return flow, share >= 0.5


def miniature_test_frames(pairs: FlowPairs, root: Path) -> TestFrames:
    """Test frames of a miniature. Its truth is rendered anew for measuring: the foreground is the person and what is
    held; the exact flow shows how good the estimated target is. No method is given either."""
    images, target = pairs.load()
    side, window = pairs.recipe.size, pairs.recipe.window
    by_video = [(video, rows.to_numpy()) for video, rows in pairs.table.groupby("video", sort=False)["frame"]]
    exact, foreground = np.empty((len(pairs), side, side, 2), np.float32), np.empty((len(pairs), side, side), bool)
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(_truth_at, root, video, frames, side, window) for video, frames in by_video]
        for (video, _), job in zip(by_video, jobs, strict=True):
            rows = np.flatnonzero(pairs.table["video"] == video)
            exact[rows], foreground[rows] = job.result()
    return TestFrames(images, _numpy(target), foreground, exact, pairs.table)


def real_test_frames(pairs: FlowPairs, device: torch.device) -> TestFrames:
    """Test frames of real videos: the foreground is a segmenter's, exact flow is not to be had."""
    from stillact_lib.vision.foreground import segment_foreground

    images, target = pairs.load()
    return TestFrames(images, _numpy(target), segment_foreground(images, device), None, pairs.table)


def _numpy(flow: torch.Tensor) -> np.ndarray:
    return flow.float().permute(0, 2, 3, 1).contiguous().numpy()
