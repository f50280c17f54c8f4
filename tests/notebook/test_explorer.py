"""Explorers: pictures for the page, and sliders beside them in the same output for a person."""

import json
import os
import subprocess
import sys

import cv2
import matplotlib
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from stillact_lib.errors import StillactError
from stillact_lib.notebook.explorer import Cells, explore, own_picture, uploaded
from stillact_lib.notebook.figures import image_grid, use_book_style
from stillact_lib.training.progress import is_live

matplotlib.use("Agg")

WIDGET = "application/vnd.jupyter.widget-view+json"
STATIC = [{"time": 4, "a_long_name": "a"}, {"time": 5, "a_long_name": "b"}]


@pytest.fixture(autouse=True)
def book_style():
    with matplotlib.rc_context():
        use_book_style()
        yield


@pytest.fixture
def nobody(monkeypatch):
    for name in ("STILLACT_LIVE", "JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def explored(monkeypatch):
    """explore(...) -> (settings that were drawn, what was displayed)."""

    def start(**changes):
        drawn, shown = [], []
        monkeypatch.setattr("stillact_lib.notebook.explorer.display", lambda item, raw=False: shown.append(item))

        def draw(time, a_long_name):
            if time == 7:
                raise ValueError("no frame <7>")
            drawn.append((time, a_long_name))
            return image_grid([np.full((4, 4, 3), 20 * time, np.uint8)])

        given = {"static": STATIC, "alt": "the flow", "caption": "It grows.", "time": (0, 9), "a_long_name": ["a", "b"]}
        explore(draw, **{**given, **changes})
        return drawn, shown

    return start


def test_it_draws_its_pictures_when_nobody_is_there(nobody, explored):
    drawn, (shown,) = explored()
    assert drawn == [(4, "a"), (5, "b")]
    first, second = shown["text/html"].split("</figure>")[:2]
    assert 'alt="the flow (time = 4, a_long_name = a)"' in first
    assert "time = 5, a_long_name = b. It grows." in second and "It grows." not in first
    assert set(shown) == {"text/html", "text/plain"}


def test_pictures_and_sliders_are_one_output(monkeypatch, explored):
    monkeypatch.setenv("STILLACT_LIVE", "0")
    page = explored()[1][0]["text/html"]
    monkeypatch.setenv("STILLACT_LIVE", "1")
    (shown,) = explored()[1]
    assert shown["text/html"] == page, "a notebook saved from JupyterLab is rendered like one that was run"
    assert shown[WIDGET]["model_id"]


@pytest.fixture
def box(monkeypatch, explored):
    """The sliders and the picture of a live explorer."""
    monkeypatch.setenv("STILLACT_LIVE", "1")
    _, (shown,) = explored()
    return _instances[shown[WIDGET]["model_id"]]


def test_sliders_start_at_the_first_picture_and_draw_when_they_move(box):
    time, name, drawn = box.children
    assert (time.value, time.max, name.value) == (4, 9, "a")
    before = drawn.value
    assert "time = 4, a_long_name = a. It grows." in before
    time.value = 8
    assert "time = 8, a_long_name = a. It grows." in drawn.value and drawn.value.count("<img") == 1
    picture = drawn.value.split("base64,")[1].split('"')[0]
    assert picture not in before
    name.value = "b"
    assert "time = 8, a_long_name = b. It grows." in drawn.value


def test_labels_are_whole_and_a_slider_draws_once_let_go(box):
    time, name, _ = box.children
    assert name.description == "a long name"
    assert {time.style.description_width, name.style.description_width} == {"initial"}
    assert not time.continuous_update


def test_a_drawing_that_fails_says_so_and_the_next_one_works(box):
    time, _, drawn = box.children
    time.value = 7
    assert "ValueError: no frame &lt;7&gt;" in drawn.value
    time.value = 6
    assert "time = 6" in drawn.value


def test_live_is_seen_from_the_server(nobody, monkeypatch):
    assert not is_live()
    monkeypatch.setenv("JPY_SESSION_NAME", "04-im2flow.ipynb")
    assert is_live()
    monkeypatch.setenv("STILLACT_LIVE", "0")
    assert not is_live()


def test_what_a_live_kernel_starts_is_not_live():
    """Python that starts Python: the inner one inherits what the server, or VS Code, told the outer one."""
    inner = "import json; from stillact_lib.training.progress import is_live; print(json.dumps(is_live()))"
    outer = f"import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', {inner!r}], text=True))"
    clean = {name: value for name, value in os.environ.items() if name != "STILLACT_LIVE"}
    for told in ({"JPY_SESSION_NAME": "a.ipynb"}, {"VSCODE_PID": "12"}):
        answer = subprocess.check_output([sys.executable, "-c", outer], env=clean | told, text=True)
        assert json.loads(answer) is False, told


def test_a_picture_of_one_s_own_is_read():
    red = np.zeros((3, 5, 3), np.uint8)
    red[..., 2] = 250  # OpenCV's order
    content = cv2.imencode(".png", red)[1].tobytes()
    found = uploaded(({"name": "me.png", "content": memoryview(content)},))
    assert found.shape == (3, 5, 3) and found[0, 0].tolist() == [250, 0, 0]
    assert uploaded(()) is None and own_picture().value == ()
    with pytest.raises(StillactError, match=r"notes.txt: not a picture"):
        uploaded(({"name": "notes.txt", "content": memoryview(b"words")},))


def test_a_cell_is_chosen_by_a_click(monkeypatch, nobody):
    monkeypatch.setenv("STILLACT_LIVE", "1")
    drawn, shown = [], []
    monkeypatch.setattr("stillact_lib.notebook.explorer.display", lambda item, raw=False: shown.append(item))

    def draw(cell):
        drawn.append(cell)
        return image_grid([np.zeros((4, 4, 3), np.uint8)])

    cells = Cells(4)
    explore(draw, static=[{"cell": (1, 2)}], alt="one cell", cell=cells)
    assert set(drawn) == {(1, 2)} and "cell = (1, 2)" in shown[0]["text/html"]
    cells.buttons[4 * 3 + 0].click()
    assert cells.value == drawn[-1] == (3, 0)
    marked = [number for number, button in enumerate(cells.buttons) if button.style.button_color]
    assert marked == [12], "the one that was clicked last"
