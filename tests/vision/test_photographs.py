"""Photographs brought to one size: enlarged smoothly, shrunk by area, each into its place."""

import numpy as np
from PIL import Image

from stillact_lib.vision.photographs import squashed


def test_what_is_enlarged_is_smooth_and_what_is_shrunk_is_its_area():
    stripes = np.tile(np.array([0, 200], np.uint8)[None, :, None], (4, 2, 3))
    large = squashed(stripes, 16)
    assert large.shape == (16, 16, 3) and len(np.unique(large)) > 4, "by area there would be two values"
    wide = np.repeat(stripes, 8, axis=1)
    both = squashed(wide, 8)  # four rows become eight, 32 columns eight
    assert both.shape == (8, 8, 3) and set(np.unique(both)) == {0, 200}
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    reference = np.asarray(Image.fromarray(noise).resize((10, 10), Image.Resampling.BOX)).astype(int)
    assert np.abs(squashed(noise, 10).astype(int) - reference).max() <= 1
