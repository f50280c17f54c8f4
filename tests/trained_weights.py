"""Tests that need ImageNet's weights are skipped where `make weights` has not brought them."""

import pytest

from stillact_lib.networks.mobile import WEIGHTS

needs_weights = pytest.mark.skipif(
    not all(file.here() for file in WEIGHTS.values()), reason="ImageNet weights are not installed: make weights"
)
