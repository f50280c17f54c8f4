"""Networks for recognition streams beside AlexNet: VGG-16 and ResNet-50 (Table 4 of Gao et al.), and a stream that
starts from the flow network's own encoder, a control of ours. All of chapter 04.

Inputs are RGB or flow images in [-1, 1]; each network has `image_size`, `maps` (its convolutions) and class scores.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, VGG16_BN_Weights, resnet50, vgg16_bn
from torchvision.models.resnet import BasicBlock
from torchvision.models.vgg import make_layers

from stillact_lib.networks.alexnet import normalised_layers
from stillact_lib.networks.flow_classifier import shrinking_block
from stillact_lib.networks.im2flow_unet import Im2FlowUNet
from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights


class Stream(nn.Module):
    """Convolutions, what turns their maps into a vector, and a linear layer that names the class.

    maps: [B, 3, S, S] -> [B, C, h, w]; vector: [B, C, h, w] -> [B, length].
    """

    def __init__(self, maps: nn.Module, vector: nn.Module, length: int, num_classes: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.maps = maps
        self.vector = vector
        self.classifier = nn.Linear(length, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax: [B, 3, S, S] -> [B, num_classes]."""
        return self.classifier(self.vector(self.maps(image)))


def vgg16_stream(num_classes: int, imagenet: bool = False) -> Stream:
    """torchvision's VGG-16 with batch normalisation at 224 px; its two hidden layers of 4096 make the vector."""
    net = with_imagenet_weights(vgg16_bn, VGG16_BN_Weights.IMAGENET1K_V1) if imagenet else vgg16_bn(weights=None)
    maps = nn.Sequential(AsImageNet(), *net.features[:-1])
    vector = nn.Sequential(net.features[-1], net.avgpool, nn.Flatten(), *net.classifier[:-1])
    return Stream(maps, vector, 4096, num_classes, 224)


def resnet50_stream(num_classes: int, imagenet: bool = False) -> Stream:
    """torchvision's ResNet-50 at 224 px; the mean over its last maps is the vector."""
    net = with_imagenet_weights(resnet50, ResNet50_Weights.IMAGENET1K_V2) if imagenet else resnet50(weights=None)
    first = (AsImageNet(), net.conv1, net.bn1, net.relu, net.maxpool)
    maps = nn.Sequential(*first, net.layer1, net.layer2, net.layer3, net.layer4)
    return Stream(maps, nn.Sequential(net.avgpool, nn.Flatten()), 2048, num_classes, 224)


def compact_vgg_stream(num_classes: int, image_size: int = 64) -> Stream:
    """VGG-16's thirteen convolutions at a quarter of its widths, for small images; one hidden layer of 256."""
    plan = [16, 16, "M", 32, 32, "M", 64, 64, 64, "M", 128, 128, 128, "M", 128, 128, 128]
    maps = nn.Sequential(nn.BatchNorm2d(3), *make_layers(plan, batch_norm=True))
    length = 128 * (image_size // 32) ** 2
    vector = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), *normalised_layers(length, 256))
    return Stream(maps, vector, 256, num_classes, image_size)


def compact_resnet_stream(num_classes: int, image_size: int = 64) -> Stream:
    """A residual network of eight two-convolution blocks, 32 to 256 channels, for small images."""
    blocks: list[nn.Module] = [BasicBlock(32, 32), BasicBlock(32, 32)]
    for width in (64, 128, 256):
        blocks += [shrinking_block(width // 2, width), BasicBlock(width, width)]
    stem = [nn.BatchNorm2d(3), nn.Conv2d(3, 32, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    vector = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Stream(nn.Sequential(*stem, *blocks), vector, 256, num_classes, image_size)


def encoder_stream(flow_network: Im2FlowUNet, num_classes: int, hidden: int = 256) -> Stream:
    """A stream that begins as a copy of the flow network's encoder, up to its maps of 4x4, with AlexNet's kind of head.

    It sees the image, not the flow: what it gains over an ordinary appearance stream, it gains from what videos taught
    the encoder, without any picture of motion.
    """
    stages = list(flow_network.encoder)
    while len(stages) > 1 and flow_network.image_size // 2 ** len(stages) < 4:
        stages.pop()
    copies = nn.Sequential(*deepcopy(stages), nn.LeakyReLU(0.2))
    with torch.no_grad():
        side = flow_network.image_size
        where = next(copies.parameters()).device  # the flow network lies where it was trained
        length = copies.eval()(torch.zeros(1, 3, side, side, device=where)).numel()
    vector = nn.Sequential(nn.Flatten(), *normalised_layers(length, hidden, hidden))
    return Stream(copies, vector, hidden, num_classes, side)
