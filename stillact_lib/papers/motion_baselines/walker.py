"""Dense optical flow prediction from a static image (Walker, Gupta and Hebert, ICCV 2015): a baseline of Im2Flow
(chapter 04, §4.1) and the flow predictor of POF-SM (chapter 03, §III-A).

Flow vectors are quantised to the centres of a k-means (`vision.flow_clusters`); the network (`networks.walker`) names
the centre of each cell of a coarse grid; a cell's flow is read back as the expectation over the centres. Details are
those of the authors' public code. One difference of data, not of this module: they sum five stabilised flow fields,
Im2Flow averages five. Both papers take the authors' model, trained on (nearly) all of UCF-101, test videos included,
and no longer to be downloaded; here it is trained on the training videos.
Flows are (u, v) in pixels a frame, u to the right, v down: tensors [B,2,H,W].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.networks.trained_encoder import parameter_groups
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict_images
from stillact_lib.training.loop import Checkpoint, History, StepBatches, Watch, train, warm_up_then_cosine
from stillact_lib.vision.crops import random_window
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.images import at_side


def cluster_labels(flow: Tensor, centres: Tensor, grid: int) -> Tensor:
    """Index of the centre nearest to each cell's flow: [B,2,H,W], centres [k,2] -> int64 [B,grid,grid] (row, column).

    The field is brought to the grid by an antialiased bicubic resize (MATLAB's default, which the authors use); vectors
    keep their length, so the labels speak of pixels of `flow`.
    """
    cells = F.interpolate(flow.float(), size=(grid, grid), mode="bicubic", antialias=True)
    return nearest_centre(cells, centres)


def nearest_centre(flow: Tensor, centres: Tensor) -> Tensor:
    """Index of the Euclidean-nearest centre of every vector: [B,2,H,W] and [k,2] -> int64 [B,H,W]."""
    vectors = flow.permute(0, 2, 3, 1).flatten(0, 2)
    return (
        torch.cdist(vectors, centres.to(vectors), compute_mode="donot_use_mm_for_euclid_dist")
        .argmin(1)
        .view(flow.shape[0], *flow.shape[2:])
    )


def walker_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p of the right cluster, summed over cells, averaged over the batch: logits [B,k,g,g], labels int64 [B,g,g].

    The sum over cells is the authors' (400 at 20x20): it goes with their base learning rate of 1e-5.
    """
    return F.cross_entropy(logits.float(), labels, reduction="sum") / len(labels)


def decode_expectation(logits: Tensor, centres: Tensor, size: tuple[int, int]) -> Tensor:
    """The authors' decoding: each cell's sum of p_k * centre_k, enlarged to (height, width): -> [B,2,H,W]."""
    cells = torch.einsum("bkyx,kc->bcyx", logits.float().softmax(1), centres.to(logits.device).float())
    return enlarge(cells, size)


def decode_argmax(logits: Tensor, centres: Tensor, size: tuple[int, int]) -> Tensor:
    """The likeliest centre of each cell, enlarged to (height, width): -> [B,2,H,W]."""
    cells = centres.to(logits.device).float()[logits.argmax(1)].permute(0, 3, 1, 2)
    return enlarge(cells, size)


def enlarge(cells: Tensor, size: tuple[int, int]) -> Tensor:
    """Bicubic resize with MATLAB's kernel (a = -.5; torch takes that one only under `antialias`, else a = -.75)."""
    return F.interpolate(cells, size=size, mode="bicubic", antialias=True)


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
    start_rate: float = 1.0,
    loss: Callable[[Tensor, Tensor], Tensor] = walker_loss,
    label: str = "Walker's network",
    checkpoint: Checkpoint | None = None,
    workers: int = 0,
    watch: Watch | None = None,
) -> History:
    """Walker's cell-wise classification of the target flow, with Im2Flow's windows and flips. A mirrored flow is
    quantised anew. The loss sums over cells as the authors' does; Adam stands in for their 450,000 steps of SGD.
    start_rate: of a trunk that ImageNet trained, the share of the rate at which it learns."""

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        images, flows = random_window(*pairs.load(rows), rng)
        return at_side(images, network.image_size), cluster_labels(flows, centres, network.grid)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = batch
        logits = network(images)
        accuracy = (logits.argmax(1) == labels).float().mean()
        return loss(logits, labels), {"cell_accuracy": accuracy}

    groups = parameter_groups(network, rate, start_rate)
    return train(
        network,
        StepBatches(len(pairs), batch_size, make_batch, seed),
        step_loss,
        torch.optim.Adam(groups, lr=rate),
        steps,
        device,
        label=label,
        schedule=warm_up_then_cosine(steps),
        checkpoint=checkpoint,
        workers=workers,
        watch=watch,
    )


def predict_walker(
    network: WalkerNet, images: Tensor, centres: Tensor, device: Device, *, soft: bool = True
) -> np.ndarray:
    """Flow float32 [N, S, S, 2] of images uint8 [N, 3, S, S]: each cell's expected centre (the authors' decoding), or
    with soft=False its likeliest one."""
    side = images.shape[-1]
    logits = predict_images(network, images, device)
    decode = decode_expectation if soft else decode_argmax
    return decode(logits, centres, (side, side)).permute(0, 2, 3, 1).contiguous().numpy()
