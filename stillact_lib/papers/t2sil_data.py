"""The data of chapter 05: SSVAC-40's stills and videos, and what networks are shown of them (Herath, Fernando, Harandi,
Pattern Recognition 2019, §4). Read through the datasets' readers, from the real sources where the settings name their
roots, else from their miniatures.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from stillact_lib.datasets import read
from stillact_lib.datasets.images import UnreadableImage, read_rgb
from stillact_lib.datasets.ssvac40 import shared_classes, still_table, video_table
from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import real_classes
from stillact_lib.papers.t2sil_backbones import Instances, mirrored_stack, stacks_from
from stillact_lib.papers.t2sil_settings import T2silSettings
from stillact_lib.papers.x_means import key_points
from stillact_lib.records import DataOrigin
from stillact_lib.run_data import miniature_or_real, origin_of
from stillact_lib.vision.temporal_shards import TemporalRecipe, TemporalShards, build_temporal_shards

STILL_SOURCES = ("stanford40", "mpii", "imsitu", "imagenet_actions")
VIDEO_SOURCES = ("ucf101", "hmdb51")
SPLIT = 1
#: What records call the three test sets: SSVAC-40's validation and test stills, and the mid-frames of Table 3.
VAL, TEST, MIDDLES = "ssvac40_val", "ssvac40", "midframes"


def chosen_classes(settings: T2silSettings) -> tuple[str, ...]:
    """The classes of a run, SSVAC-40's names in the manifest's order: all forty of real data; of the miniature those
    that it can film and photograph, one of each action ("tiny": every fifth of these)."""
    if settings.stills_root:
        return tuple(shared.name for shared in shared_classes())
    acted: dict[str, str] = {}  # action -> the first class that it is
    for shared in shared_classes():
        ((source, called),) = shared.video.items()
        photographed = any(name in real_classes(kind) for kind, name in shared.pairs if kind in STILL_SOURCES)
        if photographed and called in real_classes(source):
            acted.setdefault(real_classes(source)[called], shared.name)
    return tuple(acted.values())[:: 5 if settings.miniature_size == "tiny" else 1]


def _miniature_classes(dataset: str, settings: T2silSettings) -> tuple[str, ...]:
    """What a source calls the run's classes, of those that the miniature can act; () where it has none of them."""
    acted = real_classes(dataset)
    pairs = [pair for shared in shared_classes(chosen_classes(settings)) for pair in shared.pairs]
    return tuple(sorted({name for source, name in pairs if source == dataset and name in acted}))


def _read_each(datasets: tuple[str, ...], given: str, settings: T2silSettings, **options: object) -> dict[str, object]:
    """What the readers return for those sources that lie below the folder `given` or, where that is "", that the
    miniature has."""
    found = {}
    for dataset in datasets:
        if given:
            root = Path(given) / dataset
            if not root.is_dir():
                continue
        elif classes := _miniature_classes(dataset, settings):
            size = settings.videos_size if dataset in VIDEO_SOURCES else settings.miniature_size
            drawn = settings.model_copy(update={"miniature_size": size})
            root = miniature_or_real(dataset, None, drawn, classes)
        else:
            continue
        found[dataset] = read(dataset, root, **options)
    return found


def still_images(settings: T2silSettings) -> pd.DataFrame:
    """SSVAC-40-Still, a row an image, of the sources that are there; things in use stand for the classes that have
    nobody's photographs (`apparatus`)."""
    sources = _read_each(STILL_SOURCES, settings.stills_root, settings)
    return still_table(sources, settings.miniature_seed, chosen_classes(settings), apparatus=True)


def videos_of_classes(settings: T2silSettings) -> pd.DataFrame:
    """SSVAC-40-Videos, a row a video, under split 1 of the datasets that are there."""
    datasets = _read_each(VIDEO_SOURCES, settings.videos_root, settings, split=SPLIT)
    return video_table(datasets.get("ucf101"), datasets.get("hmdb51"), chosen_classes(settings))


def origins(stills: pd.DataFrame, videos: pd.DataFrame, settings: T2silSettings) -> tuple[DataOrigin, ...]:
    """What a record says of a run's test sets, each gathered from several sources."""
    of_stills = _gathered(stills, settings.stills_root, settings.miniature_size, settings.miniature_seed)
    of_videos = _gathered(videos, settings.videos_root, settings.videos_size, settings.miniature_seed)
    return (
        DataOrigin(name=VAL, **of_stills),
        DataOrigin(name=TEST, **of_stills),
        DataOrigin(name=MIDDLES, **of_videos),
    )


def _gathered(table: pd.DataFrame, given: str, size: str, seed: int) -> dict[str, str]:
    """Of which kind sources are and, of the miniature, size, seed and an identity made of all of theirs."""
    if given:
        return {"kind": "real"}
    details = sorted(origin_of(Path(root), "").detail for root in table["root"].unique())
    identity = hashlib.sha256("/".join(details).encode()).hexdigest()[:8]
    return {"kind": "miniature", "detail": f"{size}-seed{seed}-{identity}"}


@dataclass(frozen=True)
class Videos:
    """The videos of a run under split 1, and what each became. table: one row a video, in the order of all arrays.

    dynamic uint8 [V, K, S, S, 3]; flow uint8 [V, F, 2, S, S], levels; middle uint8 [V, S, S, 3]; frames uint8
    [V, E, S, S, 3], evenly spaced.
    """

    table: pd.DataFrame
    dynamic: np.ndarray
    flow: np.ndarray
    middle: np.ndarray
    frames: np.ndarray
    problems: list[tuple[str, str]]

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy(np.int64)

    def of(self, part: str) -> np.ndarray:
        """Rows of the training or the test videos."""
        return np.flatnonzero(self.table["split"].to_numpy() == part)

    def dynamic_images(self, rows: np.ndarray) -> Instances:
        """Every dynamic image of the videos `rows`."""
        return _of_videos(self.dynamic[rows], self.labels[rows], rows)

    def middles(self, rows: np.ndarray) -> Instances:
        """The mid-frame of each video."""
        return _of_videos(self.middle[rows][:, None], self.labels[rows], rows)

    def every_frame(self, rows: np.ndarray) -> Instances:
        """The evenly spaced frames of each video."""
        return _of_videos(self.frames[rows], self.labels[rows], rows)

    def stacks(self, rows: np.ndarray, length: int, count: int) -> Instances:
        """`count` evenly spaced stacks of `length` consecutive flow frames of each video."""
        flow = torch.from_numpy(self.flow)
        starts = np.linspace(0, self.flow.shape[1] - length, count).round().astype(int)
        videos, begin = np.repeat(rows, count), np.tile(starts, len(rows))
        return Instances(stacks_from(flow, videos, begin, length), self.labels[videos], videos, mirrored_stack)


def _of_videos(images: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Instances:
    """Images uint8 [V, K, S, S, 3], K of each video."""
    each = images.shape[1]
    flat = torch.from_numpy(images.reshape(-1, *images.shape[2:])).permute(0, 3, 1, 2).contiguous()
    return Instances(flat, np.repeat(labels, each), np.repeat(rows, each))


def recipe_of(settings: T2silSettings) -> TemporalRecipe:
    return TemporalRecipe(
        settings.stored_size,
        settings.window,
        settings.stride,
        settings.dynamic_per_video,
        settings.pooling,
        settings.flow_method,
        settings.flow_frames,
        settings.full_flow,
        settings.frames_per_video,
    )


def build_videos(table: pd.DataFrame, folder: Path, settings: T2silSettings, executor: Executor) -> Videos:
    """Makes what is missing of the videos' representations and loads them; `table` has the columns source, root, video,
    label and split. Unusable videos are left out and listed."""
    shards: list[TemporalShards] = []
    for (source, root), of_root in table.groupby(["source", "root"], sort=False, observed=True):
        place = folder / f"{source}-{Path(root).name}"
        shards.append(build_temporal_shards(of_root, Path(root), place, recipe_of(settings), executor=executor))
    kinds = ("dynamic", "flow", "middle", "frames")
    arrays = {kind: np.concatenate([shard.load(kind) for shard in shards]) for kind in kinds}
    return Videos(
        pd.concat([shard.table for shard in shards], ignore_index=True),
        arrays["dynamic"],
        arrays["flow"][:, 0],
        arrays["middle"][:, 0],
        arrays["frames"],
        [problem for shard in shards for problem in shard.problems],
    )


def load_stills(table: pd.DataFrame, side: int) -> Instances:
    """The photographs of a table (columns root, image, label), each scaled to a short side of `side` and its middle
    square kept. Raises StillactError, naming the file, for one that cannot be read."""
    with ThreadPoolExecutor() as pool:
        squares = list(pool.map(partial(_middle_square, side=side), table["root"], table["image"]))
    images = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous()
    return Instances(images, table["label"].to_numpy(np.int64), np.arange(len(table)))


def _middle_square(root: Path, image: str, side: int) -> np.ndarray:
    try:
        whole = read_rgb(Path(root) / image)
    except UnreadableImage as reason:
        raise StillactError(f"{Path(root) / image}: {reason}; fetch it again or leave it out") from None
    height, width = whole.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    scaled = cv2.resize(whole, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (scaled.shape[0] - side) // 2, (scaled.shape[1] - side) // 2
    return scaled[top : top + side, left : left + side]


def key_frames(videos: Videos, rows: np.ndarray, features: np.ndarray, most: int, seed: int) -> Instances:
    """Baseline 2: of each video's evenly spaced frames, those nearest to the x-means centres of their features
    [len(rows), E, D]."""
    chosen = [key_points(of_video, most, seed) for of_video in features]
    every = videos.every_frame(rows)
    each = videos.frames.shape[1]
    return every.rows(np.concatenate([n * each + found for n, found in enumerate(chosen)]))
