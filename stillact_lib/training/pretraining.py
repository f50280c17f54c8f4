"""What networks know before they see an action.

The papers start from ImageNet. A network pre-trained on real photographs has little to say about drawn people, so on
the miniature another task stands in for it: marking body parts in photographs that carry no action label. Its quality
is printed wherever it is used. In `paper` runs the stand-in is not used: the weights are ImageNet's.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.miniature.photographs import POSES, posed_photographs
from stillact_lib.miniature.world import VERSION
from stillact_lib.paths import workspace
from stillact_lib.training.classification import crop_batches, scores_of
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.kept import kept
from stillact_lib.training.loop import Checkpoint, History, StepBatches, classification_loss, train, warm_up_then_cosine
from stillact_lib.vision.crops import mirrored_photograph
from stillact_lib.vision.images import as_network_input, at_side
from stillact_lib.vision.photographs import Photographs
from stillact_lib.vision.shards import recipe_digest

#: photographs kept aside to measure the pre-training by
HELD_BACK = 0.1


def photographs_once(count: int, side: int, seed: int, executor: Executor) -> tuple[np.ndarray, np.ndarray]:
    """`posed_photographs`, drawn by the first run that needs them and kept in the workspace."""
    recipe = {"count": count, "side": side, "seed": seed, "world": VERSION, "poses": POSES}
    path = workspace() / "photographs" / f"posed-{recipe_digest(recipe)}.npz"
    arrays = kept(
        path, lambda: dict(zip(("images", "parts"), posed_photographs(count, side, seed, executor), strict=True))
    )
    return arrays["images"], arrays["parts"]


@dataclass(frozen=True)
class PartQuality:
    """How well parts are named on photographs kept aside, among cells that show any: right cells, and the share of the
    commonest part, which is what naming always the same one would reach."""

    right: float
    commonest: float
    history: History


@dataclass(frozen=True)
class ClassQuality:
    """How well classes are named on photographs kept aside, top-1 in %, beside what always naming one would reach."""

    accuracy: float
    commonest: float
    history: History


def pretrain_on_photographs(
    network: nn.Module,
    photographs: Photographs,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    device: Device,
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
    workers: int = 0,
) -> ClassQuality:
    """Trains a classifier (which has `image_size`) in place on ImageNet's photographs, by Adam, as SGD would take
    ninety epochs. The photographs are larger than what the network sees; their test part measures it."""
    seen, asked = (torch.from_numpy(rows) for rows in (~photographs.test, photographs.test))
    learnt = (photographs.images[seen], photographs.labels[seen.numpy()])
    history = train(
        network,
        crop_batches(*learnt, network.image_size, mirrored_photograph, batch_size, seed),
        classification_loss(network),
        torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01),
        steps,
        device,
        label="pre-training on ImageNet",
        schedule=warm_up_then_cosine(steps),
        checkpoint=checkpoint,
        workers=workers,
    )
    wanted = photographs.labels[asked.numpy()]
    right = 100 * float((scores_of(network, photographs.images[asked], device).argmax(1) == wanted).mean())
    return ClassQuality(right, 100 * float(np.bincount(wanted).max() / len(wanted)), history)


class PartMarker(nn.Module):
    """A trunk's last maps, and a 1x1 convolution that names the part at each cell of a grid twice as fine.

    maps: images [B, 3, S, S] -> [B, C, h, h]; the output is [B, parts, 2h, 2h].
    """

    def __init__(self, maps: nn.Module, channels: int, parts: int) -> None:
        super().__init__()
        self.maps = maps
        self.name = nn.Sequential(nn.Conv2d(channels, 4 * parts, 1), nn.PixelShuffle(2))

    def forward(self, images: Tensor) -> Tensor:
        return self.name(self.maps(images))


def pretrain_on_parts(
    maps: nn.Module,
    images: np.ndarray,
    parts: np.ndarray,
    side: int,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    device: Device,
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
    workers: int = 0,
) -> PartQuality:
    """Trains `maps` in place to mark body parts: cross entropy with the share of each part in a grid cell.

    maps: convolutions [B, 3, side, side] -> [B, C, h, w]; images uint8 [N, H, W, 3], parts uint8 [N, H, W]; workers:
    processes that prepare batches, as in `train`.
    """
    photographs = torch.from_numpy(images).permute(0, 3, 1, 2)
    with torch.no_grad():
        _, channels, cells, _ = maps.eval()(torch.zeros(1, 3, side, side)).shape
    count = int(parts.max()) + 1
    shares = part_shares(torch.from_numpy(parts), count, 2 * cells)
    torch.manual_seed(seed)  # the marker must not depend on what was drawn before
    marker = PartMarker(maps, channels, count)
    kept = max(1, round(HELD_BACK * len(images)))

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return at_side(as_network_input(photographs[rows]), side), shares[rows]

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        shown, wanted = batch
        scores = marker(shown).float()
        right, _ = _named(scores, wanted)
        return F.cross_entropy(scores, wanted), {"right": right}

    history = train(
        marker,
        StepBatches(len(images) - kept, batch_size, make_batch, seed),
        step_loss,
        torch.optim.Adam(marker.parameters(), lr=rate),
        steps,
        device,
        label="pre-training on body parts",
        schedule=warm_up_then_cosine(steps),
        checkpoint=checkpoint,
        workers=workers,
    )
    shown = at_side(as_network_input(photographs[-kept:]), side)
    right, commonest = _named(predict(marker, shown, device), shares[-kept:])
    return PartQuality(float(right), float(commonest), history)


def part_shares(parts: Tensor, count: int, cells: int) -> Tensor:
    """Share of each of `count` parts in each of cells x cells: uint8 [N, H, W] -> float32 [N, count, cells, cells]."""
    shares = []
    for some in parts.split(256):  # the masks of all photographs at once would take `count` floats a pixel
        marked = torch.stack([some == part for part in range(count)], dim=1)
        shares.append(F.adaptive_avg_pool2d(marked.float(), cells))
    return torch.cat(shares)


def _named(scores: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Over cells that show a part rather than the background: share named right, share of the commonest part."""
    answer, truth = scores.argmax(1), wanted.argmax(1)
    shown = truth > 0
    return (answer == truth)[shown].float().mean(), truth[shown].bincount().max() / shown.sum()
