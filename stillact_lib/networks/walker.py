"""Walker's network: a photograph in, for each cell of a coarse grid a distribution over 40 flow vectors out.

Walker, Gupta, Hebert, "Dense optical flow prediction from a static image", ICCV 2015; a baseline of chapter 04, the
flow predictor of chapter 03. Layer sizes, padding, biases and initialisation are those of the authors' public Caffe
definition. Notable: flow is *classified*, not regressed (40 k-means centres), and one fully connected layer of 16,000
units speaks for the whole grid.

Images are RGB in [-1, 1].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from stillact_lib.networks.alexnet import alexnet_layers, compact_length, dropout_layers, normalised_features
from stillact_lib.networks.trained_encoder import TrainedEncoder

MEAN_BGR = (89.05, 96.63, 100.77)  # channel means of the authors' mean image, 0-255


class WalkerNet(nn.Module):
    """An AlexNet that gives `clusters` scores for each of grid x grid cells; make one with `full` or `compact`."""

    def __init__(self, image_size: int, grid: int, clusters: int, trunk: nn.Sequential, head: nn.Sequential) -> None:
        super().__init__()
        self.image_size = image_size
        self.grid = grid
        self.clusters = clusters
        self.trunk = trunk  # ends flattened
        self.head = head  # ends with fc8: clusters * grid * grid units

    @classmethod
    def full(cls, clusters: int = 40) -> WalkerNet:
        """The published network: 200x200 in, 20x20 cells, 122,420,224 parameters at 40 clusters.

        Pooling rounds up, as Caffe's does: only so does the trunk end with the 9,216 values that fc6 expects (torch's
        default, rounding down, gives 6,400). Weights are Caffe's "xavier" (uniform, variance 1 / fan-in); biases 0, but
        0.1 on conv2, conv4, conv5, fc6 and fc7. The paper trains it from scratch.
        """

        def after(number: int, _channels: int) -> list[nn.Module]:
            return [nn.ReLU(), nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)] if number <= 2 else [nn.ReLU()]

        trunk = nn.Sequential(CaffeInput(MEAN_BGR), *alexnet_layers(after))
        head = dropout_layers(9216, 4096, 4096, clusters * 20 * 20)
        layers = [m for m in (*trunk, *head) if isinstance(m, nn.Conv2d | nn.Linear)]
        for layer, bias in zip(layers, (0.0, 0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.0), strict=True):
            _caffe_xavier(layer, bias)
        return cls(200, 20, clusters, trunk, head)

    @classmethod
    def compact(
        cls, image_size: int = 64, grid: int = 16, clusters: int = 40, width: int = 32, hidden: int = 512
    ) -> WalkerNet:
        """The same idea for small images and short training: AlexNet's sequence, batch normalisation in place of LRN.

        A cell of the default grid covers 1/16 of the side, near the published 1/20. One hidden layer instead of two.
        Initialisation is torch's.
        """
        features = normalised_features(width)
        head = dropout_layers(compact_length(image_size, width), hidden, clusters * grid * grid)
        return cls(image_size, grid, clusters, features, head)

    @classmethod
    def trained(cls, image_size: int = 64, grid: int = 16, clusters: int = 40, hidden: int = 512) -> WalkerNet:
        """The compact network on the convolutions of ImageNet's MobileNetV2."""
        trunk = TrainedEncoder()
        length = trunk.channels[-1] * (image_size // 32) ** 2
        head = dropout_layers(length, hidden, clusters * grid * grid)
        return cls(image_size, grid, clusters, nn.Sequential(trunk, Last(), nn.Flatten()), head)

    def forward(self, image: Tensor) -> Tensor:
        """Scores before the softmax over clusters, cell by cell: [B,3,H,W] -> [B,clusters,grid,grid] (row, column)."""
        return fc8_to_grid(self.head(self.trunk(image)), self.clusters, self.grid)


def fc8_to_grid(fc8: Tensor, clusters: int, grid: int) -> Tensor:
    """Units [B,clusters*grid*grid] to scores [B,clusters,row,column].

    Unit c + clusters * (row + grid * column) is cluster c: cluster fastest, then row, then column, MATLAB's order, in
    which the authors wrote their labels. It matters only to someone who loads their weights.
    """
    return fc8.view(-1, grid, grid, clusters).permute(0, 3, 2, 1)


class Last(nn.Module):
    """The deepest of an encoder's maps."""

    def forward(self, maps: list[Tensor]) -> Tensor:
        return maps[-1]


class CaffeInput(nn.Module):
    """RGB in [-1, 1] to what the Caffe network was trained on: BGR in [0, 255] minus the channel means."""

    def __init__(self, mean_bgr: tuple[float, float, float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean_bgr).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return (image.flip(1) + 1) * 127.5 - self.mean


def _caffe_xavier(layer: nn.Conv2d | nn.Linear, bias: float) -> None:
    fan_in = layer.weight[0].numel()  # a group's own inputs only, as Caffe counts them
    nn.init.uniform_(layer.weight, -math.sqrt(3 / fan_in), math.sqrt(3 / fan_in))
    nn.init.constant_(layer.bias, bias)
