"""Flow, its sliding mean and its resizing."""

import cv2
import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.vision.optical_flow import consecutive_flow, optical_flow, resize_flow, sliding_mean


@pytest.fixture(scope="module")
def moving_texture():
    """Eight frames of a smooth texture that moves by (+2, -1) pixels a frame."""
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.uniform(0, 255, (160, 160)).astype(np.float32), (0, 0), 2)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    frames = [np.roll(texture, (-t, 2 * t), (0, 1))[30:126, 30:126] for t in range(8)]
    return [cv2.cvtColor(frame.astype(np.uint8), cv2.COLOR_GRAY2RGB) for frame in frames]


@pytest.mark.parametrize("method", ["dis", "dis_fast", "farneback"])
def test_a_known_translation_is_found(moving_texture, method):
    flow = optical_flow(moving_texture[0], moving_texture[1], method)
    inside = flow[12:-12, 12:-12]
    assert flow.dtype == np.float32
    assert np.linalg.norm(inside - [2, -1], axis=-1).mean() < 0.3


def test_the_sliding_mean_is_the_mean_of_five_flows_bit_for_bit(moving_texture):
    fast = list(sliding_mean(consecutive_flow(moving_texture)))
    literal = []
    for t in range(len(moving_texture) - 5):
        flows = [optical_flow(moving_texture[t + k], moving_texture[t + k + 1]) for k in range(5)]
        literal.append(np.mean(flows, axis=0, dtype=np.float32))
    assert len(fast) == len(literal) == 3
    assert np.array_equal(np.stack(fast), np.stack(literal))


def test_each_flow_is_computed_once():
    calls = []
    flows = (calls.append(t) or np.full((2, 2, 2), t, np.float32) for t in range(10))
    means = list(sliding_mean(flows, 5))
    assert calls == list(range(10))
    assert [mean[0, 0, 0] for mean in means] == [2, 3, 4, 5, 6, 7]


def test_resizing_rescales_the_vectors_of_each_axis():
    flow = np.zeros((240, 320, 2), np.float32)
    flow[..., 0], flow[..., 1] = 8, 6
    small = resize_flow(flow, 64, 64)
    assert small.shape == (64, 64, 2)
    assert np.allclose(small[..., 0], 8 * 64 / 320) and np.allclose(small[..., 1], 6 * 64 / 240)


def test_an_unknown_method_is_named():
    with pytest.raises(StillactError, match="'magic' is not known; choose one of dis"):
        optical_flow(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), "magic")
