"""Pairs (frame, mean flow of the next five frames): built once a video, kept in shards, read back as arrays.

A shard is one safetensors file a video, written under a temporary name and renamed, so an interrupted build leaves
nothing half-written and goes on where it was. The index, with each shard's SHA-256, is written last.
Used by chapters 04 (training pairs of Im2Flow and its baselines) and 03 (Walker's network).
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.vision.optical_flow import consecutive_flow, resize_flow, sliding_mean
from stillact_lib.vision.video import UnreadableVideo, read_frames


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


def _shard_path(folder: Path, video: str) -> Path:
    return folder / (video.replace("/", "__") + ".safetensors")


@dataclass(frozen=True)
class _Shard:
    """What a worker reports of one video: the frames that its pairs start at, and the checksum; or why it has none."""

    video: str
    frames: tuple[int, ...] = ()
    sha256: str = ""
    problem: str = ""


def _build_shard(video: str, root: Path, folder: Path, recipe: PairRecipe, known_sha256: str) -> _Shard:
    """Builds the shard of one video unless it is there and whole. Runs in a worker process."""
    cv2.setNumThreads(1)  # one process a core
    path = _shard_path(folder, video)
    if path.is_file() and known_sha256 not in ("", hashlib.sha256(path.read_bytes()).hexdigest()):
        path.unlink()  # damaged since it was written
    if not path.is_file():
        try:
            pairs = pairs_of_video(root / video, root, recipe)
        except UnreadableVideo as error:
            return _Shard(video, problem=str(error))
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            save_file(pairs, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    with safe_open(path, framework="numpy") as shard:
        frames = tuple(shard.get_tensor("frame").tolist())
    return _Shard(video, frames, hashlib.sha256(path.read_bytes()).hexdigest())


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
            with safe_open(_shard_path(self.folder, video), framework="numpy") as shard:
                all_images, all_flows = shard.get_slice("images"), shard.get_slice("flows")
                for position in np.flatnonzero(videos == video):
                    row = row_in_shard[position]
                    images[position] = all_images[row : row + 1][0]
                    flows[position] = all_flows[row : row + 1][0]
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
    progress: bool = True,
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
    own = ProcessPoolExecutor(initializer=cv2.setNumThreads, initargs=(1,)) if executor is None else None
    pool = executor or own
    try:
        jobs = [
            pool.submit(_build_shard, video, root, folder, recipe, known.get(video, {}).get("sha256", ""))
            for video in videos["video"]
        ]
        shards = [job.result() for job in tqdm(jobs, desc="frame-flow pairs", leave=False, disable=not progress)]
    finally:
        if own:
            own.shutdown(cancel_futures=True)
    problems = [(shard.video, shard.problem) for shard in shards if shard.problem]
    if len(problems) > max_unusable * len(videos):
        raise StillactError(
            f"{root}: {len(problems)} of {len(videos)} videos cannot be used (at most {max_unusable:.0%} may fail); "
            f"the first: {problems[0][1]}"
        )
    known |= {shard.video: {"pairs": len(shard.frames), "sha256": shard.sha256} for shard in shards if shard.frames}
    temporary = folder / f".index.{os.getpid()}.part"
    temporary.write_text(json.dumps({"recipe": asdict(recipe), "shards": known}, indent=1))
    temporary.replace(index_path)
    frames = {shard.video: shard.frames for shard in shards}
    table = videos[["video", "class_name", "label", "group"]].assign(frame=videos["video"].map(frames))
    table["row"] = table["frame"].map(lambda of_video: range(len(of_video)))
    table = table.explode(["frame", "row"]).dropna(subset=["frame"]).reset_index(drop=True)
    return FlowPairs(folder, table.astype({"frame": int, "row": int}), problems, recipe)
