"""FRA's windows and candidates by hand: there and back to a pixel, borders, components, overlaps."""

import numpy as np
import pytest

from stillact_lib.papers.fra.regions import (
    averaged,
    local_maxima,
    otsu_regions,
    overlap,
    predicted_regions,
    windows_about,
)


def test_maxima_are_the_greatest_that_lie_apart():
    plane = np.zeros((40, 60))
    plane[10, 10], plane[12, 14], plane[30, 50], plane[20, 30] = 1.0, 0.9, 0.8, 0.7
    assert local_maxima(plane, 3, apart=10).tolist() == [[10, 10], [30, 50], [20, 30]]
    assert local_maxima(plane, 2, apart=3).tolist() == [[10, 10], [12, 14]]
    assert local_maxima(np.ones((5, 5)), 3, 1).shape == (0, 2)
    plane[30, 50:52] = 0.8  # a plateau counts once
    assert len(local_maxima(plane, 9, apart=3)) == 4


def test_windows_stay_inside_and_keep_their_size():
    found = windows_about(np.array([[0, 0], [50, 40], [99, 79]]), (100, 80), 0.25)
    assert found.tolist() == [[0, 0, 20, 25], [30, 38, 50, 63], [60, 75, 80, 100]]


def test_a_window_there_and_back_to_a_pixel():
    """A mark at one pixel of the image is found at that pixel again, through an enlarged window."""
    image = np.zeros((1, 64, 48), np.float32)
    image[0, 40, 31] = 1
    box = windows_about(np.array([[38, 30]]), (64, 48), 0.5)
    x0, y0, x1, y1 = box[0]
    enlarged = np.kron(image[0, y0:y1, x0:x1], np.ones((4, 4), np.float32))[None]
    back = averaged([enlarged], box, np.zeros_like(image))
    assert np.unravel_index(back[0].argmax(), back[0].shape) == (40, 31)
    same = averaged([image[:, y0:y1, x0:x1]], box, np.full_like(image, -1))
    assert np.array_equal(same[:, y0:y1, x0:x1], image[:, y0:y1, x0:x1]) and (same[0, 0] == -1).all()


def test_overlapping_windows_are_averaged():
    boxes = np.array([[0, 0, 4, 4], [2, 0, 6, 4]])
    found = averaged([np.ones((1, 4, 4)), np.full((1, 4, 4), 3.0)], boxes, np.zeros((1, 4, 8)))
    assert found[0, 0].tolist() == [1, 1, 2, 2, 3, 3, 0, 0]


def maps_with(planes: dict[int, np.ndarray]) -> np.ndarray:
    maps = np.full((5, 20, 30), 0.01)
    maps[0] = 0.5
    for label, plane in planes.items():
        maps[label] += plane
    return maps


def test_components_of_the_prediction_are_those_of_objects():
    cup, face = np.zeros((20, 30)), np.zeros((20, 30))
    cup[2:6, 3:9], cup[15:17, 20:23], face[8:14, 8:14] = 0.9, 0.8, 0.9
    found = predicted_regions(maps_with({3: cup, 1: face}))
    assert [(region.box, region.label, region.found) for region in found] == [
        ((3, 2, 9, 6), 3, "argmax"),
        ((20, 15, 23, 17), 3, "argmax"),
    ]
    assert found[0].mask.all()


def test_otsu_finds_what_the_argmax_misses_and_drops_what_holds_no_maximum():
    faint = np.zeros((20, 30))
    faint[4:8, 4:8], faint[5, 5] = 0.2, 0.3
    faint[14:16, 20:24] = 0.15
    maps = maps_with({4: faint})
    assert predicted_regions(maps) == []
    (one,) = otsu_regions(maps, most=1, apart=5)
    assert one.box == (4, 4, 8, 8) and one.label == 4
    assert len(otsu_regions(maps, most=2, apart=5)) == 2


def test_overlap_by_hand():
    boxes = np.array([[0.0, 0, 2, 2], [10, 10, 12, 12]])
    assert overlap(boxes, np.array([[1.0, 0, 3, 2], [0, 0, 2, 1]])) == pytest.approx([0.5, 0])
    assert overlap(boxes, np.empty((0, 4))).tolist() == [0, 0]
