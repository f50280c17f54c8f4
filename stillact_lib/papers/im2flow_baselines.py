"""Training Walker et al.'s network, a baseline of Im2Flow (§4.1), on the frames that train Im2Flow itself.

The paper uses the authors' public model, trained on (nearly) all of UCF-101, test videos included, and no longer to be
downloaded.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from stillact_lib.networks.walker import WalkerNet
from stillact_lib.papers.im2flow import random_window
from stillact_lib.papers.im2flow_settings import Im2FlowSettings
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
    settings: Im2FlowSettings,
    device: Device,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Walker's cell-wise classification of the target flow, with Im2Flow's windows and flips so that only the method
    differs. A mirrored flow is quantised anew. The loss sums over cells as the authors' does; Adam stands in for their
    450,000 steps of SGD."""

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        images, flows = random_window(*pairs.load(rows), rng)
        return at_side(images, network.image_size), cluster_labels(flows, centres, network.grid)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = batch
        logits = network(images)
        accuracy = (logits.argmax(1) == labels).float().mean()
        return walker_loss(logits, labels), {"cell_accuracy": accuracy}

    return train(
        network,
        StepBatches(len(pairs), settings.batch_size, make_batch, settings.seed),
        step_loss,
        torch.optim.Adam(network.parameters(), lr=settings.baseline_rate),
        settings.baseline_steps,
        device,
        label="Walker's network",
        schedule=warm_up_then_cosine(settings.baseline_steps),
        checkpoint=checkpoint,
        workers=settings.workers,
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
