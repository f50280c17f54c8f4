"""POF-SM: an image as the motion it promises and the places that stand out in it (Safaei and Foroosh, "Single Image
Action Recognition by Predicting Space-Time Saliency", arXiv:1705.04641, §III-A). Chapter 03.

The domain has three 8-bit channels: horizontal and vertical predicted flow, and the saliency map with everything below
Otsu's threshold set to 0. The paper gives neither scale nor order nor what becomes of long vectors; here flow is
clipped at `full` pixels a frame and rest is the middle level, so that a mirrored still has the mirrored flow exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stillact_lib.vision.flow_levels import HALF, REST, levels_of, mirrored_levels
from stillact_lib.vision.self_resemblance import above_otsu

#: channel of the horizontal flow, the one that a mirror negates
HORIZONTAL = 0


def encode_flow(flow: Tensor, full: float) -> Tensor:
    """Flow [N, 2, H, W] in pixels a frame to levels uint8: 128 at rest, 1 and 255 at `full` pixels and beyond."""
    return levels_of(flow, full).to(torch.uint8)


def decode_flow(levels: Tensor, full: float) -> Tensor:
    """The flow [N, 2, H, W] in pixels that levels stand for, within `full` / 254 of what was encoded."""
    return (levels.float() - REST) / HALF * full


def encode_saliency(maps: Tensor) -> Tensor:
    """Saliency [N, H, W] in [0, 1] to levels uint8 [N, 1, H, W]."""
    return (255 * maps[:, None]).round().to(torch.uint8)


def pof_sm(flow: Tensor, saliency: Tensor, full: float) -> Tensor:
    """The three channels uint8 [N, 3, H, W] of flow [N, 2, H, W] in pixels and saliency [N, H, W] in [0, 1]."""
    return torch.cat([encode_flow(flow, full), encode_saliency(saliency)], dim=1)


def thresholded(images: Tensor) -> Tensor:
    """POF-SM images uint8 [N, 3, H, W] with the saliency below each image's own Otsu threshold set to 0 (§III-A)."""
    cut = images.clone()
    cut[:, 2:] = encode_saliency(above_otsu(images[:, 2].float() / 255))
    return cut


def with_flow(images: Tensor, flow: Tensor, full: float) -> Tensor:
    """POF-SM images with another flow [N, 2, H, W], the videos' true one for instance."""
    return torch.cat([encode_flow(flow, full), images[:, 2:]], dim=1)


def mirrored(images: Tensor) -> Tensor:
    """POF-SM images uint8 [N, 3, H, W] of the mirrored stills: columns reversed, horizontal flow negated."""
    turned = images.flip(-1)
    turned[:, HORIZONTAL] = mirrored_levels(turned[:, HORIZONTAL])
    return turned


def without(images: Tensor, part: str) -> Tensor:
    """POF-SM images without their "flow" (everything at rest) or their "saliency" (nothing salient), for ablations."""
    left = images.clone()
    if part == "flow":
        left[:, :2] = REST
    else:
        left[:, 2] = 0
    return left
