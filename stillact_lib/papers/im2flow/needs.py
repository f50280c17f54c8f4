"""What a run of chapter 04 needs: datasets, weights, disk, memory. Its configuration cell looks for all of it before
anything trains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from stillact_lib.datasets.report import miniature_stamp
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.flow_classifier import MotionContentNet
from stillact_lib.networks.mobile import WEIGHTS
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.papers.im2flow.recognition import new_network, retrieval_network
from stillact_lib.papers.im2flow.settings import FROM_VIDEOS, PHOTOGRAPHS, RecognitionSettings
from stillact_lib.paths import workspace
from stillact_lib.vision.foreground import segment_foreground
from stillact_lib.vision.optical_flow import optical_flow
from stillact_lib.vision.pair_shards import PAIR_BYTES

#: GiB of memory by profile, reckoned: test frames, predictions, what the nearest neighbour remembers
MEMORY = {"gpu": 25, "paper": 48}
#: GiB of a GPU's; the networks of both profiles are the same and take 6.5 GB
GPU_MEMORY = {"gpu": 8, "paper": 8}
#: GiB that a run on a large miniature writes
DISK = {"study": 3, "gpu": 7}


def needs(settings: RecognitionSettings) -> Iterator[Need]:
    """All that a run with these settings needs."""
    behind = FROM_VIDEOS | {name: dataset for name, (dataset, _) in PHOTOGRAPHS.items()}
    wanted = [(settings.data_root, name) for name in settings.videos]
    wanted += [(settings.stills_root, behind[name]) for name in settings.stills.split()]
    real = [root for root, name in wanted if root and miniature_stamp(Path(root) / name) is None]
    for root, name in wanted:
        yield Need.dataset(name, Path(root) / name if root else "")
    if settings.pretraining == "imagenet":
        for network in dict.fromkeys((retrieval_network(settings), settings.stream_network)):
            yield Need.loads(network, partial(new_network, network, 1, settings))
        if settings.full_architectures:
            yield Need.loads("ResNet-18", partial(MotionContentNet, 1, pretrained=True))
    if settings.encoder != "own":
        yield Need.loads(settings.encoder, WEIGHTS[settings.encoder].load)
    if real and settings.foreground == "segmented":
        look = partial(segment_foreground, torch.zeros(1, 3, 64, 64, dtype=torch.uint8), torch.device("cpu"))
        yield Need.loads("DeepLabV3", look)
    if settings.flow_method == "raft":
        yield Need.loads("RAFT", partial(optical_flow, *np.zeros((2, 128, 128, 3), np.uint8), "raft"))
    if settings.data_root and settings.pairs_per_video:
        named = [load_manifest(name) for name in settings.videos]
        part = len(settings.chosen_classes) / named[0].class_count if settings.chosen_classes else 1
        videos = part * sum(manifest.items.count for manifest in named)
        pairs = videos * settings.pairs_per_video * PAIR_BYTES * settings.image_size**2
        yield Need.disk(round(pairs / GIB, 1), workspace() / "shards")
    if settings.profile in DISK:
        yield Need.disk(DISK[settings.profile], workspace())
    if settings.profile in MEMORY:
        yield Need.memory(MEMORY[settings.profile])
    if settings.profile in GPU_MEMORY and settings.device != "cpu":
        yield Need.gpu(GPU_MEMORY[settings.profile])
