"""Training Walker et al.'s network on pairs of a frame and its flow: a baseline of Im2Flow (chapter 04, §4.1) and the
flow predictor of POF-SM (chapter 03, §III-A).

Both papers take the authors' public model, trained on (nearly) all of UCF-101, test videos included, and no longer to
be downloaded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stillact_lib.networks.walker import WalkerNet
from stillact_lib.papers.im2flow import random_window
from stillact_lib.papers.walker import cluster_labels, decode_argmax, decode_expectation, walker_loss
from stillact_lib.training import (
    Checkpoint,
    Device,
    History,
    StepBatches,
    predict,
    train,
    warm_up_then_cosine,
)
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.images import as_network_input, at_side


def train_walker(
    network: WalkerNet,
    pairs: FlowPairs,
    centres: Tensor,
    device: Device,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    seed: int,
    loss: Callable[[Tensor, Tensor], Tensor] = walker_loss,
    label: str = "Walker's network",
    checkpoint: Checkpoint | None = None,
    workers: int = 0,
) -> History:
    """Walker's cell-wise classification of the target flow, with Im2Flow's windows and flips. A mirrored flow is
    quantised anew. The loss sums over cells as the authors' does; Adam stands in for their 450,000 steps of SGD."""

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        images, flows = random_window(*pairs.load(rows), rng)
        return at_side(images, network.image_size), cluster_labels(flows, centres, network.grid)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = batch
        logits = network(images)
        accuracy = (logits.argmax(1) == labels).float().mean()
        return loss(logits, labels), {"cell_accuracy": accuracy}

    return train(
        network,
        StepBatches(len(pairs), batch_size, make_batch, seed),
        step_loss,
        torch.optim.Adam(network.parameters(), lr=rate),
        steps,
        device,
        label=label,
        schedule=warm_up_then_cosine(steps),
        checkpoint=checkpoint,
        workers=workers,
    )


def predict_walker(
    network: WalkerNet, images: Tensor, centres: Tensor, device: Device, *, soft: bool = True
) -> np.ndarray:
    """Flow float32 [N, S, S, 2] of images uint8 [N, 3, S, S]: each cell's expected centre (the authors' decoding), or
    with soft=False its likeliest one."""
    side = images.shape[-1]
    logits = predict(network, as_network_input(images, network.image_size), device)
    decode = decode_expectation if soft else decode_argmax
    return decode(logits, centres, (side, side)).permute(0, 2, 3, 1).contiguous().numpy()
