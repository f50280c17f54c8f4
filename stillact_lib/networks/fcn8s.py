"""FCN-8s (Long, Shelhamer, Darrell, CVPR 2015) on VGG-16, the networks of FRA (Rosenfeld and Ullman 2016, §3.1).
Chapter 01.

As in MatConvNet's port, which the paper's learning rate points to: convolutions keep their size (no padding by 100
pixels), the score layers begin at zero, upsampling is bilinear and fixed, and the skips learn more slowly. Inputs are
[-1, 1], of any size that 32 divides.
"""

from __future__ import annotations

from copy import deepcopy
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.networks.mobile import MobileNetwork
from stillact_lib.networks.vgg import Vgg

STRIDE = 32
#: learning rates of the skips from pool4 and pool3 relative to the rest
SKIP_RATES = {"skip4": 0.1, "skip3": 0.01}
#: dropout after a mobile network, the share that MobileNetV2 was trained with
MOBILE_DROP = 0.2
#: pixels of a label map that are not labelled
IGNORED = 255


class FCN8s(nn.Module):
    """Scores of L labels at every pixel: [B, 3, H, W] -> [B, L, H, W], before the softmax.

    Made of a VGG network, whose convolutions and hidden layers it copies: `head` holds fc6 and fc7 as convolutions,
    which keep the size. `skip4` and `skip3` score the maps after the fourth and the third pooling; without `skips` it
    is FCN-32s, whose labels lie 32 pixels apart. A mobile network's five stages serve as well, with its last
    convolution as the head.
    """

    def __init__(self, begins_as: Vgg | MobileNetwork, labels: int, skips: bool = True) -> None:
        super().__init__()
        self.skips = skips
        trunk = deepcopy(begins_as)
        self.normalise = trunk.normalise
        *first, self.to_pool4, self.to_pool5 = trunk.stages
        self.to_pool3 = nn.Sequential(*first)
        self.head = head_of(trunk)
        self.score = nn.Conv2d(width_of(self.head), labels, 1)
        self.skip4 = nn.Conv2d(width_of(self.to_pool4), labels, 1)
        self.skip3 = nn.Conv2d(width_of(self.to_pool3), labels, 1)
        for layer in (self.score, self.skip4, self.skip3):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        pool3 = self.to_pool3(self.normalise(images))
        pool4 = self.to_pool4(pool3)
        scores = self.score(self.head(self.to_pool5(pool4)))
        if not self.skips:
            return upsampled(scores, images)
        scores = self.skip4(pool4) + upsampled(scores, pool4)
        scores = self.skip3(pool3) + upsampled(scores, pool3)
        return upsampled(scores, images)

    def parameter_groups(self, rate: float) -> list[dict[str, object]]:
        """For an optimiser: everything at `rate`, the skips at their share of it."""
        skips = {name: list(getattr(self, name).parameters()) for name in SKIP_RATES}
        slow = {id(parameter) for own in skips.values() for parameter in own}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in slow]
        return [{"params": rest, "lr": rate}] + [
            {"params": own, "lr": rate * SKIP_RATES[name]} for name, own in skips.items()
        ]


def width_of(layers: nn.Module) -> int:
    """Channels of the last convolution among some layers."""
    return [layer for layer in layers.modules() if isinstance(layer, nn.Conv2d)][-1].out_channels


def head_of(trunk: Vgg | MobileNetwork) -> nn.Sequential:
    """What comes after the fifth stage, as convolutions that keep the size, with dropout."""
    if isinstance(trunk, MobileNetwork):
        return nn.Sequential(*trunk.last_block[1:], nn.Dropout2d(MOBILE_DROP))
    layers: list[nn.Module] = []
    before = width_of(trunk.stages[-1])
    for hidden in trunk.hidden:
        layers += [as_convolution(hidden, before), nn.ReLU(), nn.Dropout2d(trunk.dropout.p)]
        before = hidden.out_features
    return nn.Sequential(*layers)


def as_convolution(layer: nn.Linear, channels: int) -> nn.Conv2d:
    """A fully connected layer that looked at maps [channels, k, k] as a convolution of k x k that keeps the size."""
    side = isqrt(layer.in_features // channels)
    found = nn.Conv2d(channels, layer.out_features, side, padding=side // 2)
    with torch.no_grad():
        found.weight.copy_(layer.weight.view_as(found.weight))
        found.bias.copy_(layer.bias)
    return found


def upsampled(scores: Tensor, like: Tensor) -> Tensor:
    """Scores at the height and width of `like`, bilinear."""
    return F.interpolate(scores, size=like.shape[-2:], mode="bilinear", align_corners=False)


def segmentation_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy, the mean over labelled pixels: scores [B, L, H, W], labels int64 [B, H, W], `IGNORED` where there
    is none. Summed over pixels instead, as in Caffe's FCN, rates of 1e-10 and below would be needed."""
    return F.cross_entropy(scores, labels, ignore_index=IGNORED)
