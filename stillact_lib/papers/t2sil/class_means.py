"""The verdicts of chapter 05 by the mean of the classes' accuracies, beside those by accuracy, which decide, as
photographs are unevenly spread over classes, and some classes count for little in accuracy (T2SIL, §5.3)."""

from __future__ import annotations

import pandas as pd

from stillact_lib.evidence.claims import Cells, Entry
from stillact_lib.evidence.kept import World
from stillact_lib.evidence.ledger import Ledger
from stillact_lib.evidence.verdicts import decide
from stillact_lib.evidence.wording import line_of

DECIDING, OTHER = "accuracy", "class_mean"


def by_class_mean(entry: Entry) -> Entry | None:
    """The sentence with the mean over classes in the place of accuracy; None where it is of other measures."""

    def instead(cells: list[Cells]) -> list[Cells]:
        return [one.model_copy(update={"metric": [OTHER], "effect": None}) for one in cells]

    if not entry.cells or any(one.metric != [DECIDING] for one in (*entry.cells, *entry.real)):
        return None
    return entry.model_copy(update={"cells": instead(entry.cells), "real": instead(entry.real)})


def verdicts_by_both(ledger: Ledger, world: World) -> pd.DataFrame:
    """A row a sentence that the kept runs of a world can decide by both, by its id: the effect and the verdict by
    accuracy and by the mean over classes, and whether the latter would turn the verdict."""
    rows, published, pool = {}, ledger.published, ledger.kept[world].pool
    for entry in published.entries:
        verdict, other = ledger.verdict(entry.id, world), by_class_mean(entry)
        decided = [verdict, decide(published, other, pool)] if other else []
        if not decided or "not attempted" in (found.label for found in decided):
            continue
        lines = [line_of(published, found, None) for found in decided]
        told = {
            f"{name}, {measure}": line[name]
            for line, measure in zip(lines, (DECIDING, "class mean"), strict=True)
            for name in ("effect", "verdict")
        }
        rows[entry.id] = told | {"turned": lines[0]["verdict"] != lines[1]["verdict"]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("sentence")


def turned_in_words(found: pd.DataFrame) -> str:
    """Which verdicts the mean over classes would turn, as a sentence."""
    turned = found[found["turned"]] if len(found) else found
    named = [f"`{id}` ({row['verdict, accuracy']} → {row['verdict, class mean']})" for id, row in turned.iterrows()]
    if not named:
        return f"The mean over classes would turn none of {len(found)} verdicts."
    return f"The mean over classes would turn {len(named)} of {len(found)} verdicts: {', '.join(named)}."
