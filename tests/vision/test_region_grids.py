"""Context features against hand cases and a loop over cells and pixels."""

import numpy as np
import pytest

from stillact_lib.vision.region_grids import SHORT, context_features, grid_means, integral, long_range
from stillact_lib.vision.windows import about


def test_a_grid_on_a_hand_made_map():
    """Two by two cells over a map of four by four pixels, then shifted by half a pixel."""
    maps = np.arange(16.0).reshape(1, 4, 4)
    found = grid_means(integral(maps), np.array([[0.0, 0, 4, 4]]), 2)[0, :, :, 0]
    assert found.tolist() == [[2.5, 4.5], [10.5, 12.5]]
    # from .5 to 2.5: half of column 0, column 1, half of column 2; the mean of a ramp moves with it
    assert grid_means(integral(maps), np.array([[0.5, 0, 2.5, 4]]), 1)[0, 0, 0, 0] == 7.0


def test_what_lies_outside_does_not_count():
    maps = np.ones((2, 6, 8))
    windows = np.array([[-4.0, -4, 4, 4], [20, 20, 30, 30], [-3, 1, 11, 5]])
    found = grid_means(integral(maps), windows)
    assert np.isin(found.round(12), (0, 1)).all()
    assert (found[1] == 0).all()
    assert found[0, 2, 2, 0] == pytest.approx(1) and found[0, 0, 0, 0] == 0  # the middle cell lies partly inside


def literal(maps, window, cells):
    """A loop over cells and pixels, each pixel with the part of its area that the cell covers."""
    channels, height, width = maps.shape
    found = np.zeros((cells, cells, channels))
    x0, y0, x1, y1 = window
    for row in range(cells):
        for column in range(cells):
            left, right = (x0 + (x1 - x0) * k / cells for k in (column, column + 1))
            top, bottom = (y0 + (y1 - y0) * k / cells for k in (row, row + 1))
            total, area = np.zeros(channels), 0.0
            for y in range(height):
                for x in range(width):
                    covered = max(0, min(right, x + 1) - max(left, x)) * max(0, min(bottom, y + 1) - max(top, y))
                    total += covered * maps[:, y, x]
                    area += covered
            if area:
                found[row, column] = total / area
    return found


def test_all_regions_at_once_are_the_loop():
    rng = np.random.default_rng(0)
    maps = rng.uniform(size=(3, 14, 17))
    corners = rng.uniform(-6, 16, (7, 2))
    windows = np.concatenate([corners, corners + rng.uniform(0.3, 15, (7, 2))], axis=1)
    wanted = np.stack([literal(maps, window, 5) for window in windows])
    assert np.allclose(grid_means(integral(maps), windows), wanted, atol=1e-10)


def test_windows_about_a_box():
    boxes = np.array([[10.0, 20, 14, 28]])
    assert about(boxes, SHORT).tolist() == [[6, 12, 18, 36]]
    assert long_range(boxes, (30, 60)).tolist() == [[2, 19, 22, 29]]


def test_features_have_both_ranges_and_every_channel():
    maps = np.stack([np.full((30, 60), 0.25), np.full((30, 60), 0.75)])
    found = context_features(maps, np.array([[25.0, 10, 35, 20], [0, 0, 8, 8]]))
    assert found.shape == (2, 2 * 25 * 2)
    assert found[0] == pytest.approx(np.tile([0.25, 0.75], 50))
    assert set(found[1].round(9).tolist()) <= {0.0, 0.25, 0.75}
