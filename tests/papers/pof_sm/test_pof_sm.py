"""The POF-SM domain: three 8-bit channels that mirror as the stills do."""

from __future__ import annotations

import pytest
import torch

from stillact_lib.papers.pof_sm.domain import (
    encode_flow,
    mirrored,
    pof_sm,
    thresholded,
    with_flow,
    without,
)
from stillact_lib.vision.flow_levels import HALF, REST


def fields(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(count, 2, 6, 8, generator=generator), torch.rand(count, 6, 8, generator=generator)


def test_levels_by_hand():
    flow = torch.tensor([0.0, 4.0, -4.0, 9.0, 2.0]).view(1, 1, 1, 5).expand(1, 2, 1, 5)
    assert encode_flow(flow, 4.0)[0, 0, 0].tolist() == [128, 255, 1, 255, 192]  # 128 + 63.5, halves to the even level
    images = pof_sm(flow, torch.tensor([[[0.0, 1.0, 0.5, 0.2, 0.9]]]), 4.0)
    assert images.dtype == torch.uint8 and images.shape == (1, 3, 1, 5)
    assert images[0, 2, 0].tolist() == [0, 255, 128, 51, 230]


def test_levels_stand_for_what_was_encoded_up_to_half_a_level():
    flow, _ = fields()
    decoded = (encode_flow(flow, 3.0).float() - REST) / HALF * 3.0
    error = (decoded - flow.clamp(-3, 3)).abs().max()
    assert error <= 3.0 / 254 + 1e-6


def test_a_mirrored_still_has_the_mirrored_channels():
    flow, saliency = fields()
    turned = flow.flip(-1) * torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1)
    images = pof_sm(flow, saliency, 2.0)
    assert torch.equal(mirrored(images), pof_sm(turned, saliency.flip(-1), 2.0))
    assert torch.equal(mirrored(mirrored(images)), images)
    assert not torch.equal(mirrored(images), images.flip(-1)), "the horizontal channel changes sign"


@pytest.mark.parametrize(("part", "gone", "level", "stays"), [("flow", [0, 1], 128, [2]), ("saliency", [2], 0, [0, 1])])
def test_a_part_left_out_says_nothing(part, gone, level, stays):
    images = pof_sm(*fields(), 2.0)
    left = without(images, part)
    assert (left[:, gone] == level).all() and torch.equal(left[:, stays], images[:, stays])


def test_saliency_is_cut_at_each_image_s_own_threshold():
    flow, _ = fields(2)
    levels = torch.tensor([[10, 20, 200, 250], [1, 2, 40, 50]], dtype=torch.uint8)  # one cut for both: the second empty
    images = pof_sm(flow[..., :4], torch.zeros(2, 6, 4), 2.0)
    images[:, 2] = levels[:, None]
    before = images.clone()
    cut = thresholded(images)
    assert cut[0, 2, 0].tolist() == [0, 0, 200, 250] and cut[1, 2, 0].tolist() == [0, 0, 40, 50]
    assert torch.equal(cut[:, :2], images[:, :2]) and cut.dtype == torch.uint8
    assert torch.equal(images, before), "what is stored stays whole"
    assert torch.equal(thresholded(mirrored(images)), mirrored(cut))


def test_nothing_salient_stays_nothing():
    images = without(pof_sm(*fields(), 2.0), "saliency")
    assert torch.equal(thresholded(images), images)


def test_another_flow_leaves_the_saliency():
    flow, saliency = fields()
    images = pof_sm(flow, saliency, 2.0)
    assert torch.equal(with_flow(images, encode_flow(-flow, 3.0)), pof_sm(-flow, saliency, 3.0))
