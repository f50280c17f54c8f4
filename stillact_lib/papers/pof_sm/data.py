"""The data of chapter 03: UCFSI-101's stills, the flow that teaches the predictor, ImageNet's and Willow's photographs.

Safaei and Foroosh, arXiv 1705.04641, §IV. Everything is read through the datasets' readers, from the real thing where
the settings name its root, else from its miniature.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.datasets import Samples, read
from stillact_lib.datasets.groups import dealt_out
from stillact_lib.datasets.report import DataReport, data_report, miniature_stamp
from stillact_lib.datasets.ucf101_people import people_in
from stillact_lib.datasets.ucfsi101 import FrameRule, class_group_of, still_references
from stillact_lib.miniature.actions import real_classes
from stillact_lib.notebook.preflight import GIB
from stillact_lib.notebook.run_data import miniature_or_real
from stillact_lib.papers.pof_sm.flow import flow_size
from stillact_lib.papers.pof_sm.settings import OF_MASKS, OF_TRUE_FLOW, PofSmSettings
from stillact_lib.vision.flow_pairs import FlowPairs, exact_flow
from stillact_lib.vision.optical_flow import resize_flow
from stillact_lib.vision.pair_shards import PAIR_BYTES, PairRecipe
from stillact_lib.vision.photographs import Photographs, load_photographs

#: the classes of UCF-101 that the `mini` miniature acts, several of each group, so that Table II has means to take
MINI_CLASSES = (
    *("BrushingTeeth", "HulaHoop", "JumpRope", "Typing", "WritingOnBoard"),  # human-object interaction
    *("BodyWeightSquats", "HandstandPushups", "JumpingJack", "Lunges", "PullUps", "PushUps"),  # body motion only
    *("Haircut", "MilitaryParade", "SalsaSpin"),  # human-human interaction
    *("Drumming", "PlayingFlute", "PlayingGuitar", "PlayingViolin"),  # playing instruments
    *("Biking", "BoxingPunchingBag", "CleanAndJerk", "GolfSwing", "HorseRiding", "SoccerPenalty"),  # sports
)
#: Table III: the first three of Willow's classes depend on an object, the other four on how a body moves
NON_BODY, BODY = "Non-Body-Motion", "Body-Motion"
WILLOW_GROUPS = {
    NON_BODY: ("interactingwithcomputer", "photographing", "playingmusic"),
    BODY: ("ridingbike", "ridinghorse", "running", "walking"),
}

#: GiB of stills and pairs that are held in memory
MOST_HELD = 4


def open_videos(settings: PofSmSettings) -> Samples:
    """UCF-101 under its official split 1, from `data_root` or as the miniature; of the `classes` that are named. Where
    "validation" is tested, a third of the training groups stands in for the test part, which is left out."""
    classes = MINI_CLASSES if settings.miniature_size == "mini" else None
    root = Path(settings.data_root) if settings.data_root else None
    part = {"classes": settings.chosen_classes} if settings.chosen_classes else {}
    samples = read("ucf101", miniature_or_real("ucf101", root, settings, classes), **part)
    return samples if settings.tested == "test" else for_validation(samples)


def for_validation(samples: Samples, parts: int = 3) -> Samples:
    """The same dataset without its test part: of the training groups of each class one in three is "test" now."""
    learnt = samples.videos[samples.videos["split"] == "train"].reset_index(drop=True)
    turn = dealt_out(*(learnt[name].astype(str).to_numpy(str) for name in ("class_name", "group")), parts, seed=0)
    return replace(samples, videos=learnt.assign(split=np.where(turn == 0, "test", "train")))


def fits_in_memory(settings: PofSmSettings, stills: int, pairs: int) -> bool:
    """Whether stills, the levels made of them (some eight bytes a pixel in all) and pairs are few enough to be held;
    else they are read from shards as they are needed."""
    return stills * 8 * settings.stored_size**2 + pairs * PAIR_BYTES * flow_size(settings) ** 2 < MOST_HELD * GIB


def classes_of(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The names of the classes of a record's run, in the order of their scores."""
    if named := str(parameters.get("classes", "")).replace(",", " ").split():
        return tuple(sorted(named))
    drawn = MINI_CLASSES if parameters.get("miniature_size") == "mini" else real_classes("ucf101")
    return tuple(sorted(drawn))


def pair_recipe(settings: PofSmSettings) -> PairRecipe:
    """What a run makes of each video's flow."""
    return PairRecipe(
        flow_size(settings),
        flow_method=settings.flow_method,
        pairs_per_video=settings.pairs_per_video,
        drop_repeats=settings.drop_repeats,
    )


def stills_of(samples: Samples, pairs: FlowPairs, settings: PofSmSettings) -> pd.DataFrame:
    """The stills of this run, one row each, as references into the videos.

    By the frame rule; with `stills_per_video` as many of each video, evenly spaced over the frames whose flow is known.
    Where arms are shown true flow or masks, only stills whose flow is known; the column `pair` is its row in `pairs`.
    """
    if settings.stills_per_video:
        videos = samples.videos[samples.videos["split"] != "unused"]
        videos = videos.assign(class_group=class_group_of(tuple(videos["class_name"])))
        chosen = _evenly_of_each(pairs.table, settings.stills_per_video)
        known = pairs.table.iloc[chosen][["video", "frame"]].assign(pair=chosen)
        columns = ["video", "class_name", "label", "split", "group", "class_group"]
        return videos[columns].merge(known, on="video", how="inner").reset_index(drop=True)
    stills = still_references(samples, FrameRule(settings.every, settings.left_out))
    return with_known_flow(stills, pairs) if needs_flow(settings) else stills


def needs_flow(settings: PofSmSettings) -> bool:
    """Whether an arm is shown what is known only where a still's own flow is."""
    return settings.shows(*OF_TRUE_FLOW, *OF_MASKS)


def _evenly_of_each(table: pd.DataFrame, count: int) -> np.ndarray:
    """Rows of at most `count` frames of each video of a table, evenly spaced, in the table's order."""
    of_each = table.groupby("video", observed=True, sort=False).indices.values()
    return np.concatenate([rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)] for rows in of_each])


def with_known_flow(stills: pd.DataFrame, pairs: FlowPairs) -> pd.DataFrame:
    """The stills at which the video's own flow is known, all but those of clips too short for it; the new column
    `pair` is the row of it in `pairs`."""
    keys = ["video", "frame"]
    rows = pairs.table[keys].astype({"video": str}).assign(pair=np.arange(len(pairs)))
    known = stills[keys].astype({"video": str}).merge(rows, on=keys, how="left")["pair"].to_numpy()
    return stills.assign(pair=known)[~np.isnan(known)].astype({"pair": int}).reset_index(drop=True)


def true_flow(pairs: FlowPairs, rows: np.ndarray, side: int) -> Tensor:
    """The estimated mean flow of the five frames after each of some pairs' images, float32 [N, 2, side, side], in
    pixels of the pairs' own size, as predicted flow is."""
    flows = pairs.load(rows)[1].permute(0, 2, 3, 1).float().numpy()
    own = flows.shape[1]
    resized = np.stack([resize_flow(flow, side, side) for flow in flows]) * (own / side)
    return torch.from_numpy(resized).permute(0, 3, 1, 2)


def true_masks(stills: pd.DataFrame, pairs: FlowPairs, root: Path, side: int, executor: Executor) -> Tensor:
    """The miniature's own mask of the person who acts and what is held, of each still: bool [N, 1, side, side]. For
    controls alone: no method is given it."""
    some = replace(pairs, table=pairs.table.iloc[stills["pair"]].reset_index(drop=True), in_memory=None)
    masks = torch.from_numpy(exact_flow(some, root, executor)[1])[:, None]
    return torch.nn.functional.interpolate(masks.float(), (side, side), mode="nearest").bool()


def masks_of(stills: pd.DataFrame, pairs: FlowPairs, root: Path, settings: PofSmSettings, executor: Executor) -> Tensor:
    """Where the person who acts is in each still, bool [N, 1, side, side] of side `stored_size`: the miniature's truth,
    or on real video what a detector found, which may be nobody."""
    if miniature_stamp(root) is None:
        return torch.from_numpy(people_in(stills, settings.stored_size))[:, None]
    return true_masks(stills, pairs, root, settings.stored_size, executor)


def open_willow(settings: PofSmSettings) -> Photographs:
    """Willow's photographs, whole, under its authors' split (§IV.B); of several people, all actions count."""
    return load_photographs(_read("willow_actions", settings.willow_root, settings), settings.stored_size, ("test",))


def open_imagenet(settings: PofSmSettings) -> Photographs:
    """ImageNet's photographs; its validation part stands as the test."""
    return load_photographs(_read("imagenet", settings.imagenet_root, settings), settings.stored_size, ("val",))


def _read(name: str, root: str, settings: PofSmSettings):
    return read(name, miniature_or_real(name, Path(root) if root else None, settings))


def reports_of(
    samples: Samples, unusable: dict[str, str], willow: Photographs | None, imagenet: Photographs | None
) -> dict[str, DataReport]:
    """What was found of each dataset, and what is wrong with it, by the names in records. unusable: video -> reason."""
    found = {"ucf101": data_report("ucf101", samples, unusable.items())}
    return found | {name: of.report for name, of in {"willow": willow, "imagenet": imagenet}.items() if of}
