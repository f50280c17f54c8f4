"""Pairs (frame, mean flow of the next five frames) of a set of videos: built once, read back as tensors.

`pair_shards` makes the shard of one video, `shards` has many made side by side. Used by chapters 04 (training pairs of
Im2Flow and its baselines) and 03 (Walker's network).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from stillact_lib.errors import StillactError
from stillact_lib.vision.pair_shards import PairRecipe, exact_pairs
from stillact_lib.vision.shards import Shard, build_shards, read_rows, worker_processes


@dataclass(frozen=True)
class FlowPairs:
    """All pairs of a set of videos.

    table: one row a pair, with `video`, `frame` and the video's columns (class_name, label, group).
    problems: (video, reason) of those that gave none.
    """

    folder: Path
    table: pd.DataFrame
    problems: list[tuple[str, str]]
    recipe: PairRecipe
    shards: Mapping[str, Shard]
    in_memory: tuple[torch.Tensor, torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self.table)

    def load(self, rows: np.ndarray | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images uint8 [N, 3, S, S] and flows float16 [N, 2, S, S] of the given rows (None: all).

        Shards are memory-mapped: a training batch of a large set reads its own rows only, and a small set is loaded
        whole once.
        """
        if self.in_memory is not None:
            images, flows = self.in_memory
            return (images, flows) if rows is None else (images[rows], flows[rows])
        chosen = self.table if rows is None else self.table.iloc[np.asarray(rows)]
        side = self.recipe.size
        images = np.empty((len(chosen), side, side, 3), np.uint8)
        flows = np.empty((len(chosen), side, side, 2), np.float16)
        read_rows(
            self.folder,
            self.shards,
            chosen["video"].to_numpy(),
            chosen["row"].to_numpy(),
            into={"images": images, "flows": flows},
        )
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(flows).permute(0, 3, 1, 2)

    def held_in_memory(self) -> FlowPairs:
        """The same pairs, read once and kept: for sets that fit (a pair takes 7 S^2 bytes)."""
        return replace(self, in_memory=self.load())


def build_flow_pairs(
    videos: pd.DataFrame,
    root: Path,
    folder: Path,
    recipe: PairRecipe,
    *,
    executor: Executor | None = None,
    max_unusable: float = 0.05,
    progress: bool = False,
    verify: bool = False,
) -> FlowPairs:
    """Builds what is missing of the pairs of `videos` (a `Samples.videos` table) and returns them all.

    folder: where the shards lie; the recipe is part of its name, so recipes never mix.
    executor: any `concurrent.futures.Executor`, a Dask cluster's for instance; default a pool with a process a core.
    verify: look at every byte of the shards that are there, not at their sizes and headers alone.
    Unusable videos are listed; raises `StillactError` where they are more than `max_unusable` of all.
    """
    if videos.empty:
        raise StillactError(f"{root}: no video is left to build pairs from; check the data root and class selection")
    folder = folder / recipe.folder_name
    shards, problems = build_shards(
        {folder: recipe},
        videos["video"],
        root,
        executor=executor,
        max_unusable=max_unusable,
        progress="frame-flow pairs" if progress else "",
        verify=verify,
    )[folder]
    frames = {video: shard.frames for video, shard in shards.items()}
    table = videos[["video", "class_name", "label", "group"]].assign(frame=videos["video"].map(frames))
    table["row"] = table["frame"].map(lambda of_video: range(len(of_video)), na_action="ignore")
    table = table.explode(["frame", "row"]).dropna(subset=["frame"]).reset_index(drop=True)
    return FlowPairs(folder, table.astype({"frame": int, "row": int}), problems, recipe, shards)


def exact_flow(pairs: FlowPairs, root: Path, executor: Executor | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A miniature's own mean flow float32 [N, S, S, 2] and foreground bool [N, S, S] at the frames of `pairs`."""
    side = pairs.recipe.size
    flow, foreground = np.empty((len(pairs), side, side, 2), np.float32), np.empty((len(pairs), side, side), bool)
    by_video = list(pairs.table.groupby("video", sort=False).indices.items())
    with worker_processes(executor) as pool:
        frames = pairs.table["frame"].to_numpy()
        jobs = [pool.submit(exact_pairs, root, video, frames[rows], pairs.recipe) for video, rows in by_video]
        for (_, rows), job in zip(by_video, jobs, strict=True):
            flow[rows], foreground[rows] = job.result()
    return flow, foreground
