"""The data of chapter 05: SSVAC-40's stills and videos, and what networks are shown of them (Herath, Fernando, Harandi,
Pattern Recognition 2019, §4). Read through the datasets' readers, from the real sources where the settings name their
roots, else from their miniatures; or the genuine data that stands in its place (`genuine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch

from stillact_lib.datasets import read
from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.report import DataReport, data_report
from stillact_lib.datasets.ssvac40 import NAME, shared_classes, still_table, video_table
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.flow_metrics import flow_scores
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature import truth_of
from stillact_lib.miniature.actions import real_classes
from stillact_lib.notebook.preflight import GIB
from stillact_lib.notebook.run_data import miniature_or_real
from stillact_lib.papers.t2sil.genuine import read_midframes, read_sports
from stillact_lib.papers.t2sil.instances import Instances, OfVideos, OnDisk, mirrored_stack
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.paths import workspace, written_whole
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.optical_flow import resize_flow
from stillact_lib.vision.photographs import each_readable
from stillact_lib.vision.shards import recipe_digest, shard_folder
from stillact_lib.vision.temporal_shards import TemporalRecipe, TemporalShards, build_temporal_shards

STILL_SOURCES = ("stanford40", "mpii", "imsitu", "imagenet_actions")
VIDEO_SOURCES = ("ucf101", "hmdb51")
SPLIT = 1
#: GiB of an array that is held in memory, and videos that are written to disk together
MOST_HELD, PIECE = 2, 64
#: the settings that are a shard's recipe, in its order
RECIPE = ("stored_size", "window", "stride", "dynamic_per_video", "pooling", "flow_method", "flow_frames")
RECIPE += ("full_flow", "frames_per_video")


class TestSets(NamedTuple):
    """What records call the test sets: validation and test stills, and the mid-frames of Table 3; where photographs and
    clips are genuine also the clips' mid-frames as the photographs' networks name them, and the other way round."""

    val: str
    test: str
    middles: str
    middles_by_stills: str = ""
    stills_by_middles: str = ""

    @classmethod
    def across(cls, name: str) -> TestSets:
        return cls(f"{name}_val", name, *(f"{name}_{of}" for of in ("midframes", "to_midframes", "from_midframes")))


#: by what the stills are
TEST_SETS = {
    "ssvac40": TestSets("ssvac40_val", "ssvac40", "midframes"),
    "sports": TestSets.across("sports"),
    "sports_few": TestSets.across("sports_few"),
    "midframes": TestSets("nine_val", "nine", "nine"),
}
VAL, TEST, MIDDLES = TEST_SETS["ssvac40"][:3]
#: the dataset that a report of stills, and of videos, is held against
REPORTED = {"ssvac40": (NAME, NAME), "midframes": ("ucf101", "ucf101")}
REPORTED |= dict.fromkeys(("sports", "sports_few"), ("sports100", "ucf101"))


def sources_in(root: str, sources: tuple[str, ...]) -> list[str]:
    return [source for source in sources if root and (Path(root) / source).is_dir()]


def reading_of(source: str) -> dict[str, object]:
    """The reader's options."""
    return {"split": SPLIT} if source in VIDEO_SOURCES else {}


def acted_classes(size: str) -> tuple[str, ...]:
    """The classes that the miniature can film and photograph, SSVAC-40's names in the manifest's order, one of each
    action ("tiny": every fifth of these)."""
    acted: dict[str, str] = {}  # action -> the first class that it is
    for shared in shared_classes():
        ((source, called),) = shared.video.items()
        photographed = any(name in real_classes(kind) for kind, name in shared.pairs if kind in STILL_SOURCES)
        if photographed and called in real_classes(source):
            acted.setdefault(real_classes(source)[called], shared.name)
    return tuple(acted.values())[:: 5 if size == "tiny" else 1]


def _read_each(
    sources: tuple[str, ...], root: str, settings: T2silSettings, classes: tuple[str, ...]
) -> dict[str, object]:
    """What the readers return for those sources that lie below the folder `root` or, where that is "", that the
    miniature has."""
    if root:
        return {name: read(name, Path(root) / name, **reading_of(name)) for name in sources_in(root, sources)}
    found = {}
    for name in sources:
        acted = real_classes(name)
        called = {own for shared in shared_classes(classes) for kind, own in shared.pairs if kind == name}
        if drawn := tuple(sorted(own for own in called if own in acted)):
            size = settings.videos_size if name in VIDEO_SOURCES else settings.miniature_size
            of_size = settings.model_copy(update={"miniature_size": size})
            found[name] = read(name, miniature_or_real(name, None, of_size, drawn), **reading_of(name))
    return found


def read_tables(settings: T2silSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The stills and the videos of a run, a row each."""
    genuine = {"sports": read_sports, "sports_few": read_sports, "midframes": read_midframes}
    return genuine.get(settings.stills_of, read_ssvac40)(settings)


def read_ssvac40(settings: T2silSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SSVAC-40-Still, a row an image, and SSVAC-40-Videos, a row a video under split 1, of the sources that are there
    and the classes that both have for training; things in use stand for the classes that have nobody's photographs
    (`apparatus`). What is absent stands among the tables' problems. Raises StillactError where no class is left."""
    wanted = tuple(shared.name for shared in shared_classes())
    if not settings.stills_root:
        wanted = acted_classes(settings.miniature_size)
    photographs = _read_each(STILL_SOURCES, settings.stills_root, settings, wanted)
    films = _read_each(VIDEO_SOURCES, settings.videos_root, settings, wanted)

    def tables(classes: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
        stills = still_table(photographs, settings.miniature_seed, classes, apparatus=True)
        return stills, video_table(films.get("ucf101"), films.get("hmdb51"), classes)

    found = tables(wanted)
    taught = set.intersection(*(set(table["class_name"][table["split"] == "train"]) for table in found))
    both = tuple(name for name in wanted if name in taught)
    if not both:
        raise StillactError(f"{settings.stills_root or 'the miniature'}: no class has photographs and videos as well")
    for table, whole in zip(chosen := found if both == wanted else tables(both), found, strict=True):
        table.attrs["problems"] = whole.attrs["problems"]
    return chosen


@dataclass(frozen=True)
class Videos:
    """The videos of a run under split 1, and what each became. table: one row a video, in the order of all arrays.

    dynamic uint8 [V, K, S, S, 3]; flow uint8 [V, F, 2, S, S], levels; middle uint8 [V, S, S, 3]; frames uint8
    [V, E, S, S, 3], evenly spaced; those that are large stay on disk. report: what was found, and what is wrong.
    """

    table: pd.DataFrame
    dynamic: np.ndarray | OnDisk
    flow: np.ndarray | OnDisk
    middle: np.ndarray
    frames: np.ndarray | OnDisk
    report: DataReport | None = None

    @property
    def labels(self) -> np.ndarray:
        return self.table["label"].to_numpy(np.int64)

    def of(self, part: str) -> np.ndarray:
        """Rows of the training or the test videos."""
        return np.flatnonzero(self.table["split"].to_numpy() == part)

    def dynamic_images(self, rows: np.ndarray) -> Instances:
        """Every dynamic image of the videos `rows`."""
        return self._all_of(self.dynamic, rows)

    def middles(self, rows: np.ndarray) -> Instances:
        """The mid-frame of each video."""
        return self._all_of(self.middle[:, None], rows)

    def every_frame(self, rows: np.ndarray) -> Instances:
        """The evenly spaced frames of each video."""
        return self._all_of(self.frames, rows)

    def stacks(self, rows: np.ndarray, length: int, count: int) -> Instances:
        """`count` evenly spaced stacks of `length` consecutive flow frames of each video."""
        starts = np.linspace(0, self.flow.shape[1] - length, count).round().astype(int)
        videos, frames = np.repeat(rows, count), np.tile(starts, len(rows))[:, None] + np.arange(length)
        return Instances(OfVideos(self.flow, videos, frames), self.labels[videos], videos, mirrored_stack)

    def _all_of(self, images: np.ndarray | OnDisk, rows: np.ndarray) -> Instances:
        """All that an array [V, K, S, S, 3] has of each video of `rows`."""
        each = images.shape[1]
        videos, part = np.repeat(rows, each), np.tile(np.arange(each), len(rows))
        return Instances(OfVideos(images, videos, part), self.labels[videos], videos)


@dataclass(frozen=True)
class Ssvac40:
    """A run's data: `photographs`, a row of the table `stills` each, and what was found of them; `videos`; the classes,
    which both show; what records call the test sets."""

    stills: pd.DataFrame
    photographs: Instances
    stills_report: DataReport
    videos: Videos
    classes: tuple[str, ...]
    sets: TestSets = TEST_SETS["ssvac40"]

    @property
    def reports(self) -> dict[str, DataReport]:
        """Of each test set."""
        of_stills = dict.fromkeys((self.sets.val, self.sets.test, self.sets.stills_by_middles), self.stills_report)
        found = {self.sets.middles: self.videos.report, self.sets.middles_by_stills: self.videos.report} | of_stills
        return {name: report for name, report in found.items() if name}

    @property
    def origins(self) -> tuple[DataOrigin, DataOrigin]:
        """Stills and videos, as what networks learn from."""
        named = {"stills": self.stills_report, "videos": self.videos.report}
        return tuple(DataOrigin(**asdict(report.identity) | {"name": name}) for name, report in named.items())


def load_tables(stills: pd.DataFrame, videos: pd.DataFrame, settings: T2silSettings, executor: Executor) -> Ssvac40:
    """The photographs and videos of two tables (`read_tables`); of videos, what is missing of their representations is
    made. What cannot be read is left out, and the reports name it. Raises StillactError where too much is."""
    classes, clips = tuple(stills.attrs["classes"]), _load_videos(videos, settings, executor)
    if settings.stills_of == "midframes":
        shown = _middles_as_stills(stills, clips)
    else:
        shown = load_stills(stills, settings.stored_size, REPORTED[settings.stills_of][0])
    return Ssvac40(*shown, clips, classes, TEST_SETS[settings.stills_of])


def _middles_as_stills(stills: pd.DataFrame, clips: Videos) -> tuple[pd.DataFrame, Instances, DataReport]:
    """Mid-frames in the place of photographs: of the clips that could be read, in their order."""
    row = pd.Series(np.arange(len(stills)), stills["image"])
    table = stills.iloc[row[clips.table["video"]].to_numpy()].reset_index(drop=True)
    return table, clips.middles(np.arange(len(clips.table))), clips.report


def _load_videos(table: pd.DataFrame, settings: T2silSettings, executor: Executor) -> Videos:
    recipe = TemporalRecipe(
        *(getattr(settings, name) for name in RECIPE), settings.drop_repeats, flow_side=settings.flow_side
    )
    shards: list[TemporalShards] = []
    for root, of_root in table.groupby("root", sort=False, observed=True):
        folder = shard_folder(Path(root))
        shards.append(build_temporal_shards(of_root, Path(root), folder, recipe, executor=executor))
    dynamic, flow, middle, frames = (_array(shards, kind) for kind in ("dynamic", "flow", "middle", "frames"))
    usable = pd.concat([shard.table for shard in shards], ignore_index=True)
    named = table.copy(deep=False)  # by its source's own names of classes, where the run has others
    named.attrs = table.attrs | {"classes": table.attrs.get("named", table.attrs["classes"])}
    report = data_report(REPORTED[settings.stills_of][1], named, *(shard.problems for shard in shards))
    return Videos(usable, dynamic, flow, middle, frames, report)


def _array(shards: Sequence[TemporalShards], kind: str) -> np.ndarray | OnDisk:
    """One representation of all videos, of one data root after the other; on disk where it is large: written piece by
    piece, once for these videos and recipes."""
    only_one = kind in ("flow", "middle")  # of each video

    def load(shard: TemporalShards, some: np.ndarray | None = None) -> np.ndarray:
        loaded = shard.load(kind, some)
        return loaded[:, 0] if only_one else loaded

    shape = (sum(len(shard.table) for shard in shards), *load(shards[0], np.arange(0)).shape[1:])
    if np.prod(shape) < MOST_HELD * GIB:
        return np.concatenate([load(shard) for shard in shards])
    of_these = [(shard.folder.name, shard.table["video"].tolist()) for shard in shards]
    path = workspace() / "arrays" / f"{kind}-{recipe_digest({'of': of_these})}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as unfinished:
            array, begin = np.lib.format.open_memmap(unfinished, "w+", np.uint8, shape), 0
            for shard in shards:
                for rows in np.array_split(np.arange(len(shard.table)), -(-len(shard.table) // PIECE)):
                    array[begin + rows] = load(shard, rows)
                begin += len(shard.table)
            array.flush()
    return OnDisk(path)


#: what is told of estimated flow, and what the tables call it
ERRORS = {"epe_all": "EPE", "epe_moving": "EPE-moving", "ds_moving": "DS-moving"}


def flow_errors(videos: pd.DataFrame, settings: T2silSettings, most: int = 40) -> pd.DataFrame:
    """How far estimated flow is from the miniature's exact one, in the middle of some of its videos, at their own size:
    a row for no flow at all, for frames as they are, and for frames enlarged to `flow_side`; mean over the videos of
    the end-point error, over all pixels and those that move at least 1/160 of the side, and there of the cosine."""
    found: dict[str, list[dict[str, float]]] = {}
    for row in videos.iloc[:: -(-len(videos) // most)].itertuples():
        video, exact = DecodedVideo(Path(row.root) / row.video), truth_of(Path(row.root), row.video).flow
        at = len(exact) // 2
        target = np.asarray(exact[at], np.float32)[None]
        height, width = target.shape[1:3]
        moving = np.linalg.norm(target, axis=-1) >= height / 160
        masks = {"all": np.ones_like(moving), "moving": moving}
        estimates = {"no flow": np.zeros_like(target)}
        for side in dict.fromkeys((0, settings.flow_side)):
            flow = resize_flow(video.flow(at, settings.flow_method, short_side=side), width, height)
            estimates[f"frames enlarged to {side} px" if side else "frames as they are"] = flow[None]
        for name, flow in estimates.items():
            scores = flow_scores(flow, target, masks)
            found.setdefault(name, []).append({told: float(scores[measure][0]) for measure, told in ERRORS.items()})
    return pd.DataFrame({name: pd.DataFrame(each).mean() for name, each in found.items()}).T


def load_stills(table: pd.DataFrame, side: int, name: str = NAME) -> tuple[pd.DataFrame, Instances, DataReport]:
    """The photographs of a table (`read_tables`), each scaled to a short side of `side` and its middle square kept: the
    rows of those that can be read, their images, and the report on dataset `name` that names the others. Raises
    StillactError where too many cannot."""
    squares, readable, problems = each_readable(partial(_middle_square, side=side), table["image"], table["root"])
    report, table = data_report(name, table, problems), table[readable].reset_index(drop=True)
    images = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous()
    return table, Instances(images, table["label"].to_numpy(np.int64), np.arange(len(table))), report


def _middle_square(image: str, root: str, side: int) -> np.ndarray:
    whole = read_rgb(Path(root) / image)
    height, width = whole.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    scaled = cv2.resize(whole, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (scaled.shape[0] - side) // 2, (scaled.shape[1] - side) // 2
    return scaled[top : top + side, left : left + side]
