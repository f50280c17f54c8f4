"""Curves of watched trainings as a chapter's page shows them: where they flatten, and at which setting. Those of tuning
runs, which decide nothing else, and of the runs that decide, world by world. Chapters 02, 03 and 05.
"""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stillact_lib.configuration import profile_parameters
from stillact_lib.evidence.records import load_records
from stillact_lib.evidence.tuning import tried
from stillact_lib.evidence.worlds import is_drawn
from stillact_lib.notebook.answers import Answers
from stillact_lib.notebook.class_charts import spaced

#: whose parameters a world's runs change: those that decide, and tuning runs
PROFILES = {"drawn": ("study", "study"), "real": ("real", "tuning")}


def watched_trainings(answers: Answers) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tuning runs, and runs that decide, by what their world is called ("tuning, drawn world"), with their curves
    (`evidence.tuning.tried`): the mean over runs of one setting, whatever their seed and miniature. Kinds of run that
    kept none are left out."""
    chapter = answers.ledger.published.chapter
    tuning = load_records(chapter=chapter, profile="tuning")
    for at, called in answers.called.items():
        deciding, choosing = PROFILES[at]
        kinds = {f"tuning, {called}": (choosing, [run for run in tuning if is_drawn(run) == (at == "drawn")])}
        if at in answers.worlds:
            kinds[f"runs that decide, {called}"] = deciding, answers.ledger.kept[at].records
        for name, (profile, records) in kinds.items():
            found = tried(records, profile_parameters(chapter, profile) if records else {}, whole=True)
            if len(found):
                yield (
                    name,
                    found.groupby(["change", "dataset", "arm", "metric", "step"], as_index=False)["value"].mean(),
                )


def curves_by_arm(curves: pd.DataFrame, label: str, columns: int = 3) -> Figure:
    """A figure over the training steps, a panel an arm, a line a change; curves: change, arm, step, value."""
    arms, changes = (sorted(curves[name].unique()) for name in ("arm", "change"))
    columns = min(columns, len(arms))
    rows = -(-len(arms) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(7.2, 2.1 * rows + 0.5), sharex=True, sharey=True, squeeze=False)
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(changes)))
    for axis, arm in zip(grid.flat, arms, strict=False):
        for change, shade in zip(changes, shades, strict=True):
            line = curves[(curves["arm"] == arm) & (curves["change"] == change)]
            axis.plot(line["step"], line["value"], color=shade, label=change)
        axis.set_title(spaced(arm), fontsize=8.5)
    for axis in list(grid.flat)[len(arms) :]:
        axis.set_visible(False)
    for axis in grid[:, 0]:
        axis.set_ylabel(label)
    for axis in grid[-1]:
        axis.set_xlabel("training step")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", fontsize=7.5)
    return figure
