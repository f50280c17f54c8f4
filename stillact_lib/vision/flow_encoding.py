"""Optical flow as a three-channel image (Im2Flow §3.1, Eq. 1), its inverse, and the encodings it is compared with.

All functions are torch, batched and differentiable: flow float [B, 2, H, W], (u, v) in pixels; encoded images
[B, 3, H, W] in [-1, 1], the range of a tanh output. The released code stores (sin, cos, M) as 8-bit channels with
M = 255 at 30 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

EncodingName = Literal["sin_cos_magnitude", "u_v_magnitude", "u_v_zero"]


@dataclass(frozen=True)
class FlowEncoding:
    """An invertible map between flow and a three-channel image in [-1, 1].

    name:
        "sin_cos_magnitude" is the paper's: F1 = v/M, F2 = u/M, F3 = M; "u_v_magnitude" and "u_v_zero" are the
        alternatives that §3.1 names.
    max_magnitude:
        pixels at which F3 reaches 1 (30 in the released code at 256 px). Faster flow keeps its direction and is cut
        to this length.

    Where M = 0 the angle is undefined; both of its channels are 0, the middle of their range.
    """

    name: EncodingName = "sin_cos_magnitude"
    max_magnitude: float = 30.0

    #: channels whose sign a mirror image turns: the horizontal one
    @property
    def mirrored_channel(self) -> int:
        return 1 if self.name == "sin_cos_magnitude" else 0

    def encode(self, flow: torch.Tensor) -> torch.Tensor:
        """Flow [B, 2, H, W] in pixels -> image [B, 3, H, W] in [-1, 1]."""
        magnitude = flow.square().sum(1, keepdim=True).sqrt()  # a norm over two strided channels is ten times slower
        direction = flow / magnitude.clamp_min(1e-12)  # (u, v) / M; 0 where M = 0
        magnitude = magnitude.clamp_max(self.max_magnitude) / self.max_magnitude
        if self.name == "sin_cos_magnitude":
            return torch.cat([direction.flip(1), 2 * magnitude - 1], dim=1)
        third = 2 * magnitude - 1 if self.name == "u_v_magnitude" else torch.zeros_like(magnitude)
        return torch.cat([direction * magnitude, third], dim=1)

    def decode(self, image: torch.Tensor, unit_direction: bool = False) -> torch.Tensor:
        """Image [B, 3, H, W] -> flow [B, 2, H, W] in pixels; the exact inverse of `encode` up to `max_magnitude`.

        A *predicted* direction is rarely of unit length: where the net is unsure, opposite directions cancel and it
        shrinks. By default the shrunken length is kept (u = M cos, v = M sin as predicted), which shortens uncertain
        flow; `unit_direction=True` first stretches it to length 1.
        """
        if self.name != "sin_cos_magnitude":
            return image[:, :2] * self.max_magnitude
        direction = image[:, :2].flip(1)
        if unit_direction:
            direction = direction / direction.norm(dim=1, keepdim=True).clamp_min(1e-6)
        return direction * (image[:, 2:] + 1) * (self.max_magnitude / 2)

    def mirror(self, image: torch.Tensor) -> torch.Tensor:
        """The encoded flow of the mirrored scene: columns reversed, the horizontal channel negated, no other."""
        mirrored = image.flip(-1).clone()
        mirrored[:, self.mirrored_channel] *= -1
        return mirrored

    def magnitude(self, image: torch.Tensor) -> torch.Tensor:
        """Relative magnitude [B, 1, H, W] in [0, 1] of an encoded flow."""
        if self.name == "u_v_zero":
            return image[:, :2].norm(dim=1, keepdim=True)
        return (image[:, 2:] + 1) / 2


def mirror_flow(flow: torch.Tensor) -> torch.Tensor:
    """Flow [B, 2, H, W] of the mirrored scene: columns reversed and u negated."""
    return flow.flip(-1) * flow.new_tensor([-1.0, 1.0])[:, None, None]


def to_eight_bit(image: torch.Tensor) -> torch.Tensor:
    """Encoded image in [-1, 1] -> uint8 in [0, 255], as the released code stores it (.118 px a step at 30 px)."""
    return ((image.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def from_eight_bit(image: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_eight_bit`, exact to half a step."""
    return image.float() / 127.5 - 1


def flow_colours(flow: torch.Tensor, max_magnitude: float) -> torch.Tensor:
    """Flow [B, 2, H, W] as Middlebury colours, uint8 [B, 3, H, W]: hue is direction, saturation is speed.

    torchvision scales colours by the fastest pixel of a batch, so a reference pixel of `max_magnitude` joins the batch
    and pictures made in different calls can be compared; faster flow is drawn as `max_magnitude`.
    """
    from torchvision.utils import flow_to_image

    flow = flow.float().cpu()
    too_fast = flow.norm(dim=1, keepdim=True).clamp_min(1e-12) / max_magnitude
    reference = torch.zeros_like(flow[:1])
    reference[:, 0] = max_magnitude
    return flow_to_image(torch.cat([flow / too_fast.clamp_min(1), reference]))[:-1]
