"""One figure style for the whole book: a warm paper card that reads on light and on dark pages, one palette, one
way to show.

The palette is Okabe and Ito's (distinct under the common kinds of colour blindness); a method keeps its colour in every
chapter. `show` puts a figure on the page with its alt text and a caption that says what to see.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PAPER = "#f6f3ec"  # background of every figure
INK = "#2b2b2b"
FAINT = "#b9b3a6"

PALETTE = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "amber": "#E69F00",
    "sky": "#56B4E9",
    "grey": "#7d7d7d",
    "ink": INK,
}

METHOD_COLOURS = {
    "im2flow": PALETTE["blue"],
    "walker": PALETTE["vermilion"],
    "pintea": PALETTE["green"],
    "nearest_neighbour": PALETTE["purple"],
    "random_direction": PALETTE["amber"],
    "zero_flow": PALETTE["grey"],
    "truth": PALETTE["ink"],
}


def use_book_style() -> None:
    """Set matplotlib's defaults for the book; each chapter calls it once, in its first code cell."""
    plt.rcParams.update(
        {
            "figure.facecolor": PAPER,
            "savefig.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "figure.figsize": (7.2, 3.2),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "axes.titlesize": 9.5,
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e2ddd2",
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "axes.prop_cycle": cycler(color=[c for name, c in PALETTE.items() if name != "ink"]),
        }
    )


def method_colour(method: str) -> str:
    """Colour of a method id; grey where it has none of its own."""
    return METHOD_COLOURS.get(method, PALETTE["grey"])


def show(figure: Figure, *, alt: str, caption: str = "", dpi: int = 125) -> None:
    """Display a figure once, as an HTML `<figure>` with alt text and caption, and close it."""
    page = as_html(figure, alt=alt, caption=caption, dpi=dpi)
    display({"text/html": page, "text/plain": f"[figure: {alt}]"}, raw=True)


def as_html(figure: Figure, *, alt: str, caption: str = "", dpi: int = 125) -> str:
    """A figure as an HTML `<figure>` that holds its picture; the figure is closed.

    `alt` says what a reader who cannot see it needs; `caption` says what to see. WebP keeps a grid of frames at a
    fifth of its PNG size, so that a chapter stays under 1 MB.
    """
    data = io.BytesIO()
    figure.savefig(data, format="webp", dpi=dpi, pil_kwargs={"quality": 74, "method": 6})
    width = round(figure.get_size_inches()[0] * 100)
    plt.close(figure)
    image = (
        f'<img src="data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}" '
        f'alt="{html.escape(alt, quote=True)}" style="width:{width}px;max-width:100%">'
    )
    below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="stillact">{image}{below}</figure>'


def image_grid(
    images: Sequence[np.ndarray] | Sequence[Sequence[np.ndarray]],
    *,
    titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    columns: int = 6,
    size: float = 1.25,
) -> Figure:
    """Pictures in a grid: a list wraps after `columns`, a list of lists is taken row by row.

    images: RGB uint8 [H,W,3], or masks and grey maps [H,W]; `titles` stand above the pictures (above the columns for a
    list of lists), `row_titles` at the left; `size` is a picture's height in inches.
    """
    by_row = not isinstance(images[0], np.ndarray)
    rows = (
        [list(row) for row in images]
        if by_row
        else [list(images[i : i + columns]) for i in range(0, len(images), columns)]
    )
    width = max(len(row) for row in rows)
    height, across = np.shape(rows[0][0])[:2]
    room = 0.22 if titles else 0.0
    figure, axes = plt.subplots(
        len(rows),
        width,
        figsize=(
            width * size * across / height + 0.1,
            len(rows) * (size + (0 if by_row else room)) + (room if by_row else 0) + 0.1,
        ),
        squeeze=False,
    )
    for r, row in enumerate(rows):
        for c in range(width):
            axis = axes[r, c]
            bare(axis)
            if c >= len(row):
                axis.set_visible(False)
                continue
            axis.imshow(row[c], cmap="gray" if np.ndim(row[c]) == 2 else None)
            index = c if by_row else r * columns + c
            if index < len(titles) and (r == 0 or not by_row):
                axis.set_title(titles[index], fontsize=8.5, pad=3)
        if r < len(row_titles):
            axes[r, 0].set_ylabel(row_titles[r], fontsize=8.5)
    _fit_titles(figure, size * across / height)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    return figure


def _fit_titles(figure: Figure, width: float) -> None:
    """Shrinks all titles alike until the longest fits above a picture `width` inches wide (a bold letter is .7 em)."""
    longest = max((len(axis.get_title()) for axis in figure.axes), default=0)
    size = min(8.5, 72 * width / (0.72 * max(longest, 1)))
    for axis in figure.axes:
        axis.title.set_fontsize(size)


def bare(axis: Axes) -> None:
    """Takes ticks, grid and frame off an axis that shows a picture."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    axis.spines[:].set_visible(False)
