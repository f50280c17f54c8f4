"""Trained networks beside their records: small enough for the repository, so that pages draw from them and evidence can
be scored again without the long run.

Weights are kept in half precision (float16: eleven bits, where bfloat16 has eight), vectors such as biases and what
batch normalisation counts as they are: they are few, and scores hang on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import safe_open
from torch import nn

from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import RunRecord

#: profiles whose networks are kept
KEPT_PROFILES = ("study", "real")
#: largest file of networks beside a record, and all of book/results together: a world of chapter 04's recognition takes
#: 8, mostly class scores
FILE_MIB, RESULTS_MIB = 2.0, 100.0

Network = TypeVar("Network", bound=nn.Module)


def as_kept(name: str, network: nn.Module) -> dict[str, np.ndarray]:
    """A network's state as it is kept, each tensor under `name/` and its own name."""
    return {f"{name}/{key}": _halved(value).contiguous().numpy() for key, value in network.state_dict().items()}


def _halved(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu()
    if value.ndim < 2 or value.dtype not in (torch.float32, torch.float64):
        return value
    half = value.half()
    return half if half.isfinite().all() else value.float()


def load_network(record: RunRecord, name: str, into: Network) -> Network:
    """`into`, a network of the right layers, with the weights that `record` kept under `name`; in evaluation mode.

    Raises StillactError where the record keeps none of that name, or one of other layers.
    """
    path = (record._folder or Path()) / Path(record.networks_file or "").name
    if record.networks_file is None or not path.is_file():
        raise StillactError(f"{record.run_id}: keeps no networks; run it again in one of {', '.join(KEPT_PROFILES)}")
    with safe_open(path, framework="pt") as kept:
        names = sorted({key.partition("/")[0] for key in kept.keys()})  # noqa: SIM118 (no mapping)
        own = [key for key in kept.keys() if key.partition("/")[0] == name]  # noqa: SIM118
        state = {key.partition("/")[2]: kept.get_tensor(key) for key in own}
    if not state:
        raise StillactError(f"{path.name}: no network {name!r}; it holds {', '.join(names)}")
    try:
        into.load_state_dict(state)
    except RuntimeError as error:
        raise StillactError(
            f"{path.name}: {name!r} has other layers than {type(into).__name__} ({str(error).splitlines()[-1].strip()})"
        ) from None
    return into.eval()
