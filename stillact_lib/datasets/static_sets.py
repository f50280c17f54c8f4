"""Static sets: one photograph a video, its centre frame, as Im2Flow makes UCF-static, HMDB-static and Penn Action's
stills (Gao, Xiong, Grauman, CVPR 2018, section 4). Chapter 04."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillact_lib.datasets.samples import Samples

if TYPE_CHECKING:
    import pandas as pd


def static_set(samples: Samples) -> pd.DataFrame:
    """The stills of a video dataset, one row a video of its split; videos that the split leaves unused are left out.

    Columns: video (path below the samples' root), class_name, label, split, group. Which frame is the centre is known
    when the video is decoded, since headers are not to be trusted: `vision.pair_shards.CentreRecipe`.
    """
    videos = samples.videos[samples.videos.split != "unused"].reset_index(drop=True)
    return videos[["video", "class_name", "label", "split", "group"]]
