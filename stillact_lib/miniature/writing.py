"""Writing a miniature to disk, whole or not at all, and finding its truth again from a video's name."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.miniature.layouts import Layout, layout_of
from stillact_lib.miniature.world import Clip, ClipSpec, render_clip

STAMP = "miniature.json"
_BATCH = 8  # clips a task


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 of this package's code and tables: a miniature written by other code is another miniature."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for source in sorted([*package.rglob("*.py"), *package.rglob("*.yaml")]):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()


def write(
    name: str,
    out: str | Path,
    *,
    seed: int = 0,
    size: str = "mini",
    classes: Sequence[str] | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Path:
    """Write the miniature of a dataset in its official layout and return its root.

    `workers` processes (default: one a core), or the given executor. An existing copy with the same stamp is returned
    as it is; an interrupted one is continued. The folder gets its name only when everything is in it. Raises
    StillactError when `out` holds something else.
    """
    layout = layout_of(name, seed, size, classes)
    stamp = {"miniature": name, "seed": seed, "size": size, "classes": sorted(classes) if classes else None}
    stamp |= {"videos": len(layout.videos), "code": code_digest()}
    out = Path(out)
    if out.is_dir() and any(out.iterdir()):
        if _stamp_in(out) == stamp:
            return out
        raise StillactError(
            f"{out}: holds something other than this miniature ({name}, seed {seed}, {size}); "
            "choose another folder or delete it"
        )
    key = hashlib.sha256(json.dumps(stamp, sort_keys=True).encode()).hexdigest()[:12]
    unfinished = out.parent / f".{out.name}.{key}.unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    _write_videos(layout, unfinished, workers, executor, progress, f"{name} {size}")
    for path, text in layout.texts.items():
        target = unfinished / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    (unfinished / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    if out.is_dir():
        out.rmdir()
    unfinished.replace(out)
    return out


def _write_videos(
    layout: Layout, root: Path, workers: int | None, executor: Executor | None, progress: bool, title: str
) -> None:
    for folder in {(root / path).parent for path in layout.videos}:
        folder.mkdir(parents=True, exist_ok=True)
    todo = [(str(root / path), spec) for path, spec in layout.videos.items() if not (root / path).exists()]
    batches = [todo[k : k + _BATCH] for k in range(0, len(todo), _BATCH)]
    workers = workers or os.cpu_count() or 1
    with tqdm(
        total=len(todo), desc=title, unit="clip", disable=not (progress and sys.stderr.isatty()), leave=False
    ) as bar:
        if executor is not None:
            _run(executor, batches, bar)
        elif workers == 1 or len(batches) == 1:
            for batch in batches:
                bar.update(write_batch(batch))
        elif batches:
            with ProcessPoolExecutor(min(workers, len(batches)), multiprocessing.get_context("spawn")) as pool:
                _run(pool, batches, bar)


def _run(executor: Executor, batches: list, bar: tqdm) -> None:
    for done in as_completed([executor.submit(write_batch, batch) for batch in batches]):
        bar.update(done.result())


def write_batch(batch: list[tuple[str, ClipSpec]]) -> int:
    """Render and encode some clips, one thread; each gets its name only when it is whole. Returns their number."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for path, spec in batch:
            clip = render_clip(spec)
            _encode(Path(path), clip.frames, spec.fps)
    finally:
        cv2.setNumThreads(threads)
    return len(batch)


def _encode(path: Path, frames: np.ndarray, fps: float) -> None:
    """Frames uint8 [T, H, W, 3] RGB to an XVID .avi, as the real datasets have."""
    temporary = path.with_name(f"~{os.getpid()}.part.avi")
    height, width = frames.shape[1:3]
    video = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*"XVID"), fps, (width, height))
    if not video.isOpened():
        raise StillactError(f"{path}: this OpenCV cannot write XVID .avi; install opencv-python from PyPI")
    for frame in frames:
        video.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    video.release()
    temporary.replace(path)


def _stamp_in(root: Path) -> dict | None:
    try:
        return json.loads((root / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def _videos(name: str, seed: int, size: str, classes: tuple[str, ...] | None) -> dict[str, ClipSpec]:
    return layout_of(name, seed, size, classes).videos


def spec_of(root: str | Path, video: str | Path) -> ClipSpec:
    """What a written video shows, by its root's stamp and its path (in the root, or whole). Raises StillactError."""
    root = Path(root)
    stamp = _stamp_in(root)
    if stamp is None:
        raise StillactError(
            f"{root / STAMP}: not there or not readable; this folder is no miniature, so it has no exact truth"
        )
    if stamp.get("code") != code_digest():
        raise StillactError(
            f"{root / STAMP}: written by another version of the miniature; delete the folder and write it again"
        )
    classes = stamp["classes"]
    videos = _videos(stamp["miniature"], stamp["seed"], stamp["size"], tuple(classes) if classes else None)
    path = Path(video)
    inside = path.resolve().relative_to(root.resolve()) if path.is_absolute() or path.exists() else path
    if inside.as_posix() not in videos:
        raise StillactError(f"{video}: not one of the {len(videos)} videos of the miniature in {root}")
    return videos[inside.as_posix()]


def truth_of(root: str | Path, video: str | Path) -> Clip:
    """A written video's clip with all that is true of it, drawn again (its frames are before compression)."""
    return render_clip(spec_of(root, video), truth=True)
