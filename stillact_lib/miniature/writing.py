"""Writing a miniature to disk, whole or not at all, and finding its truth again from a video's name."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import Path

import cv2
from joblib import cpu_count
from tqdm import tqdm

from stillact_lib.errors import StillactError
from stillact_lib.miniature.dynamic_scenes import SceneSpec
from stillact_lib.miniature.fra_layout import FraPhoto
from stillact_lib.miniature.items import Item
from stillact_lib.miniature.layout import Layout
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.miniature.object_photographs import ThingSpec
from stillact_lib.miniature.truth import Clip
from stillact_lib.miniature.world import VERSION, ClipSpec, render_clip
from stillact_lib.paths import alone_in

STAMP = "miniature.json"
_BATCH = 8  # items a task


def identity(layout: Layout) -> str:
    """SHA-256 of what a layout asks to be drawn and of the world's version: another miniature has another identity.

    It names every item and text, so a changed layout changes it, while a new layout or action leaves the others' alone.
    """
    digest = hashlib.sha256(f"world {VERSION}".encode())
    for path, item in layout.items.items():
        digest.update(f"{path} {_described(item)}\n".encode())
    for path, text in layout.texts.items():
        digest.update(f"{path} {text}\n".encode())
    if layout.finisher is not None:
        digest.update(_described(layout.finisher).encode())
    return digest.hexdigest()


def _described(value: object) -> str:
    """A dataclass in words, without fields at their defaults, so that a new knob leaves old specifications alone."""
    if not is_dataclass(value):
        return repr(value)
    told = []
    for field in fields(value):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if (found := getattr(value, field.name)) != default:
            told.append(f"{field.name}={_described(found)}")
    return f"{type(value).__name__}({', '.join(told)})"


@lru_cache(maxsize=16)
def identity_of(name: str, seed: int = 0, size: str = "mini", classes: tuple[str, ...] | None = None) -> str:
    """The identity of a miniature by its dataset's name, as in `write`."""
    return _layout(name, seed, size, classes)[1]


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

    `workers` processes (default: one a processor), or the given executor. An existing copy with the same stamp is
    returned as it is; an interrupted one is continued; one that another run is writing is waited for. The folder gets
    its name only when everything is in it. Raises StillactError when `out` holds something else.
    """
    layout = layout_of(name, seed, size, classes)
    stamp = {"miniature": name, "seed": seed, "size": size, "classes": sorted(classes) if classes else None}
    stamp |= {"items": len(layout.items), "identity": identity(layout)}
    out = Path(out)
    if not _is_written(out, stamp):
        with alone_in(out):
            if not _is_written(out, stamp):  # by the run that was waited for
                _write(layout, out, stamp, workers, executor, progress)
    return out


def _is_written(out: Path, stamp: dict) -> bool:
    """Whether `out` holds the miniature of this stamp. Raises StillactError where it holds something else."""
    if not out.is_dir() or not any(out.iterdir()):
        return False
    if stamp_in(out) == stamp:
        return True
    raise StillactError(
        f"{out}: holds something other than this miniature ({stamp['miniature']}, seed {stamp['seed']}, "
        f"{stamp['size']}); choose another folder or delete it"
    )


def _write(
    layout: Layout, out: Path, stamp: dict, workers: int | None, executor: Executor | None, progress: bool
) -> None:
    key = hashlib.sha256(json.dumps(stamp, sort_keys=True).encode()).hexdigest()[:12]
    unfinished = out.parent / f".{out.name}.{key}.unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    for left_over in unfinished.rglob(".*.part*"):  # of a run that was killed
        shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
    _write_items(layout, unfinished, workers, executor, progress, f"{stamp['miniature']} {stamp['size']}")
    if layout.finisher is not None:
        layout.finisher.finish(unfinished)
    for path, text in layout.texts.items():
        target = unfinished / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    (unfinished / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    if out.is_dir():
        out.rmdir()
    unfinished.replace(out)


def _write_items(
    layout: Layout, root: Path, workers: int | None, executor: Executor | None, progress: bool, title: str
) -> None:
    for folder in {(root / path).parent for path in layout.items}:
        folder.mkdir(parents=True, exist_ok=True)
    todo = [(path, item) for path, item in layout.items.items() if not (root / path).exists()]
    batches = [(str(root), todo[k : k + _BATCH]) for k in range(0, len(todo), _BATCH)]
    workers = workers or cpu_count()
    with tqdm(
        total=len(todo), desc=title, unit="item", disable=not (progress and sys.stderr.isatty()), leave=False
    ) as bar:
        if executor is not None:
            _run(executor, batches, bar)
        elif workers == 1 or len(batches) == 1:
            for batch in batches:
                bar.update(write_batch(*batch))
        elif batches:
            with ProcessPoolExecutor(min(workers, len(batches)), multiprocessing.get_context("spawn")) as pool:
                _run(pool, batches, bar)


def _run(executor: Executor, batches: list, bar: tqdm) -> None:
    for done in as_completed([executor.submit(write_batch, *batch) for batch in batches]):
        bar.update(done.result())


def write_batch(root: str, batch: list[tuple[str, Item]]) -> int:
    """Render and encode some items, one thread; each gets its name only when it is whole. Returns their number."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for path, item in batch:
            item.write(Path(root), path)
    finally:
        cv2.setNumThreads(threads)
    return len(batch)


def stamp_in(root: Path) -> dict | None:
    """What a miniature says of itself (miniature, seed, size, identity); None where `root` is none."""
    try:
        return json.loads((root / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=16)
def _layout(name: str, seed: int, size: str, classes: tuple[str, ...] | None) -> tuple[Layout, str]:
    layout = layout_of(name, seed, size, classes)
    return layout, identity(layout)


def spec_of(root: str | Path, video: str | Path) -> ClipSpec | SceneSpec | ThingSpec:
    """What a written video shows, by its root's stamp and its path (in the root, or whole).

    `root` may also be a folder of miniatures, with the path below it. Raises StillactError.
    """
    return _item_of(root, video).spec


def _item_of(root: str | Path, video: str | Path) -> Item:
    root, video = Path(root), Path(video)
    if not (root / STAMP).is_file() and video.parts and (root / video.parts[0] / STAMP).is_file():
        root, video = root / video.parts[0], video.relative_to(video.parts[0])  # a folder of several miniatures
    stamp = stamp_in(root)
    if stamp is None:
        raise StillactError(
            f"{root / STAMP}: not there or not readable; this folder is no miniature, so it has no exact truth"
        )
    classes = stamp["classes"]
    layout, drawn_now = _layout(stamp["miniature"], stamp["seed"], stamp["size"], tuple(classes) if classes else None)
    if stamp.get("identity") != drawn_now:
        raise StillactError(
            f"{root / STAMP}: written by another version of the miniature; delete the folder and write it again"
        )
    inside = video.resolve().relative_to(root.resolve()) if video.is_absolute() or video.exists() else video
    if inside.as_posix() not in layout.items:
        raise StillactError(f"{video}: not one of the {len(layout.items)} items of the miniature in {root}")
    return layout.items[inside.as_posix()]


def truth_of(root: str | Path, video: str | Path) -> Clip:
    """A written video's clip with all that is true of it, drawn again (its frames are before compression).

    Raises StillactError where nobody acts: for a photograph of a thing, and for a dynamic scene, whose flow can only
    be estimated; and for a photograph that is cut from a wider picture.
    """
    item = _item_of(root, video)
    if isinstance(item, FraPhoto) and item.side:
        raise StillactError(f"{video}: it is cut from a wider picture; the annotation beside it is its truth")
    spec = item.spec
    if isinstance(spec, ThingSpec):
        raise StillactError(f"{video}: a photograph of a thing has no exact truth beside its class")
    if isinstance(spec, SceneSpec):
        raise StillactError(f"{video}: a dynamic scene ({spec.scene}) has no exact truth; estimate its flow")
    return render_clip(spec, truth=True)
