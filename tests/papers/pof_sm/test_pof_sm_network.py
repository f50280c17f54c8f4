"""Chapter 03's network against hand arithmetic and Krizhevsky's formula; its training regimes: what moves, how fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from stillact_lib.errors import StillactError
from stillact_lib.networks.alexnet import BNAlexNet, ImageNetAlexNet
from stillact_lib.networks.lrn_alexnet import LocalResponseNorm, LRNAlexNet
from stillact_lib.networks.mobile import mobile_network
from stillact_lib.papers.pof_sm.recognition import (
    LAYERS,
    REGIMES,
    optimiser_for,
    parameter_groups,
    step_schedule,
    weighted_layers,
    with_new_fc8,
)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def small(classes: int = 5, width: int = 4) -> LRNAlexNet:
    torch.manual_seed(0)
    return LRNAlexNet.compact(classes, image_size=32, width=width, hidden=16)


def test_the_full_network_is_the_paper_s_list() -> None:
    with torch.device("meta"):
        net = LRNAlexNet.full(1000)
        image = torch.empty(2, 3, 227, 227)
        assert net.fc6(image).shape == net.fc7(image).shape == (2, 4096) and net(image).shape == (2, 1000)
        sides, x = [], image
        for layer in net.features:
            x = layer(x)
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
                sides.append(tuple(x.shape[1:]))
    assert sides == [
        *((96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13)),
        *((384, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)),
    ]
    kinds = [type(m) for m in (*net.features, *net.classifier)]
    conv, act, lrn, pool, fc = nn.Conv2d, nn.ReLU, LocalResponseNorm, nn.MaxPool2d, nn.Linear
    block, hidden = [conv, act, lrn, pool], [fc, act, nn.Dropout]
    assert kinds == [*block, *block, conv, act, conv, act, *block, nn.Flatten, *hidden, *hidden, fc]


def test_parameters_layer_by_layer() -> None:
    """Outputs times (inputs of one group times kernel area, and a bias)."""
    with torch.device("meta"):
        layers = weighted_layers(LRNAlexNet.full(1000))
        for_ucf101 = LRNAlexNet.full(101)
    by_hand = {
        "C1": 96 * (3 * 11 * 11 + 1),
        "C2": 256 * (48 * 5 * 5 + 1),
        "C3": 384 * (256 * 3 * 3 + 1),
        "C4": 384 * (192 * 3 * 3 + 1),
        "C5": 256 * (192 * 3 * 3 + 1),
        "FC6": 4096 * (256 * 6 * 6 + 1),
        "FC7": 4096 * (4096 + 1),
        "FC8": 1000 * (4096 + 1),
    }
    assert {name: count(layer) for name, layer in layers.items()} == by_hand
    assert sum(by_hand.values()) == 60_965_224, "over 60 million"
    assert count(for_ucf101) == 60_965_224 - (1000 - 101) * 4097 == 57_282_021
    without_groups = 256 * 48 * 25 + 384 * 192 * 9 + 256 * 192 * 9
    assert 60_965_224 + without_groups == 62_378_344, "which is over 60 million too"


def test_normalisation_is_krizhevsky_s() -> None:
    """b_i = a_i / (2 + 1e-4 * sum of a_j ** 2 over i - 2 ... i + 2) ** .75."""
    (normalise, *_) = (m for m in small(width=8).features if isinstance(m, LocalResponseNorm))
    a = 100 * torch.rand(1, 8, 2, 2, dtype=torch.float64)
    wanted = torch.empty_like(a)
    for i in range(8):
        around = a[:, max(0, i - 2) : i + 3]
        wanted[:, i] = a[:, i] / (2 + 1e-4 * (around**2).sum(1)) ** 0.75
    assert torch.allclose(normalise(a), wanted, rtol=1e-10)
    library = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)  # torch divides alpha by the 5 channels
    assert torch.allclose(normalise(a), library(a), rtol=1e-10)


@pytest.mark.parametrize("size", [32, 64, 72])
def test_the_compact_sister_keeps_the_sequence(size: int) -> None:
    net = LRNAlexNet.compact(7, image_size=size, width=4, hidden=16).eval()
    with torch.device("meta"):
        full = LRNAlexNet.full(7)
    assert [type(m) for m in net.modules()] == [type(m) for m in full.modules()]
    image = torch.rand(2, 3, size, size) * 2 - 1
    assert net(image).shape == (2, 7) and net.fc6(image).shape == net.fc7(image).shape == (2, 16)
    assert torch.allclose(net.classifier[-1](net.fc7(image)), net(image)), "FC7 is what FC8 reads"
    assert net.fc6(image).min() >= 0 and net(image).abs().max() < 30, "no score starts out certain"


def test_the_full_network_starts_as_krizhevsky_s() -> None:
    torch.manual_seed(0)
    layers = weighted_layers(LRNAlexNet.full(2))
    assert [layer.bias[0].item() for layer in layers.values()] == [0, 1, 0, 1, 1, 1, 1, 0]
    for name in ("C1", "C2", "C5", "FC8"):
        assert layers[name].weight.std().item() == pytest.approx(0.01, rel=0.05)


def steps_of(net: nn.Module, regime: str, steps: int = 3) -> dict[str, bool]:
    """Trains a few steps and says which layers stayed as they were, bit for bit."""
    before = {name: [p.clone() for p in layer.parameters()] for name, layer in weighted_layers(net).items()}
    optimiser = optimiser_for(net, regime, rate=0.01)
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        image = torch.rand(8, 3, 32, 32, generator=generator) * 2 - 1
        loss = nn.functional.cross_entropy(net.train()(image), torch.arange(8) % 5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = weighted_layers(net)
    return {
        name: all(torch.equal(a, b) for a, b in zip(was, after[name].parameters(), strict=True))
        for name, was in before.items()
    }


@pytest.mark.parametrize("regime", REGIMES)
def test_a_mobile_network_s_stages_stand_for_the_convolutions(regime: str) -> None:
    net = mobile_network("efficientnet_lite0", 5)
    unmoved = steps_of(net, regime, steps=1)
    assert list(unmoved) == [name for name in LAYERS if name != "FC7"]
    assert tuple(name for name, same in unmoved.items() if same) == REGIMES[regime].frozen
    assert sum(count(layer) for layer in weighted_layers(net).values()) == count(net), "nothing is left out"


@pytest.mark.parametrize("regime", REGIMES)
def test_frozen_layers_do_not_move_and_the_others_do(regime: str) -> None:
    unmoved = steps_of(small(), regime)
    assert tuple(name for name in LAYERS if unmoved[name]) == REGIMES[regime].frozen


def test_a_layer_that_was_frozen_learns_again_under_another_regime() -> None:
    net = small()
    steps_of(net, "fine-tune top five")
    assert not any(steps_of(net, "fine-tune all").values())


def test_rates() -> None:
    for regime, factor in (("scratch", 1), ("fine-tune all", 10), ("fine-tune top five", 10)):
        net = small()
        body, fc8 = parameter_groups(net, regime)
        assert (body["lr"], fc8["lr"]) == (0.001, pytest.approx(0.001 * factor))
        assert [p.shape for p in fc8["params"]] == [(5, 16), (5,)]
        learning = {id(p) for p in net.parameters() if p.requires_grad}
        assert {id(p) for group in (body, fc8) for p in group["params"]} == learning
        assert len(body["params"]) == 2 * (7 - len(REGIMES[regime].frozen))
    optimiser = optimiser_for(small(), "scratch")
    assert optimiser.defaults["momentum"] == 0.9 and optimiser.defaults["weight_decay"] == 5e-4
    factor = step_schedule()
    assert [factor(i) for i in (0, 69_999, 70_000, 140_000)] == pytest.approx([1, 1, 0.1, 0.01])


def test_a_new_fc8_leaves_the_rest_and_the_original_as_they_were() -> None:
    net = small(34).eval()
    adapted = with_new_fc8(net, 101).eval()
    image = torch.rand(2, 3, 32, 32)
    assert adapted(image).shape == (2, 101) and net(image).shape == (2, 34)
    assert torch.equal(adapted.fc7(image), net.fc7(image))
    nn.init.zeros_(adapted.features[0].weight)
    assert net.features[0].weight.abs().min() > 0, "a copy"


def test_other_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's AlexNet serves, as the declared deviation; one with batch normalisation does not."""
    from torchvision.models import alexnet

    from stillact_lib.networks import alexnet as module

    monkeypatch.setattr(module, "with_imagenet_weights", lambda build, _weights: build(weights=None))
    assert module.alexnet is alexnet
    with torch.device("meta"):
        net = ImageNetAlexNet(1000)
        layers = weighted_layers(net)
        image = torch.empty(2, 3, 224, 224)
        assert net.fc6(image).shape == net.fc7(image).shape == (2, 4096) and net(image).shape == (2, 1000)
        body, _ = parameter_groups(net, "fine-tune top five")
    assert [layers[f"C{n}"].out_channels for n in range(1, 6)] == [64, 192, 384, 256, 256]
    assert sum(p.numel() for p in body["params"]) == sum(count(layers[n]) for n in ("C4", "C5", "FC6", "FC7"))
    with pytest.raises(StillactError, match="BNAlexNet: the regimes are for five convolutions"):
        weighted_layers(BNAlexNet.compact(5, image_size=32, width=4, hidden=8))
