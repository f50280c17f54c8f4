"""What a run of chapter 03 needs, looked at before anything is read: datasets, weights, disk, memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import numpy as np

from stillact_lib.datasets import SURVEYS
from stillact_lib.datasets.report import miniature_stamp
from stillact_lib.datasets.ucf101_people import classes_looked_at
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.mobile import WEIGHTS
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.papers.pof_sm.flow import flow_size
from stillact_lib.papers.pof_sm.inputs import pictures_of
from stillact_lib.papers.pof_sm.recognition import trained_start
from stillact_lib.papers.pof_sm.settings import OF_MASKS, PofSmSettings
from stillact_lib.paths import workspace
from stillact_lib.vision.optical_flow import optical_flow
from stillact_lib.vision.pair_shards import PAIR_BYTES

#: GiB on disk that a run takes of a miniature, measured
DISK = {"quick": 1, "mini": 1, "study": 6, "gpu": 20}
#: GiB of memory: measured, of the larger profiles estimated
MEMORY = {"quick": 3, "mini": 3, "study": 6, "real": 6, "gpu": 20, "paper": 12}
#: classes at most that a message lists
FEW = 5
#: frames of a clip of UCF-101 on average: UCFSI-101's 2,202,392 stills of 13,320 clips and the 21 that it leaves out
FRAMES = 187
#: bytes a pixel of what is stored of each still, beside its three of colour
STORED = {"saliency": 1, "flow": 2, "flow_naive": 2, "flow_seen": 2, "flow_im2flow": 2, "flow_untrained": 2}


def needs(settings: PofSmSettings) -> Iterator[Need]:
    """What a run needs: its roots, downloaded weights, room on disk for what it makes of the videos that are there, and
    memory."""
    own = settings.pretraining == "own"
    yield Need.dataset("ucf101", settings.data_root)
    yield Need.dataset("willow_actions", settings.willow_root if settings.transfer else "")
    yield Need.dataset("imagenet", settings.imagenet_root if own else "")
    if settings.data_root and settings.shows(*OF_MASKS):
        yield Need.loads("masks of people", partial(_masks_of_classes, settings))
    real = settings.data_root and miniature_stamp(settings.data_root) is None
    disk = stored_bytes(settings) / GIB if real else DISK.get(settings.profile, DISK["mini"])
    yield Need.disk(round(disk, 1), workspace())
    memory = MEMORY.get(settings.profile, MEMORY["mini"])
    if own and settings.imagenet_root and not miniature_stamp(settings.imagenet_root):
        memory += round(load_manifest("imagenet").items.count * 3 * settings.stored_size**2 / GIB)
    yield Need.memory(memory)
    if not own:
        yield Need.loads("ImageNet's weights", partial(trained_start, settings))
    if settings.flow_encoder != "own":
        yield Need.loads(settings.flow_encoder, WEIGHTS[settings.flow_encoder].load)
    if settings.flow_method == "raft":
        yield Need.loads("RAFT", partial(optical_flow, *np.zeros((2, 128, 128, 3), np.uint8), "raft"))


def _masks_of_classes(settings: PofSmSettings) -> None:
    """Raises StillactError where real clips are shown masks of people, and nobody looked for people in all classes."""
    known, asked = classes_looked_at(), settings.chosen_classes or load_manifest("ucf101").class_names
    lacking = [name for name in asked if name not in known]
    if lacking and miniature_stamp(settings.data_root) is None:
        shown = ", ".join(lacking[:FEW]) + (f" and {len(lacking) - FEW} more classes" if len(lacking) > FEW else "")
        raise StillactError(f"arms: no masks of people in {shown}; take out arms of {', '.join(OF_MASKS)}")


def stored_bytes(settings: PofSmSettings) -> float:
    """Bytes of the stills, their maps and the pairs of frame and flow that a run makes of the videos below
    `data_root`, reckoned from their number; 0 where nothing is there, of which another need speaks."""
    here = []
    with suppress(StillactError):
        here = SURVEYS["ucf101"](settings.data_root).here
    chosen = settings.chosen_classes
    videos = sum(not chosen or item.class_name in chosen for item in here)
    stills = settings.stills_per_video or (FRAMES - settings.left_out) / settings.every
    a_pixel = 3 + sum(STORED.get(name, 0) for name in pictures_of(settings.chosen_arms))
    pairs = PAIR_BYTES * (settings.pairs_per_video or FRAMES) * flow_size(settings) ** 2
    return videos * (stills * a_pixel * settings.stored_size**2 + pairs)
