"""The training regimes of Safaei and Foroosh's Table I: from scratch, fine-tuning all layers, fine-tuning the top five.

III.B and IV.A: a base learning rate of 0.001 and a step of 70,000 iterations; the new FC8 is trained from scratch
"with a higher learning rate"; "freezing the first three convolutional layers and fine-tuning the rest". Open in the
paper, and chosen: momentum .9 and weight decay .0005 (Krizhevsky, Sutskever, Hinton, 2012); a step divides the rate by
ten, and FC8 learns ten times as fast as what is fine-tuned (habits of Caffe's examples, whose terms the paper uses).

They serve any AlexNet of five convolutions and three linear layers, the last of them `classifier[-1]`: `LRNAlexNet`,
and torchvision's as `ImageNetAlexNet`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from stillact_lib.errors import StillactError

LAYERS = ("C1", "C2", "C3", "C4", "C5", "FC6", "FC7", "FC8")
BASE_RATE, STEP, DROP = 1e-3, 70_000, 0.1
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4
FASTER = 10.0  # FC8 against what is fine-tuned

AlexNet = TypeVar("AlexNet", bound=nn.Module)


@dataclass(frozen=True)
class Regime:
    """What a run starts from and which layers stay as they are; a scratch run has one rate for all its layers."""

    pretrained: bool
    frozen: tuple[str, ...] = ()


REGIMES = {
    "scratch": Regime(pretrained=False),
    "fine-tune all": Regime(pretrained=True),
    "fine-tune top five": Regime(pretrained=True, frozen=("C1", "C2", "C3")),
}


def regime_called(name: str) -> Regime:
    """The regime of that name. Raises StillactError where there is none."""
    if name not in REGIMES:
        raise StillactError(f"regime {name!r}: there is none; there are: {', '.join(REGIMES)}")
    return REGIMES[name]


def weighted_layers(network: nn.Module) -> dict[str, nn.Module]:
    """C1 to C5 and FC6 to FC8 of an AlexNet. Raises StillactError for a network with other layers that learn."""
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    known = {id(p) for layer in (*convolutions, *linear) for p in layer.parameters()}
    others = [name for name, p in network.named_parameters() if id(p) not in known]
    if (len(convolutions), len(linear)) != (5, 3) or others:
        found = f"{len(convolutions)} convolutions, {len(linear)} linear layers, {len(others)} other parameters"
        raise StillactError(
            f"{type(network).__name__}: the regimes are for five convolutions and three linear layers, not {found}"
        )
    return dict(zip(LAYERS, (*convolutions, *linear), strict=True))


def with_new_fc8(network: AlexNet, num_classes: int) -> AlexNet:
    """A copy of a pre-trained network whose FC8 is new, for `num_classes` (III.B): weights N(0, .01), biases 0."""
    adapted = deepcopy(network)
    old = weighted_layers(adapted)["FC8"]
    new = nn.Linear(old.in_features, num_classes)
    nn.init.normal_(new.weight, std=0.01)
    nn.init.zeros_(new.bias)
    adapted.classifier[-1] = new.to(old.weight)
    return adapted


def parameter_groups(network: nn.Module, regime: str, rate: float = BASE_RATE) -> list[dict[str, object]]:
    """The optimiser's groups under a regime: what learns at `rate`, then FC8 at its own; frozen layers are in none.

    Frozen layers also stop asking for gradients, the others ask for them again.
    """
    chosen, layers = regime_called(regime), weighted_layers(network)
    for name, layer in layers.items():
        layer.requires_grad_(name not in chosen.frozen)
    body = [p for name, layer in layers.items() if name not in (*chosen.frozen, "FC8") for p in layer.parameters()]
    factor = FASTER if chosen.pretrained else 1.0
    return [{"params": body, "lr": rate}, {"params": list(layers["FC8"].parameters()), "lr": factor * rate}]


def optimiser_for(network: nn.Module, regime: str, rate: float = BASE_RATE) -> torch.optim.SGD:
    """Stochastic gradient descent over `parameter_groups`, with momentum and weight decay."""
    return torch.optim.SGD(parameter_groups(network, regime, rate), rate, MOMENTUM, weight_decay=WEIGHT_DECAY)


def step_schedule(step: int = STEP) -> Callable[[int], float]:
    """Learning-rate factor for `training.train`: 1 at first, a tenth of what it was after every `step` iterations."""
    return lambda iteration: DROP ** (iteration // step)
