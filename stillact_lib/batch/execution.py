"""How a notebook is run: by papermill into a temporary file, which takes its name only when every cell has run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from stillact_lib.paths import project_root, workspace
from stillact_lib.version import code_digest

ROOT = project_root()
#: else each kernel warns of plain TCP
KERNELS = Config({"KernelManager": {"transport_encryption": "auto"}})


class LineEngine(NBClientEngine):
    """Papermill's own engine with one line of progress a code cell in place of its bar."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        total = sum(cell.cell_type == "code" for cell in nb_man.nb.cells)
        done, begun, section = 0, 0.0, ""
        cell_start, cell_complete = nb_man.cell_start, nb_man.cell_complete

        def start(cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
            nonlocal begun, section
            if cell.cell_type == "markdown":
                headings = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
                section = headings[-1] if headings else section
            begun = time.monotonic()
            cell_start(cell, cell_index=cell_index, **kwargs)

        def complete(cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
            nonlocal done
            cell_complete(cell, cell_index=cell_index, **kwargs)
            if cell.cell_type == "code":
                done += 1
                print(f"  cell {done:2d}/{total}  {time.monotonic() - begun:6.1f} s  {section}", flush=True)

        nb_man.cell_start, nb_man.cell_complete = start, complete
        super().execute_managed_notebook(nb_man, kernel_name, **options)


papermill_engines.register("lines", LineEngine)


class ChapterFailed(Exception):
    """One line: what stopped a chapter, and where the notebook with the error lies."""


def execute(
    notebook: Path, target: Path, *, parameters: dict[str, Any] | None = None, environment: dict[str, str]
) -> float:
    """Run `notebook` into `target`; returns the seconds. On ChapterFailed `target` is untouched."""
    running = workspace() / "running" / target.name
    running.parent.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment)
    began = time.monotonic()
    try:
        papermill.execute_notebook(
            notebook,
            running,
            parameters=parameters or {},
            engine_name="lines",
            kernel_name="python3",
            progress_bar=False,
            cwd=ROOT / "chapters",
            autosave_cell_every=0,
            record_timing=False,
            config=KERNELS,
        )
    except (PapermillExecutionError, DeadKernelError) as error:
        failed = workspace() / "failed" / target.name
        failed.parent.mkdir(parents=True, exist_ok=True)
        running.replace(failed)
        known = isinstance(error, PapermillExecutionError)
        what = f"{error.ename}: {error.evalue}" if known else "its kernel died (killed, or out of memory?)"
        raise ChapterFailed(f"{' '.join(what.split())} [{failed}]") from None
    finished = sanitised(nbformat.read(running, as_version=4))
    beside = target.with_name(f".{target.name}.{os.getpid()}")  # same folder, so that the rename is one step
    try:
        nbformat.write(finished, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    running.unlink()
    return time.monotonic() - began


def sanitised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without papermill's and the widgets' metadata and without the versions of this machine's kernel."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for key in ("papermill", "execution", "ExecuteTime", "collapsed"):
            cell.metadata.pop(key, None)
    return notebook


def measuring_digest(notebook: Path) -> str:
    """12 hex digits of a SHA-256 over what a run's networks and record are made by: what of the library it
    measures with, and the chapter's code up to the last cell that completes a record. Parameters are not in it."""
    sources = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    saving = [number for number, source in enumerate(sources) if re.search(r"save_record\(|\.finish\(", source)]
    measuring = sources[: saving[-1] + 1] if saving else sources
    return hashlib.sha256(json.dumps([code_digest(notebook.stem), measuring]).encode()).hexdigest()[:12]
