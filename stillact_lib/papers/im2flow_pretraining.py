"""The AlexNet that chapter 04 starts from: its pool5 finds nearest neighbours, and both recognition streams begin with
its weights. The paper's is trained on ImageNet (§4.1)."""

from __future__ import annotations

from concurrent.futures import Executor

from stillact_lib.networks.alexnet import BNAlexNet, ImageNetAlexNet
from stillact_lib.networks.streams import Stream
from stillact_lib.papers.im2flow_settings import Im2FlowSettings
from stillact_lib.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.run_data import checkpoint_for
from stillact_lib.training import Checkpoint, Device, seed_everything

IMAGENET_CLASSES = 1000
#: the settings that a pre-trained network depends on
DEPENDS_ON = (
    *("profile", "miniature_seed", "seed", "device", "image_size", "full_architectures", "batch_size"),
    *("pretraining", "pretraining_photographs", "pretraining_steps", "pretraining_rate"),
)


def new_alexnet(settings: Im2FlowSettings, classes: int) -> BNAlexNet | ImageNetAlexNet:
    """An AlexNet of the run's size with a fresh last layer; with `pretraining` "imagenet" the rest has its weights."""
    if settings.pretraining == "imagenet":
        return ImageNetAlexNet(classes)
    return BNAlexNet.full(classes) if settings.full_architectures else BNAlexNet.compact(classes, settings.image_size)


def pretrained_alexnet(
    settings: Im2FlowSettings, device: Device, executor: Executor
) -> tuple[BNAlexNet | ImageNetAlexNet, PartQuality | None]:
    """The run's AlexNet after pre-training. Where runs keep checkpoints, those that differ in their videos and flow
    networks alone share it: it depends on none of them."""
    seed_everything(settings.seed)
    alexnet = new_alexnet(settings, IMAGENET_CLASSES)
    return alexnet, pretrain(
        alexnet, settings, device, executor, checkpoint_for("04-im2flow", "alexnet", settings, DEPENDS_ON)
    )


def pretrain(
    network: BNAlexNet | Stream,
    settings: Im2FlowSettings,
    device: Device,
    executor: Executor,
    checkpoint: Checkpoint | None = None,
) -> PartQuality | None:
    """Pre-trains the convolutions of `network` on body parts, in place, and says how well that went.

    With `pretraining` "imagenet" the network has its weights already: nothing is done, and None is returned. Afterwards
    it is in evaluation mode.
    """
    quality = None
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
            checkpoint=checkpoint,
            workers=settings.workers,
        )
    network.eval()
    return quality
