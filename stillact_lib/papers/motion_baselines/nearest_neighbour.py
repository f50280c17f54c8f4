"""Flow borrowed from the training frame that looks most alike: the nearest-neighbour baseline of chapter 04.

Gao, Xiong, Grauman, CVPR 2018, §4.1, after Yuen and Torralba (ECCV 2010): "pool5 features from a pre-trained AlexNet to
retrieve the nearest training image, then adopts the ground-truth flow of that image". The distance is not stated; it is
Euclidean here.

Images are RGB uint8 [N,H,W,3]; flows (u, v) in pixels a frame, u to the right, v down: [N,H,W,2].
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stillact_lib.vision.images import as_network_input


class FeatureNet(Protocol):
    """What the baseline needs of a network: its input side, and pool5 of images [B,3,S,S] in [-1, 1]: a `BNAlexNet`."""

    image_size: int

    def pool5(self, image: Tensor) -> Tensor: ...


class NearestFlow:
    """Remembers training frames by their features, and answers an image with the flow of the nearest one.

    The network must be in evaluation mode, with its weights where the features shall be computed.
    """

    def __init__(self, feature_net: FeatureNet, batch_size: int = 128) -> None:
        self.feature_net = feature_net
        self.batch_size = batch_size

    def fit(self, images: np.ndarray, flows: np.ndarray) -> NearestFlow:
        """Keeps the features of images uint8 [N,H,W,3] and their flows [N,H,W,2]."""
        self.flows = flows
        self.memory = torch.cat([self.features(batch) for batch in self._batches(images)])
        return self

    def neighbours(self, images: np.ndarray) -> np.ndarray:
        """Index int64 [M] of the training frame nearest to each image uint8 [M,H,W,3]; the first of equals."""
        return np.concatenate(
            [torch.cdist(self.features(batch), self.memory).argmin(1).cpu().numpy() for batch in self._batches(images)]
        )

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Flow [M,H,W,2] of the training frame nearest to each image uint8 [M,H,W,3]."""
        return self.flows[self.neighbours(images)]

    @torch.inference_mode()
    def features(self, images: np.ndarray) -> Tensor:
        """pool5 float32 [B,D] of images uint8 [B,H,W,3], brought to the network's input size and to [-1, 1]."""
        device = next(self.feature_net.parameters()).device
        batch = torch.from_numpy(images).to(device).permute(0, 3, 1, 2)
        return self.feature_net.pool5(as_network_input(batch, self.feature_net.image_size)).float()

    def _batches(self, images: np.ndarray) -> list[np.ndarray]:
        return [images[i : i + self.batch_size] for i in range(0, len(images), self.batch_size)]
