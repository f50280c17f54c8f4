"""Run the chapters and render the book: `make book`, `make read` and `make runs` call this.

A chapter is executed by papermill into a temporary file and takes its old place only when every cell has run; a failed
one is kept in `workspace/failed/` and the old file stays. A chapter whose inputs are those of its last run on this
machine is not run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import generate_pages
import nbformat
import papermill
import typer
import yaml
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from stillact_lib.evidence.records import kept_records_folder
from stillact_lib.paths import project_root, workspace, written_whole

ROOT = project_root()
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


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


def chapters() -> list[Path]:
    """The chapters' notebooks, in the order of the book."""
    return sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb"))


def inputs_digest(notebook: Path) -> str:
    """SHA-256 over all that a chapter's outputs depend on: its cells, library, manifests, tables, records, lock."""
    cells = nbformat.read(notebook, as_version=4).cells
    digest = hashlib.sha256(json.dumps([(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]).encode())
    for path in _input_files(notebook.stem):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _input_files(chapter: str) -> Iterator[Path]:
    yield from sorted((ROOT / "stillact_lib").rglob("*.py"))
    yield from sorted((ROOT / "data_manifests").glob("*.yaml"))
    yield from sorted((ROOT / "chapters" / "published").glob(f"{chapter}.yaml"))
    yield from sorted(path for path in (ROOT / "book" / "results" / chapter).glob("*") if path.is_file())
    yield ROOT / "requirements.lock"


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


def execute(
    notebook: Path, target: Path, *, parameters: dict[str, Any] | None = None, environment: dict[str, str]
) -> float:
    """Run `notebook` into `target`; returns the seconds. On PapermillExecutionError `target` is untouched."""
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
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # else each kernel warns of plain TCP
        )
    except PapermillExecutionError:
        failed = workspace() / "failed" / target.name
        failed.parent.mkdir(parents=True, exist_ok=True)
        running.replace(failed)
        print(f"  failed; the notebook with its error is kept: {failed}", flush=True)
        raise
    finished = sanitised(nbformat.read(running, as_version=4))
    beside = target.with_name(f".{target.name}.{os.getpid()}")  # same folder, so that the rename is one step
    try:
        nbformat.write(finished, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    running.unlink()
    return time.monotonic() - began


@app.command()
def run(fresh: Annotated[bool, typer.Option(help="Run every chapter, changed or not.")] = False) -> None:
    """Run the chapters whose inputs changed, in place, at their mini defaults."""
    total = 0.0
    for notebook in chapters():
        stamp = workspace() / "stamps" / f"{notebook.stem}.json"
        digest = inputs_digest(notebook)
        last = json.loads(stamp.read_text()) if stamp.is_file() else {}
        if not fresh and last.get("inputs") == digest:
            print(f"{notebook.stem}: unchanged since its last run ({last['seconds']:.0f} s); FRESH=1 runs it again")
            continue
        print(f"{notebook.stem}: running", flush=True)
        try:
            seconds = execute(notebook, notebook, environment={"STILLACT_LIVE": "0"})
        except PapermillExecutionError as error:
            print(f"{notebook.stem}: {error.ename}: {error.evalue}", file=sys.stderr)
            raise typer.Exit(1) from None
        stamp.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(stamp) as temporary:
            temporary.write_text(json.dumps({"inputs": digest, "seconds": seconds}))
        total += seconds
        print(f"{notebook.stem}: {seconds:.0f} s", flush=True)
    print(f"chapters: {total:.0f} s in all")


@app.command()
def render() -> None:
    """Render the pages from the notebooks as they are; any warning stops it."""
    generate_pages.main()
    html = ROOT / "book" / "_build" / "html"
    shutil.rmtree(html, ignore_errors=True)
    build = ["build", ".", "--config", "book/_config.yml", "--toc", "book/_toc.yml", "--path-output", "book"]
    strict = ["--all", "-W", "-n", "--keep-going", "--quiet"]
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    began = time.monotonic()
    done = subprocess.run([*jupyter_book, *build, *strict], cwd=ROOT, check=False)
    if done.returncode or not (html / "index.html").is_file():
        print("error: the book did not render; mend the warnings above", file=sys.stderr)
        raise typer.Exit(1)
    print(f"rendered in {time.monotonic() - began:.0f} s; open {html / 'index.html'}")


@app.command()
def runs(
    profile: Annotated[
        str, typer.Option(help="mini (the notebooks' defaults), or a folder of chapters/profiles.")
    ] = "mini",
    seeds: Annotated[str, typer.Option(help="Seeds, separated by blanks.")] = "0 1 2",
    chapter: Annotated[str, typer.Option(help="Start of a chapter's name, e.g. 04; empty: all.")] = "",
    only: Annotated[str, typer.Option(help="Variants of chapters/profiles/variants/, separated by blanks.")] = "",
) -> None:
    """Run a batch of chapters x variants x seeds and keep each run's record in book/results/."""
    for notebook in (path for path in chapters() if path.stem.startswith(chapter)):
        settings = ROOT / "chapters" / "profiles" / profile / f"{notebook.stem}.yaml"
        if profile != "mini" and not settings.is_file():
            print(f"{notebook.stem}: no profile file {settings.relative_to(ROOT)}", file=sys.stderr)
            raise typer.Exit(2)
        parameters = yaml.safe_load(settings.read_text(encoding="utf-8")) if profile != "mini" else {}
        variants = _variants(notebook.stem)
        if unknown := set(only.split()) - set(variants):
            print(f"{notebook.stem}: no variant {', '.join(unknown)}; there are {', '.join(variants)}", file=sys.stderr)
            raise typer.Exit(2)
        began = time.time()
        for seed, variant in product(seeds.split(), only.split() or variants):
            name = f"{notebook.stem}-{profile}-{variant}-seed{seed}.ipynb"
            print(f"{name}: running", flush=True)
            target = workspace() / "runs" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            environment = {"STILLACT_LIVE": "0", "STILLACT_RECORDS": str(kept_records_folder())}
            # a batch that is stopped goes on where it was, and its networks are there for the next one
            overrides = {"keep_checkpoints": True, **parameters, **variants[variant], "seed": int(seed)}
            seconds = execute(notebook, target, parameters=overrides, environment=environment)
            print(f"{name}: {seconds:.0f} s", flush=True)
        if not only:
            _drop_older_records([f"{notebook.stem}-{profile}-seed{seed}-" for seed in seeds.split()], notebook, began)
    generate_pages.write_committed()


def _variants(chapter: str) -> dict[str, dict[str, Any]]:
    """Name -> parameters that differ from the profile's; a chapter without such a file has the one run, "default"."""
    path = ROOT / "chapters" / "profiles" / "variants" / f"{chapter}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {"default": {}}


def _drop_older_records(prefixes: list[str], notebook: Path, began: float) -> None:
    """Records of the same chapter, profile and seeds that a whole batch did not write: made under other parameters."""
    for path in (kept_records_folder() / notebook.stem).glob("*"):
        if path.name.startswith(tuple(prefixes)) and path.stat().st_mtime < began:
            path.unlink()
            print(f"  dropped {path.name}, made with other parameters")


if __name__ == "__main__":
    try:
        app(standalone_mode=True)
    except PapermillExecutionError as error:
        print(f"error: {error.ename}: {error.evalue}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; the chapters on disk are those of the last complete runs", file=sys.stderr)
        sys.exit(130)
