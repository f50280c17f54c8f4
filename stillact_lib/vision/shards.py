"""Shards: what is computed of a set of videos, one safetensors file a video, made side by side and resumable.

A shard is written under a temporary name and renamed, so that an interrupted build leaves nothing half-written and goes
on where it was. Its name ends in a key of the video's content: two datasets in which files are called alike share no
shard by accident, a video that was fetched again gets a new one, and a dataset that was moved or copied keeps all. The
index holds each shard's size and SHA-256; a start looks at sizes and headers, `verify` at every byte.

`pair_shards` puts frames and their flow into shards (chapters 03 and 04), `still_shards` single frames (chapter 03).
Worker processes import this module, so it imports neither torch nor pandas: a worker then starts in a second.
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
from joblib import cpu_count
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.paths import alone_in, sweep, written_whole
from stillact_lib.vision.video import UnreadableVideo

#: bytes at a video's head (its header) and tail (of an AVI the index, with the size of each frame) that are its key
KEY_BYTES = 4096


@dataclass(frozen=True)
class Shard:
    """What a worker reports of one video: its shard's file, the frames that the rows are of, size and checksum; or why
    it has none."""

    video: str
    file: str = ""
    frames: tuple[int, ...] = ()
    bytes: int = 0
    sha256: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Known:
    """What the index says of a shard; `sha256` is empty where it is not to be checked."""

    bytes: int
    sha256: str


def content_key(video: Path) -> str:
    """Eight hexadecimal digits made of a video's size, its first and last 4 KiB; of a folder of frames, of its files'
    names and sizes. A few reads, wherever the video lies. Raises `UnreadableVideo`."""
    try:
        if video.is_dir():
            told = repr(sorted((frame.name, frame.stat().st_size) for frame in video.iterdir())).encode()
        else:
            with video.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                told = b"%d " % size + file.read(KEY_BYTES)
                file.seek(max(0, size - KEY_BYTES))
                told += file.read()
    except OSError as error:
        raise UnreadableVideo(f"{video}: {error.strerror}; fetch it again or leave it out") from None
    return hashlib.sha256(told).hexdigest()[:8]


def shard_name(video: str, key: str) -> str:
    return f"{video.replace('/', '__')}.{key}.safetensors"


def recipe_digest(recipe: Mapping[str, object]) -> str:
    """Ten hexadecimal digits that tell recipes apart: part of a folder's name, so that recipes never mix."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:10]


def keep_shard(
    video: str,
    root: Path,
    folder: Path,
    known: Mapping[str, Known],
    make: Callable[[Path | None], dict[str, np.ndarray] | None],
) -> Shard:
    """Makes the shard of one video of `root` unless it is there and whole. Runs in a worker process.

    known: what the index says of this video's shards, by file.
    make: given the path of a whole shard, or None where there is none, returns the arrays to write, among them `frame`,
    the index of each row's frame in the video; or None to leave the shard as it is. Where it raises `UnreadableVideo`,
    the reason is what is reported.
    """
    try:
        path = folder / shard_name(video, content_key(root / video))
        there = known.get(path.name)
        arrays = make(path if _is_whole(path, there) else None)
    except UnreadableVideo as error:
        return Shard(video, problem=str(error))
    if arrays is not None:
        with written_whole(path) as temporary:
            # safetensors writes memory as it lies: a view with its axes swapped would come back scrambled
            save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, temporary)
    with safe_open(path, framework="numpy") as shard:
        frames = tuple(shard.get_tensor("frame").tolist())
    unchanged = there is not None and arrays is None
    return Shard(video, path.name, frames, path.stat().st_size, "" if unchanged else _sha256(path))


def _is_whole(path: Path, known: Known | None) -> bool:
    """Whether a shard is there, of its size and with a header that fits it, and its bytes are those of `known.sha256`
    where that is given."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except (OSError, SafetensorError):  # not there, cut, or something else
        return False
    if known is None:
        return True
    return path.stat().st_size == known.bytes and known.sha256 in ("", _sha256(path) if known.sha256 else "")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def worker_processes(executor: Executor | None = None) -> Iterator[Executor]:
    """The given executor, or a pool that ends with the block, with a process for each processor that this process may
    use.

    Workers are spawned: a forked copy of a process whose OpenCV or torch threads have run can hang.
    """
    if executor is not None:
        yield executor
        return
    pool = ProcessPoolExecutor(cpu_count(), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def build_shards(
    jobs: Mapping[str, Callable[[Mapping[str, Known]], Shard]],
    root: Path,
    folder: Path,
    recipe: Mapping[str, object],
    *,
    executor: Executor | None,
    max_unusable: float,
    progress: str,
    verify: bool = False,
) -> tuple[dict[str, Shard], list[tuple[str, str]]]:
    """Runs one job a video, given what is known of its shards, and writes the index of `folder`; one run at a time.

    progress: what a progress bar says; "" shows none. verify: every shard is read and held against its SHA-256.
    Returns the shard of each usable video, and (video, reason) of the unusable; raises `StillactError` where these are
    more than `max_unusable` of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    with alone_in(folder):
        sweep(folder)
        index = json.loads(index_path.read_text())["shards"] if index_path.is_file() else {}
        known: dict[str, dict[str, Known]] = {}
        for file, entry in index.items():
            told = Known(entry["bytes"], entry["sha256"] if verify else "")
            known.setdefault(entry["video"], {})[file] = told
        with worker_processes(executor) as pool:
            running = [pool.submit(job, known.get(video, {})) for video, job in jobs.items()]
            shards = [job.result() for job in tqdm(running, desc=progress, leave=False, disable=not progress)]
        problems = [(shard.video, shard.problem) for shard in shards if shard.problem]
        if len(problems) > max_unusable * len(jobs):
            raise StillactError(
                f"{root}: {len(problems)} of {len(jobs)} videos cannot be used (at most {max_unusable:.0%} may fail); "
                f"the first: {problems[0][1]}"
            )
        made = {shard.video: shard for shard in shards if shard.frames}
        index |= {
            shard.file: {
                "video": shard.video,
                "frames": len(shard.frames),
                "bytes": shard.bytes,
                "sha256": shard.sha256 or index[shard.file]["sha256"],
            }
            for shard in made.values()
        }
        with written_whole(index_path) as temporary:
            temporary.write_text(json.dumps({"recipe": recipe, "shards": index}, indent=1))
    return made, problems


def read_rows(
    folder: Path, shards: Mapping[str, Shard], videos: np.ndarray, rows: np.ndarray, into: Mapping[str, np.ndarray]
) -> None:
    """Fills arrays [N, ...], named as in the shards, with row `rows[i]` of the shard of `videos[i]`.

    Shards are memory-mapped: a training batch of a large set reads its own rows only.
    """
    by_video: dict[str, list[int]] = {}
    for position, video in enumerate(videos):
        by_video.setdefault(video, []).append(position)
    for video, positions in by_video.items():
        with safe_open(folder / shards[video].file, framework="numpy") as shard:
            for name, array in into.items():
                stored = shard.get_slice(name)
                for position in positions:
                    array[position] = stored[rows[position] : rows[position] + 1][0]
