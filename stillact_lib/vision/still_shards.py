"""Stills that are frames of videos: computed from a table of references, kept in shards, read back as tensors.

A still stays a reference (video, frame) until something is computed of it: the frame at a network's size, or what a
method makes of it, three 8-bit channels of the POF-SM domain for instance (Safaei & Foroosh, arXiv:1705.04641, section
III-A). Each video is decoded once for all its stills. Chapter 03.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from safetensors import safe_open

from stillact_lib.errors import StillactError
from stillact_lib.vision.shards import Known, Shard, keep_shard, read_rows, recipe_digest, run_jobs
from stillact_lib.vision.video import UnreadableVideo, iterate_frames

if TYPE_CHECKING:
    import pandas as pd
    import torch

#: frames handed to a frame map together: enough to fill a batch, and of a long video only these are held
FRAMES_AT_ONCE = 64


class FrameMap(Protocol):
    """What a still becomes: a frozen dataclass, so that its name and fields say what it computes, and can be pickled.

    Called in worker processes with frames uint8 [N, H, W, 3] RGB (N <= `FRAMES_AT_ONCE`, one video's); returns uint8
    [N, S, S, C], one image a frame that depends on this frame alone. Fields are plain values: a network is named by its
    file and loaded when first needed.
    """

    def __call__(self, frames: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Squashed:
    """RGB frames squashed to a square of `side` pixels, aspect not kept: uint8 [N, side, side, 3]."""

    side: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        side = (self.side, self.side)
        return np.stack([cv2.resize(frame, side, interpolation=cv2.INTER_AREA) for frame in frames])


@dataclass(frozen=True)
class StoredStills:
    """Stills of a set of videos, computed.

    table: one row a still, with the columns of the references and `row`, its place in the video's shard.
    problems: (video, reason) of the unusable videos, and of those with fewer frames than references.
    """

    folder: Path
    table: pd.DataFrame
    problems: list[tuple[str, str]]
    shards: Mapping[str, Shard]
    in_memory: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.table)

    def load(self, rows: np.ndarray | None = None) -> torch.Tensor:
        """Images uint8 [N, C, S, S] of the given rows of the table (None: all); only these are read from disk."""
        import torch  # here, so that worker processes start in a second

        if self.in_memory is not None:
            return self.in_memory if rows is None else self.in_memory[rows]
        chosen = self.table if rows is None else self.table.iloc[np.asarray(rows)]
        with safe_open(self.folder / self.shards[self.table["video"].iloc[0]].file, framework="numpy") as shard:
            shape = shard.get_slice("images").get_shape()[1:]
        images = np.empty((len(chosen), *shape), np.uint8)
        videos, places = chosen["video"].to_numpy(), chosen["row"].to_numpy()
        read_rows(self.folder, self.shards, videos, places, into={"images": images})
        return torch.from_numpy(images).permute(0, 3, 1, 2)

    def held_in_memory(self) -> StoredStills:
        """The same stills, read once and kept: for sets that fit (a still takes C S^2 bytes)."""
        return replace(self, in_memory=self.load())


def stills_of_video(
    path: Path, frames: np.ndarray, of_frames: FrameMap, whole: Path | None
) -> dict[str, np.ndarray] | None:
    """The arrays of a shard: `images` uint8 [N, S, S, C], `frame` int32 [N] and `decoded` int32 [1], the video's number
    of frames. None where the `whole` shard that is there has all of `frames` that the video has.

    A shard that lacks some is made anew with what it had, so that references to every fourth frame and to every eighth
    share one; what it had keeps its rows, as another run may be reading them. Raises `UnreadableVideo`, also where no
    frame of `frames` decodes.
    """
    wanted, held = set(frames.tolist()), []
    if whole is not None:
        with safe_open(whole, framework="numpy") as shard:
            held, decoded = shard.get_tensor("frame").tolist(), int(shard.get_tensor("decoded")[0])
        if all(frame >= decoded for frame in wanted.difference(held)):
            return None
        wanted.update(held)
    kept: list[int] = []
    images: list[np.ndarray] = []
    waiting: list[np.ndarray] = []
    decoded = 0
    for frame in iterate_frames(path):
        if decoded in wanted:
            kept.append(decoded)
            waiting.append(frame)
        decoded += 1
        if len(waiting) == FRAMES_AT_ONCE:
            images.append(of_frames(np.stack(waiting)))
            waiting = []
    if waiting:
        images.append(of_frames(np.stack(waiting)))
    if not kept:
        raise UnreadableVideo(f"{path}: only {decoded} frames decode, and the stills asked for lie beyond them")
    rows = {frame: row for row, frame in enumerate(kept)}
    order = [rows[frame] for frame in dict.fromkeys((*held, *kept))]
    return {
        "images": np.concatenate(images)[order],
        "frame": np.array(kept, np.int32)[order],
        "decoded": np.array([decoded], np.int32),
    }


def build_still_shard(
    video: str,
    root: Path,
    folder: Path,
    frames: np.ndarray,
    of_frames: FrameMap,
    known: Mapping[Path, Mapping[str, Known]],
) -> list[Shard]:
    """Builds the shard of one video unless it is there, whole, and has all `frames`. Runs in a worker process."""
    cv2.setNumThreads(1)  # one process a core
    return [keep_shard(video, root, folder, known[folder], partial(stills_of_video, root / video, frames, of_frames))]


def build_stills(
    references: pd.DataFrame,
    root: Path,
    folder: Path,
    of_frames: FrameMap,
    *,
    executor: Executor | None = None,
    max_unusable: float = 0.05,
    progress: bool = False,
    verify: bool = False,
) -> StoredStills:
    """Computes what is missing of the stills of `references` (columns video and frame, and any more) and returns all.

    folder: where the shards lie; what `of_frames` computes is part of its name, so its settings never mix.
    executor: any `concurrent.futures.Executor`; default a pool with a process a core. A map that computes on a GPU
    wants threads of this process: decoding runs beside it. verify: look at every byte of the shards that are there.
    Unusable videos, and references beyond a video's last frame, are left out and listed; raises `StillactError` where
    unusable videos are more than `max_unusable` of all.
    """
    if references.empty:
        raise StillactError(f"{root}: no still is asked for; check the data root, the split and the frame rule")
    kind = type(of_frames).__name__
    recipe = {"of_frames": kind, **asdict(of_frames)}
    folder = folder / f"stills-{kind.lower()}-{recipe_digest(recipe)}"
    frame, places = references["frame"].to_numpy(), references.groupby("video", observed=True, sort=False).indices
    shards, problems = run_jobs(
        {v: partial(build_still_shard, v, root, folder, frame[at], of_frames) for v, at in places.items()},
        root,
        {folder: recipe},
        executor=executor,
        max_unusable=max_unusable,
        progress="stills" if progress else "",
        verify=verify,
    )[folder]
    row = np.full(len(references), -1)
    for video, shard in shards.items():
        at, rows = places[video], {frame: row for row, frame in enumerate(shard.frames)}
        row[at] = [rows.get(one, -1) for one in frame[at]]
        if beyond := int((row[at] < 0).sum()):
            problems.append((video, f"{root / video}: {beyond} of {len(at)} stills lie beyond its last frame"))
    return StoredStills(folder, references.assign(row=row)[row >= 0].reset_index(drop=True), problems, shards)
