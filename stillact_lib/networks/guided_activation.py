"""Loss-guided activation (Liu, Tan, You 2018, §3.2): a classifier whose maps are drawn to people by a branch that
says where they are. Chapter 02. Inputs are RGB in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

#: §4: channels of the classification branch's maps, and of the localisation branch's
WIDTH = 1024
MASK_WIDTHS = (512, 64, 32, 1)


class Guided(NamedTuple):
    """Class scores [B, C] before the softmax; the maps F_cls [B, K, h, w] behind them; the person's heatmap
    [B, 1, h, w], or None where the network has no such branch."""

    scores: Tensor
    maps: Tensor
    heatmap: Tensor | None


class GuidedActivation(nn.Module):
    """A backbone's maps [B, channels, h, w], shared by two branches.

    Classification: a convolution of 3 x 3 to `width` maps and a ReLU (left out where `width` is 0, Table 1's "standard
    classification network"), the mean over places, one linear layer. Localisation (where `mask_widths` are given):
    convolutions of 3 x 3 with a ReLU each, which keep the size.
    """

    def __init__(
        self,
        backbone: nn.Module,
        channels: int,
        num_classes: int,
        image_size: int,
        width: int = WIDTH,
        mask_widths: tuple[int, ...] = MASK_WIDTHS,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.backbone = backbone
        self.reduce = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()) if width else nn.Identity()
        self.classifier = nn.Linear(width or channels, num_classes)
        layers: list[nn.Module] = []
        for before, after in pairwise((channels, *mask_widths)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.localise = nn.Sequential(*layers) if layers else None
        if self.localise is not None:
            # the last ReLU would be dead for ever if its map began below zero everywhere
            nn.init.constant_(self.localise[-2].bias, 0.1)

    def forward(self, images: Tensor) -> Guided:
        shared = self.backbone(images)
        maps = self.reduce(shared)
        heatmap = None if self.localise is None else self.localise(shared)
        return Guided(self.classifier(maps.mean(dim=(2, 3))), maps, heatmap)
