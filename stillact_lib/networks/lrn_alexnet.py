"""The AlexNet of chapter 03: local response normalisation also after the fifth convolution.

Safaei and Foroosh, "Single Image Action Recognition by Predicting Space-Time Saliency", III.B: CON(96, 11) of stride 4,
LRN, MP, CON(256, 5), LRN, MP, CON(384, 3), CON(384, 3), CON(256, 3), LRN, MP, FC(4096), FC(4096), then the classes;
pooling is 3x3 of stride 2, ReLU throughout. Notable: a third normalisation follows the fifth convolution, where AlexNet
has none.

What the paper leaves open is taken from the network that it calls similar to its own, Krizhevsky, Sutskever, Hinton,
NIPS 2012: 227x227 pixels in; padding 2, 1, 1, 1 from the second convolution on; two groups in the second, fourth and
fifth; ReLU before the normalisation, which divides by (2 + 1e-4 * sum of squares over 5 neighbouring channels) ** .75;
dropout of half after both hidden layers; weights N(0, .01), biases 1 in the second, fourth and fifth convolution and in
the hidden layers, else 0. "More than 60 million parameters" does not decide about the groups: with 1,000 classes there
are 60,965,224 with them and 62,378,344 without. With UCF-101's 101 classes there are 57,282,021.

Images are RGB, or the three channels of POF-SM, in [-1, 1]. The network sees them as levels, -127.5 to 127.5: of
smaller numbers the normalisation would notice nothing. No mean image is subtracted.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from stillact_lib.networks.alexnet import POOLED, alexnet_layers, compact_length, dropout_layers

LEVELS = 127.5  # of [-1, 1]


class LRNAlexNet(nn.Module):
    """The paper's network; `full` is the published layout, `compact` its small sister for the miniature.

    `features` are C1 to C5 with what follows each, flattened; `classifier` is FC6 to FC8. `image_size` is the side that
    the fully connected layers were made for.
    """

    def __init__(self, image_size: int, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.image_size = image_size
        self.features = features
        self.classifier = classifier

    @classmethod
    def full(cls, num_classes: int) -> LRNAlexNet:
        """The published size: 227x227 in, maps of 55, 27, 13 and at last 256x6x6, hidden layers of 4096."""
        features = nn.Sequential(*alexnet_layers(_after))
        net = cls(227, features, dropout_layers(256 * 6 * 6, 4096, 4096, num_classes))
        for layer, bias in zip(_weighted(net), (0, 1, 0, 1, 1, 1, 1, 0), strict=True):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, bias)
        return net

    @classmethod
    def compact(cls, num_classes: int, image_size: int = 64, width: int = 32, hidden: int = 256) -> LRNAlexNet:
        """The same sequence for small images: C1 5x5 of stride 2, channels 1-2-3-3-2 times `width`, no groups.

        With so few inputs a layer, weights N(0, .01) let the signal vanish: here their variance is 2 / fan-in (He et
        al., 2015). C1's deviation is a seventh of that, as .01 is at full size, so that levels do not flood what
        follows, and FC8's a tenth, so that the first scores are small. Biases are 0.
        """
        features = nn.Sequential(*alexnet_layers(_after, width))
        classifier = dropout_layers(compact_length(image_size, width), hidden, hidden, num_classes)
        net = cls(image_size, features, classifier)
        for layer, share in zip(_weighted(net), (1 / 7, 1, 1, 1, 1, 1, 1, 0.1), strict=True):
            nn.init.normal_(layer.weight, std=share * math.sqrt(2 / layer.weight[0].numel()))
            nn.init.zeros_(layer.bias)
        return net

    def fc6(self, image: Tensor) -> Tensor:
        """Y6 of III.B, after its ReLU: [B,3,H,W] -> [B,hidden]."""
        return self.classifier[:3](self.features(LEVELS * image))

    def fc7(self, image: Tensor) -> Tensor:
        """Y7, after its ReLU: what is left when FC8 is removed, the fixed features of IV.B: [B,3,H,W] -> [B,hidden]."""
        return self.classifier[:-1](self.features(LEVELS * image))

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax: [B,3,H,W] in [-1, 1] -> [B,num_classes]."""
        return self.classifier(self.features(LEVELS * image))


class LocalResponseNorm(nn.Module):
    """x / (2 + 1e-4 * sum of squares over 5 neighbouring channels) ** .75 (Krizhevsky et al., 3.3), maps [B,C,H,W].

    What torch's module of this name computes, which slides a window over the channels and then takes more than half of
    a training step on a CPU. Here the sums are one 1x1 convolution with a banded matrix (`benchmarks/`).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        place = torch.arange(channels)
        band = ((place[:, None] - place[None]).abs() <= 2).float()
        self.register_buffer("neighbours", band[:, :, None, None], persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        energy = 2 + 1e-4 * functional.conv2d(maps.square(), self.neighbours.to(maps.dtype))
        return maps * (energy * energy.sqrt()).rsqrt()


def _after(number: int, channels: int) -> list[nn.Module]:
    return [nn.ReLU(), LocalResponseNorm(channels)] if number in POOLED else [nn.ReLU()]


def _weighted(net: nn.Module) -> list[nn.Module]:
    return [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
