"""The structured forest: its patches, descriptors and overlaps by slow twins, and that it learns what edges tell."""

import cv2
import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.papers.motion_baselines.pintea import PinteaForest, canny_points


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """64 px pictures of one bar: upright bars move right by 3 px, lying bars move down by 2 px."""
    rng = np.random.default_rng(seed)
    images = np.full((count, 64, 64, 3), 60, np.uint8)
    flows = np.zeros((count, 64, 64, 2), np.float32)
    for image, flow in zip(images, flows, strict=True):
        x, y = rng.integers(20, 44, 2)
        upright = rng.random() < 0.5
        half_width, half_height = (3, 14) if upright else (14, 3)
        bar = np.s_[y - half_height : y + half_height, x - half_width : x + half_width]
        image[bar] = rng.integers(150, 255, 3)
        flow[bar] = (3, 0) if upright else (0, 2)
    return images, flows


@pytest.fixture(scope="module")
def forest() -> PinteaForest:
    return PinteaForest(patch=16, trees=5, leaves=200, training_patches=4000).fit(*bars(60, seed=0))


def test_it_learns_which_way_a_bar_moves(forest: PinteaForest) -> None:
    images, flows = bars(30, seed=1)
    predicted = forest.predict(images)
    assert predicted.shape == flows.shape
    moving = (flows != 0).any(-1)
    error = np.linalg.norm(predicted - flows, axis=-1)[moving].mean()
    assert error < 0.5 * np.linalg.norm(flows, axis=-1)[moving].mean()  # half of what answering zero costs
    upright = (flows[..., 0] > 0).any((1, 2))
    assert (predicted[upright, ..., 0].sum((1, 2)) > 5 * np.abs(predicted[upright, ..., 1]).sum((1, 2))).all()
    assert (predicted[~upright, ..., 1].sum((1, 2)) > 5 * np.abs(predicted[~upright, ..., 0]).sum((1, 2))).all()


def test_prediction_is_the_mean_of_overlapping_patches(forest: PinteaForest) -> None:
    image = bars(1, seed=2)[0][0]
    lists = [[[] for _ in range(64)] for _ in range(64)]
    for x, y in canny_points(image):
        descriptor = forest.describe(image, np.array([[x, y]]))
        answer = forest.pca.inverse_transform(forest.forest.predict(descriptor))[0].reshape(2, 16, 16)
        for row in range(16):
            for column in range(16):
                i, j = y - 8 + row, x - 8 + column
                if 0 <= i < 64 and 0 <= j < 64:
                    lists[i][j].append(answer[:, row, column])
    expected = np.array([[np.mean(votes, 0) if votes else (0, 0) for votes in row] for row in lists])
    predicted = forest.predict(image[None])[0]
    np.testing.assert_allclose(predicted, expected, atol=1e-4)
    far = np.array([[not votes for votes in row] for row in lists])
    assert far.any()
    assert (predicted[far] == 0).all()


def test_training_targets_are_the_flow_around_the_point() -> None:
    """Two training points, one a leaf: at either the forest can only answer that point's own flow patch."""
    image, flow = np.full((1, 40, 40, 3), 50, np.uint8), np.zeros((1, 40, 40, 2), np.float32)
    image[0, 12:28, 12:28] = 240
    flow[0, ..., 0] = np.arange(40)  # u = column
    flow[0, ..., 1] = np.arange(40)[:, None] / 10  # v = row / 10
    two = PinteaForest(patch=16, trees=2, training_patches=2, seed=5).fit(image, flow)
    points = canny_points(image[0])
    points = points[np.random.default_rng(5).permutation(len(points))[:2]]
    answers = two.pca.inverse_transform(two.forest.predict(two.describe(image[0], points)))
    for (x, y), answer in zip(points, answers, strict=True):
        expected = flow[0, y - 8 : y + 8, x - 8 : x + 8].transpose(2, 0, 1)
        np.testing.assert_allclose(answer.reshape(2, 16, 16), expected, atol=1e-4)


def test_descriptor_is_that_of_the_patch_at_the_point() -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8), (64, 64))
    forest = PinteaForest(patch=32)
    points = np.array([[20, 30], [40, 25], [0, 0], [63, 63]])
    descriptors = forest.describe(image, points)
    assert descriptors.shape == (4, 324)
    bordered = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_REPLICATE)
    for (x, y), descriptor in zip(points, descriptors, strict=True):
        alone = bordered[y + 16 : y + 64, x + 16 : x + 64]  # the patch, with 8 px around it for the gradients
        twin = forest.hog.compute(np.ascontiguousarray(alone), (1, 1), (0, 0), [(8, 8)])
        np.testing.assert_allclose(descriptor, np.ravel(twin), atol=1e-5)
    assert np.abs(descriptors[0] - descriptors[1]).max() > 0.1


def test_trees_have_the_leaves_they_are_given() -> None:
    forest = PinteaForest(patch=16, trees=3, leaves=20, training_patches=1000).fit(*bars(10, seed=0))
    assert [tree.get_n_leaves() for tree in forest.forest.estimators_] == [20, 20, 20]


def test_same_seed_same_forest_and_another_another() -> None:
    data, image = bars(10, seed=0), bars(2, seed=1)[0]
    made = [PinteaForest(16, trees=2, training_patches=300, seed=s).fit(*data).predict(image) for s in (0, 0, 1)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_blank_pictures(forest: PinteaForest) -> None:
    blank = np.full((2, 64, 64, 3), 128, np.uint8)
    assert (forest.predict(blank) == 0).all()
    mixed = np.concatenate([blank[:1], bars(1, seed=3)[0], blank[:1]])
    predicted = forest.predict(mixed)
    assert (predicted[[0, 2]] == 0).all()
    np.testing.assert_array_equal(predicted[1], forest.predict(mixed[1:2])[0])
    with pytest.raises(StillactError, match="0 Canny points in 2 training images"):
        PinteaForest(patch=16).fit(blank, np.zeros((2, 64, 64, 2), np.float32))
    with pytest.raises(StillactError, match="patch = 18"):
        PinteaForest(patch=18)
