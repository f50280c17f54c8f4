"""FCN-8s (Long, Shelhamer, Darrell, CVPR 2015) on VGG-16, the networks of FRA (Rosenfeld and Ullman 2016, §3.1).
Chapter 01.

As in MatConvNet's port, which the paper's learning rate points to: convolutions keep their size (no padding by 100
pixels), the score layers begin at zero, upsampling is bilinear and fixed, and the skips learn more slowly. Inputs are
[-1, 1], of any size that 32 divides.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import VGG16_Weights, vgg16

from stillact_lib.networks.pretrained import with_imagenet_weights
from stillact_lib.networks.streams import AsImageNet

STRIDE = 32
#: learning rates of the skips from pool4 and pool3 relative to the rest
SKIP_RATES = {"skip4": 0.1, "skip3": 0.01}
#: pixels of a label map that are not labelled
IGNORED = 255


class FCN8s(nn.Module):
    """Scores of L labels at every pixel: [B, 3, H, W] -> [B, L, H, W], before the softmax.

    stages: five, each halving the size, the last three ending at pool3, pool4 and pool5; head: convolutions in place of
    VGG's fully connected layers (fc6, fc7), which keep the size.
    """

    def __init__(self, stages: list[nn.Sequential], head: nn.Sequential, widths: tuple[int, int, int], labels: int):
        super().__init__()
        self.normalise: nn.Module = nn.Identity()
        self.to_pool3 = nn.Sequential(*stages[:3])
        self.to_pool4, self.to_pool5 = stages[3], stages[4]
        self.head = head
        pool3, pool4, last = widths
        self.score = nn.Conv2d(last, labels, 1)
        self.skip4, self.skip3 = nn.Conv2d(pool4, labels, 1), nn.Conv2d(pool3, labels, 1)
        for layer in (self.score, self.skip4, self.skip3):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    @classmethod
    def full(cls, labels: int, imagenet: bool = False) -> FCN8s:
        """VGG-16's, its fc6 and fc7 as convolutions of 7 x 7 and 1 x 1. Raises StillactError where its weights cannot
        be had."""
        vgg = with_imagenet_weights(vgg16, VGG16_Weights.IMAGENET1K_V1) if imagenet else vgg16(weights=None)
        ends = [0, *(place + 1 for place, layer in enumerate(vgg.features) if isinstance(layer, nn.MaxPool2d))]
        stages = [nn.Sequential(*vgg.features[begin:end]) for begin, end in pairwise(ends)]
        fc6, fc7 = nn.Conv2d(512, 4096, 7, padding=3), nn.Conv2d(4096, 4096, 1)
        with torch.no_grad():
            for layer, whole in ((fc6, vgg.classifier[0]), (fc7, vgg.classifier[3])):
                layer.weight.copy_(whole.weight.view_as(layer.weight))
                layer.bias.copy_(whole.bias)
        head = nn.Sequential(fc6, nn.ReLU(), nn.Dropout2d(), fc7, nn.ReLU(), nn.Dropout2d())
        network = cls(stages, head, (256, 512, 4096), labels)
        network.normalise = AsImageNet()
        return network

    @classmethod
    def compact(cls, labels: int) -> FCN8s:
        """Its small sister: one convolution a stage with batch normalisation, 24 to 128 channels."""
        widths = (3, 24, 32, 64, 96, 128)
        stages = [
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            for before, after in pairwise(widths)
        ]
        head = nn.Sequential(nn.Conv2d(128, 192, 3, padding=1), nn.ReLU(), nn.Dropout2d(0.2))
        return cls(stages, head, (64, 96, 192), labels)

    def forward(self, images: Tensor) -> Tensor:
        pool3 = self.to_pool3(self.normalise(images))
        pool4 = self.to_pool4(pool3)
        scores = self.score(self.head(self.to_pool5(pool4)))
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


def upsampled(scores: Tensor, like: Tensor) -> Tensor:
    """Scores at the height and width of `like`, bilinear."""
    return F.interpolate(scores, size=like.shape[-2:], mode="bilinear", align_corners=False)


def segmentation_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy, the mean over labelled pixels: scores [B, L, H, W], labels int64 [B, H, W], `IGNORED` where there
    is none. Summed over pixels instead, as in Caffe's FCN, rates of 1e-10 and below would be needed."""
    return F.cross_entropy(scores, labels, ignore_index=IGNORED)
