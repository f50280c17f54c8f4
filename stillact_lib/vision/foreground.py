"""Foreground of a real photograph or frame, by a published segmenter.

Im2Flow's FG columns use "pixel objectness" (a DeepLab-v1 model, patent-pending; retraining does not give its release
again). Any object segmenter is a declared substitute; ours is torchvision's DeepLabV3 with its VOC labels.
On the miniature the foreground is known and this module is not used.
"""

from __future__ import annotations

from pickle import UnpicklingError

import numpy as np
import torch

from stillact_lib.errors import StillactError
from stillact_lib.paths import rehearsal_steps


def segment_foreground(images: torch.Tensor, device: torch.device, batch_size: int = 8) -> np.ndarray:
    """Pixels that DeepLabV3 gives to any of VOC's 20 object classes: uint8 [N, 3, S, S] -> bool [N, S, S].

    Raises `StillactError` where torchvision's weights are neither cached nor to be downloaded; a rehearsal does
    without.
    """
    from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights, deeplabv3_resnet50

    weights = DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1
    try:
        network = deeplabv3_resnet50(weights=weights)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        if not rehearsal_steps():
            raise StillactError(
                f"foreground: DeepLabV3's weights, {weights.url.rpartition('/')[2]}, are not whole in torchvision's "
                f"cache and cannot be downloaded ({type(error).__name__}); delete what is there and run once with a "
                "network"
            ) from error
        network = deeplabv3_resnet50(weights=None, weights_backbone=None)
    network = network.eval().to(device)
    mean, std = (torch.tensor(weights.transforms().__dict__[name])[:, None, None] for name in ("mean", "std"))
    masks = []
    with torch.inference_mode():
        for batch in images.split(batch_size):
            classes = network(((batch / 255 - mean) / std).to(device))["out"].argmax(1)
            masks.append((classes > 0).cpu().numpy())
    return np.concatenate(masks)
