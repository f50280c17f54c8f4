"""Trained flow networks as what POF-SM needs of them: images in, flow out (Safaei and Foroosh, §III-A); how their
answers are decoded, on which scale they become 8 bits, and which network may map which still. Chapter 03.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
from torch import Tensor, nn

from stillact_lib.datasets.groups import dealt_out
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.papers.pof_sm.flow_loss import READINGS
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict_images
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.images import at_side

#: images whose maps are made together
AT_ONCE = 64


class Predictor(Protocol):
    """A trained network that turns square images uint8 [N, 3, H, W] into flow float32 [N, 2, H, W], in pixels of its
    own input."""

    device: Device

    def __call__(self, images: Tensor) -> Tensor: ...

    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell predictors apart."""
        ...


@dataclass(frozen=True)
class FlowPredictor:
    """A trained network of Walker's with the centres and the reading that turn its scores into flow."""

    network: WalkerNet
    centres: Tensor
    reading: str
    most_likely: int
    device: Device

    def scores(self, images: Tensor) -> Tensor:
        """Scores [N, C, g, g] before the softmax, of images uint8 [N, 3, H, W]."""
        return predict_images(self.network, images, self.device, AT_ONCE)

    def decode(self, scores: Tensor, side: int) -> Tensor:
        """Flow [N, 2, side, side] under the reading."""
        return decoding(self.reading, self.most_likely)(scores, self.centres, (side, side))

    def __call__(self, images: Tensor) -> Tensor:
        return self.decode(self.scores(images), images.shape[-1])

    def digest(self) -> str:
        return _digest(self.network, f"{self.reading} {self.most_likely}", self.centres)


@dataclass(frozen=True)
class Im2FlowPredictor:
    """A trained Im2Flow with the encoding that its answers are in."""

    network: nn.Module
    encoding: FlowEncoding
    device: Device

    def __call__(self, images: Tensor) -> Tensor:
        encoded = predict_images(self.network, images, self.device, AT_ONCE)
        return at_side(self.encoding.decode(encoded), images.shape[-1])

    def digest(self) -> str:
        return _digest(self.network, repr(self.encoding))


def _digest(network: nn.Module, settings: str, *more: Tensor) -> str:
    digest = hashlib.sha256(settings.encode())
    for name, value in [*sorted(network.state_dict().items()), *((str(n), value) for n, value in enumerate(more))]:
        digest.update(name.encode() + value.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Halves:
    """Two halves of the videos, by whole groups of clips, on either side of the split: a network learns from the
    training videos of one and maps the stills of the other, those that are tested too."""

    of_video: dict[str, int]

    @classmethod
    def of(cls, videos: pd.DataFrame) -> Halves:
        """Of a table with the columns video, class_name, label, group and split. An odd group of a class falls to the
        first half in every second class, to the second in the others."""
        sides = (videos["class_name"].astype(str) + " " + videos["split"].astype(str)).to_numpy(str)
        half = dealt_out(sides, videos["group"].astype(str).to_numpy(str), 2, seed=0)
        half = (half + videos["label"].to_numpy(int)) % 2
        return cls(dict(zip(videos["video"].astype(str), half.tolist(), strict=True)))

    def numbers(self, videos: pd.Series) -> np.ndarray:
        """The half, 0 or 1, of some videos."""
        return videos.astype(str).map(self.of_video).to_numpy()

    def to_learn_from(self, videos: pd.Series, half: int) -> pd.Series:
        """Those of some videos that the network which maps a half learns from: the other half's."""
        return videos[self.numbers(videos) != half]


def full_scale(pieces: Iterable[Tensor], share: float) -> float:
    """Pixels a frame that the full level stands for: no more than 1 - `share` of all cells of pieces of flow [N, 2, H,
    W] have a component beyond it, so that predictions, which are short, use the eight bits; two digits."""
    largest = np.concatenate([flow.abs().amax(1).flatten().numpy() for flow in pieces])
    return float(f"{float(np.quantile(largest, share)):.2g}") or 1.0


def decoding(reading: str, most_likely: int):
    """The decoding of a reading (scores, centres, size) -> flow, with its K where it has one."""
    decode = READINGS[reading].decode
    return partial(decode, k=most_likely) if reading in ("likely expectation", "likely mean") else decode


def loss_of(reading: str) -> str:
    """Which of the two trained networks a reading decodes: "all clusters" or "likely labels"."""
    return "likely labels" if reading == "likely labels" else "all clusters"
