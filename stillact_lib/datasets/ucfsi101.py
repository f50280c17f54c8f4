"""UCFSI-101 (Safaei & Foroosh, arXiv:1705.04641, section IV-A): over two million stills of UCF-101's videos.

The frame list was never published, only its counts. A still is a reference, a row (video, frame) of a table; nothing is
decoded here, and nothing is exported two million times: what is computed of stills is made in `vision.still_shards`.
Chapter 03.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.datasets.samples import Samples
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("video", "frame", "class_name", "label", "split", "group", "class_group")
SPLIT = "1"  # the one whose counts the paper's fit best: `split_arithmetic`


@dataclass(frozen=True)
class FrameRule:
    """Which frames of a video become stills: of all but its last `left_out` frames, every `every`-th from the first on.

    FrameRule() takes all; `paper_rule()` is the declared reconstruction of the paper's counts. At least the first frame
    of a video is taken, however short it is.
    """

    every: int = 1
    left_out: int = 0

    def __post_init__(self) -> None:
        if self.every < 1 or self.left_out < 0:
            raise StillactError(f"frame rule: every should be at least 1 and left_out at least 0, not {self}")

    def frames_of(self, count: int) -> np.ndarray:
        """The chosen frames of a video of `count` frames: int [N], counted from 0."""
        return np.arange(0, max(1, count - self.left_out), self.every)


def paper_rule() -> FrameRule:
    """The reconstruction of the paper's counts: of each video, the same number of frames is left out, which is what the
    paper's total lacks (`split_arithmetic`) divided by the videos and rounded.

    Which frames are missing is unknown. Here it is a video's last ones: a declared choice.
    """
    table = split_arithmetic()
    of_split = table[table["split"] == SPLIT]
    return FrameRule(left_out=int(of_split["left_out"].iloc[0]))


def split_arithmetic() -> pd.DataFrame:
    """Which frames of UCF-101 are the paper's? One row an official split and part, from counts in the manifests.

    Columns: split, part, videos, frames (all of them), paper (the stills that the paper counts), left_out_per_video =
    (frames - paper) / videos, kept_share = paper / frames, left_out (frames a video, rounded over both parts),
    reconstructed = frames - left_out * videos. Under split 1, training and test agree best in what is left out of a
    video, and in the share kept; they agree better in the former.
    """
    import pandas as pd

    stills = load_manifest("ucfsi101")
    rows = [
        (split.name, part, videos, stills.split(every_frame(split.name)).counts[part], stills.split(SPLIT).counts[part])
        for split in load_manifest("ucf101").splits
        for part, videos in split.counts.items()
    ]
    table = pd.DataFrame(rows, columns=["split", "part", "videos", "frames", "paper"])
    table["left_out_per_video"] = (table["frames"] - table["paper"]) / table["videos"]
    table["kept_share"] = table["paper"] / table["frames"]
    both = table.groupby("split")[["videos", "frames", "paper"]].transform("sum")
    table["left_out"] = ((both["frames"] - both["paper"]) / both["videos"]).round().astype(int)
    table["reconstructed"] = table["frames"] - table["left_out"] * table["videos"]
    return table


def every_frame(split: str) -> str:
    """The manifest's name of the set of all frames of an official split."""
    return f"every frame of split {split}"


def class_group_of(classes: tuple[str, ...]) -> list[str]:
    """UCF-101's broad group of each class, one of five. Raises StillactError for a class that UCF-101 has not."""
    group_of = {name: group for group, names in load_manifest("ucf101").class_groups.items() for name in names}
    if unknown := [name for name in classes if name not in group_of]:
        raise StillactError(f"class {unknown[0]!r} is in no group: see class_groups in data_manifests/ucf101.yaml")
    return [group_of[name] for name in classes]


def still_references(samples: Samples, rule: FrameRule) -> pd.DataFrame:
    """The stills of UCF-101 as references, one row a still; videos that the split leaves unused give none.

    Columns: video (path below the samples' root), frame (from 0), class_name, label, split, group (the source that the
    video is cut from, g01 to g25 of each class), class_group (one of five). A still is on its video's side of the
    split, so that no video is on both sides. Frames are counted by headers, which may promise one too many: what is
    computed of stills leaves out those that do not decode. Raises StillactError where a video is listed twice.
    """
    videos = samples.videos[samples.videos["split"] != "unused"].reset_index(drop=True)
    if not videos["video"].is_unique:
        twice = videos["video"][videos["video"].duplicated()].iloc[0]
        raise StillactError(f"{samples.root}: {twice} is listed twice, but has one side of the split; repair the lists")
    groups = class_group_of(samples.classes)
    videos = videos.assign(class_group=[groups[label] for label in videos["label"]])
    frames = [rule.frames_of(count) for count in videos["frames"]]
    of_video = np.repeat(np.arange(len(videos)), [len(chosen) for chosen in frames])
    # as categories: two million rows then take some 50 MB, as text 1 GB
    names = videos[["video", "class_name", "split", "group", "class_group"]].astype("category")
    table = names.assign(label=videos["label"]).iloc[of_video].reset_index(drop=True)
    return table.assign(frame=np.concatenate(frames) if frames else [])[list(COLUMNS)]
