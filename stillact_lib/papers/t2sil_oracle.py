"""T2SIL's upper bound: what a perfect transfer would be worth (Herath, Fernando, Harandi, Pattern Recognition 2019,
§5.5, Table 4). Chapter 05.
"""

from __future__ import annotations

import numpy as np

from stillact_lib.papers.distillation import random_partners
from stillact_lib.papers.t2sil_backbones import Kept
from stillact_lib.papers.t2sil_transfers import fused


def oracle_draws(
    stills: Kept, temporal: Kept, draws: int, seed: int, taught: frozenset[int] = frozenset()
) -> np.ndarray:
    """Table 4: whether each still is named right, bool [draws, N], when its prediction is averaged with that of a
    temporal instance of its own class, drawn anew for every still and draw.

    temporal: instances that the temporal network has not learnt from. Raises ValueError where one of its items is in
    `taught`, StillactError where a class of the stills has none.
    """
    if taught & set(temporal.item.tolist()):
        raise ValueError("the oracle's instances must not be among those that taught the temporal network")
    rng = np.random.default_rng(seed)
    by_class = temporal.by_class(stills.scores.shape[1])
    own, theirs = stills.softmax, temporal.softmax
    right = np.empty((draws, len(own)), bool)
    for draw in range(draws):
        partners = random_partners(stills.labels, by_class, rng)
        right[draw] = fused(theirs[partners], own).argmax(1) == stills.labels
    return right
