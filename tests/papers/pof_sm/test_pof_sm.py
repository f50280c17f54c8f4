"""The POF-SM domain: three 8-bit channels that mirror as the stills do."""

from __future__ import annotations

import torch

from stillact_lib.papers.pof_sm.domain import (
    above_threshold,
    at_rest,
    encode_flow,
    encode_saliency,
    mirrored,
    nothing_salient,
    pof_sm,
)
from stillact_lib.vision.flow_levels import HALF, REST


def fields(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(count, 2, 6, 8, generator=generator), torch.rand(count, 6, 8, generator=generator)


def images_of(flow: torch.Tensor, saliency: torch.Tensor, full: float) -> torch.Tensor:
    return pof_sm(encode_flow(flow, full), encode_saliency(saliency))


def test_levels_by_hand():
    flow = torch.tensor([0.0, 4.0, -4.0, 9.0, 2.0]).view(1, 1, 1, 5).expand(1, 2, 1, 5)
    assert encode_flow(flow, 4.0)[0, 0, 0].tolist() == [128, 255, 1, 255, 192]  # 128 + 63.5, halves to the even level
    images = images_of(flow, torch.tensor([[[0.0, 1.0, 0.5, 0.2, 0.9]]]), 4.0)
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
    images = images_of(flow, saliency, 2.0)
    assert torch.equal(mirrored(images), images_of(turned, saliency.flip(-1), 2.0))
    assert torch.equal(mirrored(mirrored(images)), images)
    assert not torch.equal(mirrored(images), images.flip(-1)), "the horizontal channel changes sign"


def test_a_part_left_out_says_nothing():
    images = images_of(*fields(), 2.0)
    flow, saliency = images[:, :2], images[:, 2:]
    alone = pof_sm(at_rest(saliency), saliency)
    assert (alone[:, :2] == REST).all() and torch.equal(alone[:, 2:], saliency)
    alone = pof_sm(flow, nothing_salient(flow))
    assert (alone[:, 2] == 0).all() and torch.equal(alone[:, :2], flow) and alone.dtype == torch.uint8


def test_saliency_is_cut_at_each_image_s_own_threshold():
    levels = torch.tensor([[10, 20, 200, 250], [1, 2, 40, 50]], dtype=torch.uint8)  # one cut for both: the second empty
    saliency = levels[:, None, None].expand(2, 1, 6, 4).contiguous()
    before = saliency.clone()
    cut = above_threshold(saliency)
    assert cut[0, 0, 0].tolist() == [0, 0, 200, 250] and cut[1, 0, 0].tolist() == [0, 0, 40, 50]
    assert cut.dtype == torch.uint8 and torch.equal(saliency, before), "what is stored stays whole"
    assert torch.equal(above_threshold(saliency.flip(-1)), cut.flip(-1))
    assert not above_threshold(torch.zeros_like(saliency)).any(), "nothing salient stays nothing"
