"""Im2Flow's two streams (§3.3, §4): which labelled images fit them and which choose their weight, how one is trained,
and how their scores are fused. Chapter 04.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.datasets.groups import dealt_out
from stillact_lib.networks.mobile import MobileNetwork
from stillact_lib.papers.im2flow.settings import RecognitionSettings
from stillact_lib.papers.im2flow.stills import StillSet
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import (
    Checkpoint,
    History,
    MakeBatch,
    StepBatches,
    classification_loss,
    train,
    warm_up_then_cosine,
)
from stillact_lib.vision.crops import cut_windows
from stillact_lib.vision.images import as_network_input, at_side

#: candidates for the weight of the first stream
WEIGHTS = np.linspace(0, 1, 21)


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
    test = np.flatnonzero(stills.test)
    if settings.turns:
        turn = dealt_out(stills.labels[rows], stills.groups[rows], settings.turns, settings.seed)
        turns = tuple((rows[turn != k], rows[turn == k]) for k in range(settings.turns) if (turn == k).any())
        return Split(rows, np.concatenate([choose for _, choose in turns]), test, turns)
    rng = np.random.default_rng(settings.seed)
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
    most = -(-settings.stream_epochs * count // settings.batch_size) or settings.stream_steps
    steps = min(settings.stream_steps, most)
    return train(
        network,
        StepBatches(count, min(settings.batch_size, count), make_batch, seed),
        classification_loss(network),
        torch.optim.AdamW(network.parameters(), lr=settings.stream_rate, weight_decay=0.01),
        steps,
        device,
        label=label,
        schedule=warm_up_then_cosine(steps, warm_up=20),
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


def _as_shown(inputs: Tensor) -> Tensor:
    """Images uint8, or flow images in [-1, 1] already, as a stream is shown them: float in [-1, 1]."""
    return as_network_input(inputs) if inputs.dtype == torch.uint8 else inputs.float()
