"""The training frame that looks most alike: the nearest-neighbour baseline of chapter 04, which borrows its flow.

Gao, Xiong, Grauman, CVPR 2018, §4.1, after Yuen and Torralba (ECCV 2010): "pool5 features from a pre-trained AlexNet to
retrieve the nearest training image, then adopts the ground-truth flow of that image". The distance is not stated; it is
Euclidean here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stillact_lib.vision.images import as_network_input


class FeatureNet(Protocol):
    """What the baseline needs of a network: its input side, and a vector for each of the images [B,3,S,S] in [-1, 1]:
    an AlexNet's pool5, or the mean over a `MobileNetwork`'s maps."""

    image_size: int

    def descriptor(self, image: Tensor) -> Tensor: ...


def nearest_frames(feature_net: FeatureNet, frames: Tensor, images: Tensor, batch_size: int = 128) -> np.ndarray:
    """Index int64 [M] of the frame (uint8 [N,3,H,W]) nearest to each of some images (uint8 [M,3,H,W]) in the features
    of `feature_net`; the first of equals. The network must be in evaluation mode, where its features shall be computed.
    """
    memory = torch.cat([_features(feature_net, batch) for batch in frames.split(batch_size)])
    asked = (_features(feature_net, batch) for batch in images.split(batch_size))
    return np.concatenate([torch.cdist(batch, memory).argmin(1).cpu().numpy() for batch in asked])


@torch.inference_mode()
def _features(feature_net: FeatureNet, images: Tensor) -> Tensor:
    """Vectors float32 [B,D] of images uint8 [B,3,H,W], brought to the network's input size and to [-1, 1]."""
    device = next(feature_net.parameters()).device
    return feature_net.descriptor(as_network_input(images.to(device), feature_net.image_size)).float()
