"""How a run tells whoever watches how far it is: a bar for a person at the notebook, lines for a batch."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from IPython import get_ipython
from IPython.display import DisplayHandle, display
from tqdm.auto import tqdm


def is_live() -> bool:
    """Whether a person sits at the notebook: Jupyter's server names the session to the kernel, VS Code its process.

    What a live kernel starts inherits those names: papermill, or a batch from VS Code's terminal. So the session's name
    counts only where the parent process does not bear it too, and VS Code's, which its own processes all bear, only
    where the parent is no Python. `STILLACT_LIVE=1` or `0` overrides the guess.
    """
    forced = os.environ.get("STILLACT_LIVE")
    if forced is not None:
        return forced == "1"
    try:
        parent = psutil.Process(os.getppid())
        inherited, runs = parent.environ().get("JPY_SESSION_NAME"), Path(parent.exe()).name.lower()
    except psutil.Error:  # of another user, or on another machine
        inherited, runs = None, ""
    if session := os.environ.get("JPY_SESSION_NAME"):
        return session != inherited
    return any(name in os.environ for name in ("VSCODE_PID", "VSCODE_CWD")) and not runs.startswith("python")


#: the page's line that `on_one_line` has opened
_line: DisplayHandle | None = None


@contextmanager
def on_one_line(label: str) -> Iterator[None]:
    """Many short trainings of one cell are told on one line of the page, each in place of the one before; the terminal
    has all of them."""
    global _line
    _line = display({"text/plain": label}, raw=True, display_id=True) if get_ipython() else None
    try:
        yield
        if _line:
            _line.update({"text/plain": f"{label}: done"}, raw=True)
    finally:
        _line = None


def told(line: str) -> None:
    """One line for whoever watches: on the page, and in the terminal that runs a batch."""
    if _line is not None:
        _line.update({"text/plain": line}, raw=True)
    elif get_ipython() is not None:
        display({"text/plain": line}, raw=True)
    _to_terminal(line)


def _to_terminal(line: str) -> None:
    # ipykernel captures file descriptor 2 for the page; the terminal's own is kept here
    os.write(getattr(sys.stderr, "_original_stdstream_copy", None) or 2, f"  {line}\n".encode())


def progress(start: int, total: int, label: str) -> Iterator[int]:
    """Steps from `start` to `total`: a bar in JupyterLab or a terminal, elsewhere a line every tenth of the way.

    Under papermill or nbval the line goes to the terminal that runs the batch, and to the page as one line that is
    replaced as it goes, so that an executed notebook keeps no debris.
    """
    if is_live() or sys.stderr.isatty():
        yield from tqdm(range(start, total), desc=label, initial=start, total=total, leave=False)
        return
    shown = _line
    if shown is None and get_ipython():
        shown = display({"text/plain": f"{label} ..."}, raw=True, display_id=True)
    began, tenth = time.perf_counter(), max(1, total // 10)
    for step in range(start, total):
        yield step
        if (step + 1) % tenth == 0 or step + 1 == total:
            rate = (step + 1 - start) / (time.perf_counter() - began)
            line = f"{label}: step {step + 1} of {total}, {rate:.1f} steps/s"
            _to_terminal(line)
            if shown:
                shown.update({"text/plain": line}, raw=True)
