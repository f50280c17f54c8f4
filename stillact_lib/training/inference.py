"""What a trained network makes of inputs, batch by batch, and of images as they are stored."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stillact_lib.training.devices import Device
from stillact_lib.training.loop import to_device
from stillact_lib.vision.images import as_network_input

#: images that become numbers together: as bytes they take a quarter of the room
AT_ONCE = 256


@torch.inference_mode()
def predict(model: nn.Module, inputs: Tensor, device: Device, batch_size: int = 64) -> Tensor:
    """Evaluation-mode outputs of `model` for `inputs` [N, ...], in batches, as float32 on the CPU."""
    model.eval().to(device.torch_device, memory_format=torch.channels_last)
    outputs = []
    for batch in inputs.split(batch_size):
        with device.autocasting():
            outputs.append(model(to_device(batch, device.torch_device)).float().cpu())
    return torch.cat(outputs)


def predict_images(network: nn.Module, images: Tensor, device: Device, at_once: int = AT_ONCE) -> Tensor:
    """The same for images uint8 [N, 3, H, W], brought to the network's own `image_size` and to [-1, 1] some at a time:
    they are never all held as numbers."""
    side = network.image_size
    return torch.cat([predict(network, as_network_input(some, side), device) for some in images.split(at_once)])
