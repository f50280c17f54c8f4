"""Charts about classes that chapters share: what a class gained, and the classes a prediction holds likeliest.

Right and wrong classes keep their two colours throughout, and the right class's name is bold, so that colour is not the
only sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.figures import PALETTE, bare

RIGHT = PALETTE["green"]
WRONG = PALETTE["amber"]


def class_gains(
    gains: Mapping[str, Interval],
    label: str = "accuracy gained, percentage points",
    published: Mapping[str, float] | None = None,
) -> Figure:
    """Gain of each class with its interval, in percentage points, the greatest on top: green where the interval lies
    above zero, red where it lies below. `published`: what the paper reports of some, hollow diamonds."""
    names = sorted(gains, key=lambda name: gains[name].mean, reverse=True)
    figure, axis = plt.subplots(figsize=(7.2, 0.6 + 0.22 * len(names)))
    for place, name in enumerate(names):
        gain = gains[name]
        shade = PALETTE["green" if gain.low > 0 else "vermilion" if gain.high < 0 else "grey"]
        axis.hlines(place, gain.low, gain.high, color=shade)
        axis.plot(gain.mean, place, "o", color=shade, ms=5)
        if name in (published or {}):
            axis.plot(published[name], place, "D", mfc="none", color=PALETTE["ink"], ms=6)
    axis.axvline(0, color=PALETTE["ink"], lw=0.8)
    axis.set(xlabel=label, yticks=range(len(names)), yticklabels=[spaced(name) for name in names])
    axis.set_ylim(len(names) - 0.4, -0.6)
    return figure


def best_classes(axis: Axes, scores: np.ndarray, classes: Sequence[str], count: int, right: int | None) -> None:
    """The `count` best-scored classes as bars, the best on top: the axis is 1 wide; name and score stand on the bar."""
    best = np.argsort(-scores, kind="stable")[:count]
    other = PALETTE["grey"] if right is None else WRONG
    axis.barh(range(len(best)), scores[best], color=[RIGHT if k == right else other for k in best], alpha=0.55)
    for place, k in enumerate(best):
        style = {"fontsize": 8, "va": "center_baseline", "fontweight": "bold" if k == right else "normal"}
        axis.text(0.015, place, spaced(classes[k]), **style)
        axis.text(1, place, f"{scores[k]:.2f}", ha="right", **style)
    bare(axis)
    axis.set(xlim=(0, 1), ylim=(len(best) - 0.5, -0.5))


def spaced(name: str) -> str:
    """A class or arm as one reads it."""
    return name.replace("_", " ")
