"""What belongs together stays together: groups of items (clips of one source video, people of one photograph) dealt out
whole to the parts of a rotation. Chapter 04.
"""

from __future__ import annotations

import numpy as np


def dealt_out(classes: np.ndarray, groups: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Which of the parts 0, 1, ... each of N items belongs to, int64 [N]: the groups of each class in a drawn order."""
    part = np.zeros(len(classes), np.int64)
    rng = np.random.default_rng(seed)
    for of_class in (classes == name for name in np.unique(classes)):
        names = rng.permutation(np.unique(groups[of_class]))
        place = {name: position % parts for position, name in enumerate(names)}
        part[of_class] = [place[name] for name in groups[of_class]]
    return part
