"""Shards: what is computed of a set of videos, one safetensors file a video, made side by side and resumable.

A shard is written under a temporary name and renamed, so that an interrupted build leaves nothing half-written and goes
on where it was. Its name ends in a key of the video's content: two datasets in which files are called alike share no
shard by accident, a video that was fetched again gets a new one, and a dataset that was moved or copied keeps all. The
index holds each shard's size and SHA-256; a start looks at sizes and headers, `verify` at every byte.

`pair_shards` puts frames and their flow into shards (chapters 03 and 04), `temporal_shards` dynamic images and flow
(chapter 05), both in one pass over a video where both are asked for; `still_shards` single frames (chapter 03).
Worker processes import this module, so it imports neither torch nor pandas: a worker then starts in a second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from joblib import cpu_count
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.paths import alone_in, sweep, workspace, written_whole
from stillact_lib.vision.decoded_video import DecodedVideo
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


def shard_folder(root: Path) -> Path:
    """Where the shards of the videos below a data root are kept: one place, so that chapters share them."""
    return workspace() / "shards" / root.name


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


class Recipe(Protocol):
    """What is made of a video: a frozen dataclass of plain values, whose `drop_repeats` says which frames count."""

    drop_repeats: bool
    folder_name: str

    def arrays(self, video: DecodedVideo, root: Path) -> dict[str, np.ndarray]: ...


def shards_of_recipes(
    video: str, root: Path, recipes: Mapping[Path, Recipe], known: Mapping[Path, Mapping[str, Known]]
) -> list[Shard]:
    """The shards of one video, one a folder's recipe, that are not there and whole; the video is decoded once, and its
    flow estimated once, for all of them. Runs in a worker process."""
    cv2.setNumThreads(1)  # one process a core
    decoded = {drop: DecodedVideo(root / video, drop) for drop in {one.drop_repeats for one in recipes.values()}}

    def make(recipe: Recipe, whole: Path | None) -> dict[str, np.ndarray] | None:
        return None if whole else recipe.arrays(decoded[recipe.drop_repeats], root)

    return [keep_shard(video, root, folder, known[folder], partial(make, recipe)) for folder, recipe in recipes.items()]


#: a video's job: what is known of its shards, by folder -> its shard in each folder
Job = Callable[[Mapping[Path, Mapping[str, Known]]], list[Shard]]


def build_shards(
    recipes: Mapping[Path, Recipe],
    videos: Iterable[str],
    root: Path,
    *,
    executor: Executor | None = None,
    max_unusable: float = 0.05,
    progress: str = "",
    verify: bool = False,
) -> dict[Path, tuple[dict[str, Shard], list[tuple[str, str]]]]:
    """Makes what is missing of what each folder's recipe makes of each video: all of a video in one pass over it.

    Arguments and result are those of `run_jobs`, the result by folder.
    """
    jobs = {video: partial(shards_of_recipes, video, root, recipes) for video in videos}
    described = {folder: asdict(recipe) for folder, recipe in recipes.items()}
    return run_jobs(
        jobs, root, described, executor=executor, max_unusable=max_unusable, progress=progress, verify=verify
    )


def run_jobs(
    jobs: Mapping[str, Job],
    root: Path,
    recipes: Mapping[Path, Mapping[str, object]],
    *,
    executor: Executor | None,
    max_unusable: float,
    progress: str,
    verify: bool = False,
) -> dict[Path, tuple[dict[str, Shard], list[tuple[str, str]]]]:
    """Runs one job a video, given what is known of its shards, and writes the index of each folder; one run at a time.

    progress: what a progress bar says; "" shows none. verify: every shard is read and held against its SHA-256.
    Returns of each folder the shard of each usable video, and (video, reason) of the unusable; raises `StillactError`
    where these are more than `max_unusable` of all.
    """
    with ExitStack() as stack:
        known = {folder: _enter(folder, stack, verify) for folder in sorted(recipes)}  # in one order: no deadlock
        with worker_processes(executor) as pool:
            told = {video: {folder: known[folder].get(video, {}) for folder in recipes} for video in jobs}
            running = [pool.submit(job, told[video]) for video, job in jobs.items()]
            done = [job.result() for job in tqdm(running, desc=progress, leave=False, disable=not progress)]
        made = {}
        for folder, shards in zip(recipes, zip(*done, strict=True), strict=True):
            problems = [(shard.video, shard.problem) for shard in shards if shard.problem]
            if len(problems) > max_unusable * len(jobs):
                raise StillactError(
                    f"{root}: {len(problems)} of {len(jobs)} videos cannot be used (at most {max_unusable:.0%} may "
                    f"fail); the first: {problems[0][1]}"
                )
            made[folder] = {shard.video: shard for shard in shards if shard.frames}, problems
            _write_index(folder, recipes[folder], made[folder][0].values())
    return made


def _enter(folder: Path, stack: ExitStack, verify: bool) -> dict[str, dict[str, Known]]:
    """Waits until the folder is this run's alone, and returns what its index says of each video's shards."""
    folder.mkdir(parents=True, exist_ok=True)
    stack.enter_context(alone_in(folder))
    sweep(folder)
    known: dict[str, dict[str, Known]] = {}
    for file, entry in _read_index(folder).items():
        told = Known(entry["bytes"], entry["sha256"] if verify else "")
        known.setdefault(entry["video"], {})[file] = told
    return known


def _read_index(folder: Path) -> dict[str, dict]:
    path = folder / "index.json"
    return json.loads(path.read_text())["shards"] if path.is_file() else {}


def _write_index(folder: Path, recipe: Mapping[str, object], shards: Iterable[Shard]) -> None:
    index = _read_index(folder)
    index |= {
        shard.file: {
            "video": shard.video,
            "frames": len(shard.frames),
            "bytes": shard.bytes,
            "sha256": shard.sha256 or index[shard.file]["sha256"],
        }
        for shard in shards
    }
    with written_whole(folder / "index.json") as temporary:
        temporary.write_text(json.dumps({"recipe": recipe, "shards": index}, indent=1))


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
