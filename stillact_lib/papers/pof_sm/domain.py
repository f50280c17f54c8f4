"""POF-SM: an image as the motion it promises and the places that stand out in it (Safaei and Foroosh, "Single Image
Action Recognition by Predicting Space-Time Saliency", arXiv:1705.04641, §III-A, Figs. 1 and 2). Chapter 03.

The domain has three 8-bit channels: horizontal and vertical predicted flow, and the saliency map with everything below
Otsu's threshold set to 0. The paper gives neither scale nor order nor what becomes of long vectors; here flow is
clipped at `full` pixels a frame and rest is the middle level, so that a mirrored still has the mirrored flow exactly.
Kept are levels of flow and of the *whole* saliency map; Otsu's threshold is taken when images are read (`thresholded`),
so that the map without it needs no second pass over two million stills.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import InitVar, dataclass, field

import cv2
import numpy as np
import torch
from torch import Tensor

from stillact_lib.papers.pof_sm.flow import FlowPredictor
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.vision.flow_levels import REST, levels_of, mirrored_levels
from stillact_lib.vision.self_resemblance import SelfResemblance
from stillact_lib.vision.still_shards import Squashed

#: channel of the horizontal flow, the one that a mirror negates
HORIZONTAL = 0


def encode_flow(flow: Tensor, full: float) -> Tensor:
    """Flow [N, 2, H, W] in pixels a frame to levels uint8: 128 at rest, 1 and 255 at `full` pixels and beyond."""
    return levels_of(flow, full).to(torch.uint8)


def encode_saliency(maps: Tensor) -> Tensor:
    """Saliency [N, H, W] in [0, 1] to levels uint8 [N, 1, H, W]."""
    return (255 * maps[:, None]).round().to(torch.uint8)


def pof_sm(flow: Tensor, saliency: Tensor, full: float) -> Tensor:
    """The three channels uint8 [N, 3, H, W] of flow [N, 2, H, W] in pixels and saliency [N, H, W] in [0, 1]."""
    return torch.cat([encode_flow(flow, full), encode_saliency(saliency)], dim=1)


def thresholded(images: Tensor) -> Tensor:
    """POF-SM images uint8 [N, 3, H, W] with the saliency below each image's own Otsu threshold set to 0 (§III-A)."""
    cut = images.clone()
    above = [cv2.threshold(level, 0, 255, cv2.THRESH_TOZERO | cv2.THRESH_OTSU)[1] for level in images[:, 2].numpy()]
    cut[:, 2] = torch.from_numpy(np.stack(above))
    return cut


def with_flow(images: Tensor, levels: Tensor) -> Tensor:
    """POF-SM images with other levels of flow uint8 [N, 2, H, W], of the videos' true one for instance."""
    return torch.cat([levels, images[:, 2:]], dim=1)


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


#: photographs mapped together
AT_ONCE = 64


def saliency_of(settings: PofSmSettings) -> SelfResemblance:
    """Self-resemblance as this run computes it."""
    return SelfResemblance(
        feature_side=settings.feature_side,
        surround_side=settings.surround_side or None,
        steering_axes=settings.steering_axes,
    )


@dataclass(frozen=True)
class PofSm:
    """Frames to POF-SM images, uint8 [N, side, side, 3]: u, v, and saliency before its threshold.

    predictor: what predicts the flow, named by the digest `flow`; full: pixels a frame of its input that are full flow.
    """

    predictor: InitVar[FlowPredictor]
    side: int
    full: float
    saliency: SelfResemblance
    flow: str = field(init=False)

    def __post_init__(self, predictor: FlowPredictor) -> None:
        object.__setattr__(self, "flow", predictor.digest())
        object.__setattr__(self, "_predictor", predictor)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        squashed = Squashed(self.side)(frames)  # as the RGB stills and the photographs are
        return self.of_images(torch.from_numpy(squashed).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()

    def of_images(self, images: Tensor) -> Tensor:
        """The same of images uint8 [N, 3, side, side]: uint8 [N, 3, side, side]."""
        mapped = []
        for some in images.split(AT_ONCE):
            maps = self.saliency.saliency(some.to(self._predictor.device.torch_device)).cpu()
            mapped.append(pof_sm(self._predictor(some), maps, self.full))
        return torch.cat(mapped)


def mapping_threads() -> Executor:
    """An executor for `build_stills`: decoding runs in threads beside the network, which lives in this process."""
    return ThreadPoolExecutor(max_workers=4)
