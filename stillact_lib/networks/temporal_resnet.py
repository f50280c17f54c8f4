"""ResNet-50 for stills, dynamic images and stacks of optical flow (Herath, Fernando, Harandi, Pattern Recognition 2019,
§5), cut in front of its last block: "only the final three convolution layers" of a student are trained. Chapter 05.

Inputs are [-1, 1]; `image_size` is the side the network was made for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet50
from torchvision.models.resnet import BasicBlock, Bottleneck

from stillact_lib.networks.flow_classifier import shrinking_block
from stillact_lib.networks.mobile import MobileName, mobile_network
from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights

RGB = 3


class CutResNet(nn.Module):
    """A residual network in three parts. stem: [B, channels, S, S] -> [B, C, h, w]; last_block, three convolutions:
    -> [B, features, h, w]; classifier: their mean over places, [B, features], -> class scores [B, num_classes]."""

    def __init__(
        self, stem: nn.Sequential, last_block: nn.Module, features: int, num_classes: int, image_size: int
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.features = features
        self.stem = stem
        self.last_block = last_block
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(features, num_classes)

    @classmethod
    def full(cls, num_classes: int, channels: int = RGB, imagenet: bool = False) -> CutResNet:
        """torchvision's ResNet-50 at 224 px. Raises StillactError where its weights cannot be had."""
        net = with_imagenet_weights(resnet50, ResNet50_Weights.IMAGENET1K_V1) if imagenet else resnet50(weights=None)
        normalise = AsImageNet() if channels == RGB else nn.Identity()
        first = [normalise, widened(net.conv1, channels), net.bn1, net.relu, net.maxpool]
        stem = nn.Sequential(*first, net.layer1, net.layer2, net.layer3, *net.layer4[:-1])
        return cls(stem, net.layer4[-1], net.fc.in_features, num_classes, 224)

    @classmethod
    def mobile(
        cls, name: MobileName, num_classes: int, image_size: int, channels: int = RGB, imagenet: bool = False
    ) -> CutResNet:
        """A mobile network, of inverted residuals; its last block has four convolutions. Raises StillactError where its
        weights cannot be had."""
        net = mobile_network(name, imagenet=imagenet)
        normalise, first, *rest = net.stem
        entry = [normalise if channels == RGB else nn.Identity(), widened(first, channels)]
        return cls(nn.Sequential(*entry, *rest), net.last_block, net.channels, num_classes, image_size)

    @classmethod
    def compact(cls, num_classes: int, image_size: int, channels: int = RGB) -> CutResNet:
        """Its small sister: seven blocks after a maximum pool, the last with ResNet-50's three convolutions, 48 to 192
        channels."""
        narrow, middle, wide = 48, 96, 192
        first = nn.Conv2d(channels, narrow, 5, stride=2, padding=2, bias=False)
        entry = [nn.Identity(), first, nn.BatchNorm2d(narrow), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]
        blocks: list[nn.Module] = [BasicBlock(narrow, narrow), BasicBlock(narrow, narrow)]
        for before, width in ((narrow, middle), (middle, wide)):
            blocks += [shrinking_block(before, width), BasicBlock(width, width)]
        return cls(nn.Sequential(*entry, *blocks), Bottleneck(wide, wide // 4), wide, num_classes, image_size)

    def maps(self, images: Tensor) -> Tensor:
        """All convolutions: [B, channels, S, S] -> [B, features, h, w]."""
        return self.last_block(self.stem(images))

    def forward(self, images: Tensor) -> Tensor:
        """Class scores before the softmax."""
        return self.classifier(self.pool(self.maps(images)))

    def begin_like(self, trained: CutResNet) -> None:
        """Takes the convolutions of a network of RGB images; a first layer of other channels takes them `widened`."""
        channels = self.stem[1].in_channels
        own = {name: values for name, values in trained.state_dict().items() if not name.startswith("classifier.")}
        own["stem.1.weight"] = widened(trained.stem[1], channels).weight.detach()
        self.load_state_dict(own, strict=False)


def widened(first: nn.Conv2d, channels: int) -> nn.Conv2d:
    """A first convolution of `channels` channels, each with the mean of the RGB filters, as cross-modality
    initialisation has it (Wang et al., ECCV 2016); the same layer where the channels are RGB's."""
    if channels == first.in_channels:
        return first
    geometry = {"stride": first.stride, "padding": first.padding, "bias": first.bias is not None}
    wide = type(first)(channels, first.out_channels, first.kernel_size, **geometry)
    with torch.no_grad():
        wide.weight.copy_(first.weight.mean(dim=1, keepdim=True).expand_as(wide.weight))
    return wide
