"""Predicting the flow of one image for POF-SM (Safaei and Foroosh, arXiv 1705.04641, §III-A): forty clusters, Walker's
network, one of the readings of Eqs. 2 and 3, and how well each reading predicts. Chapter 03.

The paper takes "a CNN model similar to the one proposed by Walker et al."; whether it trained one is not said, and the
public one had seen UCF-101's test videos. Here it learns from the training videos of split 1 alone. Flow is (u, v) in
pixels a frame of the network's own input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.evaluation.flow_metrics import flow_scores
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.notebook.run_data import arrays_for, checkpoint_for, grouped
from stillact_lib.papers.motion_baselines.walker import train_walker
from stillact_lib.papers.pof_sm.flow_loss import READINGS, likely_label_loss
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.training.kept import kept
from stillact_lib.training.loop import Device, History, predict
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.flow_kmeans import FlowHistogram
from stillact_lib.vision.flow_pairs import FlowPairs
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.mirrored_clusters import mirrored_kmeans

#: the settings that change the clusters, the pre-trained trunk, the flow networks
CENTRES = ("full_architectures", "image_size", "flow_method", "pairs_per_video", "clusters")
TRUNK = (
    "full_architectures",
    "image_size",
    "clusters",
    "miniature_seed",
    *(f"trunk_{n}" for n in ("photographs", "steps", "rate")),
)
NETWORK = (*CENTRES, *TRUNK, "flow_steps", "flow_batch", "flow_rate")
#: vectors are pooled over squares of this side before they are counted, a field has so many that are alike
STRIDE = 2


def flow_size(settings: PofSmSettings) -> int:
    """Side of the flow network's input: 200 px as published, else the recognition network's own."""
    return 200 if settings.full_architectures else settings.image_size


def new_flow_network(settings: PofSmSettings) -> WalkerNet:
    """An untrained network of Walker's, at the published size or small."""
    if settings.full_architectures:
        return WalkerNet.full(settings.clusters)
    return WalkerNet.compact(flow_size(settings), clusters=settings.clusters)


def flow_centres(
    pairs: FlowPairs, settings: PofSmSettings, data: Sequence[DataOrigin] = (), pairs_at_once: int = 64
) -> Tensor:
    """The clusters' centres [k, 2] in pixels, shortest first, closed under mirroring: a k-means of every second flow
    vector, in both directions, of all `pairs`, which are of `data`."""

    def make() -> dict[str, np.ndarray]:
        histogram = FlowHistogram()
        for rows in np.array_split(np.arange(len(pairs)), max(1, len(pairs) // pairs_at_once)):
            flows = pairs.load(rows)[1][:, :, ::STRIDE, ::STRIDE]
            histogram.add(flows.permute(0, 2, 3, 1).reshape(-1, 2).float())
        return {"centres": mirrored_kmeans(histogram, settings.clusters, seed=0).numpy()}

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
    images, parts = photographs_once(settings.trunk_photographs, network.image_size, settings.miniature_seed, executor)
    quality = pretrain_on_parts(
        network.trunk[:-2],  # without its last pooling
        images,
        parts,
        network.image_size,
        steps=settings.trunk_steps,
        batch_size=64,
        rate=settings.trunk_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(settings.chapter, "flow-trunk", settings, TRUNK),
    )
    return {name: value.detach().cpu().clone() for name, value in network.trunk.state_dict().items()}, quality


def train_flow_network(
    pairs: FlowPairs,
    centres: Tensor,
    loss: str,
    settings: PofSmSettings,
    device: Device,
    trunk: dict[str, Tensor] | None = None,
    data: Sequence[DataOrigin] = (),
) -> tuple[WalkerNet, History]:
    """A network trained with the "all clusters" loss (Eq. 1) or with that over "likely labels", from scratch or from a
    pre-trained `trunk`. Two networks of one seed start alike and see the same windows. data: what `pairs` are of."""
    torch.manual_seed(settings.seed)
    network = new_flow_network(settings)
    if trunk is not None:
        network.trunk.load_state_dict(trunk)
    likely = loss == "likely labels"
    chosen = partial(likely_label_loss, k=settings.most_likely) if likely else READINGS[loss].loss
    depends_on = (*NETWORK, "most_likely") if likely else NETWORK
    history = train_walker(
        network,
        pairs,
        centres,
        device,
        steps=settings.flow_steps,
        batch_size=settings.flow_batch,
        rate=settings.flow_rate,
        seed=settings.seed,
        loss=chosen,
        label=f"flow network, {loss}",
        checkpoint=checkpoint_for(settings.chapter, f"flow-{loss.replace(' ', '-')}", settings, depends_on, data),
        workers=settings.workers,
    )
    return network, history


@dataclass(frozen=True)
class FlowPredictor:
    """A trained network with the centres and the reading that turn its scores into flow."""

    network: WalkerNet
    centres: Tensor
    reading: str
    most_likely: int
    device: Device

    def scores(self, images: Tensor) -> Tensor:
        """Scores [N, C, g, g] before the softmax, of images uint8 [N, 3, H, W]."""
        return predict(self.network, as_network_input(images, self.network.image_size), self.device)

    def decode(self, scores: Tensor, side: int) -> Tensor:
        """Flow [N, 2, side, side] under the reading."""
        return decoding(self.reading, self.most_likely)(scores, self.centres, (side, side))

    def __call__(self, images: Tensor) -> Tensor:
        """Flow float32 [N, 2, H, W] of square images uint8 [N, 3, H, W]."""
        return self.decode(self.scores(images), images.shape[-1])

    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell predictors apart."""
        digest = hashlib.sha256(f"{self.reading} {self.most_likely}".encode())
        for name, value in [*sorted(self.network.state_dict().items()), ("centres", self.centres)]:
            digest.update(name.encode() + value.contiguous().cpu().numpy().tobytes())
        return digest.hexdigest()[:16]


def some_images(pairs: FlowPairs, every: int = 9, most: int = 2000) -> Tensor:
    """Every ninth image of `pairs`, at most so many: uint8 [N, 3, S, S]."""
    return pairs.load(np.arange(0, len(pairs), max(every, len(pairs) // most)))[0]


def full_scale(flow: Tensor, share: float) -> float:
    """Pixels a frame that the full level stands for: no more than 1 - `share` of all cells of flow [N, 2, H, W] have a
    component beyond it, so that predictions, which are short, use the eight bits; two digits."""
    largest = flow.abs().amax(1).flatten()
    return float(f"{float(np.quantile(largest.numpy(), share)):.2g}") or 1.0


def decoding(reading: str, most_likely: int):
    """The decoding of a reading (scores, centres, size) -> flow, with its K where it has one."""
    decode = READINGS[reading].decode
    return partial(decode, k=most_likely) if reading in ("likely expectation", "likely mean") else decode


def loss_of(reading: str) -> str:
    """Which of the two trained networks a reading decodes: "all clusters" or "likely labels"."""
    return "likely labels" if reading == "likely labels" else "all clusters"


#: as many frames are scored, evenly spaced over all
SCORED = 480


def of_videos(pairs: FlowPairs, videos: pd.Series, in_memory: bool = True) -> FlowPairs:
    """The pairs of some videos, held in memory where they fit."""
    rows = np.flatnonzero(pairs.table["video"].isin(videos))
    some = replace(pairs, table=pairs.table.iloc[rows].reset_index(drop=True), in_memory=None)
    return replace(some, in_memory=pairs.load(rows)) if in_memory else some


def means_of(scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Means over the frames of what `score_readings` found: a row a reading, and one for no motion."""
    rows: dict[str, dict[str, float]] = {}
    for name, values in scores.items():
        if name.count("/") == 2:
            _, arm, measure = name.split("/")
            rows.setdefault(arm, {})[measure] = float(np.nanmean(values))
    return pd.DataFrame.from_dict(rows, orient="index")


def arm_of(reading: str) -> str:
    """A reading's name as an arm of records."""
    return f"reading_{reading.replace(' ', '_')}"


def score_readings(
    networks: Mapping[str, WalkerNet], centres: Tensor, pairs: FlowPairs, most_likely: int, device: Device
) -> dict[str, np.ndarray]:
    """End-point errors and direction similarity of all readings and of no motion on `SCORED` frames of `pairs`, as
    records name them ("ucf101/..."), over all pixels and over those whose flow is at least 1/160 of the side (.4 px at
    64)."""
    rows = np.unique(np.linspace(0, len(pairs) - 1, SCORED).round().astype(int))
    images, flows = pairs.load(rows)
    target = flows.float().permute(0, 2, 3, 1).numpy()
    moving = np.linalg.norm(target, axis=-1) >= target.shape[1] / 160
    masks = {"all": np.ones_like(moving), "moving": moving}
    of_network = {
        loss: FlowPredictor(network, centres, loss, most_likely, device).scores(images)
        for loss, network in networks.items()
    }
    table = pairs.table.iloc[rows]
    found: dict[str, np.ndarray] = {"ucf101/clip": table["video"].to_numpy(str), "ucf101/group": grouped(table)}
    predictions = {"zero_flow": np.zeros_like(target)}
    for reading in READINGS:
        loss = loss_of(reading)
        predictor = FlowPredictor(networks[loss], centres, reading, most_likely, device)
        decoded = predictor.decode(of_network[loss], target.shape[1])
        predictions[arm_of(reading)] = decoded.permute(0, 2, 3, 1).numpy()
    for arm, flow in predictions.items():
        of_arm = flow_scores(flow, target, masks)
        kept = {name: values for name, values in of_arm.items() if name.startswith(("epe", "ds"))}
        found |= {f"ucf101/{arm}/{name}": values for name, values in kept.items()}
    return found
