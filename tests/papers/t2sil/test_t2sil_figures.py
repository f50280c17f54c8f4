"""Charts of chapter 05 show the numbers they were given."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.figures import use_book_style
from stillact_lib.papers.t2sil import figures as charts

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


def test_reach_names_every_arm_and_its_interval():
    gains = {"gan_flow": Interval(1, 0, 2, 5, 2), "perceptron": Interval(0.5, -1, 2, 5, 2)}
    figure = charts.reach(gains, {"flow": Interval(6, 5, 7, 5, 2)})
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["oracle, flow", "gan flow", "perceptron"]
    segments = [line.get_segments()[0][:, 0].tolist() for line in axis.collections]
    assert segments == [[5, 7], [0, 2], [-1, 2]]


def test_a_curve_has_a_point_for_each_number_of_videos():
    curves = {"tsn": {100: Interval(1, 0, 2, 5, 2), 400: Interval(2, 1, 3, 5, 2)}, "gan": {}}
    (axis,) = charts.curve_over_videos({name: curve for name, curve in curves.items() if curve}).axes
    assert axis.lines[0].get_ydata().tolist() == [1, 2]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["100", "400"]


def test_a_clip_builds_up():
    frames = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), np.uint8)
    flow = np.full((3, 2, 8, 8), 128, np.uint8)
    figure = charts.build_up(frames, 2, "harmonic", flow, 4.0)
    faded = [axis.images[0].get_alpha() for axis in figure.axes[:4]]
    assert faded == [1, 1, 0.25, 0.25]
    assert sum(bool(axis.images) for axis in figure.axes[5:]) == 2  # one flow frame so far, u and v


def test_changed_decisions_come_the_surest_first():
    first = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    second = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]])
    assert charts.decided_differently(first, second).tolist() == [1, 0]


def test_key_frames_are_framed_and_the_others_dimmed():
    frames = np.zeros((1, 3, 4, 4, 3), np.uint8)
    axes = charts.key_frame_strips(frames, [np.array([1])], ["run"]).axes
    assert [axis.images[0].get_alpha() for axis in axes] == [0.35, 1, 0.35]
    assert [axis.spines["left"].get_visible() for axis in axes] == [False, True, False]


def test_distances_stand_beside_their_bars():
    (axis,) = charts.distances({"halves": -0.03, "frames": 1.25}).axes
    assert [bar.get_width() for bar in axis.patches] == [-0.03, 1.25]
    assert [text.get_text() for text in axis.texts] == ["-0.03", "1.25"]
