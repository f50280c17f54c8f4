"""LGA's backbones: the sizes of their maps, their parameters, what is refused."""

import pytest
import torch

from stillact_lib.errors import StillactError
from stillact_lib.networks import guided_backbones
from stillact_lib.networks.guided_backbones import InceptionResidual, backbone


@pytest.mark.parametrize(
    ("name", "side", "shape"),
    [
        ("resnet50", 448, (2048, 14, 14)),
        ("resnet101", 448, (2048, 14, 14)),
        ("inception_resnet_v2", 448, (1536, 12, 12)),
        ("inception_resnet_v2", 299, (1536, 8, 8)),
        ("inception_resnet_v2", 491, (1536, 14, 14)),
        ("mobilenet_v2", 448, (1280, 14, 14)),
        ("efficientnet_lite0", 448, (1280, 14, 14)),
        ("compact_resnet", 48, (64, 6, 6)),
        ("compact_inception", 48, (64, 6, 6)),
        ("compact_local", 64, (64, 16, 16)),
    ],
)
def test_sizes_of_the_maps(name, side, shape):
    with torch.device("meta"):
        maps, channels = backbone(name)
        assert maps.eval()(torch.empty(1, 3, side, side)).shape[1:] == shape
    assert channels == shape[0]


def test_parameters_are_the_full_networks_without_their_classifier():
    counts = {}
    with torch.device("meta"):
        for name in ("resnet50", "resnet101", "inception_resnet_v2"):
            counts[name] = sum(p.numel() for p in backbone(name).maps.parameters())
    assert counts["resnet50"] == 25_557_032 - 2048 * 1000 - 1000
    assert counts["resnet101"] == 44_549_160 - 2048 * 1000 - 1000
    assert counts["inception_resnet_v2"] == 55_843_464 - 1536 * 1000 - 1000


def test_an_inception_block_adds_a_share_of_what_it_computes():
    torch.manual_seed(0)
    block, maps = InceptionResidual(8).eval(), torch.rand(2, 8, 5, 5)
    with torch.no_grad():
        computed = block.join(torch.cat([way(maps) for way in block.ways], dim=1))
        assert torch.allclose(block(maps), (maps + 0.2 * computed).relu())
        block.join.weight.zero_(), block.join.bias.zero_()
        assert torch.equal(block(maps), maps)


def test_unknown_names_and_missing_weights_are_refused():
    with pytest.raises(StillactError, match="backbone 'resnet51': there is none; there are: resnet50"):
        backbone("resnet51")
    with pytest.raises(StillactError, match="no ImageNet weights"):
        backbone("compact_resnet", imagenet=True)


def test_unreachable_weights_give_one_line(monkeypatch):
    def unreachable(*_, **__):
        raise RuntimeError("no route to host")

    monkeypatch.setattr(guided_backbones.timm, "create_model", unreachable)
    with pytest.raises(StillactError, match=r"timm's weights .* run once with a network"):
        backbone("inception_resnet_v2", imagenet=True)
