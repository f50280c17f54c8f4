"""The POF-SM domain, built: what a frame or a photograph becomes on its way to the classifier (Safaei and Foroosh,
arXiv 1705.04641, §III-A, Figs. 1 and 2). Chapter 03.

Kept are levels of flow and of the *whole* saliency map; Otsu's threshold is taken when images are read
(`pof_sm.thresholded`), so that the map without it needs no second pass over two million stills.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stillact_lib.papers.pof_sm import pof_sm
from stillact_lib.papers.pof_sm_flow import FlowPredictor, load_predictor
from stillact_lib.papers.pof_sm_settings import PofSmSettings
from stillact_lib.vision.self_resemblance import SelfResemblance
from stillact_lib.vision.still_shards import Squashed

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

    predictor names a kept flow network; flow is full at `full` pixels a frame of that network's input.
    """

    predictor: str
    side: int
    full: float
    feature_side: int
    surround_side: int | None
    steering_axes: str
    device: str

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        squashed = Squashed(self.side)(frames)  # as the RGB stills and the photographs are
        return self.of_images(torch.from_numpy(squashed).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()

    def of_images(self, images: Tensor) -> Tensor:
        """The same of images uint8 [N, 3, side, side]: uint8 [N, 3, side, side]."""
        predictor = load_predictor(self.predictor, self.device)
        saliency = SelfResemblance(
            feature_side=self.feature_side, surround_side=self.surround_side, steering_axes=self.steering_axes
        )
        mapped = []
        for some in images.split(AT_ONCE):
            maps = saliency.saliency(some.to(predictor.device.torch_device)).cpu()
            mapped.append(pof_sm(predictor(some), maps, self.full))
        return torch.cat(mapped)


def domain_map(predictor: FlowPredictor, full: float, settings: PofSmSettings) -> PofSm:
    """The map of this run, flow full at `full` pixels; the predictor is kept in the workspace."""
    return PofSm(
        predictor.save(),
        settings.stored_size,
        full,
        settings.feature_side,
        settings.surround_side or None,
        settings.steering_axes,
        settings.device,
    )


def mapping_threads() -> Executor:
    """An executor for `build_stills`: decoding runs in threads beside the network, which lives in this process."""
    return ThreadPoolExecutor(max_workers=4)
