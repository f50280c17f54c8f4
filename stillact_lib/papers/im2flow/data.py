"""The data of Im2Flow's first half (§4, §4.1): which videos are held out, training pairs, and the test frames with
everything they are scored against. Used by chapter 04."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from stillact_lib.datasets import Samples, read
from stillact_lib.datasets.groups import fold_of
from stillact_lib.datasets.report import DataReport, data_report, miniature_stamp
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.flow_metrics import evaluation_masks, flow_scores
from stillact_lib.notebook.run_data import grouped, miniature_or_real
from stillact_lib.papers.im2flow.settings import Im2FlowSettings
from stillact_lib.vision.flow_encoding import mirror_flow
from stillact_lib.vision.flow_pairs import FlowPairs, build_flow_pairs, exact_flow
from stillact_lib.vision.foreground import segment_foreground
from stillact_lib.vision.pair_shards import PAIR_BYTES, PairRecipe
from stillact_lib.vision.shards import shard_folder

#: UCF-101's classes that show what one of Stanford10's does (climbing, riding, rowing, running, jumping, ...)
SHARED_WITH_STANFORD10 = (
    *("Biking", "FrisbeeCatch", "HighJump", "HorseRace", "HorseRiding", "JavelinThrow", "JumpingJack", "JumpRope"),
    *("Kayaking", "LongJump", "PlayingGuitar", "PoleVault", "RockClimbingIndoor", "RopeClimbing", "Rowing"),
    *("TrampolineJumping", "WalkingWithDog"),
)

#: the most that a run holds of pairs at once
HELD_BYTES = 16 * 2**30


def root_of(dataset: str, real_root: str, settings: Im2FlowSettings) -> Path:
    """Where a dataset lies: in the folder of its name below `real_root`, or its miniature, written on first use."""
    return miniature_or_real(dataset, Path(real_root) / dataset if real_root else None, settings)


def read_chosen(dataset: str, root: Path, settings: Im2FlowSettings) -> Samples:
    """A dataset of videos, of UCF-101 only the `classes` of the settings where they name some."""
    part = {"classes": settings.chosen_classes} if dataset == "ucf101" and settings.chosen_classes else {}
    return read(dataset, root, **part)


def open_videos(settings: Im2FlowSettings) -> Samples:
    """The videos that `settings` ask for. "ucf101+hmdb51" joins two, the classes of the second after the first's;
    "ucf101_other" leaves out the classes that show an action of Stanford10 (`SHARED_WITH_STANFORD10`)."""
    samples = [read_chosen(name, root_of(name, settings.data_root, settings), settings) for name in settings.videos]
    if settings.dataset == "ucf101_other":
        return without_classes(samples[0], SHARED_WITH_STANFORD10)
    return samples[0] if len(samples) == 1 else joined(samples)


def without_classes(samples: Samples, left_out: Collection[str]) -> Samples:
    """The same dataset without some classes, labels counted anew."""
    lists = replace(samples.lists, items={})  # how many of each class they name is not kept
    classes = tuple(name for name in samples.classes if name not in left_out)
    videos = samples.videos[samples.videos["class_name"].isin(classes)].reset_index(drop=True)
    videos = videos.assign(label=videos["class_name"].map(classes.index))
    return replace(samples, classes=classes, videos=videos, lists=lists)


def joined(samples: Sequence[Samples]) -> Samples:
    """Several datasets as one below their roots' common parent; "wave" of HMDB-51 and of another stay two classes."""
    parent = Path(os.path.commonpath([one.root for one in samples]))
    tables, classes = [], []
    for one in samples:
        below = one.root.relative_to(parent).as_posix()
        tables.append(
            one.videos.assign(
                dataset=one.name,
                video=below + "/" + one.videos["video"],
                class_name=one.name + " " + one.videos["class_name"],
                label=one.videos["label"] + len(classes),
            )
        )
        classes += [f"{one.name} {name}" for name in one.classes]
    problems = [problem for one in samples for problem in one.problems]
    name = "+".join(one.name for one in samples)
    videos = pd.concat(tables, ignore_index=True)
    return Samples(name, parent, tuple(classes), videos, problems, parts=tuple(samples))


def video_reports(samples: Samples, *more: Iterable[tuple[str, str]]) -> dict[str, DataReport]:
    """What was found of each dataset that the videos are of, by its name; `more` as in `data_report`."""
    found = {}
    for one in samples.parts or (samples,):
        below = "" if one.root == samples.root else one.root.relative_to(samples.root).as_posix() + "/"
        own = [(video.removeprefix(below), why) for some in more for video, why in some if video.startswith(below)]
        found[one.name] = data_report(one.name, one, own)
    return found


def split_videos(settings: Im2FlowSettings, samples: Samples) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training videos, test videos) of §4.1: Weizmann's held-out person, elsewhere `held_out_videos` a class, or one
    of several folds in rotation; of §4.2 for YUP++, where flow is learnt from nine tenths.

    The draw does not depend on the run's seed, so that runs of several seeds are scored on the same clips.
    """
    videos = samples.videos
    if settings.dataset in ("weizmann", "yupp"):
        # YUP++'s 10-90 split is turned round: flow is learnt from the larger part, the smaller gives still images
        sides = ("train", "test") if settings.dataset == "weizmann" else ("test", "train")
        train, test = (videos[videos["split"] == side].reset_index(drop=True) for side in sides)
        return train, test
    if settings.fold:
        test = fold_of(videos, settings.folds) == settings.fold
        if settings.shared_groups:
            test &= every_second(videos)
        return videos[~test].reset_index(drop=True), videos[test].reset_index(drop=True)
    return hold_out(videos, settings.held_out_videos, seed=0)


def every_second(videos: pd.DataFrame) -> np.ndarray:
    """Whether each video is the second, fourth ... of its group in the order of names, bool [N]."""
    return (videos.sort_values("video").groupby(["class_name", "group"]).cumcount().sort_index() % 2 == 1).to_numpy()


def hold_out(videos: pd.DataFrame, per_class: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training videos, test videos): `per_class` videos of each class held out, as in §4.1.

    The paper does not say whether clips cut from one source video may fall on both sides. They may not here: whole
    groups (UCF-101's g01..g25, HMDB-51's films) are drawn at random until the number is reached; clips of the last
    group beyond it are left out of both sides.
    """
    test, unused = [], []
    rng = np.random.default_rng(seed)
    for class_name, of_class in videos.groupby("class_name", sort=True):
        groups = {group: list(rows) for group, rows in of_class.groupby("group", sort=True).groups.items()}
        taken: list[int] = []
        for group in rng.permutation(sorted(groups)):
            if len(taken) < per_class:
                taken += groups[group]
        if len(taken) == len(of_class):
            raise StillactError(
                f"class {class_name}: holding out {per_class} videos takes all of its {len(groups)} groups; "
                "lower held_out_videos"
            )
        test += taken[:per_class]
        unused += taken[per_class:]
    return videos.drop(index=test + unused).reset_index(drop=True), videos.loc[test].reset_index(drop=True)


def pairs_of(
    videos: pd.DataFrame,
    samples: Samples,
    settings: Im2FlowSettings,
    per_video: int,
    target: Literal["estimated", "exact"],
    executor: Executor,
) -> FlowPairs:
    """Frames with the mean flow that follows, `per_video` of each video (0: all); in memory where that is small."""
    recipe = pair_recipe(settings, per_video, target)
    folder = shard_folder(samples.root)
    pairs = build_flow_pairs(videos, samples.root, folder, recipe, executor=executor)
    taken = PAIR_BYTES * settings.image_size**2 * len(pairs)
    return pairs.held_in_memory() if taken < HELD_BYTES else pairs


def pair_recipe(
    settings: Im2FlowSettings, per_video: int = 0, target: Literal["estimated", "exact"] = "estimated"
) -> PairRecipe:
    """What `settings` make of each video."""
    left_out = {"drop_repeats": settings.drop_repeats, "camera_removed": settings.camera_removed}
    return PairRecipe(settings.image_size, target, settings.flow_method, 5, per_video, **left_out)


def evenly(pairs: FlowPairs, count: int) -> np.ndarray:
    """Rows of at most `count` pairs, evenly spaced."""
    return np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int)


def mean_field(pairs: FlowPairs) -> np.ndarray:
    """The mean target float32 [S, S, 2] of all pairs and their mirror images: what one would answer without a look at
    the image. Direction similarity above zero can come from it alone."""
    total = sum(
        pairs.load(rows)[1].float().sum(0) for rows in np.array_split(np.arange(len(pairs)), 1 + len(pairs) // 5000)
    )
    mean = total / len(pairs)
    return ((mean + mirror_flow(mean)) / 2).permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class TestFrames:
    """Frames to predict flow for, and what predictions are scored against; N frames of side S.

    images: uint8 [N, 3, S, S]; target: float32 [N, S, S, 2], the estimated mean flow, the paper's "ground truth";
    foreground: bool [N, S, S], None where it is not known; exact: float32 [N, S, S, 2], the miniature's own mean flow,
    None for real videos;
    table: a row a frame (video, frame, class_name, label, group).
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    images: torch.Tensor
    target: np.ndarray
    foreground: np.ndarray | None
    exact: np.ndarray | None
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rgb(self) -> np.ndarray:
        """The images as uint8 [N, S, S, 3], for pictures and OpenCV."""
        return self.images.permute(0, 2, 3, 1).contiguous().numpy()


def frames_to_score(
    settings: Im2FlowSettings,
    pairs: FlowPairs,
    samples: Samples,
    device: torch.device,
    executor: Executor | None = None,
) -> TestFrames:
    """The test frames of a run. Of a miniature the truth is rendered anew for measuring, and no method is given it: the
    foreground is the actor and what is held, the exact flow shows how good the estimated target is. Real videos have a
    segmenter's foreground or none; in scenes without people everything is foreground. Neither has an exact flow."""
    images, target = pairs.load()
    exact = None
    if settings.dataset == "yupp":
        foreground = np.ones((len(pairs), *images.shape[2:]), bool)
    elif all(miniature_stamp(one.root) for one in samples.parts or (samples,)):
        exact, foreground = exact_flow(pairs, samples.root, executor)
    else:
        foreground = segment_foreground(images, device) if settings.foreground == "segmented" else None
    return TestFrames(images, target.float().permute(0, 2, 3, 1).contiguous().numpy(), foreground, exact, pairs.table)


def video_ids(samples: Samples, videos: pd.DataFrame) -> frozenset[str]:
    """Names that tell videos of any datasets apart, e.g. "ucf101:v_Biking_g01_c01.avi"; folders do not matter."""
    datasets = videos["dataset"] if "dataset" in videos else [samples.name] * len(videos)
    return frozenset(f"{dataset}:{Path(video).name}" for dataset, video in zip(datasets, videos["video"], strict=True))


def scoring_masks(test: TestFrames, against_exact: bool = False) -> dict[str, np.ndarray]:
    """Pixel sets of the estimated or the exact target: all, canny, fg where the foreground is known, and moving, its
    pixels (else all) whose target moves by at least 1/160 of the side (.4 px at 64)."""
    target = test.exact if against_exact else test.target
    return evaluation_masks(test.rgb, target, test.foreground, moving_from=target.shape[1] / 160)


def figures_while_training(
    test: TestFrames, flow_of: Callable[[torch.Tensor], np.ndarray]
) -> Callable[[], dict[str, float]]:
    """What a curve of a training shows: every measure on the held-out frames, mean over frames, of the flow that
    `flow_of` predicts for images uint8 [N, 3, S, S]."""
    masks = scoring_masks(test)

    def figures() -> dict[str, float]:
        scores = flow_scores(flow_of(test.images), test.target, masks)
        return {name: float(np.nanmean(values)) for name, values in scores.items()}

    return figures


def frame_scores(test: TestFrames, predictions: dict[str, np.ndarray], dataset: str) -> dict[str, np.ndarray]:
    """All scores of all methods, one value a frame, named as records want them: "dataset/method/measure_mask"; against
    the exact flow, where it is known, "dataset/method/exact_measure_mask". "dataset/clip" names each frame's video."""
    scores = {f"{dataset}/clip": test.table["video"].to_numpy(str), f"{dataset}/group": grouped(test.table)}
    for prefix, target in (("", test.target), ("exact_", test.exact)):
        if target is None:
            continue
        masks = scoring_masks(test, against_exact=bool(prefix))
        for method, flow in predictions.items():
            of_method = flow_scores(flow, target, masks)
            scores |= {f"{dataset}/{method}/{prefix}{name}": values for name, values in of_method.items()}
    return scores


def scores_to_keep(
    scores: dict[str, np.ndarray], settings: Im2FlowSettings, table: pd.DataFrame
) -> dict[str, np.ndarray]:
    """What a run's record keeps of the test frames of `table`: all methods, or in an ablation its own arm only (in one
    of longer training Walker's too), so that every arm's scores come from one kind of run. With folds, those on every
    second clip of each group also as "ucf101_shared", which a run with `shared_groups` keeps alone: the same clips,
    taught by their groups' others."""
    name, halved = settings.dataset, f"{settings.dataset}_shared"
    if settings.shared_groups:
        return {_shared(key, halved): values for key, values in scores.items()}
    if not settings.baselines or settings.arm != "im2flow":
        longer = [f"{settings.walker_arm}/"] if settings.longer > 1 else []
        mine = tuple(f"{name}/{own}" for own in ("clip", "group", f"{settings.arm}/", *longer))
        return {key: values for key, values in scores.items() if key.startswith(mine)}
    if not settings.fold:
        return scores
    videos = table[["video", "class_name", "group"]].drop_duplicates().reset_index(drop=True)
    second = table["video"].isin(videos["video"][every_second(videos)]).to_numpy()
    return scores | {halved + key.removeprefix(name): values[second] for key, values in scores.items()}


def _shared(key: str, dataset: str) -> str:
    """The name of an array of scores, "dataset/clip" or "dataset/arm/metric", in a run with `shared_groups`."""
    arm, _, kind = key.partition("/")[2].rpartition("/")
    return "/".join(filter(None, (dataset, arm and arm.removesuffix("_shared") + "_shared", kind)))
