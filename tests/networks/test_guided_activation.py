"""LGA's network, its loss and its maps by hand; images and masks move together."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet50

from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.papers.lga.human_mask_loss import (
    human_mask_loss,
    predicting_activation_map,
    share_inside,
    sum_of_activation_maps,
)
from stillact_lib.vision.joint_warps import layered, random_warps, warped


def test_the_paper_s_shapes_and_parameters():
    with torch.device("meta"):
        backbone = nn.Sequential(*list(resnet50(weights=None).children())[:-2])
        network = GuidedActivation(backbone, 2048, 40, 448)
        found = network(torch.empty(2, 3, 448, 448))
    assert found.scores.shape == (2, 40)
    assert found.maps.shape == (2, 1024, 14, 14) and found.heatmap.shape == (2, 1, 14, 14)
    count = {name: sum(p.numel() for p in getattr(network, name).parameters()) for name in ("reduce", "localise")}
    assert count["reduce"] == 9 * 2048 * 1024 + 1024
    assert count["localise"] == 9 * (2048 * 512 + 512 * 64 + 64 * 32 + 32) + 512 + 64 + 32 + 1


def test_without_branch_and_without_convolution_it_is_a_standard_classifier():
    backbone = nn.Conv2d(3, 8, 1)
    network = GuidedActivation(backbone, 8, 5, 16, width=0, mask_widths=())
    images = torch.randn(2, 3, 16, 16)
    found = network(images)
    assert found.heatmap is None
    assert torch.allclose(found.scores, network.classifier(backbone(images).mean((2, 3))), atol=1e-6)


def test_the_mask_s_loss_by_hand():
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, 0, :2, :2] = 1  # of 2 x 2 cells the first is full
    mask[1, 0, 0, 0] = 1  # of which a quarter is
    heatmap = torch.tensor([[[[0.5, 0.0], [0.0, 1.0]]], [[[0.25, 0.0], [0.0, 0.0]]]])
    assert human_mask_loss(heatmap, mask) == pytest.approx((0.25 + 1 + 0) / 2)
    assert human_mask_loss(heatmap, mask, "mean") == pytest.approx(1.25 / 8)


def test_the_class_s_score_is_the_mean_of_its_map():
    """What makes PAM an explanation: averaged over places it is the score, but for the bias."""
    torch.manual_seed(0)
    network = GuidedActivation(nn.Conv2d(3, 6, 1), 6, 4, 8, width=7, mask_widths=(2, 1))
    found = network(torch.randn(3, 3, 8, 8))
    classes = found.scores.argmax(1)
    of_class = predicting_activation_map(found.maps, network.classifier.weight, classes)
    wanted = found.scores.gather(1, classes[:, None])[:, 0] - network.classifier.bias[classes]
    assert torch.allclose(of_class.mean((1, 2)), wanted, atol=1e-5)


def test_channels_count_alike_in_the_normalised_sum():
    maps = torch.zeros(1, 3, 2, 2)
    maps[0, 0], maps[0, 1], maps[0, 2] = torch.tensor([[0.0, 100], [0, 0]]), torch.tensor([[0.0, 0], [1, 3]]), 5.0
    assert sum_of_activation_maps(maps)[0].tolist() == pytest.approx(np.array([[0, 1], [1 / 3, 1]]))


def test_the_share_inside_a_mask():
    mask = torch.zeros(2, 1, 4, 4)
    mask[:, :, :, :2] = 1
    maps = torch.tensor([[[3.0, 1.0], [0.0, -8.0]], [[-1.0, 0.0], [0.0, 0.0]]])
    shares = share_inside(maps, mask)
    assert shares[0] == 0.75 and torch.isnan(shares[1])


def test_a_mark_on_the_image_stays_in_its_mask():
    """Whatever is drawn: the bright square of an image and its mask end in the same place."""
    rng = np.random.default_rng(0)
    images, masks = torch.zeros(64, 3, 48, 48, dtype=torch.uint8), torch.zeros(64, 1, 48, 48)
    for number, (row, column) in enumerate(rng.integers(8, 32, (64, 2))):
        images[number, :, row : row + 8, column : column + 8] = 255
        masks[number, 0, row : row + 8, column : column + 8] = 1
    shown, told = warped(layered(images, masks), random_warps(64, rng))
    assert ((shown[:, 0] > 127) == (told[:, 0] > 0.5)).float().mean() > 0.999
    assert not torch.equal(told, masks) and told.shape == masks.shape


def test_a_warp_of_nothing_changes_nothing_and_a_mirror_mirrors():
    rng = np.random.default_rng(0)
    images = torch.randint(0, 256, (2, 3, 9, 9), dtype=torch.uint8)
    masks = (torch.rand(2, 1, 9, 9) > 0.5).float()
    warps = np.stack([np.eye(2), np.diag([-1, 1])]).astype(np.float32)
    shown, told = warped(layered(images, masks), warps)
    assert torch.equal(shown[0], images[0]) and torch.equal(told[1], masks[1].flip(-1))
    found = random_warps(1000, rng)
    areas = np.abs(np.linalg.det(found))
    assert areas.min() == pytest.approx(1 / 1.1**2, abs=0.01) and areas.max() == pytest.approx(1 / 0.9**2, abs=0.01)
    degrees = np.degrees(np.arctan2(-found[:, 0, 1], found[:, 1, 1]))
    assert degrees.min() == pytest.approx(-10, abs=0.2) and degrees.max() == pytest.approx(10, abs=0.2)
    assert 0.4 < (np.linalg.det(found) < 0).mean() < 0.6


def test_a_warp_is_what_sampling_by_hand_gives():
    """torch's own sampler as a slow twin; its weights are exact, OpenCV's are in 32nds of a pixel."""
    rng = np.random.default_rng(1)
    smooth = F.interpolate(torch.rand(4, 4, 6, 6), (48, 48), mode="bicubic").clamp(0, 1)
    images = (smooth[:, :3] * 255).round().to(torch.uint8)
    warps = random_warps(4, rng)
    theta = torch.from_numpy(np.concatenate([warps, np.zeros((4, 2, 1), np.float32)], axis=2))
    both = torch.cat([images.float() - 127, smooth[:, 3:]], dim=1)
    wanted = F.grid_sample(both, F.affine_grid(theta, both.shape, align_corners=False), align_corners=False)
    shown, told = warped(layered(images, smooth[:, 3:]), warps)
    assert (shown.float() - 127 - wanted[:, :3]).abs().mean() < 1
    assert (told - wanted[:, 3:]).abs().mean() < 0.01
