"""The explorer pattern: sliders for the experimenter in JupyterLab, the same drawings at fixed settings on the page.

A rendered page has no kernel, so a widget there would be dead. What `explore` shows therefore always holds pictures at
fixed settings; in a live session the same output also holds the sliders, which JupyterLab prefers. So a notebook saved
there still has its pictures when it is rendered. What a reader uploads stays in the kernel.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import cv2
import ipywidgets
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from stillact_lib.errors import StillactError
from stillact_lib.notebook.figures import PALETTE, as_html
from stillact_lib.training.progress import is_live

#: colour of the cell that was clicked
MARKED = PALETTE["vermilion"]


def explore(
    draw: Callable[..., Figure],
    *,
    static: Sequence[Mapping[str, Any]],
    alt: str,
    caption: str = "",
    **widgets: Any,
) -> None:
    """Show `draw(**settings) -> Figure` once for each settings in `static`, and under sliders when live.

    `widgets` are ipywidgets or their abbreviations, one for each argument of `draw`: `time=(0, 23)`, `method=["a",
    "b"]`. The sliders start where the first static setting stands. `alt` and `caption` go with every picture; its
    settings are named in both.
    """

    def picture(settings: Mapping[str, Any], caption: str = caption) -> str:
        at = ", ".join(f"{name} = {value}" for name, value in settings.items() if value != ())
        return as_html(draw(**settings), alt=f"{alt} ({at})", caption=f"{at}. {caption}" if caption else at)

    last = len(static) - 1
    pictures = [picture(settings, caption if number == last else "") for number, settings in enumerate(static)]
    shown = {"text/html": "\n".join(pictures), "text/plain": f"[figure: {alt}]"}
    if is_live():
        shown = _under_sliders(picture, static[0], widgets)._repr_mimebundle_() | shown
    display(shown, raw=True)


class Cells(ipywidgets.HBox, ipywidgets.ValueWidget):
    """For `explore`, a square of buttons, one a cell of a grid; `value` is the (row, column) of the one that was
    clicked last."""

    def __init__(self, side: int) -> None:
        layout = ipywidgets.Layout(width="15px", height="15px", padding="0", margin="0")
        buttons = [ipywidgets.Button(layout=layout, tooltip=f"{n // side}, {n % side}") for n in range(side * side)]
        for number, button in enumerate(buttons):
            button.on_click(partial(self._choose, divmod(number, side)))
        columns = ipywidgets.Layout(grid_template_columns=f"repeat({side}, 16px)")
        self.buttons = buttons
        super().__init__([ipywidgets.Label("cell"), ipywidgets.GridBox(buttons, layout=columns)], value=(0, 0))
        self.observe(self._mark, "value")

    def _choose(self, cell: tuple[int, int], _: ipywidgets.Button) -> None:
        self.value = cell

    def _mark(self, change: Mapping[str, Any]) -> None:
        side = round(len(self.buttons) ** 0.5)
        for colour, (row, column) in (("", change["old"]), (MARKED, change["new"])):
            self.buttons[row * side + column].style.button_color = colour or None


def own_picture() -> ipywidgets.FileUpload:
    """A button of `explore` for a picture of the reader's own; `uploaded` reads what it holds."""
    return ipywidgets.FileUpload(accept="image/*", multiple=False)


def uploaded(files: Sequence[Mapping[str, Any]]) -> np.ndarray | None:
    """The picture that an `own_picture` holds, uint8 [H, W, 3] RGB; None while it holds none. Raises StillactError for
    a file that is no picture."""
    if not files:
        return None
    picture = cv2.imdecode(np.frombuffer(files[0]["content"], np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise StillactError(f"{files[0]['name']}: not a picture that OpenCV reads; give a JPEG or a PNG")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _under_sliders(
    picture: Callable[[Mapping[str, Any]], str], first: Mapping[str, Any], widgets: Mapping[str, Any]
) -> ipywidgets.VBox:
    """The widgets, above the picture of what they say; it is drawn anew when one of them was moved and let go."""
    controls = dict(zip(widgets, ipywidgets.interactive(lambda **_: None, **widgets).children, strict=False))
    drawn = ipywidgets.HTML()

    def redraw(_: object = None) -> None:
        try:
            drawn.value = picture({name: control.value for name, control in controls.items()})
        except Exception as error:  # a callback has no cell to show it in
            drawn.value = f"<pre>{html.escape(f'{type(error).__name__}: {error}')}</pre>"

    for name, control in controls.items():
        if hasattr(control, "style"):  # a box has neither
            control.description = name.replace("_", " ")
            control.style.description_width = "initial"  # else long names are cut
        control.layout.width = "auto"
        if hasattr(control, "continuous_update"):
            control.continuous_update = False
        if name in first:
            control.value = first[name]
        control.observe(redraw, "value")
    redraw()
    return ipywidgets.VBox([*controls.values(), drawn])
