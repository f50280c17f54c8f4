"""Curves of watched trainings, of the records that the repository keeps."""

import matplotlib.pyplot as plt
import pandas as pd

from stillact_lib.evidence.ledger import open_ledger
from stillact_lib.notebook.answers import Answers
from stillact_lib.notebook.curves import curves_by_arm, watched_trainings


def test_tuning_runs_are_named_by_what_they_change():
    found = dict(watched_trainings(Answers(open_ledger("05-temporal-transfer"))))
    tuning = found["tuning, real video"]
    assert {"still", "augmented", "dynamic", "flow"} <= set(tuning["arm"])
    assert tuning["change"].nunique() > 1 and not tuning.duplicated(["change", "arm", "metric", "step"]).any()


def test_chapters_without_watched_runs_have_no_curves():
    assert not list(watched_trainings(Answers(open_ledger("01-action-objects"))))


def test_a_panel_an_arm_a_line_a_change():
    rows = [(change, arm, step, step / 2) for change in ("a", "b") for arm in ("x_y", "z") for step in (1, 2)]
    figure = curves_by_arm(pd.DataFrame(rows, columns=["change", "arm", "step", "value"]), "right, %", columns=3)
    shown = {axis.get_title(): axis.lines for axis in figure.axes if axis.get_visible()}
    assert set(shown) == {"x y", "z"} and all(len(lines) == 2 for lines in shown.values())
    assert shown["z"][0].get_ydata().tolist() == [0.5, 1.0]
    plt.close(figure)
