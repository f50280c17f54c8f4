"""Which pixels an answer hangs on: gradient times input (Shrikumar et al. 2016, arXiv:1605.01713). It asks the whole
network at the photograph itself: no map whose cells see everything stands between, and nothing is painted over. Its own
weakness is that it says what small changes would do. Chapter 02.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.training.devices import Device
from stillact_lib.vision.images import as_network_input

#: images whose gradients are found together
AT_ONCE = 64


def attributed(network: GuidedActivation, images: Tensor, labels: Tensor, device: Device) -> Tensor:
    """For images uint8 [N, 3, S, S], float [N, S, S]: the size of the gradient, times the pixel, of the score of the
    right class, labels int64 [N], less the mean class's; both are summed over a pixel's channels. Grey is zero."""
    network.eval().to(device.torch_device, memory_format=torch.channels_last)
    found = []
    for rows in torch.arange(len(images)).split(AT_ONCE):
        shown = as_network_input(images[rows].to(device.torch_device)).requires_grad_()
        with device.autocasting():
            scores = network(shown).scores.float()
        beyond = scores.gather(1, labels[rows, None].to(scores.device)).sum() - scores.mean(1).sum()
        (gradient,) = torch.autograd.grad(beyond, shown)
        found.append((gradient * shown.detach()).sum(1).abs().float().cpu())
    return torch.cat(found)
