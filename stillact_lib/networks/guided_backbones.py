"""Backbones for loss-guided activation (Liu, Tan, You 2018, §4): ResNet-50 and -101, Inception-ResNet-v2, a small
sister of each kind, and mobile networks. Chapter 02. Inputs are RGB in [-1, 1].
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import timm
import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, ResNet101_Weights, resnet50, resnet101
from torchvision.models.resnet import BasicBlock

from stillact_lib.errors import StillactError
from stillact_lib.networks.flow_classifier import shrinking_block
from stillact_lib.networks.mobile import MobileName, mobile_network
from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights

BackboneName = Literal[
    "resnet50", "resnet101", "inception_resnet_v2", MobileName, "compact_resnet", "compact_inception", "compact_local"
]
#: channels of the small sisters: after the first layer, and of their maps
NARROW, WIDE = 32, 64
#: how much of what a small Inception block computes is added to its input (Szegedy et al. 2017, §3.3: .1 to .3)
RESIDUAL_SCALE = 0.2


class Backbone(NamedTuple):
    """Convolutions, images [B, 3, S, S] -> maps [B, channels, h, w]."""

    maps: nn.Module
    channels: int


def backbone(name: BackboneName, imagenet: bool = False) -> Backbone:
    """The convolutions of a network by its name. At 448 px ResNets and mobile networks give maps of 14 x 14, timm's
    Inception-ResNet-v2 of 12 x 12 (it pads nothing in its first layers and its reductions); the small ones shrink
    eightfold, but "compact_local" fourfold: a cell of its maps sees 17 x 17 px. Raises StillactError for a name there
    is none of, and where ImageNet's weights cannot be had."""
    if name in ("resnet50", "resnet101"):
        known = {"resnet50": (resnet50, ResNet50_Weights), "resnet101": (resnet101, ResNet101_Weights)}
        build, weights = known[name]
        net = with_imagenet_weights(build, weights.IMAGENET1K_V1) if imagenet else build(weights=None)
        first = (AsImageNet(), net.conv1, net.bn1, net.relu, net.maxpool)
        return Backbone(nn.Sequential(*first, net.layer1, net.layer2, net.layer3, net.layer4), net.fc.in_features)
    if name in get_args(MobileName):
        mobile = mobile_network(name, imagenet=imagenet)
        return Backbone(mobile.maps, mobile.channels)
    if name == "inception_resnet_v2":
        net = _inception_resnet_v2(imagenet)
        return Backbone(net, net.num_features)
    if name in ("compact_resnet", "compact_inception", "compact_local"):
        if imagenet:
            raise StillactError(f"backbone {name!r}: there are no ImageNet weights for it; pre-train it yourself")
        if name == "compact_local":
            stem = [*_convolution(3, NARROW, 5, stride=2), *_convolution(NARROW, WIDE, 3, stride=2)]
            return Backbone(nn.Sequential(*stem, LocalResidual(WIDE, 3), LocalResidual(WIDE, 1)), WIDE)
        stem = [*_convolution(3, NARROW, 5, stride=2), nn.MaxPool2d(3, stride=2, padding=1)]
        if name == "compact_resnet":
            blocks = [BasicBlock(NARROW, NARROW), shrinking_block(NARROW, WIDE), BasicBlock(WIDE, WIDE)]
        else:
            blocks = [InceptionResidual(NARROW), Reduction(NARROW, WIDE), InceptionResidual(WIDE)]
        return Backbone(nn.Sequential(*stem, *blocks), WIDE)
    raise StillactError(f"backbone {name!r}: there is none; there are: {', '.join(get_args(BackboneName))}")


def _inception_resnet_v2(imagenet: bool) -> nn.Module:
    """timm's network without its classifier: [B, 3, S, S] -> [B, 1536, h, w]; its weights take inputs in [-1, 1]."""
    try:
        # num_classes 0 and no pooling: what is left of `forward` are the maps
        return timm.create_model("inception_resnet_v2", pretrained=imagenet, num_classes=0, global_pool="")
    except Exception as error:  # whatever the hub's client raises where it reaches nothing
        if not imagenet:
            raise
        raise StillactError(
            "timm's weights for inception_resnet_v2 are neither cached nor reachable; run once with a network, or do "
            f"without pre-trained weights ({type(error).__name__})"
        ) from error


def _convolution(before: int, after: int, side: int, stride: int = 1) -> tuple[nn.Module, ...]:
    """A convolution without a bias, batch normalisation, a ReLU."""
    filters = nn.Conv2d(before, after, side, stride=stride, padding=side // 2, bias=False)
    return filters, nn.BatchNorm2d(after), nn.ReLU()


class InceptionResidual(nn.Module):
    """Three ways through, 1x1, 3x3 and twice 3x3, joined by a 1x1 convolution and added, scaled, to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        part, few = channels // 2, channels // 4
        ways = [
            [*_convolution(channels, part, 1)],
            [*_convolution(channels, few, 1), *_convolution(few, part, 3)],
            [*_convolution(channels, few, 1), *_convolution(few, part, 3), *_convolution(part, part, 3)],
        ]
        self.ways = nn.ModuleList(nn.Sequential(*way) for way in ways)
        self.join = nn.Conv2d(3 * part, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        return (maps + RESIDUAL_SCALE * self.join(torch.cat([way(maps) for way in self.ways], dim=1))).relu()


class LocalResidual(nn.Module):
    """A convolution of `side` x `side` and one of 1 x 1, added to the input: a cell sees `side` - 1 more of these."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)
        self.way = nn.Sequential(*_convolution(channels, channels, side), *last)

    def forward(self, maps: Tensor) -> Tensor:
        return (maps + self.way(maps)).relu()


class Reduction(nn.Module):
    """Half the side: a 3x3 convolution and a maximum side by side."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolve = nn.Sequential(*_convolution(before, after - before, 3, stride=2))
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self.convolve(maps), self.pool(maps)], dim=1)
