"""Shards: what is computed of a set of videos, one safetensors file a video, made side by side and resumable.

A shard is written under a temporary name and renamed, so that an interrupted build leaves nothing half-written and goes
on where it was; the index, with each shard's SHA-256, is written last. `pair_shards` puts frames and their flow into
them (chapters 03 and 04), `still_shards` single frames (chapter 03). Worker processes import this module, so it imports
neither torch nor pandas: a worker then starts in a second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.paths import written_whole
from stillact_lib.vision.video import UnreadableVideo


@dataclass(frozen=True)
class Shard:
    """What a worker reports of one video: the frames that its rows are of, and the checksum; or why it has none."""

    video: str
    frames: tuple[int, ...] = ()
    sha256: str = ""
    problem: str = ""


def shard_path(folder: Path, video: str) -> Path:
    return folder / (video.replace("/", "__") + ".safetensors")


def recipe_digest(recipe: Mapping[str, object]) -> str:
    """Ten hexadecimal digits that tell recipes apart: part of a folder's name, so that recipes never mix."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:10]


def keep_shard(
    video: str, folder: Path, known_sha256: str, make: Callable[[Path | None], dict[str, np.ndarray] | None]
) -> Shard:
    """Makes the shard of one video unless it is there and whole. Runs in a worker process.

    make: given the path of a whole shard, or None where there is none, returns the arrays to write, among them `frame`,
    the index of each row's frame in the video; or None to leave the shard as it is. Where it raises `UnreadableVideo`,
    the reason is what is reported.
    """
    path = shard_path(folder, video)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    whole = sha256 and known_sha256 in ("", sha256)  # otherwise not there, or damaged since it was written
    try:
        arrays = make(path if whole else None)
    except UnreadableVideo as error:
        return Shard(video, problem=str(error))
    if arrays is not None:
        with written_whole(path) as temporary:
            # safetensors writes memory as it lies: a view with its axes swapped would come back scrambled
            save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, temporary)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with safe_open(path, framework="numpy") as shard:
        frames = tuple(shard.get_tensor("frame").tolist())
    return Shard(video, frames, sha256)


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


def build_shards(
    jobs: Mapping[str, Callable[[str], Shard]],
    root: Path,
    folder: Path,
    recipe: Mapping[str, object],
    *,
    executor: Executor | None,
    max_unusable: float,
    progress: str,
) -> tuple[dict[str, tuple[int, ...]], list[tuple[str, str]]]:
    """Runs one job a video, given the SHA-256 known of its shard ("" for none), and writes the index of `folder`.

    progress: what a progress bar says; "" shows none. Returns the frames that each shard's rows are of, and (video,
    reason) of the unusable; raises `StillactError` where these are more than `max_unusable` of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    known = json.loads(index_path.read_text())["shards"] if index_path.is_file() else {}
    with worker_processes(executor) as pool:
        running = [pool.submit(job, known.get(video, {}).get("sha256", "")) for video, job in jobs.items()]
        shards = [job.result() for job in tqdm(running, desc=progress, leave=False, disable=not progress)]
    problems = [(shard.video, shard.problem) for shard in shards if shard.problem]
    if len(problems) > max_unusable * len(jobs):
        raise StillactError(
            f"{root}: {len(problems)} of {len(jobs)} videos cannot be used (at most {max_unusable:.0%} may fail); "
            f"the first: {problems[0][1]}"
        )
    known |= {shard.video: {"frames": len(shard.frames), "sha256": shard.sha256} for shard in shards if shard.frames}
    with written_whole(index_path) as temporary:
        temporary.write_text(json.dumps({"recipe": recipe, "shards": known}, indent=1))
    return {shard.video: shard.frames for shard in shards if shard.frames}, problems


def read_rows(folder: Path, videos: np.ndarray, rows: np.ndarray, into: Mapping[str, np.ndarray]) -> None:
    """Fills arrays [N, ...], named as in the shards, with row `rows[i]` of the shard of `videos[i]`.

    Shards are memory-mapped: a training batch of a large set reads its own rows only.
    """
    by_video: dict[str, list[int]] = {}
    for position, video in enumerate(videos):
        by_video.setdefault(video, []).append(position)
    for video, positions in by_video.items():
        with safe_open(shard_path(folder, video), framework="numpy") as shard:
            for name, array in into.items():
                stored = shard.get_slice(name)
                for position in positions:
                    array[position] = stored[rows[position] : rows[position] + 1][0]
