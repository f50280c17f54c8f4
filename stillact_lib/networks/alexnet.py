"""AlexNet with batch normalisation: the recognition streams and the feature space of chapter 04.

Gao, Xiong, Grauman, CVPR 2018, §4: "AlexNet with batch normalization as the base architecture for each stream". The
layout is that of the BN AlexNet of Simon, Rodner, Denzler (2016), public in Caffe: the local response normalisations
are gone, every convolution and both hidden layers are followed by batch normalisation, a further one normalises the
input in place of a mean image, and there is no dropout.

Images (or flow images) are RGB in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models import AlexNet_Weights, alexnet

from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights

After = Callable[[int, int], list[nn.Module]]
POOLED = (1, 2, 5)  # AlexNet's convolutions that pooling follows


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
        self.classifier = nn.Sequential(*normalised_layers(pool5_size, hidden, hidden), nn.Linear(hidden, num_classes))
        self.apply(_initialise)

    @classmethod
    def full(cls, num_classes: int) -> BNAlexNet:
        """The published size: 227x227 in, channels 96-256-384-384-256, pool5 of 256x6x6, hidden layers of 4096."""
        return cls(num_classes, 227, normalised_features(), 256 * 6 * 6, hidden=4096)

    @classmethod
    def compact(cls, num_classes: int, image_size: int = 64, width: int = 32, hidden: int = 256) -> BNAlexNet:
        """The same sequence for small images: conv1 5x5 of stride 2, channels 1-2-3-3-2 times `width`, no groups."""
        return cls(num_classes, image_size, normalised_features(width), compact_length(image_size, width), hidden)

    @property
    def maps(self) -> nn.Sequential:
        """The convolutions, up to what pool5 pools: [B,3,H,W] -> [B,C,h,w]. Shares its weights with the network."""
        return self.features[:-2]

    def descriptor(self, image: Tensor) -> Tensor:
        """pool5, the activations after the fifth layer's pooling, flattened: [B,3,H,W] -> [B,pool5_size]."""
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
        self.normalise = AsImageNet()

    def descriptor(self, image: Tensor) -> Tensor:
        """pool5, the activations after the fifth layer's pooling, flattened: [B,3,H,W] in [-1, 1] -> [B,9216]."""
        return self.pooling(self.maps(self.normalise(image)))

    def fc6(self, image: Tensor) -> Tensor:
        """Activations of the first hidden layer: [B,3,H,W] in [-1, 1] -> [B,4096]."""
        return self.classifier[:3](self.descriptor(image))

    def fc7(self, image: Tensor) -> Tensor:
        """Activations of the second hidden layer: [B,3,H,W] in [-1, 1] -> [B,4096]."""
        return self.classifier[:-1](self.descriptor(image))

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax: [B,3,H,W] in [-1, 1] -> [B,num_classes]."""
        return self.classifier(self.descriptor(image))


def alexnet_layers(after: After, width: int | None = None) -> list[nn.Module]:
    """AlexNet's five convolutions, each with what is to come `after` it, by its number and channels; pooling, 3x3 of
    stride 2 and rounding up as Caffe's does, after the first, second and fifth; flattened.

    The published sizes, in two groups; or, with a `width`, channels 1-2-3-3-2 times it, for small images, no groups.
    """
    c1, c2, c3, c4, c5 = (width, 2 * width, 3 * width, 3 * width, 2 * width) if width else (96, 256, 384, 384, 256)
    groups = 1 if width else 2
    convolutions = (
        nn.Conv2d(3, c1, 5, stride=2, padding=2) if width else nn.Conv2d(3, c1, 11, stride=4),
        nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
        nn.Conv2d(c2, c3, 3, padding=1),
        nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
        nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
    )
    layers: list[nn.Module] = []
    for number, convolution in enumerate(convolutions, start=1):
        layers += [convolution, *after(number, convolution.out_channels)]
        if number in POOLED:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
    return [*layers, nn.Flatten()]


def compact_length(image_size: int, width: int) -> int:
    """Values that `alexnet_layers` of a width end with: 2 * width channels on a sixteenth of the side."""
    side = (image_size + 1) // 2
    for _ in POOLED:
        side = max(1, side // 2)  # 3x3 pooling of stride 2 with ceil: 2n and 2n + 1 both give n
    return 2 * width * side * side


def normalised_layers(*widths: int) -> list[nn.Module]:
    """Fully connected layers of these widths, each with batch normalisation and a ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return layers


def dropout_layers(*widths: int) -> nn.Sequential:
    """Fully connected layers of these widths; a ReLU and dropout of half after each but the last."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers[:-2])


def normalised_features(width: int | None = None) -> nn.Sequential:
    """`alexnet_layers` with batch normalisation of the input and after each convolution."""
    layers = alexnet_layers(lambda _, channels: [nn.BatchNorm2d(channels), nn.ReLU()], width)
    return nn.Sequential(nn.BatchNorm2d(3), *layers)


def _initialise(module: nn.Module) -> None:
    """Caffe's "msra" filler: N(0, 2 / fan-in), biases 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(module.bias)
