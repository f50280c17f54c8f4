"""The perceptrons of T2SIL's transfers, layer by layer as Tables 5 and 7 list them (Herath, Fernando, Harandi, Pattern
Recognition 2019, §6). Chapter 05.

The tables list a layer's width, activation and batch normalisation in this order, and so they are applied.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: §6: slope of leaky ReLU, dropout rate, standard deviation of the noise layers
SLOPE, DROPOUT, NOISE = 0.2, 0.5, 0.01


class GaussianNoise(nn.Module):
    """Adds noise of mean 0 and standard deviation `deviation` in training; nothing in evaluation."""

    def __init__(self, deviation: float = NOISE) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, features: Tensor) -> Tensor:
        return features + self.deviation * torch.randn_like(features) if self.training else features


def dense(inputs: int, width: int, activation: nn.Module) -> nn.Sequential:
    """A fully connected layer, its activation, and batch normalisation."""
    return nn.Sequential(nn.Linear(inputs, width), activation, nn.BatchNorm1d(width))


def still_to_temporal(inputs: int, d0: int, d1: int) -> nn.Sequential:
    """Table 5's generator and Table 7's embedding network, which are alike: features of stills [B, inputs] to temporal
    features [B, d1]. The generator's randomness is in its dropout and noise layers (§5.1.1)."""
    return nn.Sequential(
        dense(inputs, d0, nn.LeakyReLU(SLOPE)),
        nn.Dropout(DROPOUT),
        GaussianNoise(),
        dense(d0, d0, nn.LeakyReLU(SLOPE)),
        nn.Dropout(DROPOUT),
        GaussianNoise(),
        dense(d0, d1, nn.Tanh()),
    )


def discriminator(d1: int, d2: int) -> nn.Sequential:
    """Table 5's discriminator: temporal features [B, d1] to the logit [B, 1] of being real (its sigmoid is in the
    loss)."""
    hidden = [dense(width, d2, nn.LeakyReLU(SLOPE)) for width in (d1, d2, d2)]
    return nn.Sequential(*hidden, nn.Linear(d2, 1))


class Reduction(nn.Module):
    """The dimensionality reduction network: temporal features of the ResNet [B, inputs] to d1 values by a layer with
    tanh, and a classifier of these, which is the GAN's auxiliary classifier (trained along with it, then fixed)."""

    def __init__(self, inputs: int, d1: int, num_classes: int) -> None:
        super().__init__()
        self.reduce = dense(inputs, d1, nn.Tanh())
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(d1, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Class scores before the softmax."""
        return self.classifier(self.dropout(self.reduce(features)))
