"""Windows cut out of images: there and back to a pixel, mirrors, what lies outside."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stillact_lib.vision.windows import about, cut, jittered, whole

IMAGES = torch.arange(2 * 3 * 8 * 10, dtype=torch.float32).view(2, 3, 8, 10)


def test_a_window_of_its_own_size_is_the_part_of_the_image_itself():
    found = cut(IMAGES, np.array([[2, 1, 6, 5], [6, 4, 10, 8]]), 4)
    assert torch.allclose(found[0], IMAGES[0, :, 1:5, 2:6], atol=1e-3)
    assert torch.allclose(found[1], IMAGES[1, :, 4:8, 6:10], atol=1e-3)


def test_a_mark_is_found_at_its_place_in_an_enlarged_window():
    image = torch.zeros(1, 1, 8, 10)
    image[0, 0, 3, 4] = 1
    found = cut(image, np.array([[2, 1, 6, 5]]), 16, nearest=True)[0, 0]
    rows, columns = torch.nonzero(found, as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 11, 8, 11)  # (3 - 1) * 4, (4 - 2) * 4


def test_right_to_left_is_a_mirror():
    plain = cut(IMAGES, np.array([[2, 1, 6, 5], [2, 1, 6, 5]]), 4)[0]
    mirrored = cut(IMAGES, np.array([[6, 1, 2, 5], [2, 1, 6, 5]]), 4)[0]
    assert torch.allclose(mirrored, plain.flip(-1), atol=1e-3)


def test_what_lies_outside_is_filled():
    labels = torch.ones(1, 1, 4, 4)
    found = cut(labels, np.array([[-4.0, 0, 4, 4]]), 8, outside=255, nearest=True)
    assert (found[0, 0, :, :4] == 255).all() and (found[0, 0, :, 4:] == 1).all()


def test_boxes_grow_about_their_middles():
    box = np.array([[10.0, 20, 14, 30]])
    assert about(box, 2).tolist() == [[8, 15, 16, 35]]
    assert about(box, 2, square=True).tolist() == [[2, 15, 22, 35]]


def test_jitter_keeps_within_its_bounds():
    boxes = np.tile([[0.0, 0, 10, 20]], (500, 1))
    found = jittered(boxes, np.random.default_rng(0), 0.1, 0.2)
    sides = found[:, 2:] - found[:, :2]
    assert sides[:, 1] / sides[:, 0] == pytest.approx(np.full(500, 2))
    assert 8 <= sides[:, 0].min() < 8.2 and 11.8 < sides[:, 0].max() <= 12
    moved = (found[:, :2] + found[:, 2:]) / 2 - (5, 10)
    assert np.abs(moved[:, 0]).max() <= 1 and np.abs(moved[:, 1]).max() <= 2


def test_a_window_that_is_shrunk_loses_no_pixel():
    """Stripes a pixel wide are grey from four times as far away, as by area; between samples they would vanish."""
    images = torch.zeros(1, 1, 64, 64)
    images[..., ::2] = 1
    small = cut(images, whole(images), 16)
    assert torch.allclose(small, F.avg_pool2d(images, 4)) and torch.allclose(small, torch.full_like(small, 0.5))
    rows = torch.zeros(1, 1, 30, 30)
    rows[:, :, 7] = 1
    assert cut(rows, whole(rows), 12).sum() == pytest.approx(12 * 12 / 30, rel=0.15), "a line is as strong anywhere"
    labels = cut(images, whole(images), 16, nearest=True)
    assert set(labels.unique().tolist()) <= {0.0, 1.0}, "labels are never mixed"
