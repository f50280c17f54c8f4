"""ImageNet's MobileNetV2 as the encoder of networks that answer with a map: its activations at five scales.

The paper's flow network starts from nothing and learns from 500,000 frames of 101 classes; where there are fewer, this
is what else it can start from (chapter 04, real video). Images are RGB in [-1, 1].
"""

from __future__ import annotations

from torch import Tensor, nn

from stillact_lib.networks.mobile import mobile_network


class TrainedEncoder(nn.Module):
    """Maps of images [B, 3, S, S]: [B, 16, S/2, S/2], [B, 24, S/4, S/4] ... [B, 320, S/32, S/32]. Raises StillactError
    where the weights cannot be had."""

    channels = (16, 24, 32, 96, 320)

    def __init__(self) -> None:
        super().__init__()
        network = mobile_network("mobilenet_v2", imagenet=True)
        self.normalise = network.normalise
        self.stages = nn.ModuleList(network.stages)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [self.normalise(image)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]


def parameter_groups(network: nn.Module, rate: float, share: float) -> list[dict]:
    """What an optimiser of learning rate `rate` is given of a network: where ImageNet trained a part, it learns at that
    share of the rate, and with a share of 0 not at all."""
    trained = [p for part in network.modules() if isinstance(part, TrainedEncoder) for p in part.parameters()]
    known = {id(parameter) for parameter in trained}
    groups: list[dict] = [{"params": [p for p in network.parameters() if id(p) not in known]}]
    for parameter in trained:
        parameter.requires_grad_(share > 0)
    return [*groups, {"params": trained, "lr": share * rate}] if trained and share else groups
