"""ImageNet weights by torchvision's own loaders, with an error that says what to do where they cannot be had; and the
inputs that they are used to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from stillact_lib.errors import StillactError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class AsImageNet(nn.Module):
    """[-1, 1] to torchvision's normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return ((image + 1) / 2 - self.mean) / self.std


def with_imagenet_weights(build: Callable[..., nn.Module], weights: WeightsEnum) -> nn.Module:
    """`build(weights=weights)`, torchvision's way. Raises StillactError where they are neither cached nor reachable,
    and, naming the file, where what is cached is cut or something else, a page of HTML for instance."""
    try:
        return build(weights=weights)
    except (RuntimeError, UnpicklingError, EOFError, KeyError) as error:  # what torch.load stumbles over
        path = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
        raise StillactError(f"{path}: cut, or no weights of {build.__name__}; delete it and fetch it again") from error
    except OSError as error:  # URLError and its kin: no network, no cached file
        raise StillactError(
            f"torchvision's weights for {build.__name__} are neither cached nor reachable; run once with a network, "
            f"or do without pre-trained weights ({type(error).__name__})"
        ) from error
