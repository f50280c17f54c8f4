"""A network that learns how to pool a region's surroundings, in place of Eq. 5's fixed grid of means (Rosenfeld and
Ullman 2016, §3.2: the fixed form "performed better than letting the network learn how to perform the pooling on its
own"; how theirs learnt is not said). Chapter 01.

It sees what the fixed features see: the fine network's maps in a window three times as large as the region's box, and
in one a third of the image wide. It learns what the regression learns: the region's overlap with the true box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.papers.fra.localising import Candidates, Maps
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import StepBatches, train, warm_up_then_cosine
from stillact_lib.vision.region_grids import SHORT, long_range
from stillact_lib.vision.windows import about, cut

#: side of what is seen of each window, three samples a cell of the fixed grid's five
SIDE = 15
WIDTH, BATCH, RATE = 32, 128, 0.002


class LearntPooling(nn.Module):
    """Surroundings [R, C, 15, 15] of regions -> overlap [R]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(WIDTH * (SIDE // 3) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, surroundings: Tensor) -> Tensor:
        return self.layers(surroundings)[:, 0]


def surroundings(maps: Maps, found: Candidates) -> Tensor:
    """What the fine maps of an image show about each of its candidates: float16 [R, 2 L, 15, 15]."""
    boxes = found.boxes.astype(float)
    if not len(boxes):
        return torch.empty(0, 2 * len(maps.fine), SIDE, SIDE, dtype=torch.float16)
    fine = torch.from_numpy(maps.fine)[None].expand(len(boxes), -1, -1, -1)
    windows = (about(boxes, SHORT), long_range(boxes, maps.fine.shape[1:]))
    return torch.cat([cut(fine, window, SIDE) for window in windows], dim=1).half()


def learn_pooling(
    seen: Sequence[Tensor], overlaps: Sequence[np.ndarray], seed: int, device: Device, steps: int
) -> LearntPooling:
    """Learnt from the candidates of the training images: what is seen about each, and its overlap with the true box."""
    inputs, wanted = torch.cat(list(seen)), torch.from_numpy(np.concatenate(overlaps)).float()
    torch.manual_seed(seed)
    network = LearntPooling(inputs.shape[1])

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return inputs[rows].float(), wanted[rows]

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        shown, true = batch
        return F.mse_loss(network(shown).float(), true), {}

    train(
        network,
        StepBatches(len(inputs), min(BATCH, len(inputs)), make_batch, seed),
        step_loss,
        torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01),
        steps,
        device,
        label="learnt pooling",
        schedule=warm_up_then_cosine(steps),
    )
    return network


def judged(network: LearntPooling, seen: Sequence[Tensor], device: Device) -> list[np.ndarray]:
    """The overlap that the network expects of each candidate of each image, [R] each."""
    return [predict(network, one.float(), device).numpy() if len(one) else np.empty(0) for one in seen]
