"""Where a run computes, and in which numbers: bfloat16 where hardware multiplies it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from stillact_lib.errors import StillactError


@dataclass(frozen=True)
class Device:
    """Where a run computes: the torch device, and the autocast type it gains from (None: float32)."""

    torch_device: torch.device
    autocast: torch.dtype | None

    @property
    def is_cuda(self) -> bool:
        return self.torch_device.type == "cuda"

    def __str__(self) -> str:
        name = torch.cuda.get_device_name() if self.is_cuda else f"CPU, {torch.get_num_threads()} threads"
        return f"{name}, {'float32' if self.autocast is None else 'bfloat16 autocast'}"

    def autocasting(self):
        """Context in which forward passes use the reduced type, where the device has one."""
        return nullcontext() if self.autocast is None else torch.autocast(self.torch_device.type, self.autocast)


def precise(device: Device) -> Device:
    """The same device; a CPU in float32."""
    return Device(device.torch_device, None) if device.torch_device.type == "cpu" else device


def training_device(model: nn.Module, device: Device) -> Device:
    """The device as `model` trains fastest on it: depthwise convolutions, MobileNetV2's, take half as long again in
    bfloat16 on a CPU as in float32."""
    convolutions = (part for part in model.modules() if isinstance(part, nn.Conv2d))
    depthwise = any(1 < part.groups == part.in_channels for part in convolutions)
    return precise(device) if depthwise else device


def choose_device(prefer: str = "auto") -> Device:
    """The device for "auto", "cuda" or "cpu", with bfloat16 where hardware multiplies it (GPU; CPUs with AMX or
    AVX-512 BF16, where a step of Im2Flow takes 0.6 of the time). Elsewhere it is emulated, so float32 stays.
    """
    if prefer == "cuda" and not torch.cuda.is_available():
        raise StillactError("device 'cuda': PyTorch sees no GPU here; set device to 'cpu' or 'auto'")
    if prefer == "cuda" or (prefer == "auto" and torch.cuda.is_available()):
        multiplies = torch.cuda.is_bf16_supported(including_emulation=False)
        return Device(torch.device("cuda"), torch.bfloat16 if multiplies else None)
    able = torch.cpu.get_capabilities()
    multiplies = torch.backends.mkldnn.is_available() and (able.get("amx_tile") or able.get("avx512_bf16"))
    return Device(torch.device("cpu"), torch.bfloat16 if multiplies else None)
