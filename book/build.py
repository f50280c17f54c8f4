"""Run the chapters and render the book: `make book`, `make read` and `make lab` call this.

A failed chapter is kept in `workspace/failed/` and the old file stays. A chapter whose inputs and outputs are those of
its last run on this machine is not run again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import generate_pages
import nbformat
import typer

from stillact_lib.batch.execution import ROOT, ChapterFailed, execute, measuring_digest
from stillact_lib.batch.planning import chapters
from stillact_lib.errors import StillactError
from stillact_lib.paths import workspace, written_whole

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def digests(notebook: Path) -> dict[str, str]:
    """SHA-256 over all that a chapter's outputs depend on (its cells, library, manifests, tables, records, lock), and
    over its outputs as they are on disk: both are those of its last run, or the chapter has changed."""
    cells = nbformat.read(notebook, as_version=4).cells
    inputs = hashlib.sha256(json.dumps([(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]).encode())
    for path in _input_files(notebook.stem):
        inputs.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    outputs = hashlib.sha256(json.dumps([cell.get("outputs") for cell in cells]).encode())
    return {"inputs": inputs.hexdigest(), "outputs": outputs.hexdigest()}


def _input_files(chapter: str) -> Iterator[Path]:
    yield from sorted((ROOT / "stillact_lib").rglob("*.py"))
    yield from sorted(path for path in (ROOT / "data_manifests").glob("[!.]*") if path.suffix in (".yaml", ".txt"))
    yield from sorted((ROOT / "chapters" / "published").glob(f"{chapter}.yaml"))
    yield from sorted(path for path in (ROOT / "book" / "results" / chapter).glob("*") if path.is_file())
    yield ROOT / "requirements.lock"


def unpictured(notebook: Path) -> list[str]:
    """Headings of the sections whose explorer has no picture for the page, as after a save without a run."""
    section, found = "", []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            section = next((line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")), section)
        elif "explore(" in cell.source and "<figure" not in json.dumps(cell.outputs):
            found.append(section)
    return found


@app.command()
def run(fresh: Annotated[bool, typer.Option(help="Run every chapter from nothing, changed or not.")] = False) -> None:
    """Run the chapters that changed, in place, at their mini defaults; their networks stay in the workspace."""
    total = 0.0
    for notebook in chapters():
        stamp = workspace() / "stamps" / f"{notebook.stem}.json"
        stamp.parent.mkdir(parents=True, exist_ok=True)
        now, last = digests(notebook), json.loads(stamp.read_text()) if stamp.is_file() else {}
        if not fresh and now.items() <= last.items():
            print(f"{notebook.stem}: unchanged since its last run ({last['seconds']:.0f} s); FRESH=1 runs it again")
            continue
        print(f"{notebook.stem}: running", flush=True)
        code = measuring_digest(notebook)
        # older networks than these are by other code, or unwanted
        since = last["since"] if last.get("code") == code and not fresh else time.time()
        _write_json(stamp, {"code": code, "since": since})
        try:
            environment = {"STILLACT_LIVE": "0", "STILLACT_KEPT_SINCE": str(since)}
            seconds = execute(notebook, notebook, environment=environment)
        except ChapterFailed as error:
            raise StillactError(f"{notebook.stem}: {error}") from None
        _write_json(stamp, {"code": code, "since": since, **digests(notebook), "seconds": seconds})
        total += seconds
        print(f"{notebook.stem}: {seconds:.0f} s", flush=True)
    print(f"chapters: {total:.0f} s in all")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


@app.command()
def render() -> None:
    """Render the pages from the notebooks as they are; any warning stops it."""
    if bare := {path.name: sections for path in chapters() if (sections := unpictured(path))}:
        named = "; ".join(f"{name}: {', '.join(sections)}" for name, sections in bare.items())
        raise StillactError(f"explorers without their pictures ({named}); run these chapters: make book")
    generate_pages.main()
    html = ROOT / "book" / "_build" / "html"
    shutil.rmtree(html, ignore_errors=True)
    build = ["build", ".", "--config", "book/_config.yml", "--toc", "book/_toc.yml", "--path-output", "book"]
    strict = ["--all", "-W", "-n", "--keep-going", "--quiet"]
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    began = time.monotonic()
    done = subprocess.run([*jupyter_book, *build, *strict], cwd=ROOT, check=False)
    if done.returncode or not (html / "index.html").is_file():
        raise StillactError("the book did not render; mend the warnings above")
    print(f"rendered in {time.monotonic() - began:.0f} s; open {html / 'index.html'}")


@app.command()
def lab(folder: Annotated[Path, typer.Option(help="Where the working copies lie.")] = ROOT / "lab") -> None:
    """Copy the chapters to where JupyterLab opens them; a copy that was edited stays as it is."""
    folder.mkdir(exist_ok=True)
    for notebook in chapters():
        copy, origin = folder / notebook.name, folder / f".{notebook.stem}.origin"
        copied = origin.read_text(encoding="utf-8") if origin.is_file() else ""
        if copy.is_file() and cells_digest(copy) != copied:
            if cells_digest(notebook) != copied:
                print(f"{copy.name}: edited by you, and kept; the chapter has changed since: rename the copy to get it")
            continue
        if not copy.is_file() or cells_digest(notebook) != copied:
            with written_whole(copy) as temporary:
                shutil.copyfile(notebook, temporary)
            with written_whole(origin) as temporary:
                temporary.write_text(cells_digest(notebook), encoding="utf-8")
            print(f"{copy.name}: copied")
    print(f"working copies: {folder}; what they change stays there")


def cells_digest(notebook: Path) -> str:
    """SHA-256 over what a person writes into a notebook: kinds and sources of its cells, not their outputs."""
    cells = nbformat.read(notebook, as_version=4).cells
    return hashlib.sha256(json.dumps([(cell.cell_type, cell.source) for cell in cells]).encode()).hexdigest()


if __name__ == "__main__":
    try:
        app(standalone_mode=True)
    except StillactError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; the chapters on disk are those of the last complete runs", file=sys.stderr)
        sys.exit(130)
