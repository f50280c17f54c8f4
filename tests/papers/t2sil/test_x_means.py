"""X-means: the criterion by hand, and the number of clusters it finds."""

import numpy as np
import pytest

from stillact_lib.papers.t2sil.key_frames import bic, key_points, x_means


def blobs(centres, each=30, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([centre + spread * rng.normal(size=(each, len(centre))) for centre in centres])


def test_criterion_by_hand():
    """Four points on a line, two clusters: each coordinate's variance is 4 * .25 / (4 - 2) = .5."""
    points, labels, centres = np.array([[0.0], [1], [10], [11]]), np.array([0, 0, 1, 1]), np.array([[0.5], [10.5]])
    likelihood = 4 * np.log(0.5) - 2 * np.log(2 * np.pi * 0.5) - 1
    assert bic(points, labels, centres) == pytest.approx(likelihood - 2 * np.log(4))
    alone = bic(points, np.zeros(4, int), np.array([[5.5]]))
    assert alone == pytest.approx(-2 * np.log(2 * np.pi * 101 / 3) - 1.5 - np.log(4))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_finds_the_number_of_clusters(count):
    corners = 8.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1]])[:count]
    centres, labels = x_means(blobs(corners), most=5)
    assert len(centres) == count
    assert sorted(np.bincount(labels)) == [30] * count
    nearest = ((corners[:, None] - centres[None]) ** 2).sum(2).min(1)
    assert (nearest < 0.1).all()


def test_never_more_than_allowed_and_equal_points_stay_one():
    line = blobs(20.0 * np.arange(8)[:, None])
    assert len(x_means(line, most=8)[0]) == 8 and len(x_means(line, most=5)[0]) <= 5
    assert len(x_means(np.ones((12, 6)), most=5)[0]) == 1
    assert len(x_means(np.ones((1, 6)), most=5)[0]) == 1


def test_key_points_are_the_nearest_to_the_centres():
    points = np.array([[0, 0], [0, 1], [0, 2], [9, 0], [9, 1], [9, 2.0]])
    assert key_points(points, 2).tolist() == [1, 4]
