"""MobileNetV2 and EfficientNet-Lite0: their wiring beside the libraries' own, their inputs, and that what they learnt
from ImageNet is really in them."""

from typing import get_args

import numpy as np
import pytest
import timm
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image
from sklearn.datasets import load_sample_image
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2
from trained_weights import needs_weights

from stillact_lib.networks.mobile import WEIGHTS, MobileName, mobile_network
from stillact_lib.vision.images import as_network_input

of_both = pytest.mark.parametrize("name", get_args(MobileName))
MOBILENET = MobileNet_V2_Weights.IMAGENET1K_V1


def own_network(name: MobileName) -> torch.nn.Module:
    return mobilenet_v2() if name == "mobilenet_v2" else timm.create_model("tf_efficientnet_lite0")


def own_transform(name: MobileName):
    """From a PIL image to what the library's weights take: resized to 256 px, its middle 224, normalised."""
    if name == "mobilenet_v2":
        return MOBILENET.transforms()
    wanted = timm.data.resolve_data_config({}, model=own_network(name))
    return timm.data.create_transform(**wanted)


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def shown(photograph: np.ndarray) -> torch.Tensor:
    """A photograph uint8 [H, W, 3] as a chapter shows it to a network: [1, 3, H, W] in [-1, 1]."""
    return as_network_input(torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None])


@of_both
def test_inputs_are_normalised_as_the_library_does(name):
    """256 px are not resized, so that all but the crop and the normalisation is nothing."""
    photograph = noise(256)
    ours = mobile_network(name).stem[0](shown(photograph[16:-16, 16:-16]))
    theirs = own_transform(name)(Image.fromarray(photograph))[None]
    assert theirs.std() > 0.5
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@of_both
@torch.inference_mode()
def test_scores_are_those_of_the_library_s_network(name):
    torch.manual_seed(0)
    ours = mobile_network(name).eval()
    torch.manual_seed(0)
    theirs = own_network(name).eval()
    photograph = noise(256)
    wanted = theirs(own_transform(name)(Image.fromarray(photograph))[None])
    assert wanted.std() > 0
    torch.testing.assert_close(ours(shown(photograph[16:-16, 16:-16])), wanted)


@of_both
@pytest.mark.parametrize(("side", "cells"), [(224, 7), (128, 4), (448, 14)])
def test_maps_and_vector(name, side, cells):
    with torch.device("meta"):
        network = mobile_network(name, num_classes=9)
        images = torch.empty(2, 3, side, side)
        assert network.maps(images).shape == (2, network.channels, cells, cells) == (2, 1280, cells, cells)
        assert network.descriptor(images).shape == (2, 1280)
        assert network(images).shape == (2, 9)


@of_both
def test_stages_halve_the_size_and_make_up_the_maps(name):
    torch.manual_seed(0)
    network = mobile_network(name).eval()
    images = torch.rand(1, 3, 96, 96) * 2 - 1
    sides, maps = [], network.normalise(images)
    with torch.no_grad():
        for stage in network.stages:
            maps = stage(maps)
            sides.append(maps.shape[-1])
        assert sides == [48, 24, 12, 6, 3]
        assert torch.equal(network.last_block[1:](maps), network.maps(images))


@of_both
def test_what_is_frozen_stays_as_it_is_while_the_rest_learns(name):
    """Its batch normalisation too, which would follow the images that it is shown."""
    torch.manual_seed(0)
    network = mobile_network(name, num_classes=2)
    network.stem.requires_grad_(False)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network.train()(torch.rand(4, 3, 64, 64)).square().mean().backward()
    optimiser.step()
    moved = {key.split(".")[0] for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == {"last_block", "classifier"}
    assert any("running_mean" in key for key in before if key.startswith("stem"))
    network.stem.requires_grad_(True)
    assert all(layer.training for layer in network.train().modules())


@of_both
def test_maps_share_the_weights_of_the_network(name):
    network = mobile_network(name)
    in_maps = {id(p) for p in network.maps.parameters()}
    assert {id(p) for p in network.parameters()} - in_maps == {id(p) for p in network.classifier.parameters()}


@of_both
def test_weights_are_loaded_whole_or_not_at_all(name, monkeypatch):
    tensors = own_network(name).state_dict()
    monkeypatch.setattr(type(WEIGHTS[name]), "load", lambda _: tensors)
    network = mobile_network(name, imagenet=True)
    torch.testing.assert_close(network.stem[1].weight, next(iter(tensors.values())))
    tensors.popitem()
    with pytest.raises((RuntimeError, ValueError)):
        mobile_network(name, imagenet=True)


@needs_weights
@of_both
@pytest.mark.parametrize(
    ("picture", "thing"),
    [
        (lambda: load_sample_image("china.jpg"), "palace"),
        (lambda: np.asarray(Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False))), "military uniform"),
    ],
)
@torch.inference_mode()
def test_photographs_are_named(name, picture, thing):
    """The Summer Palace, which comes with scikit-learn, and Admiral Hopper, who comes with matplotlib."""
    photograph = Image.fromarray(picture())
    edge = min(photograph.size)
    left, top = ((length - edge) // 2 for length in photograph.size)
    seen = photograph.crop((left, top, left + edge, top + edge)).resize((224, 224), Image.Resampling.BICUBIC)
    scores = mobile_network(name, imagenet=True).eval()(shown(np.asarray(seen)))
    assert MOBILENET.meta["categories"][int(scores.argmax())] == thing
