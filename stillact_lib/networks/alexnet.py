"""AlexNet with batch normalisation: the recognition streams and the feature space of chapter 04.

Gao, Xiong, Grauman, CVPR 2018, §4: "AlexNet with batch normalization as the base architecture for each stream". The
layout is that of the BN AlexNet of Simon, Rodner, Denzler (2016), public in Caffe: the local response normalisations
are gone, every convolution and both hidden layers are followed by batch normalisation, a further one normalises the
input in place of a mean image, and there is no dropout.

Images (or flow images) are RGB in [-1, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights, alexnet

from stillact_lib.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD, with_imagenet_weights

Channels = tuple[int, int, int, int, int]


class BNAlexNet(nn.Module):
    """AlexNet with batch normalisation; `full` is the published layout, `compact` its small sister for the miniature.

    `features` ends at pool5, flattened. `image_size` is the side the fully connected layers were made for.
    """

    def __init__(
        self, num_classes: int, image_size: int, features: nn.Sequential, pool5_size: int, hidden: int
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.pool5_size = pool5_size
        self.features = features
        self.classifier = nn.Sequential(
            nn.Linear(pool5_size, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, num_classes),
        )
        self.apply(_initialise)

    @classmethod
    def full(cls, num_classes: int) -> BNAlexNet:
        """The published size: 227x227 in, channels 96-256-384-384-256, pool5 of 256x6x6, hidden layers of 4096."""
        features = alexnet_features((96, 256, 384, 384, 256), first_kernel=11, first_stride=4, groups=2)
        return cls(num_classes, image_size=227, features=features, pool5_size=256 * 6 * 6, hidden=4096)

    @classmethod
    def compact(cls, num_classes: int, image_size: int = 64, width: int = 32, hidden: int = 256) -> BNAlexNet:
        """The same sequence for small images: conv1 5x5 of stride 2, channels 1-2-3-3-2 times `width`, no groups."""
        features, pool5_size = compact_features(image_size, width)
        return cls(num_classes, image_size, features, pool5_size, hidden)

    @property
    def maps(self) -> nn.Sequential:
        """The convolutions, up to what pool5 pools: [B,3,H,W] -> [B,C,h,w]. Shares its weights with the network."""
        return self.features[:-2]

    def pool5(self, image: Tensor) -> Tensor:
        """Activations after the fifth layer's pooling, flattened: [B,3,H,W] -> [B,pool5_size]."""
        return self.features(image)

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax: [B,3,H,W] -> [B,num_classes]."""
        return self.classifier(self.features(image))


class ImageNetAlexNet(nn.Module):
    """torchvision's AlexNet with its ImageNet weights and a new last layer: no batch normalisation, 64-192-384-256-256.

    The BN AlexNet that the paper probably used is public in Caffe's format only, so this one stands in where ImageNet
    weights are asked for. Raises StillactError where they cannot be had.
    """

    image_size = 224
    pool5_size = 256 * 6 * 6

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        net = with_imagenet_weights(alexnet, AlexNet_Weights.IMAGENET1K_V1)
        self.maps = net.features[:-1]
        self.pooling = nn.Sequential(net.features[-1], net.avgpool, nn.Flatten())
        self.classifier = nn.Sequential(*net.classifier[:-1], nn.Linear(4096, num_classes))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def pool5(self, image: Tensor) -> Tensor:
        """Activations after the fifth layer's pooling, flattened: [B,3,H,W] in [-1, 1] -> [B,9216]."""
        return self.pooling(self.maps(((image + 1) / 2 - self.mean) / self.std))

    def fc6(self, image: Tensor) -> Tensor:
        """Activations of the first hidden layer: [B,3,H,W] in [-1, 1] -> [B,4096]."""
        return self.classifier[:3](self.pool5(image))

    def fc7(self, image: Tensor) -> Tensor:
        """Activations of the second hidden layer: [B,3,H,W] in [-1, 1] -> [B,4096]."""
        return self.classifier[:-1](self.pool5(image))

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax: [B,3,H,W] in [-1, 1] -> [B,num_classes]."""
        return self.classifier(self.pool5(image))


def alexnet_features(
    channels: Channels, first_kernel: int, first_stride: int, groups: int, first_padding: int = 0
) -> nn.Sequential:
    """Input normalisation, five layers with batch normalisation, pool5, flattened; pooling is 3x3 of stride 2, ceil."""
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        nn.BatchNorm2d(3),
        *_layer(3, c1, first_kernel, stride=first_stride, padding=first_padding),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        *_layer(c1, c2, 5, padding=2, groups=groups),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        *_layer(c2, c3, 3, padding=1),
        *_layer(c3, c4, 3, padding=1, groups=groups),
        *_layer(c4, c5, 3, padding=1, groups=groups),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Flatten(),
    )


def compact_features(image_size: int, width: int) -> tuple[nn.Sequential, int]:
    """`alexnet_features` for small images, and their pool5's length: 2 * width channels on a sixteenth of the side."""
    channels = (width, 2 * width, 3 * width, 3 * width, 2 * width)
    features = alexnet_features(channels, first_kernel=5, first_stride=2, groups=1, first_padding=2)
    side = (image_size + 1) // 2
    for _ in range(3):
        side = side // 2 if side > 2 else 1  # 3x3 pooling of stride 2 with ceil: 2n and 2n + 1 both give n
    return features, 2 * width * side * side


def _layer(channels_in: int, channels: int, kernel: int, **options: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels, kernel, **options), nn.BatchNorm2d(channels), nn.ReLU()]


def _initialise(module: nn.Module) -> None:
    """Caffe's "msra" filler: N(0, 2 / fan-in), biases 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(module.bias)
