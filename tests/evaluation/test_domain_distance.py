"""The proxy A-distance: near 0 for one domain, 2 for two that lie apart."""

import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.domain_distance import proxy_a_distance


def test_halves_of_one_domain_are_near_and_shifted_ones_far():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 6))
    assert abs(proxy_a_distance(features[:200], features[200:])) < 0.35
    assert proxy_a_distance(features[:200], features[200:] + 8) == 2
    between = proxy_a_distance(features[:200], features[200:] + 0.5)
    assert 0.35 < between < 1.9


def test_the_greater_domain_does_not_count_more():
    """A classifier that always names the greater one is wrong half of the time, not a tenth."""
    rng = np.random.default_rng(1)
    assert abs(proxy_a_distance(rng.normal(size=(900, 4)), rng.normal(size=(100, 4)))) < 0.4


def test_too_few_items_are_refused():
    with pytest.raises(StillactError, match="4 items are fewer than 5 folds"):
        proxy_a_distance(np.zeros((4, 2)), np.ones((9, 2)))
