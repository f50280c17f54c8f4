"""Self-resemblance against its literal twin; mirror images, grey and constant images, Otsu by hand, bad input."""

import math

import cv2
import numpy as np
import pytest
import torch
from literal_self_resemblance import DISK, cosine, literal_features, literal_kernels, literal_self_resemblance

from stillact_lib.errors import StillactError
from stillact_lib.vision.self_resemblance import (
    SelfResemblance,
    above_otsu,
    otsu_threshold,
    rgb_to_lab,
    stretched,
    window_sum,
)
from stillact_lib.vision.steering_kernels import DISK_CORNER, DISK_EDGE, gradients

AXES = ["authors", "gradient"]


def three_channels(height=11, width=10):
    """Noise, a straight slanted ramp with an edge (gradients of rank 1: the hard case), a step: float64 [3, H, W]."""
    y, x = np.mgrid[:height, :width]
    ramp = np.where(x + 0.37 * y > 7, 0, 0.31 * x + 0.177 * y)
    return np.stack([np.random.default_rng(0).random((height, width)), ramp / ramp.max(), (x > 4).astype(float)])


def random_images(count=3, height=20, width=24):
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 5, 6, generator=generator, dtype=torch.float64)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").clamp(0, 1)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize(("side", "surround"), [(7, 3), (9, 7), (7, None)])
def test_the_map_is_the_literal_one(axes, side, surround):
    channels = three_channels()
    method = SelfResemblance(feature_side=side, surround_side=surround, steering_axes=axes)
    literal = literal_self_resemblance(channels, side=side, surround=surround, axes=axes)
    batch = torch.from_numpy(channels)[None]
    assert np.abs(method.self_resemblance(batch)[0].numpy() - literal).max() <= 1e-6
    single = method.self_resemblance(batch.float())
    assert single.dtype == torch.float32
    assert np.abs(single[0].numpy() - literal).max() <= 5e-4


@pytest.mark.parametrize("axes", AXES)
def test_kernels_and_similarities_are_the_literal_ones(axes):
    channels = three_channels()
    kernels = SelfResemblance(steering_axes=axes).kernels(torch.from_numpy(channels)[None])
    literal = [literal_kernels(channel, axes=axes) for channel in channels]
    assert np.abs(kernels[0].permute(0, 2, 3, 1).numpy() - np.stack(literal)).max() <= 1e-6
    similarity = SelfResemblance().similarity_to(kernels, row=2, column=7)[0]
    features = literal_features(np.concatenate(literal, axis=2), 7)
    assert similarity[9, 1].item() == pytest.approx(cosine(features[9, 1], features[2, 7]), abs=1e-6)
    assert similarity[2, 7].item() == pytest.approx(1)


def test_kernels_stretch_along_a_vertical_edge_only_in_the_unswapped_convention():
    x = torch.arange(9, dtype=torch.float64)
    edge = (torch.sigmoid(x - 4).expand(9, 9) + 0.01 * torch.sin(x)[:, None])[None, None]
    for axes, along_is_nearer in (("gradient", True), ("authors", False)):
        window = SelfResemblance(steering_axes=axes).kernels(edge)[0, 0, :, 4, 4].view(3, 3)
        assert (window[0, 1] > window[1, 0]).item() == along_is_nearer  # above the pixel, and left of it


def test_the_disk_has_matlabs_weights():
    documented = 0.1453 / 0.3183, 0.0251 / 0.3183  # fspecial('disk', 1), four digits
    ours = DISK_EDGE, DISK_CORNER
    assert ours == pytest.approx(documented, abs=3e-4)
    assert ours == pytest.approx((DISK[0, 1], DISK[0, 0]), abs=1e-7)
    assert 1 + 4 * sum(ours) == pytest.approx(math.pi)


@pytest.mark.parametrize("surround", [3, None])
def test_a_batch_is_its_images_one_by_one(surround):
    images = random_images()
    method = SelfResemblance(surround_side=surround, work_side=16)
    together = method.saliency(images)
    assert together.shape == (3, 20, 24)
    assert torch.allclose(together, torch.cat([method.saliency(image[None]) for image in images]), atol=1e-9)
    assert together.min() >= 0
    assert 0.5 < together.max() <= 1


@pytest.mark.parametrize("turn", [lambda image: image.flip(-1), lambda image: image.flip(-2), lambda image: image.mT])
@pytest.mark.parametrize("axes", AXES)
def test_a_mirrored_image_has_the_mirrored_map(turn, axes):
    images, method = random_images(1), SelfResemblance(work_side=16, steering_axes=axes)
    assert torch.allclose(method.saliency(turn(images)), turn(method.saliency(images)), atol=1e-9)


def test_the_odd_patch_out_is_the_most_salient():
    image = torch.zeros(1, 3, 64, 64)
    image[..., ::8] = 1  # vertical lines
    image[..., 24:40, 24:40] = 0
    image[..., 24:40:8, 24:40] = 1  # a patch of horizontal ones
    saliency = SelfResemblance(surround_side=None).saliency(image)[0]
    assert saliency[24:40, 24:40].mean() > 4 * saliency.mean()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("surround", [3, None])
def test_nothing_stands_out_of_a_constant_image(dtype, surround):
    images = torch.full((2, 3, 40, 30), 0.6).mul(255 if dtype == torch.uint8 else 1).to(dtype)
    assert torch.all(SelfResemblance(surround_side=surround, work_side=24).saliency(images) == 0)


def test_a_grey_image_has_the_map_of_its_lightness():
    grey = random_images(1)[:, :1].expand(-1, 3, -1, -1)
    method = SelfResemblance(work_side=None)
    lightness = stretched(rgb_to_lab(grey)[:, :1])
    assert torch.allclose(method.saliency(grey), stretched(method.self_resemblance(lightness)), atol=1e-9)


def test_a_grey_image_has_the_map_of_the_authors_steps():
    """They stretch each channel whatever its range: the rounding error that a grey image has for chroma becomes a copy
    of its lightness, or of its negative."""
    grey = random_images(1, 12, 11)[:, :1].expand(-1, 3, -1, -1) * 0.9 + 0.1
    lab = rgb_to_lab(grey)[0].numpy()
    chroma = np.ptp(lab[1:], axis=(1, 2))
    assert (chroma > 0).all() and (chroma < 1e-4).all()
    low, high = lab.min((1, 2), keepdims=True), lab.max((1, 2), keepdims=True)
    literal = literal_self_resemblance((lab - low) / (high - low), side=7, surround=3, axes="authors")
    ours = SelfResemblance(work_side=None).saliency(grey)[0].numpy()
    assert np.abs(ours - (literal - literal.min()) / np.ptp(literal)).max() < 1e-4


def test_gradients_are_central_and_one_sided_at_the_border():
    horizontal, vertical = gradients(torch.tensor([[0.0, 1, 4], [0, 3, 8]])[None, None])
    assert horizontal[0, 0].tolist() == [[1, 2, 3], [3, 4, 5]]
    assert vertical[0, 0].tolist() == [[0, 2, 4], [0, 2, 4]]


def test_lab_of_colours():
    """By the printed constants, on both sides of each threshold: `colorspace`, written once more with numpy."""
    colours = np.random.default_rng(0).random((400, 3)) ** 3
    colours[:4] = np.array([[1, 1, 1], [1, 0, 0], [0.08, 0.0815, 0.082], [0, 0, 0]])
    linear = np.array(
        [
            [c / 4.5138 if (c + 0.099) / 1.099 < 0.018**0.45 else ((c + 0.099) / 1.099) ** (1 / 0.45) for c in rgb]
            for rgb in colours
        ]
    )
    matrix = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    x, y, z = (linear @ matrix.T / [0.950456, 1, 1.088754]).T
    fx, fy, fz = (np.where(v < 0.008856, v * 841 / 108 + 4 / 29, np.cbrt(v)) for v in (x, y, z))
    wanted = np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=1)
    found = rgb_to_lab(torch.from_numpy(colours.T.reshape(1, 3, 20, 20))).flatten(2)[0].T.numpy()
    assert np.abs(found - wanted).max() < 0.002  # the inverse has six digits here
    full = colours[:2].astype(np.float32)[None]  # at full intensity gamma plays no part
    assert np.abs(found[:2] - cv2.cvtColor(full, cv2.COLOR_RGB2LAB)[0]).max() < 0.1
    eight_bit = torch.tensor([51, 102, 204], dtype=torch.uint8).view(1, 3, 1, 1)
    assert torch.allclose(rgb_to_lab(eight_bit), rgb_to_lab(eight_bit.float() / 255))


@pytest.mark.parametrize("side", [3, 4, 5, 7, 9])
def test_window_sums(side):
    values = torch.arange(40.0).square()[None]
    expected = sum(values[:, 2 * k : 2 * k + 40 - 2 * (side - 1)] for k in range(side))
    assert torch.equal(window_sum(values, side, 2), expected)


def test_otsu_by_hand():
    """Levels 0 (4 of 9), 100 (2) and 200 (3) of 255, as weights and means on both sides of a threshold.

    Between-class variance w0 w1 (m0 - m1)^2: after 0, 4/9 * 5/9 * (0 - 160)^2 = 6321;
    after 100, 6/9 * 3/9 * (33.3 - 200)^2 = 6173. So the threshold lies after 0.
    """
    levels = torch.tensor([0, 0, 0, 0, 100, 100, 200, 200, 200]).view(1, 3, 3) / 255
    threshold = otsu_threshold(levels).item()
    assert 0 < threshold < 100 / 255
    assert torch.equal(above_otsu(levels), levels)
    dark = torch.tensor([0, 0, 0, 90, 100, 100, 200, 200, 200]).view(1, 3, 3) / 255  # now after 100
    kept = above_otsu(torch.cat([levels, dark]))  # each image has its own threshold
    assert torch.equal(kept[0], levels[0])
    assert torch.equal(kept[1], torch.where(dark[0] * 255 > 150, dark[0], 0))


def test_otsu_of_an_empty_map():
    assert torch.all(above_otsu(torch.zeros(1, 4, 4)) == 0)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 8, 8), "shape"),
        (torch.zeros(1, 1, 8, 8), "shape"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.int64), "int64"),
        (torch.full((1, 3, 8, 8), 255.0), "outside"),
        (torch.full((1, 3, 8, 8), math.nan), "NaN"),
    ],
)
def test_bad_images_are_named(images, message):
    with pytest.raises(StillactError, match=message):
        SelfResemblance().saliency(images)


def test_too_small_an_image_is_named():
    with pytest.raises(StillactError, match=r"3 px.*4 or more"):
        SelfResemblance(work_side=None).saliency(torch.zeros(1, 3, 3, 9))


@pytest.mark.parametrize(
    "fault", [{"surround_side": 4}, {"feature_side": 1}, {"fall_off": 0}, {"smoothing": -1}, {"steering_axes": "up"}]
)
def test_bad_settings_are_named(fault):
    with pytest.raises(StillactError, match=next(iter(fault))):
        SelfResemblance(**fault)
