"""FCN-8s: shapes, parameter counts, where it begins, and how fast what learns."""

import pytest
import torch
from torch.nn import functional as F

from stillact_lib.networks.fcn8s import IGNORED, FCN8s, segmentation_loss
from stillact_lib.networks.mobile import mobile_network
from stillact_lib.networks.vgg import Vgg


def test_parameters_are_those_of_vgg_16_as_convolutions():
    with torch.device("meta"):
        network = FCN8s(Vgg.full(1), 8)
    counts = {name: sum(p.numel() for p in getattr(network, name).parameters()) for name in ("head", "score")}
    assert counts == {"head": 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096, "score": 4096 * 8 + 8}
    convolutions = sum(
        p.numel() for name in ("to_pool3", "to_pool4", "to_pool5") for p in getattr(network, name).parameters()
    )
    assert convolutions == 14_714_688  # VGG-16 (Simonyan and Zisserman), all thirteen
    skips = sum(p.numel() for name in ("skip4", "skip3") for p in getattr(network, name).parameters())
    assert skips == (512 + 256 + 2) * 8


@pytest.mark.parametrize("size", [(64, 96), (128, 128)])
def test_scores_are_as_large_as_the_image_and_begin_at_zero(size):
    torch.manual_seed(0)
    network = FCN8s(Vgg.compact(1), 5)
    scores = network(torch.randn(2, 3, *size))
    assert scores.shape == (2, 5, *size) and (scores == 0).all()


def test_every_layer_learns_once_the_scores_leave_zero():
    torch.manual_seed(0)
    network = FCN8s(Vgg.compact(1), 3)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    images, labels = torch.randn(4, 3, 32, 32), torch.randint(3, (4, 32, 32))
    for _ in range(2):
        optimiser.zero_grad()
        segmentation_loss(network(images), labels).backward()
        optimiser.step()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(("name", "skips"), [("mobilenet_v2", (96, 32)), ("efficientnet_lite0", (112, 40))])
def test_a_mobile_network_serves_too(name, skips):
    torch.manual_seed(0)
    mobile = mobile_network(name).eval()
    network = FCN8s(mobile, 5).eval()
    assert (network.skip4.in_channels, network.skip3.in_channels) == skips
    images = torch.rand(1, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        pool5 = network.to_pool5(network.to_pool4(network.to_pool3(network.normalise(images))))
        torch.testing.assert_close(network.head(pool5), mobile.maps(images))
        network.score.weight.normal_()
        assert network(images).shape == (1, 5, 64, 96) and network(images).std() > 0
    assert not {id(p) for p in network.parameters()} & {id(p) for p in mobile.parameters()}, "a copy"


def test_the_loss_is_the_mean_over_labelled_pixels():
    scores, labels = torch.randn(2, 3, 4, 4), torch.randint(3, (2, 4, 4))
    plain = F.cross_entropy(scores[:1], labels[:1])
    labels[1] = IGNORED
    assert segmentation_loss(scores, labels) == pytest.approx(plain.item())


def test_skips_learn_more_slowly():
    network = FCN8s(Vgg.compact(1), 3)
    groups = network.parameter_groups(1e-4)
    assert [group["lr"] for group in groups] == pytest.approx([1e-4, 1e-5, 1e-6])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_it_begins_with_the_convolutions_and_fc6_of_its_vgg():
    """The head's first convolution, in the middle of maps as large as VGG's own, gives fc6."""
    torch.manual_seed(0)
    vgg = Vgg.compact(4).eval()
    network = FCN8s(vgg, 3).eval()
    images = torch.randn(2, 3, vgg.image_size, vgg.image_size)
    with torch.inference_mode():
        maps = network.to_pool5(network.to_pool4(network.to_pool3(images)))
        assert torch.allclose(network.head[:2](maps)[:, :, 1, 1], vgg.descriptor(images), atol=1e-5)
    network.head[0].weight.data.zero_()
    assert vgg.hidden[0].weight.abs().sum() > 0  # a copy
