"""Machines from a Gram matrix are scikit-learn's linear ones."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from stillact_lib.evaluation.kernel_svm import decide, fit_from_gram


def problem(seed=0, items=80, length=200, classes=3):
    rng = np.random.default_rng(seed)
    labels = np.arange(items) % classes
    features = rng.normal(size=(items, length)) / np.sqrt(length)
    features[np.arange(items), labels] += 1.2
    return features, labels[:, None] == np.arange(classes)


@pytest.mark.parametrize("strength", [0.05, 1.0, 30.0])
def test_decisions_are_those_of_linear_svc(strength):
    features, positives = problem()
    learnt, asked = np.arange(60), np.arange(60, 80)
    gram = features @ features[learnt].T
    found = decide(gram[asked], fit_from_gram(gram[learnt], positives[learnt], strength))
    for column in range(3):
        machine = LinearSVC(C=strength, tol=1e-8, max_iter=200_000, random_state=0)
        machine.fit(features[learnt], positives[learnt, column])
        assert found[:, column] == pytest.approx(machine.decision_function(features[asked]), abs=2e-4)


def test_two_points_by_hand():
    """x = 1 and -1 with their signs as classes: b = 0, and w minimises w^2 / 2 + 2 C (1 - w)^2 at 4C / (1 + 4C)."""
    points = np.array([[1.0], [-1.0]])
    weights = fit_from_gram(points @ points.T, np.array([[True], [False]]), strength=0.5)
    assert (points.T @ weights).item() == pytest.approx(2 / 3)
    assert weights.sum() == pytest.approx(0)


def test_leaving_a_feature_out_subtracts_its_matrix():
    first, positives = problem(1)
    second, _ = problem(2)
    train = np.arange(50)
    of_first, of_second = (values @ values[train].T for values in (first, second))
    joined = np.concatenate([first, second], axis=1)
    whole = of_first + of_second
    assert np.allclose(whole, joined @ joined[train].T)
    alone = fit_from_gram((whole - of_second)[train], positives[train], 1.0)
    assert np.allclose(alone, fit_from_gram(of_first[train], positives[train], 1.0), atol=1e-8)


@pytest.mark.parametrize("seed", range(40))
def test_no_direction_leads_further_down_whatever_the_scale(seed):
    """The gradient at the solution is zero, also where full Newton steps would go round in circles."""
    rng = np.random.default_rng(seed)
    count, length, strength = int(rng.integers(20, 150)), int(rng.integers(1, 12)), float(rng.choice([0.01, 1, 100]))
    items = rng.normal(size=(count, length)) * rng.choice([0.01, 1, 10])
    positive = rng.random(count) < 0.4
    dual = fit_from_gram(items @ items.T, positive[:, None], strength)
    signs, with_one = np.where(positive, 1.0, -1.0), np.hstack([items, np.ones((count, 1))])
    weights = with_one.T @ dual[:, 0]
    losses = np.maximum(0, 1 - signs * (with_one @ weights))
    gradient = weights - 2 * strength * with_one.T @ (signs * losses)
    assert np.abs(gradient).max() <= 1e-4 * max(1, np.abs(weights).max())
