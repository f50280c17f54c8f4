"""Im2Flow's second half: recognising actions in one image with the motion it implies (§3.3, §4.2).

Two networks of one kind, one for the image and one for a flow image, begin with the weights of one AlexNet (which also
finds nearest neighbours), are trained apart, and their softmax scores are averaged with a weight that a part of
the training images chooses. What the second stream is given is all that differs between the rows of Table 2.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import get_args

import numpy as np
from torch import Tensor

from stillact_lib.datasets.report import miniature_stamp
from stillact_lib.errors import StillactError
from stillact_lib.networks.alexnet import BNAlexNet, ImageNetAlexNet
from stillact_lib.networks.mobile import MobileName, MobileNetwork, mobile_network
from stillact_lib.networks.streams import (
    Stream,
    compact_resnet_stream,
    compact_vgg_stream,
    resnet50_stream,
    vgg16_stream,
)
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.im2flow.settings import PRETRAINED, RecognitionSettings
from stillact_lib.papers.im2flow.stills import CROPS, StillSet
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import seed_everything
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.foreground import segment_foreground
from stillact_lib.vision.images import resized
from stillact_lib.vision.pair_shards import still_foreground

IMAGENET_CLASSES = 1000
Network = Stream | BNAlexNet | ImageNetAlexNet | MobileNetwork
#: Table 4's base networks: at the published size, and small
LARGER = {"vgg16": (vgg16_stream, compact_vgg_stream), "resnet50": (resnet50_stream, compact_resnet_stream)}


def new_network(name: str, classes: int, settings: RecognitionSettings) -> Network:
    """An "alexnet", "vgg16" or "resnet50" of the run's size, or a mobile one at the side of the stills, with a fresh
    last layer, untrained or, where `pretraining` says so, with ImageNet's weights."""
    imagenet = settings.pretraining == "imagenet"
    if name in get_args(MobileName):
        network = mobile_network(name, classes, imagenet)
        network.image_size = settings.still_size or network.image_size
        return network
    if name != "alexnet":
        full, compact = LARGER[name]
        wanted = settings.full_architectures or imagenet
        return full(classes, imagenet) if wanted else compact(classes, settings.image_size)
    if imagenet:
        return ImageNetAlexNet(classes)
    return BNAlexNet.full(classes) if settings.full_architectures else BNAlexNet.compact(classes, settings.image_size)


def retrieval_network(settings: RecognitionSettings) -> str:
    """Whose features find nearest neighbours: AlexNet's, as in the paper; where streams are mobile networks, theirs, as
    AlexNet's weights may then not be had."""
    return settings.stream_network if settings.stream_network in get_args(MobileName) else "alexnet"


def pretrained_network(
    name: str, settings: RecognitionSettings, device: Device, executor: Executor
) -> tuple[Network, PartQuality | None]:
    """A network that knows what its streams shall start from: its convolutions pre-trained on body parts, and how well
    that went; or with `pretraining` "imagenet" its weights, and None. It is in evaluation mode. Runs that differ in
    their videos and flow networks alone share it, as it depends on none of them."""
    seed_everything(settings.seed)
    network, quality = new_network(name, IMAGENET_CLASSES, settings), None
    if settings.pretraining == "parts":
        count, side = settings.pretraining_photographs, settings.image_size
        images, parts = photographs_once(count, side, settings.miniature_seed, executor)
        quality = pretrain_on_parts(
            network.maps,
            images,
            parts,
            network.image_size,
            steps=settings.pretraining_steps,
            batch_size=2 * settings.batch_size,
            rate=settings.pretraining_rate,
            device=device,
            seed=settings.seed,
            checkpoint=checkpoint_for(settings.chapter, name, settings, PRETRAINED),
            workers=settings.workers,
        )
    return network.eval(), quality


class LeakError(StillactError):
    """A flow network was asked about images of videos that it learnt from."""


@dataclass(frozen=True)
class FlowSource:
    """Something that turns images uint8 [N, 3, F, F] into flow images [N, 3, F, F] in [-1, 1].

    `seen` names every video it learnt from (`data.video_ids`); `side` is F, None where any will do.
    """

    name: str
    infer: Callable[[Tensor], Tensor]
    seen: frozenset[str]
    side: int | None = None

    def motion_of(self, images: Tensor, stills: StillSet) -> Tensor:
        """Flow images of a set's `images`, or of further frames of its videos. Raises LeakError where any test image is
        of a video that taught the flow: the cells that Table 2 leaves out cannot be computed."""
        self.check(stills.name, stills.videos)
        return self.infer(images if self.side is None else resized(images, self.side))

    def check(self, stills: str, videos: frozenset[str]) -> None:
        """Raises LeakError where a still set's test images are of `videos` that taught the flow."""
        if count := len(self.seen & videos):
            raise LeakError(
                f"{self.name} learnt flow from {count} of the {len(videos)} videos behind the test images of {stills}; "
                "use a flow network of other videos"
            )


def start_from(network: Network, pretrained: Network) -> None:
    """Gives `network` the convolutions of a pre-trained network of its kind; its other layers stay as they are."""
    network.maps.load_state_dict(pretrained.maps.state_dict())


def motion_potential(flow: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """§4.1: the flow's mean magnitude over the image, divided by the share of the image that is foreground, so that
    large things are not favoured: flow [N, H, W, 2] in pixels, foreground bool [N, H, W] -> [N] in pixels; NaN where
    there is no foreground."""
    area = foreground.mean((1, 2))
    magnitude = np.linalg.norm(flow, axis=-1).mean((1, 2))
    return np.where(area > 0, magnitude / np.maximum(area, 1e-9), np.nan)


def foreground_of(stills: StillSet, rows: np.ndarray, device: Device, executor: Executor) -> np.ndarray:
    """Foreground bool [R, S, S] of some images: of the miniature's photographs and frames its truth, in place of the
    paper's segmenter; of real images DeepLabV3's. All of an image where there is no such thing: in scenes without
    people, and in the miniature's people cut out of photographs, whose place in the cut-out is not kept."""
    side = stills.images.shape[-1]
    drawn = miniature_stamp(stills.root) is not None
    if stills.name == "yupp_static" or (drawn and stills.name in CROPS):
        return np.ones((len(rows), side, side), bool)
    if not drawn:
        return segment_foreground(stills.images[rows], device.torch_device)
    jobs = [executor.submit(still_foreground, stills.root, stills.items[row], side) for row in rows]
    return np.stack([job.result() for job in jobs])
