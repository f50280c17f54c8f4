"""The explorer pattern: sliders for the experimenter in JupyterLab, the same drawings at fixed settings on the page.

A rendered page has no kernel, so a widget there would be dead, and its saved state would only swell the notebook.
Outside a live session (papermill, nbval, the book build) `explore` therefore draws its static twin.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import psutil
from IPython.display import display
from matplotlib.figure import Figure

from stillact_lib.figures import show

#: what the commands of a batch's ancestors hold
BATCHES = {"papermill", "ipykernel", "ipykernel_launcher"}


def is_live() -> bool:
    """Whether a person sits at the notebook: Jupyter's server names the session, VS Code its process. A batch that was
    started from a notebook inherits these names, but papermill or that notebook's kernel is among its ancestors.

    `STILLACT_LIVE=1` or `0` overrides the guess.
    """
    forced = os.environ.get("STILLACT_LIVE")
    if forced is not None:
        return forced == "1"
    if not any(name in os.environ for name in ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD")):
        return False
    return not any(BATCHES & _command(parent) for parent in psutil.Process().parents())


def _command(process: psutil.Process) -> set[str]:
    try:
        return {Path(word).name for word in process.cmdline()}
    except psutil.Error:  # another user's, or gone
        return set()


def explore(
    draw: Callable[..., Figure],
    *,
    static: Sequence[Mapping[str, Any]],
    alt: str,
    caption: str = "",
    **widgets: Any,
) -> None:
    """Show `draw(**settings) -> Figure` under sliders when live, else once for each settings in `static`.

    `widgets` are ipywidgets or their abbreviations, one for each argument of `draw`: `time=(0, 23)`, `method=["a",
    "b"]`. Live, the widgets start where the first static setting stands. `alt` and `caption` go with the static
    pictures, each of which also names its settings.
    """
    if not is_live():
        for number, settings in enumerate(static):
            at = ", ".join(f"{name} = {value}" for name, value in settings.items())
            last = number == len(static) - 1
            show(draw(**settings), alt=f"{alt} ({at})", caption=f"{at}. {caption}" if last and caption else at)
        return

    import ipywidgets

    def redraw(**settings: Any) -> None:
        figure = draw(**settings)
        display(figure)
        plt.close(figure)

    controls = ipywidgets.interactive(redraw, **widgets)
    for control in controls.children[:-1]:
        if static and control.description in static[0]:
            control.value = static[0][control.description]
    display(controls)
