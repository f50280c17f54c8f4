"""What a run of chapter 05 needs, looked at before anything is read: sources, weights, disk, memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from stillact_lib.datasets import SURVEYS
from stillact_lib.datasets.ssvac40 import shared_classes
from stillact_lib.errors import StillactError
from stillact_lib.networks.temporal_resnet import RGB
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.papers.t2sil.backbones import new_network
from stillact_lib.papers.t2sil.data import MOST_HELD, SPLIT, STILL_SOURCES, VIDEO_SOURCES, reading_of, sources_in
from stillact_lib.papers.t2sil.genuine import SPORTS
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.paths import workspace
from stillact_lib.vision.optical_flow import optical_flow

#: GiB of memory that networks, features and photographs take beside videos
LEAST = 4


def needs(settings: T2silSettings) -> Iterator[Need]:
    """What a run needs: some of the sources below each root that is given, weights, and for real videos disk and
    memory. Dynamic images, flow, middle and frames of each video lie in its shard; beside it in memory or, where all
    videos' are large, in a file of their own."""
    genuine = settings.stills_of != "ssvac40"
    if genuine:
        yield _below("videos_root", settings.videos_root, "ucf101", split=SPLIT)
    if settings.of_sports:
        yield _below("stills_root", settings.stills_root, "sports100")
    of_root = {} if genuine else {settings.stills_root: STILL_SOURCES, settings.videos_root: VIDEO_SOURCES}
    for root, sources in of_root.items():
        here = sources_in(root, sources)
        for source in here:
            yield Need.dataset(source, Path(root) / source, **reading_of(source))
        if root and not here:
            lacking = f"{root}: holds no folder {' or '.join(sources)}; give the one that holds what you have of them"
            yield Need(partial(str, lacking))
    if settings.pretraining != "parts":
        yield Need.loads("ImageNet's weights", partial(new_network, 1, RGB, settings))
    if settings.flow_method == "raft":
        yield Need.loads("RAFT", partial(optical_flow, *np.zeros((2, 128, 128, 3), np.uint8), "raft"))
    if settings.videos_root:
        pixels = _videos_below(settings) * settings.stored_size**2 / GIB
        each = (3 * settings.dynamic_per_video, 3 * settings.frames_per_video, 2 * settings.flow_frames)
        arrays = [pixels * of_one for of_one in each]
        stored = sum(arrays) + 3 * pixels + sum(size for size in arrays if size >= MOST_HELD)
        yield Need.disk(round(stored, 1), workspace() / "shards")
        yield Need.memory(round(LEAST + 3 * pixels + sum(size for size in arrays if size < MOST_HELD), 1))


def _below(field: str, root: str, source: str, **reading: object) -> Need:
    """A dataset in the folder of its name below a root, which has to be given: there is no miniature in its place."""
    if not root:
        return Need(partial(str, f"{field}: empty; give the folder that holds {source}/"))
    return Need.dataset(source, Path(root) / source, **reading)


def _videos_below(settings: T2silSettings) -> int:
    """How many of the run's videos lie there; where a source cannot be looked at, its need says so."""
    root, number = settings.videos_root, 0
    for source in sources_in(root, VIDEO_SOURCES):
        called = {shared.video.get(source) for shared in shared_classes()}
        if settings.stills_of != "ssvac40":
            of_sports = {name for classes in SPORTS.values() for name in classes}
            called = of_sports if settings.of_sports else set(settings.classes.split())
        with suppress(StillactError):
            here = SURVEYS[source](Path(root) / source, **reading_of(source)).here
            number += sum(item.class_name in called and item.split in ("train", "test") for item in here)
    return number
