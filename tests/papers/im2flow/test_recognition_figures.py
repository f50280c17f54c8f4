"""Charts of chapter 04's recognition half: they show the numbers they were given, under the right names."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook import class_charts
from stillact_lib.notebook.class_charts import RIGHT, WRONG
from stillact_lib.notebook.figures import PALETTE, use_book_style
from stillact_lib.papers.im2flow import recognition_figures as charts
from stillact_lib.papers.im2flow.figures import arrows
from stillact_lib.training.loop import History

matplotlib.use("Agg")

CLASSES = ["riding_horse", "running", "walking", "waving"]


@pytest.fixture(autouse=True)
def book_style():
    with matplotlib.rc_context():
        use_book_style()
        yield
    plt.close("all")


def numbered(count: int, channel: int) -> np.ndarray:
    """Pictures uint8 [count, 8, 8, 3] that tell which they are: `channel` holds the number, the others 255."""
    pictures = np.full((count, 8, 8, 3), 255, np.uint8)
    pictures[..., channel] = np.arange(count)[:, None, None]
    return pictures


def picture_number(axis, channel: int) -> int:
    (picture,) = axis.get_images()
    assert (np.delete(picture.get_array()[0, 0], channel) == 255).all()
    return int(picture.get_array()[0, 0, channel])


def bars(axis) -> list[tuple[str, str, float, str, bool]]:
    """From top to bottom: name, printed score, length, colour, whether the name is bold."""
    assert axis.get_xlim() == (0, 1) and axis.get_ylim()[0] > axis.get_ylim()[1]
    names, scores = axis.texts[::2], axis.texts[1::2]
    return [
        (
            name.get_text(),
            score.get_text(),
            pytest.approx(bar.get_width()),
            to_hex(bar.get_facecolor()),
            name.get_fontweight() == "bold",
        )
        for bar, name, score in zip(axis.patches, names, scores, strict=True)
    ]


def test_potential_extremes_rank_images_that_have_a_foreground():
    potential = np.array([2.0, np.nan, 0.5, 9.25, 1.0, np.nan, 3.0])
    figure = charts.potential_extremes(numbered(7, 0), numbered(7, 1), potential, count=2)
    axes = np.array(figure.axes).reshape(4, 2)
    shown = [[picture_number(axis, row % 2) for axis in axes[row]] for row in range(4)]
    assert shown == [[3, 6], [3, 6], [2, 4], [2, 4]]
    assert [axis.get_title() for axis in axes[0]] == ["9.25 px", "3.00 px"]
    assert [axis.get_title() for axis in axes[2]] == ["0.50 px", "1.00 px"]
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["most", "its flow", "least", "its flow"]


def test_potential_extremes_show_no_image_twice_and_refuse_to_rank_one():
    potential = np.array([1.0, 2.0, 3.0, np.nan])
    figure = charts.potential_extremes(numbered(4, 0), numbered(4, 1), potential)
    assert [picture_number(figure.axes[k], 0) for k in (0, 2)] == [2, 0]
    with pytest.raises(StillactError, match="1 images have a foreground"):
        charts.potential_extremes(numbered(2, 0), numbered(2, 1), np.array([1.0, np.nan]))


def test_pick_changed_by_hand():
    """Of two classes, the score of class 0 before and after; right is class 0 but in row 6."""
    first = np.array(
        [[0.4, 0.6], [0.1, 0.9], [0.9, 0.4], [0.6, 0.1], [0.2, 0.4], [0.6, 0.99], [0.7, 0.2], [0.45, 0.55]]
    )
    before, after = (np.stack([p, 1 - p], axis=1) for p in first.T)
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 0])
    # became right: 1 (+.8), 6 (+.5), 0 (+.2), 7 (+.1); became wrong: 2 and 3 (-.5 both); row 4 stays wrong, row 5 right
    better, worse = charts.pick_changed(before, after, labels)
    assert better == [1, 6, 0]
    assert sorted(worse) == [2, 3]
    better, worse = charts.pick_changed(before, after, labels, count=9)
    assert better == [1, 6, 0, 7]
    assert charts.pick_changed(before, before, labels) == ([], [])


def test_pick_changed_orders_falls_and_settles_ties_by_seed():
    falls = np.array([[0.6, 0.3], [0.9, 0.1], [0.8, 0.2]])
    before, after = (np.stack([p, 1 - p], axis=1) for p in falls.T)
    assert charts.pick_changed(before, after, np.zeros(3, int))[1] == [1, 2, 0]
    before, after = np.tile([0.4, 0.6], (20, 1)), np.tile([0.6, 0.4], (20, 1))
    picked = [charts.pick_changed(before, after, np.zeros(20, int), seed=seed)[0] for seed in (0, 0, 1, 2)]
    assert picked[0] == picked[1]
    assert len({tuple(rows) for rows in picked}) > 1


def test_changed_decisions_show_scores_names_and_what_became_of_them():
    before = np.array([[0.1, 0.5, 0.4, 0.0], [0.7, 0.1, 0.15, 0.05], [0.3, 0.2, 0.1, 0.4]])
    after = np.array([[0.6, 0.3, 0.1, 0.0], [0.2, 0.1, 0.3, 0.4], [0.25, 0.2, 0.1, 0.45]])
    labels = np.array([0, 0, 1])
    figure = charts.changed_decisions(numbered(3, 0), numbered(3, 1), before, after, labels, CLASSES, [1, 0, 2])
    axes = np.array(figure.axes).reshape(3, 4)
    assert [picture_number(axis, 0) for axis in axes[:, 0]] == [1, 0, 2]
    assert [picture_number(axis, 1) for axis in axes[:, 1]] == [1, 0, 2]
    assert [axis.get_title(loc="left") for axis in axes[:, 0]] == ["riding horse", "riding horse", "running"]
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["made wrong", "made right", "stays wrong"]
    assert [axis.get_title() for axis in axes[0, 2:]] == ["appearance", "appearance + motion"]
    right, wrong = to_hex(RIGHT), to_hex(WRONG)
    assert bars(axes[1, 2]) == [
        ("running", "0.50", 0.5, wrong, False),
        ("walking", "0.40", 0.4, wrong, False),
        ("riding horse", "0.10", 0.1, right, True),
    ]
    assert bars(axes[1, 3])[0] == ("riding horse", "0.60", 0.6, right, True)
    assert [name for name, *_ in bars(axes[0, 3])] == ["waving", "walking", "riding horse"]


def test_changed_decisions_says_so_when_none_changed():
    nothing = np.zeros((2, 4))
    figure = charts.changed_decisions(numbered(2, 0), numbered(2, 1), nothing, nothing, np.zeros(2, int), CLASSES, [])
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == ["no decision changed"]


def test_class_gains_are_sorted_and_coloured_by_their_intervals():
    gains = {
        "running": Interval(-4, -7, -1, 9, 3),
        "riding_horse": Interval(5, 2, 8, 9, 3),
        "walking": Interval(1, -2, 4, 9, 3),
    }
    figure = class_charts.class_gains(gains)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["riding horse", "walking", "running"]
    *means, zero = axis.lines
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in means] == [(5, 0), (1, 1), (-4, 2)]
    assert [to_hex(line.get_color()) for line in means] == [
        to_hex(PALETTE[name]) for name in ("green", "grey", "vermilion")
    ]
    assert set(zero.get_xdata()) == {0}
    spans = [interval.get_segments()[0][:, 0].tolist() for interval in axis.collections]
    assert spans == [[2, 8], [-2, 4], [-7, -1]]
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the greatest gain stands on top"


def test_stream_curves_show_running_means_of_loss_and_accuracy():
    rows = [{"step": 10.0 * (k + 1), "loss": 2.0 - 0.1 * k, "accuracy": 0.1 * k} for k in range(10)]
    figure = charts.stream_curves({"appearance": History(rows), "second_appearance": History(rows[:3])})
    loss, accuracy = figure.axes
    (first, second), (rising, _) = loss.lines, accuracy.lines
    np.testing.assert_allclose(first.get_ydata()[[0, 1, 9]], [2.0, 1.95, 1.15])  # means of one figure, then of two
    assert list(second.get_xdata()) == [10, 20, 30] and rising.get_ydata()[-1] == pytest.approx(0.85)
    assert first.get_linestyle() != second.get_linestyle()  # they share the colour
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["appearance", "second appearance"]


def test_gain_curves_draw_each_arm_over_the_counts_it_has():
    curves = {
        "appearance_motion_im2flow_ucf": {50: Interval(2, 1, 3, 9, 3), 5: Interval(6, 4, 9, 9, 3)},
        "appearance_motion_walker": {5: Interval(1, -1, 2, 9, 3)},
    }
    figure = charts.gain_curves(curves, "PennAction")
    (axis,) = figure.axes
    first, second, zero = axis.lines
    assert first.get_ydata().tolist() == [6, 2] and second.get_ydata().tolist() == [1]
    assert first.get_xdata() == pytest.approx([5, 50], rel=0.05)
    spans = [segment[:, 1].tolist() for lines in axis.collections for segment in lines.get_segments()]
    assert spans == [[4, 9], [1, 3], [-1, 2]]
    assert set(zero.get_ydata()) == {0}
    assert axis.get_xscale() == "log" and [t.get_text() for t in axis.get_xticklabels()] == ["5", "50"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "appearance motion im2flow ucf",
        "appearance motion walker",
    ]
    assert axis.get_title() == "PennAction"


def test_gain_curves_refuse_the_count_that_means_all():
    gain = Interval(4, 3, 5, 9, 3)
    with pytest.raises(ValueError, match="write out what 0"):
        charts.gain_curves({"appearance": {0: gain, 10: gain}}, "Willow")


def test_arms_keep_their_colours_and_never_look_alike():
    assert charts.arm_colour("appearance_motion_walker") == charts.arm_colour("motion_walker") == PALETTE["vermilion"]
    assert charts.arm_colour("motion_im2flow_ucf") == PALETTE["blue"]
    assert charts.arm_colour("appearance") == PALETTE["grey"]
    assert charts.arm_colour("appearance appearance") == charts.arm_colour("appearance_appearance") != PALETTE["grey"]
    arms = ["appearance", "appearance_appearance", "encoder", "appearance_encoder", "motion_truth", "motion_walker"]
    arms += [f"{first}motion_im2flow_{source}" for first in ("", "appearance_") for source in ("ucf", "hmdb", "both")]
    figure = charts.gain_curves({arm: {5: Interval(1, 0, 2, 9, 3)} for arm in arms}, "Willow")
    *drawn, _ = figure.axes[0].lines
    looks = {(line.get_color(), line.get_linestyle()) for line in drawn}
    assert len(looks) == len(drawn) == len(arms)


@pytest.mark.parametrize("right", [None, 1])
def test_decision_board_shows_the_three_decisions(right):
    appearance, motion = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.1, 0.7, 0.15, 0.05])
    fused = 0.25 * appearance + 0.75 * motion
    flow = np.zeros((8, 8, 2), np.float32)
    flow[..., 0] = 2
    figure = charts.decision_board(
        numbered(5, 0)[3], numbered(5, 1)[2], flow, appearance, motion, fused, CLASSES, 0.25, right
    )
    axes = np.array(figure.axes).reshape(2, 3)
    assert (picture_number(axes[0, 0], 0), picture_number(axes[0, 1], 1)) == (3, 2)
    assert axes[0, 0].get_title() == ("image" if right is None else "running")
    quiver = axes[0, 2].collections[0]
    assert (
        (quiver.U == 2).all() and (quiver.V == 0).all() and to_rgba(PALETTE["blue"]) == tuple(quiver.get_facecolor()[0])
    )
    assert [axis.get_title() for axis in axes[1]] == ["appearance", "motion", "0.25 appearance + 0.75 motion"]
    for axis, scores in zip(axes[1], (appearance, motion, fused), strict=True):
        order = np.argsort(-scores)
        assert [(name, length) for name, _, length, *_ in bars(axis)] == [
            (CLASSES[k].replace("_", " "), scores[k]) for k in order
        ]
        marked = [name for name, *_, bold in bars(axis) if bold]
        assert marked == ([] if right is None else ["running"])
    assert len({colour for *_, colour, _ in bars(axes[1, 0])}) == (1 if right is None else 2)


def test_arrows_stand_where_the_flow_is():
    """The explorer's arrows and the board's are drawn by one function: at each arrow's foot, the flow of that pixel."""
    flow = np.random.default_rng(0).normal(size=(42, 42, 2)).astype(np.float32)
    figure = arrows(np.zeros((42, 42, 3), np.uint8), {"im2flow": flow}, "running")
    quiver = figure.axes[1].collections[0]
    x, y = quiver.X.astype(int), quiver.Y.astype(int)
    assert len(x) == 21 * 21
    assert np.array_equal(quiver.U, flow[y, x, 0]) and np.array_equal(quiver.V, flow[y, x, 1])
