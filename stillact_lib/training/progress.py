"""How a run tells whoever watches how far it is: a bar for a person at the notebook, lines for a batch."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from IPython import get_ipython
from IPython.display import display
from tqdm.auto import tqdm

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


def told(line: str) -> None:
    """One line for whoever watches: on the page, and in the terminal that runs a batch."""
    if get_ipython() is not None:
        display({"text/plain": line}, raw=True)
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
    shown = display({"text/plain": f"{label} ..."}, raw=True, display_id=True) if get_ipython() else None
    # ipykernel captures file descriptor 2 for the page; the terminal's own is kept here
    terminal = getattr(sys.stderr, "_original_stdstream_copy", None) or 2
    began, tenth = time.perf_counter(), max(1, total // 10)
    for step in range(start, total):
        yield step
        if (step + 1) % tenth == 0 or step + 1 == total:
            rate = (step + 1 - start) / (time.perf_counter() - began)
            line = f"{label}: step {step + 1} of {total}, {rate:.1f} steps/s"
            os.write(terminal, f"  {line}\n".encode())
            if shown:
                shown.update({"text/plain": line}, raw=True)
