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
import torch
from torch import Tensor, nn

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
from stillact_lib.papers.im2flow.settings import PRETRAINED, Im2FlowSettings, RecognitionSettings
from stillact_lib.papers.im2flow.stills import CROPS, StillSet
from stillact_lib.training.loop import (
    Checkpoint,
    Device,
    History,
    MakeBatch,
    StepBatches,
    classification_loss,
    predict,
    seed_everything,
    train,
    warm_up_then_cosine,
)
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.crops import cut_windows
from stillact_lib.vision.foreground import segment_foreground
from stillact_lib.vision.images import as_network_input, at_side, resized
from stillact_lib.vision.pair_shards import still_foreground

IMAGENET_CLASSES = 1000
Network = Stream | BNAlexNet | ImageNetAlexNet | MobileNetwork
#: Table 4's base networks: at the published size, and small
LARGER = {"vgg16": (vgg16_stream, compact_vgg_stream), "resnet50": (resnet50_stream, compact_resnet_stream)}
#: candidates for the weight of the first stream
WEIGHTS = np.linspace(0, 1, 21)


def new_network(name: str, classes: int, settings: Im2FlowSettings) -> Network:
    """An "alexnet", "vgg16" or "resnet50" of the run's size, or a mobile network at its own, with a fresh last layer,
    untrained or, where `pretraining` says so, with ImageNet's weights."""
    imagenet = settings.pretraining == "imagenet"
    if name in get_args(MobileName):
        return mobile_network(name, classes, imagenet)
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
    name: str, settings: Im2FlowSettings, device: Device, executor: Executor
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


@dataclass(frozen=True)
class Split:
    """Rows of a still set: to fit the streams, to choose the fusion weight, to test. With `turns` all labelled rows are
    fitted, and all choose: (fit, choose) of each turn, whose networks score rows that they have not seen."""

    fit: np.ndarray
    choose: np.ndarray
    test: np.ndarray
    turns: tuple[tuple[np.ndarray, np.ndarray], ...] = ()


def split_rows(stills: StillSet, settings: RecognitionSettings, per_class: int) -> Split:
    """The labelled images that a run may use, `per_class` of each class (0: all), and the test images. The weight of
    fusion is "determined on a validation set": a share of the labelled ones set aside, or with `turns` all of them, by
    cross-validation. Images of one group (a photograph's people, a source video's clips) stay together."""
    rows = stills.training_rows(per_class, settings.seed)
    rng = np.random.default_rng(settings.seed)
    test = np.flatnonzero(stills.test)
    if settings.turns:
        turn = np.zeros(len(rows), int)
        for label in range(len(stills.classes)):
            of_class = stills.labels[rows] == label
            names = rng.permutation(np.unique(stills.groups[rows[of_class]]))
            place = {name: position % settings.turns for position, name in enumerate(names)}
            turn[of_class] = [place[name] for name in stills.groups[rows[of_class]]]
        turns = tuple((rows[turn != k], rows[turn == k]) for k in range(settings.turns) if (turn == k).any())
        return Split(rows, np.concatenate([choose for _, choose in turns]), test, turns)
    aside: set[str] = set()
    for label in range(len(stills.classes)):
        of_class = rows[stills.labels[rows] == label]
        wanted = max(1, round(settings.validation_share * len(of_class)))
        for group in rng.permutation(np.unique(stills.groups[of_class]))[:-1]:  # one group at least is left to fit
            if np.isin(stills.groups[of_class], list(aside)).sum() >= wanted:
                break
            aside.add(group)
    chosen = np.isin(stills.groups[rows], list(aside))
    return Split(rows[~chosen], rows[chosen], test)


@dataclass(frozen=True)
class StreamScores:
    """Softmax scores of one or two fused streams: [V, C] on the rows that choose the weight, [T, C] on the test rows;
    `weight` is the first stream's share where two were fused."""

    choose: np.ndarray
    test: np.ndarray
    weight: float | None = None


#: windows of each image whose features are computed where only a network's last block learns
WINDOWS = 4


def train_stream(
    network: nn.Module,
    inputs: Tensor,
    labels: np.ndarray,
    settings: RecognitionSettings,
    device: Device,
    *,
    seed: int,
    mirrored_channel: int | None = None,
    label: str = "stream",
    checkpoint: Checkpoint | None = None,
) -> History:
    """Trains a stream on inputs [N, 3, S, S] (uint8 images, or flow images in [-1, 1]) with labels int64 [N].

    Windows and flips are those of Im2Flow's training, and two streams of one seed see the same ones. Where an image is
    mirrored, `mirrored_channel` of a flow image, its horizontal one, changes sign.
    """

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        shown = _windows(inputs[rows], rng, mirrored_channel)
        return at_side(shown, network.image_size), wanted[rows]

    wanted = torch.from_numpy(labels)
    return _fit(network, make_batch, len(inputs), settings, device, seed, label, checkpoint)


def features_of_windows(network: MobileNetwork, inputs: Tensor, mirrored_channel: int | None, device: Device) -> Tensor:
    """What the stem of a network, which does not learn, makes of `WINDOWS` random windows of each of N inputs, half of
    them mirrored: float16 [WINDOWS, N, C, h, w]. Computed once for all trainings of the last block."""
    rng = np.random.default_rng(0)

    def one_each() -> Tensor:
        parts = (at_side(_windows(some, rng, mirrored_channel), network.image_size) for some in inputs.split(64))
        return torch.cat([predict(network.stem, part, device).half() for part in parts])

    return torch.stack([one_each() for _ in range(WINDOWS)])


def features_of_whole(network: MobileNetwork, inputs: Tensor, device: Device) -> Tensor:
    """The same of whole, unflipped inputs: float16 [N, C, h, w]."""
    parts = (at_side(_as_shown(some), network.image_size) for some in inputs.split(64))
    return torch.cat([predict(network.stem, part, device).half() for part in parts])


def train_last_block(
    network: MobileNetwork,
    features: Tensor,
    labels: np.ndarray,
    settings: RecognitionSettings,
    device: Device,
    *,
    seed: int,
    label: str = "stream",
    checkpoint: Checkpoint | None = None,
) -> History:
    """Trains a stream's last block and classifier on features [WINDOWS, N, C, h, w] of its stem, as `train_stream` does
    the whole; each step draws one of each image's windows."""

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return features[rng.integers(len(features), size=len(rows)), rows].float(), wanted[rows]

    wanted = torch.from_numpy(labels)
    return _fit(last_part(network), make_batch, features.shape[1], settings, device, seed, label, checkpoint)


def last_part(network: MobileNetwork) -> nn.Sequential:
    """The last block and what follows; shares its weights with the network."""
    return nn.Sequential(network.last_block, network.vector, network.classifier)


def _fit(
    network: nn.Module,
    make_batch: MakeBatch,
    count: int,
    settings: RecognitionSettings,
    device: Device,
    seed: int,
    label: str,
    checkpoint: Checkpoint | None,
) -> History:
    return train(
        network,
        StepBatches(count, min(settings.batch_size, count), make_batch, seed),
        classification_loss(network),
        torch.optim.AdamW(network.parameters(), lr=settings.stream_rate, weight_decay=0.01),
        settings.stream_steps,
        device,
        label=label,
        schedule=warm_up_then_cosine(settings.stream_steps, warm_up=20),
        checkpoint=checkpoint,
        workers=settings.workers,
    )


def _windows(inputs: Tensor, rng: np.random.Generator, mirrored_channel: int | None) -> Tensor:
    """Random windows of images or flow images, as a stream is shown them."""
    cut, mirrored = cut_windows(_as_shown(inputs), rng)
    if mirrored_channel is not None:
        cut[mirrored, mirrored_channel] *= -1
    return cut


def stream_scores(network: nn.Module, inputs: Tensor, split: Split, device: Device) -> StreamScores:
    """Softmax scores of a trained stream on the rows of a split, whole and unflipped; of its last part, which has no
    `image_size`, on the features of its stem."""
    rows = np.concatenate([split.choose, split.test])
    shown, side = _as_shown(inputs[rows]), getattr(network, "image_size", None)
    scores = predict(network, shown if side is None else at_side(shown, side), device).softmax(1).numpy()
    return StreamScores(scores[: len(split.choose)], scores[len(split.choose) :])


def fuse(first: StreamScores, second: StreamScores, labels: np.ndarray) -> StreamScores:
    """w first + (1 - w) second, with the w that is most often right on the rows set aside, labels int64 [V].

    Test scores play no part. Among equally good weights, the one that gives the right classes the highest scores.
    """
    mixtures = [w * first.choose + (1 - w) * second.choose for w in WEIGHTS]
    rows = np.arange(len(labels))
    right = [(mixture.argmax(1) == labels).mean() for mixture in mixtures]
    sure = [np.log(mixture[rows, labels] + 1e-9).mean() for mixture in mixtures]
    best = max(range(len(WEIGHTS)), key=lambda k: (right[k], sure[k]))
    weight = float(WEIGHTS[best])
    return StreamScores(mixtures[best], weight * first.test + (1 - weight) * second.test, weight)


def average(first: StreamScores, second: StreamScores) -> StreamScores:
    """§3.3's "average of the two outputs": the weight 1/2, chosen by nobody."""
    return StreamScores((first.choose + second.choose) / 2, (first.test + second.test) / 2, 0.5)


def arm_scores(stills: StillSet, split: Split, arm: str, scores: StreamScores) -> dict[str, np.ndarray]:
    """What a record keeps of an arm: for each test image 100 where its best class is right and 0 elsewhere (the mean is
    the accuracy in %), and its class scores, from which mAP is computed. Of several actions of a person, any is right.
    """
    positives = stills.positives[split.test]
    right = positives[np.arange(len(positives)), scores.test.argmax(1)]
    name = f"{stills.name}/{arm}"
    return {f"{name}/accuracy": 100.0 * right, f"{name}/class_scores": scores.test.astype(np.float32)}


def common_scores(stills: StillSet, split: Split) -> dict[str, np.ndarray]:
    """What all arms of a set share: the photograph or video of each test image, and what it shows, bool [T, C]."""
    return {
        f"{stills.name}/clip": stills.items[split.test],
        f"{stills.name}/group": stills.groups[split.test],
        f"{stills.name}/positives": stills.positives[split.test].astype(np.float32),
    }


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


def _as_shown(inputs: Tensor) -> Tensor:
    """Images uint8, or flow images in [-1, 1] already, as a stream is shown them: float in [-1, 1]."""
    return as_network_input(inputs) if inputs.dtype == torch.uint8 else inputs.float()
