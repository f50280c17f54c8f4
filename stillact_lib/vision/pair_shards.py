"""One video's pairs (frame, mean flow of the next five frames), and the shard that keeps them.

This is the part that worker processes run, so it imports no torch: a worker then starts in a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from stillact_lib.vision.optical_flow import consecutive_flow, resize_flow, sliding_mean
from stillact_lib.vision.shards import Known, Shard, keep_shard
from stillact_lib.vision.video import UnreadableVideo, read_frames

if TYPE_CHECKING:
    from stillact_lib.miniature import Clip


@dataclass(frozen=True)
class PairRecipe:
    """What is made of a video.

    size:
        side of the square that frames and flow are squashed to, aspect not kept, as in the released code.
    target:
        "estimated" by `flow_method` on the frames as decoded, as in the paper; or "exact", the miniature's own flow
        (a miniature only, and declared wherever it is used).
    window:
        how many consecutive flows are averaged (five in the paper).
    pairs_per_video:
        pairs kept of each video, evenly spaced over it; 0 keeps all.
    """

    size: int
    target: Literal["estimated", "exact"] = "estimated"
    flow_method: str = "dis"
    window: int = 5
    pairs_per_video: int = 0


def _all_targets(path: Path, root: Path, recipe: PairRecipe) -> tuple[np.ndarray, list[np.ndarray]]:
    """Decoded frames [T, H, W, 3] and the T - window targets [H, W, 2] at the video's own resolution."""
    frames = read_frames(path)
    if recipe.target == "exact":
        from stillact_lib.miniature import truth_of

        flows = truth_of(root, path.relative_to(root).as_posix()).flow
    else:
        flows = consecutive_flow(frames, recipe.flow_method)
    return frames, list(sliding_mean(flows, recipe.window))


def pairs_of_video(path: Path, root: Path, recipe: PairRecipe) -> dict[str, np.ndarray]:
    """The pairs of one video: `images` uint8 [N, S, S, 3], `flows` float16 [N, S, S, 2] in pixels of that size, and
    `frame` int32 [N], the index of each image in its video. Raises `UnreadableVideo`."""
    frames, targets = _all_targets(path, root, recipe)
    if not targets:
        raise UnreadableVideo(f"{path}: {len(frames)} frames are too few for a mean over {recipe.window} flows")
    kept = np.arange(len(targets))
    if 0 < recipe.pairs_per_video < len(kept):
        kept = np.unique(np.linspace(0, len(targets) - 1, recipe.pairs_per_video).round().astype(int))
    side = (recipe.size, recipe.size)
    return {
        "images": np.stack([cv2.resize(frames[i], side, interpolation=cv2.INTER_AREA) for i in kept]),
        "flows": np.stack([resize_flow(targets[i], *side) for i in kept]).astype(np.float16),
        "frame": kept.astype(np.int32),
    }


def centre_pair(path: Path, recipe: PairRecipe) -> tuple[np.ndarray, np.ndarray]:
    """A video's centre frame uint8 [S, S, 3] and the mean of the `window` estimated flows that follow it (fewer where
    the video ends sooner), float16 [S, S, 2] in pixels of that size. Runs in a worker process."""
    cv2.setNumThreads(1)
    frames = read_frames(path)
    centre = len(frames) // 2
    following = frames[centre : centre + recipe.window + 1]
    if len(following) < 2:
        raise UnreadableVideo(f"{path}: {len(frames)} frames are too few for flow at the centre")
    flow = np.mean(list(consecutive_flow(following, recipe.flow_method)), axis=0)
    side = (recipe.size, recipe.size)
    image = cv2.resize(frames[centre], side, interpolation=cv2.INTER_AREA)
    return image, resize_flow(flow, *side).astype(np.float16)


def evenly_spaced_frames(path: Path, count: int, side: int) -> np.ndarray:
    """`count` frames of a video, the middles of as many equal parts of it: uint8 [count, side, side, 3]. Runs in a
    worker process."""
    cv2.setNumThreads(1)
    frames = read_frames(path)
    middles = ((np.arange(count) + 0.5) * len(frames) / count).astype(int)
    return np.stack([cv2.resize(frames[i], (side, side), interpolation=cv2.INTER_AREA) for i in middles])


def build_shard(video: str, root: Path, folder: Path, recipe: PairRecipe, known: Mapping[str, Known]) -> Shard:
    """Builds the shard of one video unless it is there and whole. Runs in a worker process."""
    cv2.setNumThreads(1)  # one process a core
    return keep_shard(
        video, root, folder, known, lambda whole: None if whole else pairs_of_video(root / video, root, recipe)
    )


def exact_pairs(root: Path, video: str, frames: np.ndarray, recipe: PairRecipe) -> tuple[np.ndarray, np.ndarray]:
    """The miniature's truth at some frames of one clip, for measuring: exact mean flow float32 [N, S, S, 2], and the
    foreground bool [N, S, S], which is the actor and what the actor holds. Runs in a worker process."""
    from stillact_lib.miniature import truth_of

    cv2.setNumThreads(1)
    clip = truth_of(root, video)
    means = list(sliding_mean(clip.flow, recipe.window))
    side = (recipe.size, recipe.size)
    flow = np.stack([resize_flow(means[t], *side) for t in frames])
    return flow, np.stack([_acting(clip, t, recipe.size) for t in frames])


def still_foreground(root: Path, item: str, side: int) -> np.ndarray:
    """The same foreground, bool [S, S], of a photograph of the miniature, or of the centre frame of a video. Runs in a
    worker process."""
    from stillact_lib.miniature import truth_of

    cv2.setNumThreads(1)
    clip = truth_of(root, item)
    return _acting(clip, len(clip.person_mask) // 2, side)


def _acting(clip: Clip, frame: int, side: int) -> np.ndarray:
    acting = (clip.person_mask[frame] | clip.object_mask[frame]).astype(np.float32)
    return cv2.resize(acting, (side, side), interpolation=cv2.INTER_AREA) >= 0.5
