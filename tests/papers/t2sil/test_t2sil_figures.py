"""Charts of chapter 05 show the numbers they were given."""

from types import SimpleNamespace

import cv2
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.figures import use_book_style
from stillact_lib.papers.t2sil import figures as charts
from stillact_lib.papers.t2sil.data import TEST_SETS
from stillact_lib.training.loop import History

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def book_style():
    with matplotlib.rc_context():
        use_book_style()
        yield
    plt.close("all")


def test_composition_is_stacked_by_source():
    stills = pd.DataFrame({"stanford40": [3, 0], "imsitu": [1, 2]}, index=["wave", "walk"])
    videos = pd.DataFrame({"hmdb51": [5, 4]}, index=["wave", "walk"])
    left, right = charts.composition_bars(stills, videos).axes
    assert [(bar.get_x(), bar.get_width()) for bar in left.patches] == [(0, 3), (0, 0), (3, 1), (0, 2)]
    assert [bar.get_width() for bar in right.patches] == [5, 4]


class Kept:
    """A ledger of few arms, whose headings are their names in capitals."""

    published = SimpleNamespace(arm_heading=lambda arm, *_: arm.upper())

    def __init__(self, **gains):
        self.records = [SimpleNamespace(metrics={"ssvac40/dynamic/videos": 400.0, "ssvac40/dynamic_25/videos": 100.0})]
        self.gains = gains

    def measured(self, dataset, arm, metric):
        return self.gains.get(arm) if (dataset, metric) == ("ssvac40", "gain") else None


def test_reach_names_every_arm_that_was_measured_and_its_interval():
    gains = {"perceptron_fused": Interval(0.5, -1, 2, 5, 2), "gan_flow_fused": Interval(1, 0, 2, 5, 2)}
    (axis,) = charts.reach(Kept(**gains, oracle_flow=Interval(6, 5, 7, 5, 2))).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["ORACLE_FLOW", "GAN_FLOW_FUSED", "PERCEPTRON_FUSED"]
    segments = [line.get_segments()[0][:, 0].tolist() for line in axis.collections]
    assert segments == [[5, 7], [0, 2], [-1, 2]]


def test_a_curve_has_a_point_for_each_number_of_videos():
    kept = Kept(gan_dynamic_fused=Interval(2, 1, 3, 5, 2), gan_dynamic_25_fused=Interval(1, 0, 2, 5, 2))
    (axis,) = charts.curve_over_videos(kept).axes
    assert axis.lines[0].get_ydata().tolist() == [1, 2]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["100", "400"]


def test_a_clip_builds_up():
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8), (0, 0), 2)
    frames = np.stack([texture[:32, 3 * n : 3 * n + 32] for n in range(4)])[None]
    settings = SimpleNamespace(pooling="harmonic", flow_side=64, flow_method="dis")
    figure = charts.build_up(SimpleNamespace(frames=frames), settings, 0, 3)
    pooled, *grid = figure.axes
    assert len(grid) == 3 * 4 and pooled.images
    assert [axis.images[0].get_alpha() for axis in grid[:4]] == [1, 1, 1, 0.25]
    across = [axis.images[0].get_array() if axis.images else None for axis in grid[4:8]]
    assert across[0] is None and across[3] is None, "nothing led to the first, the last is not seen yet"
    for of_pair in across[1:3]:
        assert np.median(of_pair[8:24, 4:24]) == pytest.approx(-3, abs=0.6), (
            "of the frames that are shown, in their pixels"
        )


def test_three_answers_stand_beside_the_photograph_that_was_asked():
    answers = {
        "still": [[0.9, 0.1], [0.2, 0.8]],
        "tsn": [[0.5, 0.5], [0.7, 0.3]],
        "tsn_fused": [[0.7, 0.3], [0.4, 0.6]],
    }
    test = SimpleNamespace(
        labels=np.array([0, 1]), answers={arm: SimpleNamespace(softmax=np.array(of)) for arm, of in answers.items()}
    )
    images = torch.arange(3, dtype=torch.uint8).reshape(3, 1, 1, 1).expand(3, 3, 2, 2)
    data = SimpleNamespace(classes=("sit_down", "run"), photographs=SimpleNamespace(images=images))
    sets = TEST_SETS["ssvac40"]
    run = SimpleNamespace(tests={sets.test: test}, sets=sets, data=data, stills=lambda part: np.array([0, 2]))
    figure = charts.three_answers(run, still=1, transfer="tsn")
    assert figure.axes[0].get_title() == "run" and figure.axes[0].images[0].get_array().max() == 2
    assert [axis.get_title() for axis in figure.axes[1:]] == ["stills", "tsn", "fused"]
    assert [axis.patches[0].get_width() for axis in figure.axes[1:]] == [0.8, 0.7, 0.6]


def test_changed_decisions_come_the_surest_first():
    first = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    second = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]])
    assert charts.decided_differently(first, second).tolist() == [1, 0]


def test_key_frames_are_framed_and_the_others_dimmed():
    frames = np.zeros((1, 3, 4, 4, 3), np.uint8)
    axes = charts.key_frame_strips(frames, [np.array([1])], ["run"]).axes
    assert [axis.images[0].get_alpha() for axis in axes] == [0.35, 1, 0.35]
    assert [axis.spines["left"].get_visible() for axis in axes] == [False, True, False]


def test_a_curve_shows_what_was_watched_and_no_network_that_was_not():
    rows = [{"step": 10, "loss": 1.0}, {"step": 10, "held_out": 20.0}, {"step": 20, "held_out": 40.0}]
    histories = {"still": History(rows), "flow": History(rows[:1])}
    (axis,) = charts.learning_curves(histories).axes
    (line,) = axis.lines
    assert line.get_xydata().tolist() == [[10, 20], [20, 40]] and line.get_label() == "still"
