"""VGG-16 in parts (Simonyan and Zisserman, ICLR 2015): what FRA takes its features from (fc6) and makes its fully
convolutional networks of. Chapter 01. Inputs are RGB in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights

#: side of the images that the full network and its small sister see, px
FULL_SIDE, COMPACT_SIDE = 224, 96
#: widths of the small sister's five stages, from RGB, and of its fc6
COMPACT, COMPACT_FC6 = (3, 24, 32, 64, 96, 128), 192


class Vgg(nn.Module):
    """Five stages of convolutions, each halving the size, fully connected layers fc6 and perhaps fc7, a classifier.

    images [B, 3, S, S] -> class scores [B, num_classes] before the softmax, at S = `image_size`. `hidden` holds fc6
    and, in the full network, fc7; `drop` follows each.
    """

    def __init__(
        self,
        normalise: nn.Module,
        stages: list[nn.Sequential],
        hidden: list[nn.Linear],
        drop: float,
        num_classes: int,
        image_size: int,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.normalise = normalise
        self.stages = nn.ModuleList(stages)
        self.hidden = nn.ModuleList(hidden)
        self.dropout = nn.Dropout(drop)
        self.classifier = nn.Linear(hidden[-1].out_features, num_classes)

    @classmethod
    def full(cls, num_classes: int, imagenet: bool = False) -> Vgg:
        """torchvision's VGG-16 at 224 px. Raises StillactError where its weights cannot be had."""
        vgg = with_imagenet_weights(vgg16, VGG16_Weights.IMAGENET1K_V1) if imagenet else vgg16(weights=None)
        ends = [0, *(place + 1 for place, layer in enumerate(vgg.features) if isinstance(layer, nn.MaxPool2d))]
        stages = [nn.Sequential(*vgg.features[begin:end]) for begin, end in pairwise(ends)]
        return cls(AsImageNet(), stages, [vgg.classifier[0], vgg.classifier[3]], 0.5, num_classes, FULL_SIDE)

    @classmethod
    def compact(cls, num_classes: int) -> Vgg:
        """Its small sister at 96 px: one convolution a stage, with batch normalisation, and one hidden layer. The first
        stage halves the size by its stride, as it is the dearest."""
        stages = [
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1, stride=1 if k else 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2) if k else nn.Identity(),
            )
            for k, (before, after) in enumerate(pairwise(COMPACT))
        ]
        fc6 = nn.Linear(3 * 3 * COMPACT[-1], COMPACT_FC6)
        return cls(nn.Identity(), stages, [fc6], 0.2, num_classes, COMPACT_SIDE)

    @property
    def channels(self) -> int:
        """Units of fc6."""
        return self.hidden[0].out_features

    def descriptor(self, images: Tensor) -> Tensor:
        """fc6, the first hidden layer after its ReLU: [B, 3, S, S] -> [B, channels]."""
        maps = self.normalise(images)
        for stage in self.stages:
            maps = stage(maps)
        return self.hidden[0](maps.flatten(1)).relu()

    def forward(self, images: Tensor) -> Tensor:
        vector = self.dropout(self.descriptor(images))
        for layer in self.hidden[1:]:
            vector = self.dropout(layer(vector).relu())
        return self.classifier(vector)
