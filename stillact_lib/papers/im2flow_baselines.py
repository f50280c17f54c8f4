"""Training the networks of Im2Flow's baselines (§4.1) on the frames that train Im2Flow itself.

Walker et al.'s network is retrained here: the paper uses the authors' public model, which saw all of UCF-101, test
videos included, and can no longer be downloaded. The nearest neighbour needs a feature network; the paper takes an
AlexNet trained on ImageNet.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.networks.alexnet import BNAlexNet
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.papers.im2flow import as_network_input, random_window
from stillact_lib.papers.walker import cluster_labels, decode_argmax, decode_expectation, walker_loss
from stillact_lib.training import Device, History, StepBatches, predict, train, warm_up_then_cosine
from stillact_lib.vision.flow_pairs import FlowPairs


def train_walker(
    network: WalkerNet,
    pairs: FlowPairs,
    centres: Tensor,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    device: Device,
) -> History:
    """Walker's cell-wise classification of the target flow, with Im2Flow's windows and flips so that only the method
    differs. A mirrored flow is quantised anew. The loss sums over cells as the authors' does; Adam stands in for their
    450,000 steps of SGD."""

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        images, flows = random_window(*pairs.load(rows), rng)
        return images, cluster_labels(flows, centres, network.grid)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = batch
        logits = network(images)
        accuracy = (logits.argmax(1) == labels).float().mean()
        return walker_loss(logits, labels), {"cell_accuracy": accuracy}

    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    return train(
        network,
        StepBatches(len(pairs), batch_size, make_batch, seed),
        step_loss,
        optimiser,
        steps,
        device,
        label="Walker's network",
        schedule=warm_up_then_cosine(steps),
    )


def predict_walker(
    network: WalkerNet, images: Tensor, centres: Tensor, device: Device, *, soft: bool = True
) -> np.ndarray:
    """Flow float32 [N, S, S, 2] of images uint8 [N, 3, S, S]: each cell's expected centre (the authors' decoding), or
    with soft=False its likeliest one."""
    side = images.shape[-1]
    inputs = as_network_input(images)
    if side != network.image_size:
        size = (network.image_size, network.image_size)
        inputs = F.interpolate(inputs, size, mode="bilinear", antialias=True)
    logits = predict(network, inputs, device)
    decode = decode_expectation if soft else decode_argmax
    return decode(logits, centres, (side, side)).permute(0, 2, 3, 1).contiguous().numpy()


def train_features(
    network: BNAlexNet,
    pairs: FlowPairs,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    device: Device,
) -> History:
    """Trains the retrieval features where no ImageNet weights exist: action labels of the training frames.

    On the miniature this stands in for ImageNet; features that know the actions make a nearest neighbour stronger, not
    weaker.
    """
    labels = torch.from_numpy(pairs.table["label"].to_numpy(np.int64, copy=True))

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        images, _ = random_window(*pairs.load(rows), rng)
        return images, labels[rows]

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, wanted = batch
        scores = network(images).float()
        return F.cross_entropy(scores, wanted), {"accuracy": (scores.argmax(1) == wanted).float().mean()}

    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    history = train(
        network,
        StepBatches(len(pairs), batch_size, make_batch, seed),
        step_loss,
        optimiser,
        steps,
        device,
        label="retrieval features",
        schedule=warm_up_then_cosine(steps),
    )
    network.eval()
    return history
