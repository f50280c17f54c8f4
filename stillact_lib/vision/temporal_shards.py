"""What one video becomes for chapter 05, in one pass over its frames: dynamic images, optical flow to stack, frames.

Herath, Fernando, Harandi (Pattern Recognition 2019), §4.1: six dynamic images from the middle part, 10 frames each, 6
apart; and the mid 60 flow frames, of which a network sees 10 in a row. Worker processes run this, so it imports no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.dynamic_images import Variant, as_levels, dynamic_images, middle_windows
from stillact_lib.vision.flow_levels import levels_of
from stillact_lib.vision.optical_flow import resize_flow
from stillact_lib.vision.shards import Shard, build_shards, read_rows, recipe_digest
from stillact_lib.vision.video import UnreadableVideo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TemporalRecipe:
    """What is made of a video. Everything is squashed to `size` x `size` pixels.

    window, stride, per_video: frames of a dynamic image, frames between two, and how many of a video (10, 6, 6);
    variant: of approximate rank pooling; flow_method: estimator; flow_frames: flow kept about the middle (60);
    full: flow in pixels of the stored size that the last level stands for (20, of a short side of 256);
    key_frames: frames kept of a video, evenly spaced, to mine key frames among; drop_repeats: frames that repeat the
    one before are left out first; flow_side: short side to which smaller frames are enlarged before flow is estimated.
    """

    size: int
    window: int = 10
    stride: int = 6
    per_video: int = 6
    variant: Variant = "harmonic"
    flow_method: str = "dis"
    flow_frames: int = 60
    full: float = 20.0
    key_frames: int = 12
    drop_repeats: bool = False
    flow_side: int = 0

    @property
    def folder_name(self) -> str:
        """Recipes never mix: each has a folder of its own."""
        return f"temporal-{self.size}px-{recipe_digest(asdict(self))}"

    def arrays(self, video: DecodedVideo, root: Path) -> dict[str, np.ndarray]:
        """The arrays of a video's shard, each uint8 with rows along the first axis (padded to equal length by repeating
        the last row, so that `row` means something in all):

        dynamic [per_video, S, S, 3] as `as_levels` stretches them; flow [1, flow_frames, 2, S, S], levels; middle
        [1, S, S, 3], the centre frame; frames [key_frames, S, S, 3]. `frame` int32 [1] is the centre frame's index.
        Short videos repeat their last window, flow and frame. Raises `UnreadableVideo` below two frames.
        """
        frames, count = video.frames, len(video.frames)
        if count < 2:
            raise UnreadableVideo(f"{video.path}: {count} frame is too few for motion")
        side = (self.size, self.size)
        small = np.stack([cv2.resize(frame, side, interpolation=cv2.INTER_AREA) for frame in frames])
        starts = middle_windows(count, self.window, self.stride, self.per_video)
        dynamic = as_levels(dynamic_images(small, starts, self.window, self.variant))
        begin = max(0, (count - 1 - self.flow_frames) // 2)
        about_middle = video.flows(self.flow_method, first=begin, most=self.flow_frames, short_side=self.flow_side)
        flows = [resize_flow(flow, *side) for flow in about_middle]
        flow = levels_of(np.stack(flows), self.full).astype(np.uint8).transpose(0, 3, 1, 2)
        spaced = ((np.arange(self.key_frames) + 0.5) * count / self.key_frames).astype(int)
        centre = count // 2
        return {
            "dynamic": _padded(dynamic, self.per_video),
            "flow": _padded(flow, self.flow_frames)[None],
            "middle": small[centre][None],
            "frames": small[spaced],
            "frame": video.index[[centre]].astype(np.int32),
        }


def _padded(rows: np.ndarray, count: int) -> np.ndarray:
    return rows[np.minimum(np.arange(count), len(rows) - 1)]


@dataclass(frozen=True)
class TemporalShards:
    """What a set of videos became: `table` is that of the videos, less the unusable, which `problems` lists."""

    folder: Path
    table: pd.DataFrame
    problems: list[tuple[str, str]]
    recipe: TemporalRecipe
    shards: Mapping[str, Shard]

    def load(self, name: str, some: np.ndarray | None = None) -> np.ndarray:
        """One representation of all videos or of `some` rows of the table, uint8 [N, rows, ...]: "dynamic", "flow",
        "middle" or "frames"; of flow, whose frames lie together, [N, 1, frames, ...]."""
        side = self.recipe.size
        shape, rows = {
            "dynamic": ((side, side, 3), self.recipe.per_video),
            "flow": ((self.recipe.flow_frames, 2, side, side), 1),
            "middle": ((side, side, 3), 1),
            "frames": ((side, side, 3), self.recipe.key_frames),
        }[name]
        names = self.table["video"].to_numpy(str) if some is None else self.table["video"].to_numpy(str)[some]
        videos = np.repeat(names, rows)
        loaded = np.empty((len(videos), *shape), np.uint8)
        read_rows(self.folder, self.shards, videos, np.tile(np.arange(rows), len(names)), into={name: loaded})
        return loaded.reshape(len(names), rows, *shape)


def build_temporal_shards(
    videos: pd.DataFrame,
    root: Path,
    folder: Path,
    recipe: TemporalRecipe,
    *,
    executor: Executor | None = None,
    max_unusable: float = 0.05,
    progress: bool = False,
    verify: bool = False,
) -> TemporalShards:
    """Builds what is missing of the representations of `videos` (column `video` and any more), all below one root.

    executor: any `concurrent.futures.Executor`; default a pool with a process a core. verify: look at every byte
    of the shards that are there. Raises `StillactError` where unusable videos are more than `max_unusable` of all.
    """
    if videos.empty:
        raise StillactError(f"{root}: no video is left to build from; check the data root and the class selection")
    folder = folder / recipe.folder_name
    shards, problems = build_shards(
        {folder: recipe},
        videos["video"],
        root,
        executor=executor,
        max_unusable=max_unusable,
        progress="temporal representations" if progress else "",
        verify=verify,
    )[folder]
    usable = videos[videos["video"].isin(shards)].reset_index(drop=True)
    return TemporalShards(folder, usable, problems, recipe, shards)
