"""Pairs (frame, mean flow of the next five frames) of a set of videos: built once, read back as tensors.

`pair_shards` makes the shard of one video; here many are made side by side, and the index, with each shard's SHA-256,
is written last. Used by chapters 04 (training pairs of Im2Flow and its baselines) and 03 (Walker's network).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from tqdm.auto import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.paths import written_whole
from stillact_lib.vision.pair_shards import PairRecipe, build_shard, exact_pairs, shard_path


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
        videos, row_in_shard = chosen["video"].to_numpy(), chosen["row"].to_numpy()
        for video in pd.unique(videos):
            with safe_open(shard_path(self.folder, video), framework="numpy") as shard:
                all_images, all_flows = shard.get_slice("images"), shard.get_slice("flows")
                for position in np.flatnonzero(videos == video):
                    row = row_in_shard[position]
                    images[position] = all_images[row : row + 1][0]
                    flows[position] = all_flows[row : row + 1][0]
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(flows).permute(0, 3, 1, 2)

    def held_in_memory(self) -> FlowPairs:
        """The same pairs, read once and kept: for sets that fit (a pair takes 7 S^2 bytes)."""
        return replace(self, in_memory=self.load())


@contextmanager
def worker_processes(executor: Executor | None = None) -> Iterator[Executor]:
    """The given executor, or a pool with a process a core that ends with the block.

    Workers are spawned: a forked copy of a process whose OpenCV or torch threads have run can hang.
    """
    if executor is not None:
        yield executor
        return
    pool = ProcessPoolExecutor(mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def build_flow_pairs(
    videos: pd.DataFrame,
    root: Path,
    folder: Path,
    recipe: PairRecipe,
    *,
    executor: Executor | None = None,
    max_unusable: float = 0.05,
    progress: bool = False,
) -> FlowPairs:
    """Builds what is missing of the pairs of `videos` (a `Samples.videos` table) and returns them all.

    folder: where the shards lie; the recipe is part of its name, so recipes never mix.
    executor: any `concurrent.futures.Executor`, a Dask cluster's for instance; default a pool with a process a core.
    Unusable videos are listed; raises `StillactError` where they are more than `max_unusable` of all.
    """
    if videos.empty:
        raise StillactError(f"{root}: no video is left to build pairs from; check the data root and class selection")
    recipe_digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()[:10]
    folder = folder / f"pairs-{recipe.size}px-{recipe.target}-{recipe_digest}"
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    known = json.loads(index_path.read_text())["shards"] if index_path.is_file() else {}
    with worker_processes(executor) as pool:
        jobs = [
            pool.submit(build_shard, video, root, folder, recipe, known.get(video, {}).get("sha256", ""))
            for video in videos["video"]
        ]
        shards = [job.result() for job in tqdm(jobs, desc="frame-flow pairs", leave=False, disable=not progress)]
    problems = [(shard.video, shard.problem) for shard in shards if shard.problem]
    if len(problems) > max_unusable * len(videos):
        raise StillactError(
            f"{root}: {len(problems)} of {len(videos)} videos cannot be used (at most {max_unusable:.0%} may fail); "
            f"the first: {problems[0][1]}"
        )
    known |= {shard.video: {"pairs": len(shard.frames), "sha256": shard.sha256} for shard in shards if shard.frames}
    with written_whole(index_path) as temporary:
        temporary.write_text(json.dumps({"recipe": asdict(recipe), "shards": known}, indent=1))
    frames = {shard.video: shard.frames for shard in shards}
    table = videos[["video", "class_name", "label", "group"]].assign(frame=videos["video"].map(frames))
    table["row"] = table["frame"].map(lambda of_video: range(len(of_video)))
    table = table.explode(["frame", "row"]).dropna(subset=["frame"]).reset_index(drop=True)
    return FlowPairs(folder, table.astype({"frame": int, "row": int}), problems, recipe)


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
