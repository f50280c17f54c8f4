"""Predicting the flow of one image for POF-SM (Safaei and Foroosh, arXiv 1705.04641, §III-A): forty clusters, Walker's
network, one of the readings of Eqs. 2 and 3, and how well each reading predicts. Chapter 03.

The paper takes "a CNN model similar to the one proposed by Walker et al."; whether it trained one is not said, and the
public one had seen UCF-101's test videos. Here it learns from the training videos of split 1 alone, and by halves: the
stills of one half of the groups are mapped by the network that learnt from the other half (`predictors.Halves`), so
that no still is mapped by a network that saw its video. Flow is (u, v) in pixels a frame of the network's own input.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.im2flow_unet import Im2FlowUNet, TrainedEncoderUNet
from stillact_lib.networks.trained_encoder import parameter_groups
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.notebook.run_data import arrays_for, checkpoint_for
from stillact_lib.papers.im2flow.flow import pixel_loss, weight_direction_gradients
from stillact_lib.papers.motion_baselines.walker import train_walker
from stillact_lib.papers.pof_sm.flow_loss import READINGS, likely_label_loss
from stillact_lib.papers.pof_sm.flow_scoring import watched
from stillact_lib.papers.pof_sm.predictors import (
    AT_ONCE,
    FlowPredictor,
    Halves,
    Im2FlowPredictor,
    Predictor,
    loss_of,
)
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.kept import kept
from stillact_lib.training.loop import Checkpoint, History, StepBatches, train, warm_up_then_cosine
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.crops import random_window
from stillact_lib.vision.flow_clusters import mirrored_clusters, sample_vectors
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.flow_pairs import FlowPairs

#: the settings that change the clusters, the pre-trained trunk, the flow networks
PAIRS = ("full_architectures", "image_size", "flow_side", "flow_method", "pairs_per_video", "drop_repeats", "classes")
PAIRS += ("tested",)
CENTRES = (*PAIRS, "clusters")
TRUNK = ("full_architectures", "image_size", "flow_side", "flow_encoder", "clusters", "miniature_seed")
TRUNK += ("trunk_photographs", "trunk_steps", "trunk_rate")
NETWORK = (*CENTRES, *TRUNK, "flow_steps", "flow_batch", "flow_rate", "score_every")
IM2FLOW = (*PAIRS, "flow_encoder", "flow_steps", "flow_batch", "im2flow_rate", "score_every")
#: share of the learning rate at which an encoder that ImageNet trained goes on learning
SLOWER = 0.1
#: pixels a frame that fill Im2Flow's magnitude channel, for each pixel of the input's side (4 at 64)
FILLS = 1 / 16
#: fields that the clusters are made of, and vectors of each (Walker: 500 of every video)
SAMPLED, VECTORS = 1000, 100


def flow_size(settings: PofSmSettings) -> int:
    """Side of the flow network's input: 200 px as published, else the recognition network's own, or `flow_side`."""
    return 200 if settings.full_architectures else settings.flow_side or settings.image_size


def new_flow_network(settings: PofSmSettings) -> WalkerNet:
    """A network of Walker's that has seen no flow: at the published size, small, or small on ImageNet's MobileNetV2."""
    if settings.full_architectures:
        return WalkerNet.full(settings.clusters)
    build = WalkerNet.compact if settings.flow_encoder == "own" else WalkerNet.trained
    return build(flow_size(settings), clusters=settings.clusters)


def flow_centres(pairs: FlowPairs, settings: PofSmSettings, data: Sequence[DataOrigin] = ()) -> Tensor:
    """The clusters' centres [k, 2] in pixels, shortest first, closed under mirroring: of random vectors of `SAMPLED` of
    the `pairs`, which are of `data`."""

    def make() -> dict[str, np.ndarray]:
        some = np.unique(np.linspace(0, len(pairs) - 1, SAMPLED).round().astype(int))
        flows = [pairs.load(rows)[1].float() for rows in np.array_split(some, -(-len(some) // AT_ONCE))]
        vectors = np.concatenate([sample_vectors(of, VECTORS, seed=number) for number, of in enumerate(flows)])
        return {"centres": mirrored_clusters(vectors, settings.clusters).numpy()}

    path = arrays_for(settings.chapter, "flow-centres", settings, CENTRES, data)
    return torch.from_numpy(kept(path, make, "flow clusters")["centres"])


def pretrained_trunk(
    settings: PofSmSettings, device: Device, executor: Executor
) -> tuple[dict[str, Tensor], PartQuality] | None:
    """Weights of the trunk after it learnt to mark body parts, and how well; None where `trunk_photographs` is 0.

    Walker's network is trained from scratch, on a thousand times as many frames as a laptop has minutes for. With few,
    it has to know bodies before it can learn where they go.
    """
    if not settings.trunk_photographs:
        return None
    torch.manual_seed(settings.seed)
    network = new_flow_network(settings)
    maps = network.trunk[:-2]  # without its last pooling
    place = checkpoint_for(settings.chapter, "flow-trunk", settings, TRUNK)
    quality = learn_parts(maps, network.image_size, settings.trunk_photographs, settings, device, executor, place)
    return {name: value.detach().cpu().clone() for name, value in network.trunk.state_dict().items()}, quality


def learn_parts(
    maps: nn.Module,
    side: int,
    count: int,
    settings: PofSmSettings,
    device: Device,
    executor: Executor,
    checkpoint: Checkpoint | None,
) -> PartQuality:
    """Trains convolutions [B, 3, side, side] -> [B, C, h, w] in place to mark body parts in `count` photographs."""
    images, parts = photographs_once(count, side, settings.miniature_seed, executor)
    return pretrain_on_parts(
        maps,
        images,
        parts,
        side,
        steps=settings.trunk_steps,
        batch_size=64,
        rate=settings.trunk_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint,
    )


def train_flow_network(
    pairs: FlowPairs,
    centres: Tensor,
    loss: str,
    settings: PofSmSettings,
    device: Device,
    trunk: dict[str, Tensor] | None = None,
    data: Sequence[DataOrigin] = (),
    part: str = "",
    tested: FlowPairs | None = None,
) -> tuple[WalkerNet, History]:
    """A network trained with the "all clusters" loss (Eq. 1) or with that over "likely labels", from scratch or from a
    pre-trained `trunk`. Networks of one seed start alike. data: what `pairs` are of; `part`: which of it, in a word;
    `tested`: pairs that its curve is scored on, under `score_every`."""
    torch.manual_seed(settings.seed)
    network = new_flow_network(settings)
    if trunk is not None:
        network.trunk.load_state_dict(trunk)
    likely = loss == "likely labels"
    chosen = partial(likely_label_loss, k=settings.most_likely) if likely else READINGS[loss].loss
    depends_on = (*NETWORK, "most_likely") if likely else NETWORK
    predictor = FlowPredictor(network, centres, loss, settings.most_likely, device)
    history = train_walker(
        network,
        pairs,
        centres,
        device,
        steps=settings.flow_steps,
        batch_size=settings.flow_batch,
        rate=settings.flow_rate,
        seed=settings.seed,
        start_rate=SLOWER,
        loss=chosen,
        label=" ".join(filter(None, (f"flow network, {loss}", part))),
        checkpoint=checkpoint_for(
            settings.chapter, "-".join(filter(None, ("flow", *loss.split(), *part.split()))), settings, depends_on, data
        ),
        workers=settings.workers,
        watch=watched(predictor, tested, settings),
    )
    return network, history


def untrained(centres: Tensor, settings: PofSmSettings, device: Device) -> FlowPredictor:
    """The network that the others start as, which has seen no flow: what any filters would be worth in its place."""
    torch.manual_seed(settings.seed)
    return FlowPredictor(new_flow_network(settings), centres, settings.reading, settings.most_likely, device)


def train_im2flow(
    pairs: FlowPairs,
    settings: PofSmSettings,
    device: Device,
    data: Sequence[DataOrigin] = (),
    part: str = "",
    tested: FlowPairs | None = None,
) -> tuple[nn.Module, History]:
    """Chapter 04's network on the same pairs for the same steps: its encoding, pixel loss and weighting, without the
    content loss, which would let labels of actions teach the flow."""
    torch.manual_seed(settings.seed)
    side, encoding = flow_size(settings), encoding_of(settings)
    network = TrainedEncoderUNet(side) if settings.flow_encoder != "own" else Im2FlowUNet(side, 32, 128)

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return random_window(*pairs.load(rows), rng)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, flows = batch
        target, predicted = encoding.encode(flows), network(images)
        weight_direction_gradients(predicted, encoding.magnitude(target))
        return pixel_loss(predicted, target), {}

    history = train(
        network,
        StepBatches(len(pairs), settings.flow_batch, make_batch, settings.seed),
        step_loss,
        torch.optim.Adam(
            parameter_groups(network, settings.im2flow_rate, SLOWER), lr=settings.im2flow_rate, betas=(0.5, 0.999)
        ),
        settings.flow_steps,
        device,
        label=f"Im2Flow {part}".rstrip(),
        schedule=warm_up_then_cosine(settings.flow_steps),
        checkpoint=checkpoint_for(settings.chapter, "-".join(("im2flow", *part.split())), settings, IM2FLOW, data),
        workers=settings.workers,
        watch=watched(Im2FlowPredictor(network, encoding, device), tested, settings),
    )
    return network, history


def encoding_of(settings: PofSmSettings) -> FlowEncoding:
    """Im2Flow's encoding at the side of this run's flow."""
    return FlowEncoding("sin_cos_magnitude", FILLS * flow_size(settings))


def some_images(pairs: FlowPairs, every: int = 9, most: int = 500) -> Tensor:
    """Every ninth image of `pairs`, at most so many: uint8 [N, 3, S, S]."""
    return pairs.load(np.arange(0, len(pairs), max(every, len(pairs) // most)))[0]


def of_videos(pairs: FlowPairs, videos: pd.Series, in_memory: bool = True) -> FlowPairs:
    """The pairs of some videos, held in memory where they fit."""
    rows = np.flatnonzero(pairs.table["video"].isin(videos))
    some = replace(pairs, table=pairs.table.iloc[rows].reset_index(drop=True), in_memory=None)
    return replace(some, in_memory=pairs.load(rows)) if in_memory else some


def by_halves(
    source: Literal["walker", "im2flow"],
    pairs: FlowPairs,
    halves: Halves,
    centres: Tensor,
    settings: PofSmSettings,
    device: Device,
    trunk: dict[str, Tensor] | None = None,
    data: Sequence[DataOrigin] = (),
    in_memory: bool = True,
    tested: FlowPairs | None = None,
) -> tuple[list[Predictor], list[History]]:
    """Two networks of one kind, taught by the training `pairs` of one half each; the first maps half 0, which it has
    not seen, the second half 1."""
    videos, found, histories = pairs.table["video"].drop_duplicates(), [], []
    for half in (0, 1):
        learnt, part = of_videos(pairs, halves.to_learn_from(videos, half), in_memory), f"for half {half}"
        if source == "walker":
            loss = loss_of(settings.reading)
            network, history = train_flow_network(learnt, centres, loss, settings, device, trunk, data, part, tested)
            found.append(FlowPredictor(network, centres, settings.reading, settings.most_likely, device))
        else:
            network, history = train_im2flow(learnt, settings, device, data, part, tested)
            found.append(Im2FlowPredictor(network, encoding_of(settings), device))
        histories.append(history)
    return found, histories
