"""Charts of chapter 01 show the numbers they were given."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.class_charts import RIGHT
from stillact_lib.notebook.figures import use_book_style
from stillact_lib.papers.fra import figures as charts
from stillact_lib.papers.fra.data import FIRST_OBJECT, LABELS, Annotation, Region
from stillact_lib.papers.fra.localising import Maps

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def book_style():
    with matplotlib.rc_context():
        use_book_style()
        yield
    plt.close("all")


def around(mean: float) -> Interval:
    return Interval(mean, mean - 1, mean + 1, 10, 2)


def test_classes_stand_from_hard_to_easy_in_their_size_s_colour():
    found = {"running": around(60), "smoking": around(20), "rowing": around(90)}
    sizes = {"running": "undecided", "smoking": "small", "rowing": "large"}
    (axis,) = charts.class_precision(found, sizes).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["smoking", "running", "rowing"]
    assert [bar.get_width() for bar in axis.patches[:3]] == [20, 60, 90]
    assert [bar.get_facecolor()[:3] for bar in axis.patches[:3]] == [
        to_rgba(charts.SIZE_COLOURS[size])[:3] for size in ("small", "undecided", "large")
    ]


def test_labels_are_coloured_and_the_rest_is_faded():
    image = np.full((4, 4, 3), 100, np.uint8)
    labels = np.zeros((4, 4), np.uint8)
    labels[1, 2] = FIRST_OBJECT
    found = charts.annotated(image, Annotation(labels, (0, 0, 1, 1), ()))
    assert to_rgba(charts.LABEL_COLOURS[FIRST_OBJECT])[:3] == pytest.approx(found[1, 2] / 255)
    assert (found[0, 0] > 100).all() and len(charts.LABEL_COLOURS) == len(LABELS)


def a_map(seed: int) -> np.ndarray:
    maps = np.random.default_rng(seed).random((len(LABELS), 8, 8)).astype(np.float32)
    return maps / maps.sum(axis=0)


def test_both_networks_stand_in_rows_with_the_windows_of_the_fine_one():
    maps = Maps(a_map(0), a_map(1), np.array([[0, 0, 4, 4], [3, 3, 7, 7]]))
    figure = charts.coarse_and_fine(np.zeros((8, 8, 3), np.uint8), maps, FIRST_OBJECT, FIRST_OBJECT + 1)
    axes = figure.axes
    assert [axis.get_title() for axis in axes[:6]] == [
        *("image", "said of a pixel", "face", "hand"),
        *(LABELS[FIRST_OBJECT], LABELS[FIRST_OBJECT + 1]),
    ]
    assert np.allclose(axes[4].get_images()[0].get_array() ** 2, maps.coarse[FIRST_OBJECT])
    assert np.allclose(axes[10].get_images()[0].get_array() ** 2, maps.fine[FIRST_OBJECT])
    assert [len(axis.patches) for axis in axes] == [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]


def test_found_objects_frame_the_best_candidate_thickest():
    regions = [Region((1, 1, 3, 4), np.ones((3, 2), bool), FIRST_OBJECT)]
    regions.append(Region((4, 4, 6, 6), np.ones((2, 2), bool), FIRST_OBJECT + 1))
    images = np.full((3, 8, 8, 3), 200, np.uint8)
    thing = Region((1, 1, 3, 3), np.ones((2, 2), bool), FIRST_OBJECT)
    figure = charts.found_objects(images, [regions, [], regions[1:]], [thing] * 3, ["smoking"], ["a", "b", "c"])
    first, second, _ = figure.axes
    assert [patch.get_linewidth() for patch in first.patches] == [0.9, 1.6, 0.7] and len(second.patches) == 1
    assert (first.patches[1].get_width(), first.patches[1].get_height()) == (8, 12), "four times as large"
    assert [axis.get_xlabel() for axis in figure.axes] == ["", "none", "elsewhere"]


def test_a_place_without_a_thing_stays_empty():
    images = np.full((2, 8, 8, 3), 200, np.uint8)
    thing = Region((1, 1, 3, 3), np.ones((2, 2), bool), FIRST_OBJECT)
    shown, empty = charts.found_objects(images, [[], []], [thing, None], ["smoking"], ["a", "b"]).axes
    assert shown.get_images() and not empty.get_images() and empty.get_xlabel() == ""


def test_a_close_up_stays_inside_the_image():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8, 1).repeat(3, axis=2)
    assert charts.close_up(8, (7, 7, 8, 8)) == (6, 6, 2) and charts.close_up(8, (0, 3, 2, 5)) == (0, 3, 2)
    closer = charts.magnified(image, (6, 6, 8, 8))
    assert closer.shape == image.shape and abs(int(closer[0, 0, 0]) - 54) < 3 and abs(int(closer[-1, -1, 0]) - 63) < 3


def test_curves_and_shares_hold_their_intervals():
    figure = charts.precision_by_size({"all": [around(50), around(80)]}, [2.0, 8.0])
    (axis,) = figure.axes
    assert axis.lines[0].get_ydata().tolist() == [50, 80]
    assert [segment[:, 1].tolist() for segment in axis.collections[0].get_segments()] == [[49, 51], [79, 81]]
    (axis,) = charts.shares({"in a window": around(97), "the best": around(60)}).axes
    assert [bar.get_width() for bar in axis.patches] == [97, 60]


def test_the_right_class_is_green_and_bold():
    maps = Maps(a_map(0), a_map(1), np.array([[0, 0, 4, 4]]))
    figure = charts.through_the_stages(
        np.zeros((8, 8, 3), np.uint8), maps, [], [], {"smoking": 0.2, "drinking": 1.0}, "smoking"
    )
    bars = figure.axes[-1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["drinking", "smoking"]
    assert [label.get_fontweight() for label in bars.get_yticklabels()] == ["normal", "bold"]
    assert bars.patches[1].get_facecolor() == to_rgba(RIGHT)
