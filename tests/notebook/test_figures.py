"""What puts things on a page: figures with alt text, sources from the library."""

import base64
import io
import re

import matplotlib
import numpy as np
import pytest
from PIL import Image

from stillact_lib.evidence import bootstrap
from stillact_lib.notebook import figures
from stillact_lib.notebook.source import show_source, source_of

matplotlib.use("Agg")


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, in order."""
    seen = []
    for module in ("figures", "source"):
        monkeypatch.setattr(f"stillact_lib.notebook.{module}.display", lambda item, raw=False: seen.append(item))
    return seen


@pytest.fixture(autouse=True)
def book_style():
    with matplotlib.rc_context():
        figures.use_book_style()
        yield


def test_a_figure_has_alt_text_caption_and_a_picture(shown):
    figure = figures.image_grid([np.zeros((8, 12, 3), np.uint8)] * 3, columns=2, titles=["a", "b", "c"])
    figures.show(figure, alt='three "dark" frames', caption="Nothing < something")
    page = shown[0]["text/html"]
    assert 'alt="three &quot;dark&quot; frames"' in page
    assert "<figcaption>Nothing &lt; something</figcaption>" in page
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page).group(1))
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    paper = tuple(int(figures.PAPER[i : i + 2], 16) for i in (1, 3, 5))
    assert max(abs(a - b) for a, b in zip(picture.getpixel((1, 1)), paper, strict=True)) <= 3
    assert np.asarray(picture).min() < 20  # the frames are on it
    assert matplotlib.pyplot.get_fignums() == []


def test_image_grid_places_rows_and_hides_what_is_missing():
    frames = [[np.full((4, 4, 3), 50 * r, np.uint8)] * (3 - r) for r in range(2)]
    figure = figures.image_grid(frames, titles=["x", "y", "z"], row_titles=["p", "q"])
    axes = np.array(figure.axes).reshape(2, 3)
    assert [axis.get_title() for axis in axes[0]] == ["x", "y", "z"]
    assert [axes[0, 0].get_ylabel(), axes[1, 0].get_ylabel()] == ["p", "q"]
    assert axes[1, 1].get_images()[0].get_array()[0, 0, 0] == 50
    assert not axes[1, 2].get_visible()
    matplotlib.pyplot.close(figure)


def test_ink_and_method_colours_stand_out_from_the_paper():
    """WCAG contrast against the card: text at least 7, lines at least 1.8 (amber and purple are the lightest)."""

    def luminance(colour):
        channels = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    def contrast(colour):
        return (luminance(figures.PAPER) + 0.05) / (luminance(colour) + 0.05)

    assert contrast(figures.INK) > 7
    assert all(contrast(colour) > 1.8 for colour in figures.METHOD_COLOURS.values())
    assert len(set(figures.METHOD_COLOURS.values())) == len(figures.METHOD_COLOURS)


def test_show_source_is_the_library_text_with_its_place(shown):
    show_source(bootstrap.mean_estimate)
    text = shown[0].data
    assert "*`stillact_lib/evidence/bootstrap.py`*" in text
    assert "def mean_estimate(" in text and text.rstrip().endswith("```")


def test_source_without_docstrings_keeps_comments():
    text = source_of(figures.as_html, docstring=False)
    assert '"""' not in text and "base64" in text
    whole = source_of(figures, docstring=False)
    assert '"""' not in whole and "# background of every figure" in whole
    compile(whole, "figures", "exec")
