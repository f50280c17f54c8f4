"""EPE, DS and OS against hand-computed cases, a slow literal twin, and chance."""

import math

import numpy as np
import pytest

from stillact_lib.evaluation.flow_metrics import (
    canny_pixels,
    direction_similarity,
    end_point_error,
    evaluation_masks,
    flow_scores,
    orientation_similarity,
    random_direction,
    zero_flow,
)


def test_hand_computed_pixels():
    predicted = np.array([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0], [0.0, 0.0]])
    target = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 0.0], [1.0, 1.0]])
    assert end_point_error(predicted, target) == pytest.approx([5, math.sqrt(8), 6, math.sqrt(2)])
    assert direction_similarity(predicted, target) == pytest.approx([0, 0, -1, 0], abs=1e-6)
    assert orientation_similarity(predicted, target) == pytest.approx([0, 0, 1, 0], abs=1e-6)


def test_against_a_literal_twin_of_the_published_loop():
    rng = np.random.default_rng(1)
    predicted, target = rng.normal(size=(2, 3, 6, 5, 2))
    masks = {"all": np.ones((3, 6, 5), bool), "fg": rng.random((3, 6, 5)) < 0.4}
    scores = flow_scores(predicted, target, masks)
    for name, mask in masks.items():
        for n in range(3):
            epe, ds, os, count = 0.0, 0.0, 0.0, 0
            for y in range(6):
                for x in range(5):
                    if mask[n, y, x]:
                        (pu, pv), (tu, tv) = predicted[n, y, x], target[n, y, x]
                        epe += math.sqrt((pu - tu) ** 2 + (pv - tv) ** 2)
                        cosine = (pu * tu + pv * tv) / (
                            math.sqrt(pu * pu + pv * pv + 1e-10) * math.sqrt(tu * tu + tv * tv + 1e-10)
                        )
                        ds, os, count = ds + cosine, os + abs(cosine), count + 1
            assert scores[f"epe_{name}"][n] == pytest.approx(epe / count)
            assert scores[f"ds_{name}"][n] == pytest.approx(ds / count)
            assert scores[f"os_{name}"][n] == pytest.approx(os / count)


def test_an_image_without_pixels_in_a_mask_has_no_score():
    scores = flow_scores(np.ones((2, 4, 4, 2)), np.ones((2, 4, 4, 2)), {"fg": np.zeros((2, 4, 4), bool)})
    assert np.isnan(scores["epe_fg"]).all()


def test_chance_and_zero_rows():
    target = np.random.default_rng(0).normal(size=(20, 32, 32, 2))
    masks = {"all": np.ones(target.shape[:3], bool)}
    chance = flow_scores(random_direction(target.shape, 1.0, seed=0), target, masks)
    assert chance["os_all"].mean() == pytest.approx(2 / math.pi, abs=0.01)
    assert chance["ds_all"].mean() == pytest.approx(0, abs=0.01)
    nothing = flow_scores(zero_flow(target.shape), target, masks)
    assert nothing["ds_all"].max() == nothing["os_all"].max() == 0
    assert nothing["epe_all"].mean() == pytest.approx(np.linalg.norm(target, axis=-1).mean())


def test_canny_finds_the_edge_of_a_square_only():
    image = np.zeros((40, 40, 3), np.uint8)
    image[10:30, 10:30] = 255
    edges = canny_pixels(image)
    assert edges.any() and not edges[15:25, 15:25].any() and not edges[:5].any()


def test_moving_pixels_lie_in_the_foreground_and_move():
    target = np.zeros((1, 8, 8, 2))
    target[0, :, :4, 0] = 2.0
    foreground = np.zeros((1, 8, 8), bool)
    foreground[0, :4] = True
    masks = evaluation_masks(np.zeros((1, 8, 8, 3), np.uint8), target, foreground)
    assert masks["moving"].sum() == 16 and masks["moving"][0, :4, :4].all()
    assert masks["all"].all()
