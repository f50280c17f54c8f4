"""Eq. 1 and its inverse, flips, clipping, eight bits, colours."""

import math

import pytest
import torch

from stillact_lib.vision.flow_encoding import FlowEncoding, flow_colours, from_eight_bit, mirror_flow, to_eight_bit

NAMES = ["sin_cos_magnitude", "u_v_magnitude", "u_v_zero"]


def random_flow(longest, seed=0, size=(4, 2, 16, 16)):
    generator = torch.Generator().manual_seed(seed)
    angle = torch.rand(size[0], *size[2:], generator=generator) * 2 * math.pi
    length = torch.rand(size[0], *size[2:], generator=generator) * longest
    return torch.stack([length * angle.cos(), length * angle.sin()], dim=1)


def test_a_hand_computed_pixel():
    flow = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)  # M = 5, sin = .8, cos = .6
    encoded = FlowEncoding(max_magnitude=30).encode(flow).flatten()
    assert torch.allclose(encoded, torch.tensor([0.8, 0.6, 2 * 5 / 30 - 1]))


@pytest.mark.parametrize("name", NAMES)
def test_decoding_inverts_encoding(name):
    encoding, flow = FlowEncoding(name, max_magnitude=30), random_flow(30)
    assert torch.allclose(encoding.decode(encoding.encode(flow)), flow, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_no_motion_has_no_direction_and_comes_back_as_none(name):
    encoding = FlowEncoding(name, max_magnitude=30)
    encoded = encoding.encode(torch.zeros(1, 2, 4, 4))
    assert torch.all(encoded[:, :2] == 0)
    assert torch.all(encoding.decode(encoded) == 0)


@pytest.mark.parametrize("name", NAMES)
def test_flow_above_the_limit_keeps_its_direction_and_is_cut(name):
    encoding = FlowEncoding(name, max_magnitude=30)
    decoded = encoding.decode(encoding.encode(torch.tensor([-48.0, 64.0]).reshape(1, 2, 1, 1)))
    assert torch.allclose(decoded.flatten(), torch.tensor([-18.0, 24.0]), atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_mirror_image_has_the_mirrored_flow(name):
    """Encoding commutes with mirroring: only the horizontal channel changes sign."""
    encoding, flow = FlowEncoding(name, max_magnitude=30), random_flow(20)
    assert torch.allclose(encoding.mirror(encoding.encode(flow)), encoding.encode(mirror_flow(flow)), atol=1e-6)
    assert torch.equal(mirror_flow(mirror_flow(flow)), flow)
    assert not torch.allclose(encoding.encode(flow).flip(-1), encoding.encode(mirror_flow(flow)), atol=0.1)


def test_a_shrunken_direction_is_kept_or_stretched():
    encoded = torch.tensor([0.3, 0.4, 0.0]).reshape(1, 3, 1, 1)  # |direction| = .5, M = 15 px
    encoding = FlowEncoding(max_magnitude=30)
    assert encoding.decode(encoded).norm() == pytest.approx(7.5)
    assert encoding.decode(encoded, unit_direction=True).norm() == pytest.approx(15.0)


def test_eight_bits_lose_at_most_half_a_step():
    encoding, flow = FlowEncoding(max_magnitude=30), random_flow(30)
    encoded = encoding.encode(flow)
    assert (from_eight_bit(to_eight_bit(encoded)) - encoded).abs().max() <= 0.5 / 127.5 + 1e-6
    step = (
        from_eight_bit(torch.tensor(1, dtype=torch.uint8)) - from_eight_bit(torch.tensor(0, dtype=torch.uint8))
    ) * 15
    assert step.item() == pytest.approx(0.118, abs=1e-3)  # facts: .118 px a step at 30 px


def test_colours_do_not_depend_on_the_rest_of_the_batch():
    slow, fast = torch.full((1, 2, 4, 4), 1.0), torch.full((1, 2, 4, 4), 5.0)
    alone, together = flow_colours(slow, 8), flow_colours(torch.cat([slow, fast]), 8)[:1]
    assert torch.equal(alone, together)
    assert flow_colours(torch.zeros(1, 2, 2, 2), 8).float().mean() > 250  # white where nothing moves
