"""What belongs together stays together: groups of items (clips of one source video, people of one photograph) dealt out
whole to the parts of a rotation. Chapters 03 to 05.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.errors import StillactError

if TYPE_CHECKING:
    import pandas as pd


def dealt_out(classes: np.ndarray, groups: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Which of the parts 0, 1, ... each of N items belongs to, int64 [N]: the groups of each class in a drawn order."""
    part = np.zeros(len(classes), np.int64)
    rng = np.random.default_rng(seed)
    for of_class in (classes == name for name in np.unique(classes)):
        names = rng.permutation(np.unique(groups[of_class]))
        place = {name: position % parts for position, name in enumerate(names)}
        part[of_class] = [place[name] for name in groups[of_class]]
    return part


def fold_of(videos: pd.DataFrame, folds: int) -> np.ndarray:
    """Which of the folds 1, 2, ... each video belongs to, int64 [N]: whole groups, dealt out at random class by class,
    so that each fold has its share of every class. Raises StillactError where a class has fewer groups than folds."""
    for class_name, groups in videos.groupby("class_name", sort=True)["group"].nunique().items():
        if groups < folds:
            raise StillactError(f"class {class_name}: {groups} groups make no {folds} folds; lower folds")
    return 1 + dealt_out(videos["class_name"].to_numpy(), videos["group"].to_numpy(), folds, seed=0)
