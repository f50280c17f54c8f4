"""The data of chapter 03: UCFSI-101's stills, the flow that teaches the predictor, ImageNet's and Willow's photographs.

Safaei and Foroosh, arXiv 1705.04641, §IV. Everything is read through the datasets' readers, from the real thing where
the settings name its root, else from its miniature.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.datasets import Samples, read
from stillact_lib.datasets.report import DataReport, data_report, miniature_stamp
from stillact_lib.datasets.ucfsi101 import FrameRule, still_references
from stillact_lib.manifests import load_manifest
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.notebook.run_data import miniature_or_real
from stillact_lib.papers.pof_sm.domain import encode_flow
from stillact_lib.papers.pof_sm.flow import full_scale
from stillact_lib.papers.pof_sm.recognition import trained_start
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.paths import workspace
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.optical_flow import optical_flow, resize_flow
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

#: GiB on disk and in memory that a profile takes: of the larger ones by the sizes of what they hold, else measured
ROOM = {"quick": (1, 3), "mini": (1, 3), "gpu": (20, 20), "paper": (135, 12)}


def needs(settings: PofSmSettings) -> list[Need]:
    """What a run needs: its roots, downloaded weights, room."""
    own = settings.pretraining == "own"
    disk, memory = ROOM.get(settings.profile, ROOM["mini"])
    if own and settings.imagenet_root and not miniature_stamp(settings.imagenet_root):
        memory += round(load_manifest("imagenet").items.count * 3 * settings.stored_size**2 / GIB)
    needed = [
        Need.dataset("ucf101", settings.data_root),
        Need.dataset("willow_actions", settings.willow_root),
        Need.dataset("imagenet", settings.imagenet_root if own else ""),
        Need.disk(disk, workspace()),
        Need.memory(memory),
    ]
    if not own:
        needed.append(Need.loads("ImageNet's weights", partial(trained_start, settings)))
    if settings.flow_method == "raft":
        frame = np.zeros((128, 128, 3), np.uint8)
        needed.append(Need.loads("RAFT", lambda: optical_flow(frame, frame, "raft")))
    return needed


def open_videos(settings: PofSmSettings) -> Samples:
    """UCF-101 under its official split 1, from `data_root` or as the miniature."""
    classes = MINI_CLASSES if settings.miniature_size == "mini" else None
    return _read("ucf101", settings.data_root, settings, classes)


def ucfsi_references(samples: Samples, settings: PofSmSettings) -> pd.DataFrame:
    """The stills of this run, one row each, as references into the videos."""
    return still_references(samples, FrameRule(settings.every, settings.left_out))


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


def true_levels(pairs: FlowPairs, rows: np.ndarray, settings: PofSmSettings, at_once: int = 512) -> Tensor:
    """The same as levels uint8 [N, 2, S, S] at the stored size, on a scale of its own, found as that of predictions."""
    full = full_scale(true_flow(pairs, rows[::9], settings.stored_size), settings.full_share)
    pieces = np.split(rows, range(at_once, len(rows), at_once))
    return torch.cat([encode_flow(true_flow(pairs, some, settings.stored_size), full) for some in pieces])


def open_willow(settings: PofSmSettings) -> Photographs:
    """Willow's photographs, whole, under its authors' split (§IV.B); of several people, all actions count."""
    return load_photographs(_read("willow_actions", settings.willow_root, settings), settings.stored_size, ("test",))


def open_imagenet(settings: PofSmSettings) -> Photographs:
    """ImageNet's photographs; its validation part stands as the test."""
    return load_photographs(_read("imagenet", settings.imagenet_root, settings), settings.stored_size, ("val",))


def _read(name: str, root: str, settings: PofSmSettings, classes: tuple[str, ...] | None = None):
    return read(name, miniature_or_real(name, Path(root) if root else None, settings, classes))


def reports_of(
    samples: Samples, unusable: dict[str, str], willow: Photographs, imagenet: Photographs | None
) -> dict[str, DataReport]:
    """What was found of each dataset, and what is wrong with it, by the names in records. unusable: video -> reason."""
    found = {"ucf101": data_report("ucf101", samples, unusable.items()), "willow": willow.report}
    return found | ({"imagenet": imagenet.report} if imagenet else {})
