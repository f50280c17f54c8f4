"""Approximate rank pooling by hand, against a literal loop, and as 8-bit images."""

import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.vision.dynamic_images import as_levels, dynamic_images, middle_windows, rank_pooling_coefficients


@pytest.mark.parametrize("variant", ["harmonic", "linear"])
@pytest.mark.parametrize("window", range(2, 61))
def test_coefficients_sum_to_zero(window, variant):
    weights = rank_pooling_coefficients(window, variant)
    assert weights.shape == (window,) and abs(weights.sum()) < 1e-10
    assert weights[0] == weights.min() < 0 < weights[-1]


def test_three_frames_by_hand():
    """Harmonic: (2t - 4) / t is -2, 0, 2/3 at t = 1, 2, 3; summed from each i on: -4/3, 2/3, 2/3."""
    assert rank_pooling_coefficients(3) == pytest.approx([-4 / 3, 2 / 3, 2 / 3])
    assert rank_pooling_coefficients(3, "linear").tolist() == [-2, 0, 2]


def test_ten_frames_are_the_authors():
    """Weights of the authors' layer for ten frames, to four digits."""
    known = [-12.2187, -3.2187, 0.2813, 1.9480, 2.6980, 2.8980, 2.7313, 2.3028, 1.6778, 0.9000]
    assert rank_pooling_coefficients(10) == pytest.approx(known, abs=6e-5)


def test_the_closed_form():
    for window in (2, 7, 10, 33):
        harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, window + 1))])
        i = np.arange(1, window + 1)
        closed = 2 * (window - i + 1) - (window + 1) * (harmonic[window] - harmonic[i - 1])
        assert rank_pooling_coefficients(window) == pytest.approx(closed, abs=1e-9)


def test_one_frame_is_itself_and_none_is_refused():
    assert rank_pooling_coefficients(1).tolist() == [1]
    with pytest.raises(StillactError, match="window = 0"):
        rank_pooling_coefficients(0)


def literal(frames, starts, window, variant):
    """The definition, in float64: a loop over windows and their frames."""
    pooled = []
    for start in starts:
        image = np.zeros(frames.shape[1:])
        for t, weight in enumerate(rank_pooling_coefficients(window, variant)):
            image += weight * (frames[min(start + t, len(frames) - 1)].astype(np.float64) / 255)
        pooled.append(image)
    return np.stack(pooled)


@pytest.mark.parametrize(
    ("shape", "starts", "window"),
    [((40, 70, 90, 3), range(0, 31, 6), 10), ((12, 5, 7, 3), range(9), 4), ((6, 8, 8, 1), [0], 10), ((3, 4), [1], 2)],
)
@pytest.mark.parametrize("variant", ["harmonic", "linear"])
@pytest.mark.parametrize("threads", [1, 3])
def test_equals_the_weighted_sum(shape, starts, window, variant, threads):
    frames = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    found = dynamic_images(frames, np.array(starts), window, variant, threads)
    assert found.dtype == np.float32 and found.shape == (len(starts), *shape[1:])
    assert np.abs(found - literal(frames, starts, window, variant)).max() < 1e-5


def test_what_does_not_move_disappears():
    still = np.tile(np.random.default_rng(2).integers(0, 256, (1, 9, 9, 3), dtype=np.uint8), (10, 1, 1, 1))
    pooled = dynamic_images(still, np.array([0]))
    assert np.abs(pooled).max() < 1e-5 and (as_levels(pooled) == 128).all()
    still[5:, 4, 4] = 255 - still[5:, 4, 4]
    moved = np.abs(dynamic_images(still, np.array([0]))[0]).max(axis=2) > 1e-5
    assert moved[4, 4] and moved.sum() == 1


def test_levels_are_stretched_over_all_channels():
    pooled = np.array([[[[-1.0, 0.0, 1.0]]], [[[5.0, 6.0, 9.0]]]])
    assert as_levels(pooled).tolist() == [[[[0, 128, 255]]], [[[0, 64, 255]]]]


def test_windows_lie_about_the_middle():
    assert middle_windows(40, 10, 6, 6).tolist() == [0, 6, 12, 18, 24, 30], "the paper's: forty frames"
    assert middle_windows(100, 10, 6, 6).tolist() == [30, 36, 42, 48, 54, 60]
    assert middle_windows(20, 10, 6, 6).tolist() == [2, 8], "all that fit"
    assert middle_windows(7, 10, 6, 6).tolist() == [0]
