"""The data of chapter 03: UCFSI-101's stills, the flow that teaches the predictor, ImageNet's and Willow's photographs.

Safaei and Foroosh, arXiv 1705.04641, §IV. Everything is read through the datasets' readers, from the real thing where
the settings name its root, else from its miniature.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.datasets import Samples, read
from stillact_lib.datasets.ucfsi101 import FrameRule, still_references
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.notebook.run_data import miniature_or_real, origin_of
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.optical_flow import resize_flow
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


def open_videos(settings: PofSmSettings) -> Samples:
    """UCF-101 under its official split 1, from `data_root` or as the miniature."""
    classes = MINI_CLASSES if settings.miniature_size == "mini" else None
    real = Path(settings.data_root) if settings.data_root else None
    return read("ucf101", miniature_or_real("ucf101", real, settings, classes))


def frame_rule(settings: PofSmSettings) -> FrameRule:
    """Which frames of a video become stills in this run."""
    return FrameRule(settings.every, settings.left_out)


def ucfsi_references(samples: Samples, settings: PofSmSettings) -> pd.DataFrame:
    """The stills of this run, one row each, as references into the videos."""
    return still_references(samples, frame_rule(settings))


def true_flow(pairs: FlowPairs, stills: pd.DataFrame, side: int) -> Tensor:
    """The estimated mean flow of the five frames after each still, float32 [N, 2, side, side], in pixels of the pairs'
    own size, as predicted flow is. Raises StillactError for a still that is no training pair's image."""
    known = {(video, frame): row for row, (video, frame) in enumerate(zip(*_keys(pairs.table), strict=True))}
    rows = [known.get(key, -1) for key in zip(*_keys(stills), strict=True)]
    if min(rows) < 0:
        video, frame = stills["video"].iloc[rows.index(-1)], stills["frame"].iloc[rows.index(-1)]
        raise StillactError(
            f"{video}, frame {frame}: no flow is known there; raise left_out, or keep all pairs of a video"
        )
    flows = pairs.load(np.array(rows))[1].permute(0, 2, 3, 1).float().numpy()
    own = flows.shape[1]
    resized = np.stack([resize_flow(flow, side, side) for flow in flows]) * (own / side)
    return torch.from_numpy(resized).permute(0, 3, 1, 2)


def _keys(table: pd.DataFrame) -> tuple[list[str], list[int]]:
    return table["video"].astype(str).tolist(), table["frame"].astype(int).tolist()


def open_willow(settings: PofSmSettings) -> Photographs:
    """Willow's photographs, whole, under its authors' split (§IV.B); of several people, all actions count."""
    real = Path(settings.willow_root) if settings.willow_root else None
    stills = read("willow_actions", miniature_or_real("willow_actions", real, settings))
    return load_photographs(stills, settings.stored_size, ("test",))


def open_imagenet(settings: PofSmSettings) -> Photographs:
    """ImageNet's photographs; its validation part stands as the test."""
    real = Path(settings.imagenet_root) if settings.imagenet_root else None
    stills = read("imagenet", miniature_or_real("imagenet", real, settings))
    return load_photographs(stills, settings.stored_size, ("val",))


def origins(settings: PofSmSettings, samples: Samples, willow: Photographs) -> tuple[DataOrigin, ...]:
    """What a record says of a run's data."""
    return (
        origin_of(samples.root, "ucf101"),
        origin_of(samples.root, "ucfsi101"),
        origin_of(willow.root, "willow"),
    )
