"""Im2Flow's losses, gradient weighting and augmentation, against hand-computed cases; holding videos out."""

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import flow_settings
from torch import nn

from stillact_lib.errors import StillactError
from stillact_lib.papers.im2flow.data import hold_out
from stillact_lib.papers.im2flow.flow import (
    channel_scales,
    content_loss,
    im2flow_loss,
    pixel_loss,
    weight_direction_gradients,
)
from stillact_lib.vision.crops import ENLARGEMENT, random_window
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.images import as_network_input


def test_pixel_loss_is_the_mean_square():
    assert pixel_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])).item() == pytest.approx(2.5)


def test_scales_weigh_channels_by_how_much_they_vary():
    error = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    scales = torch.tensor([1.0, 2.0, 0.5])
    assert pixel_loss(error, torch.zeros(1, 3, 1, 1), scales).item() == pytest.approx((1 + 1 + 36) / 3)


class Pairs:
    """Flow pairs of which channel scales need no more than this; half of them rest."""

    def __len__(self):
        return 8

    def load(self, rows):
        flow = torch.randn(8, 2, 16, 16, generator=torch.Generator().manual_seed(0))
        flow[::2] = 0
        return None, flow[rows]


def test_the_channels_of_a_slow_world_are_brought_to_one_scale():
    encoding = FlowEncoding(max_magnitude=30)
    scales = channel_scales(Pairs(), encoding)
    assert scales.square().mean() == pytest.approx(1) and scales[2] < 0.2 * scales[:2].min()
    encoded = encoding.encode(Pairs().load(np.arange(8))[1]) / scales[:, None, None]
    assert torch.allclose(encoded.std((0, 2, 3)), encoded.std((0, 2, 3)).mean().expand(3), rtol=1e-4)


def test_content_loss_by_hand():
    """φ doubles its input: activations differ by 2 x (1, -3), so L2 = (4 + 36) / 2 and L1 = (2 + 6) / 2."""
    doubling = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(doubling.weight, 2.0)
    predicted, target = torch.tensor([1.0, -3.0]).reshape(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    assert content_loss(doubling, predicted, target, "l2").item() == pytest.approx(20)
    assert content_loss(doubling, predicted, target, "l1").item() == pytest.approx(4)


def test_gradients_of_the_direction_channels_are_weighted_by_magnitude():
    predicted = torch.randn(2, 3, 4, 4, requires_grad=True)
    target, magnitude = torch.randn(2, 3, 4, 4), torch.rand(2, 1, 4, 4)
    pixel_loss(predicted, target).backward()
    plain = predicted.grad.clone()
    predicted.grad = None
    weighted = predicted * 1
    weight_direction_gradients(weighted, magnitude)
    pixel_loss(weighted, target).backward()
    assert torch.allclose(predicted.grad[:, :2], plain[:, :2] * magnitude)
    assert torch.equal(predicted.grad[:, 2], plain[:, 2])


@pytest.mark.parametrize("distance", ["l2", "l1", "none"])
def test_the_step_loss_is_eq_2(distance):
    torch.manual_seed(0)
    model, content = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 4, 3)
    encoding = FlowEncoding(max_magnitude=8)
    images, flows = torch.rand(2, 3, 8, 8), torch.randn(2, 2, 8, 8)
    settings = flow_settings(content_weight=0.02, content_distance=distance)
    loss, parts = im2flow_loss(model, content, encoding, settings)((images, flows))
    target, predicted = encoding.encode(flows), model(images)
    difference = content(predicted) - content(target)
    wanted = {"l2": difference.square().mean(), "l1": difference.abs().mean(), "none": torch.tensor(0.0)}[distance]
    assert loss.item() == pytest.approx(((predicted - target) ** 2).mean().item() + 0.02 * wanted.item(), rel=1e-5)
    assert ("content" in parts) == (distance != "none")


def test_windows_of_a_uniform_flow_stay_uniform_and_only_u_turns_in_a_mirror():
    flows = torch.tensor([2.0, 3.0]).reshape(1, 2, 1, 1).expand(64, 2, 16, 16)
    images = torch.zeros(64, 3, 16, 16, dtype=torch.uint8)
    _, cut = random_window(images, flows, np.random.default_rng(0))
    assert torch.allclose(cut[:, 1], torch.tensor(3.0 * ENLARGEMENT))
    assert torch.allclose(cut[:, 0].abs(), torch.tensor(2.0 * ENLARGEMENT))
    mirrored = (cut[:, 0, 0, 0] < 0).float().mean()
    assert 0.25 < mirrored < 0.75


def test_a_window_moves_image_and_flow_together():
    """A bright square that alone moves: after any window and flip, bright pixels and moving pixels are the same."""
    images = torch.zeros(32, 3, 32, 32, dtype=torch.uint8)
    flows = torch.zeros(32, 2, 32, 32)
    images[:, :, 12:20, 4:12] = 255
    flows[:, 0, 12:20, 4:12] = 1.0
    cut_images, cut_flows = random_window(images, flows, np.random.default_rng(1))
    bright = (cut_images.mean(1) + 1) / 2
    assert torch.allclose(bright, cut_flows[:, 0].abs() / ENLARGEMENT, atol=1e-5)
    flipped = cut_flows[:, 0].flatten(1).sum(1) < 0
    centre = (bright.sum(1) * torch.arange(32)).sum(1) / bright.sum((1, 2))
    assert torch.all(centre[flipped] > 15.5) and torch.all(centre[~flipped] < 15.5)  # the square starts at the left


def test_network_input_spans_minus_one_to_one():
    assert as_network_input(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def videos_of(groups_by_class):
    rows = [
        {"video": f"{name}/{group}_{clip}.avi", "class_name": name, "label": label, "group": group}
        for label, (name, groups) in enumerate(groups_by_class.items())
        for group, clips in groups.items()
        for clip in range(clips)
    ]
    return pd.DataFrame(rows)


def test_held_out_groups_are_on_one_side_only():
    videos = videos_of({"a": {f"g{i}": 4 for i in range(8)}, "b": {f"g{i}": 5 for i in range(6)}})
    train, test = hold_out(videos, 10, seed=0)
    assert test["class_name"].value_counts().to_dict() == {"a": 10, "b": 10}
    for name in "ab":
        sides = [set(side.loc[side["class_name"] == name, "group"]) for side in (train, test)]
        assert sides[0] and sides[1] and not sides[0] & sides[1]
    again = hold_out(videos, 10, seed=0)[1]
    assert test.equals(again) and not test.equals(hold_out(videos, 10, seed=1)[1])


def test_a_class_too_small_to_hold_out_is_named():
    with pytest.raises(StillactError, match="class a: holding out 10 videos takes all of its 2 groups"):
        hold_out(videos_of({"a": {"g1": 4, "g2": 4}}), 10, seed=0)


def test_weighting_is_for_directions_only():
    """With u and v as channels, a still pixel must be taught as much as a moving one."""
    torch.manual_seed(0)
    images, flows = torch.rand(2, 3, 8, 8), torch.zeros(2, 2, 8, 8)
    flows[:, 0, :, :4] = 3.0
    still_gradient = {}
    for name in ("sin_cos_magnitude", "u_v_magnitude"):
        model = nn.Conv2d(3, 3, 1)
        outputs = []
        model.register_forward_hook(lambda module, given, output, kept=outputs: kept.append(output))
        settings = flow_settings(content_distance="none")
        loss, _ = im2flow_loss(model, None, FlowEncoding(name, 4.0), settings)((images, flows))
        (gradient,) = torch.autograd.grad(loss, outputs[0])
        still_gradient[name] = gradient[:, :2, :, 4:].abs().sum().item()
    assert still_gradient["sin_cos_magnitude"] == 0 < still_gradient["u_v_magnitude"]
