"""What could be gained at most: stills beside temporal instances of their own class (Herath, Fernando, Harandi, Pattern
Recognition 2019, §5.5, Table 4). Chapter 05.
"""

from __future__ import annotations

import numpy as np

from stillact_lib.papers.t2sil.backbones import Kept
from stillact_lib.papers.t2sil.experiment import fused
from stillact_lib.papers.t2sil.transfers import random_partners

#: how often a partner of the still's own group is drawn again
REDRAWN = 20


def oracle_draws(
    stills: Kept,
    temporal: Kept,
    draws: int,
    seed: int,
    taught: frozenset[int] = frozenset(),
    groups: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Table 4: whether each still is named right, bool [draws, N], when its prediction is averaged with that of a
    temporal instance of its own class, drawn anew for every still and draw.

    temporal: instances that the temporal network has not learnt from. groups: of stills and of instances, where they
    are cut from the same videos: a partner is of another group than the still, where its class has one. Raises
    ValueError where an item is in `taught`, StillactError where a class of the stills has no instance.
    """
    if taught & set(temporal.item.tolist()):
        raise ValueError("the oracle's instances must not be among those that taught the temporal network")
    rng = np.random.default_rng(seed)
    by_class = temporal.by_class(stills.scores.shape[1])
    own, theirs = stills.softmax, temporal.softmax
    right = np.empty((draws, len(own)), bool)
    for draw in range(draws):
        partners = random_partners(stills.labels, by_class, rng)
        for _ in range(REDRAWN if groups else 0):
            alike = np.flatnonzero(groups[0] == groups[1][partners])
            partners[alike] = random_partners(stills.labels[alike], by_class, rng)
        right[draw] = fused(theirs[partners], own).argmax(1) == stills.labels
    return right
