"""One video's pairs (frame, mean flow of the next five frames), and the shard that keeps them.

This is the part that worker processes run, so it imports no torch: a worker then starts in a second.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.optical_flow import resize_flow, sliding_mean
from stillact_lib.vision.shards import recipe_digest
from stillact_lib.vision.video import UnreadableVideo, read_frames

if TYPE_CHECKING:
    from stillact_lib.miniature import Clip


#: bytes a pixel of a pair of frame and flow: three levels and two half-precision numbers
PAIR_BYTES = 7


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
    drop_repeats:
        frames that repeat the one before are left out first.
    camera_removed:
        flow without the camera's own motion.
    """

    size: int
    target: Literal["estimated", "exact"] = "estimated"
    flow_method: str = "dis"
    window: int = 5
    pairs_per_video: int = 0
    drop_repeats: bool = False
    camera_removed: bool = False

    @property
    def folder_name(self) -> str:
        """Recipes never mix: each has a folder of its own."""
        return f"pairs-{self.size}px-{self.target}-{recipe_digest(asdict(self))}"

    def kept(self, frames: int) -> np.ndarray:
        """Which of a video's frames become pairs, indices in order: of those whose flows a mean has."""
        targets = max(0, frames - self.window)
        if 0 < self.pairs_per_video < targets:
            return np.unique(np.linspace(0, targets - 1, self.pairs_per_video).round().astype(int))
        return np.arange(targets)

    def arrays(self, video: DecodedVideo, root: Path) -> dict[str, np.ndarray]:
        """The pairs of one video of `root`: `images` uint8 [N, S, S, 3], `flows` float16 [N, S, S, 2] in pixels of that
        size, and `frame` int32 [N], the index of each image in its video. Raises `UnreadableVideo`."""
        frames = video.frames
        kept = self.kept(len(frames))
        if not len(kept):
            raise UnreadableVideo(f"{video.path}: {len(frames)} frames are too few for a mean over {self.window} flows")
        if self.target == "exact":
            from stillact_lib.miniature import truth_of

            flows = truth_of(root, video.path.relative_to(root).as_posix()).flow
        else:
            flows = video.flows(self.flow_method, self.camera_removed)
        side, wanted = (self.size, self.size), set(kept.tolist())
        means = enumerate(sliding_mean(flows, self.window))
        return {
            "images": np.stack([cv2.resize(frames[t], side, interpolation=cv2.INTER_AREA) for t in kept]),
            "flows": np.stack([resize_flow(mean, *side) for t, mean in means if t in wanted]).astype(np.float16),
            "frame": video.index[kept].astype(np.int32),
        }


@dataclass(frozen=True)
class CentreRecipe:
    """A video's centre frame, squashed to `shown` x `shown` pixels, and the mean of the `window` estimated flows that
    follow it (fewer where the video ends sooner) at `size`; the other fields are those of `PairRecipe`."""

    size: int
    shown: int
    flow_method: str = "dis"
    window: int = 5
    drop_repeats: bool = False
    camera_removed: bool = False

    @property
    def folder_name(self) -> str:
        """Recipes never mix: each has a folder of its own."""
        return f"centres-{self.shown}px-{recipe_digest(asdict(self))}"

    def arrays(self, video: DecodedVideo, root: Path) -> dict[str, np.ndarray]:
        """`images` uint8 [1, S, S, 3], `flows` float16 [1, F, F, 2] in pixels of side F, and `frame` int32 [1], which
        frame of the video it is. Raises `UnreadableVideo`."""
        centre = len(video.frames) // 2
        if len(video.frames) - centre < 2:
            raise UnreadableVideo(f"{video.path}: {len(video.frames)} frames are too few for flow at the centre")
        flow = np.mean(list(video.flows(self.flow_method, self.camera_removed, centre, self.window)), axis=0)
        image = cv2.resize(video.frames[centre], (self.shown, self.shown), interpolation=cv2.INTER_AREA)
        return {
            "images": image[None],
            "flows": resize_flow(flow, self.size, self.size).astype(np.float16)[None],
            "frame": video.index[[centre]].astype(np.int32),
        }


def evenly_spaced_frames(path: Path, count: int, side: int) -> np.ndarray:
    """`count` frames of a video, the middles of as many equal parts of it: uint8 [count, side, side, 3]. Runs in a
    worker process."""
    cv2.setNumThreads(1)
    frames = read_frames(path)
    middles = ((np.arange(count) + 0.5) * len(frames) / count).astype(int)
    return np.stack([cv2.resize(frames[i], (side, side), interpolation=cv2.INTER_AREA) for i in middles])


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
