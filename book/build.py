"""Run the chapters and render the book: `make book`, `make read`, `make lab` and `make runs` call this.

A failed chapter is kept in `workspace/failed/` and the old file stays. A chapter whose inputs and outputs are those of
its last run on this machine is not run again.
"""

from __future__ import annotations

import hashlib
import json
import shlex
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
import yaml
from batches import READING, drop_older_records, forget, planned, refusals, run_batch
from running import ROOT, ChapterFailed, execute, measuring_digest

from stillact_lib.errors import StillactError
from stillact_lib.paths import workspace, written_whole

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def chapters() -> list[Path]:
    """The chapters' notebooks, in the order of the book."""
    return sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb"))


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


def parameters_given(text: str) -> dict[str, Any]:
    """The parameters in "data_root=/data steps=500 stills=", each value read as YAML; none is an empty string."""
    pairs = [each.partition("=") for each in shlex.split(text)]
    return {name: yaml.safe_load(value) if value else "" for name, _, value in pairs}


@app.command()
def runs(
    profile: Annotated[
        str, typer.Option(help="mini (the notebooks' defaults), or a folder of chapters/profiles.")
    ] = "mini",
    seeds: Annotated[str, typer.Option(help="Seeds, separated by blanks.")] = "0 1 2",
    worlds: Annotated[str, typer.Option(help="Seeds of the miniature; empty: the profile's own.")] = "",
    chapter: Annotated[str, typer.Option(help="Start of a chapter's name, e.g. 04; empty: all.")] = "",
    only: Annotated[str, typer.Option(help="Variants of chapters/profiles/variants/, separated by blanks.")] = "",
    given: Annotated[str, typer.Option("--set", help="Parameters of all runs: data_root=/data/ucf101 ...")] = "",
    fresh: Annotated[bool, typer.Option(help="Repeat finished runs, from nothing.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the records of quick or mini runs too.")] = False,
) -> None:
    """Run a batch of chapters x variants x worlds x seeds; its records go to book/results/, save those of reading size.

    Started again, it goes on where it was stopped: finished runs are skipped, networks resume at their checkpoints.
    """
    of_chapter = {
        notebook: planned(
            notebook,
            profile,
            seeds=list(map(int, seeds.split())),
            worlds=list(map(int, worlds.split())),
            only=only.split(),
            given=parameters_given(given),
        )
        for notebook in chapters()
        if notebook.stem.startswith(chapter)
    }
    faults = []
    for notebook, planned_runs in of_chapter.items():
        if fresh:
            forget(planned_runs)
        if to_run := [run for run in planned_runs if not run.finished]:
            said = refusals(to_run)
            faults += [f"{notebook.stem} ({', '.join(variants)}): {fault}" for fault, variants in said.items()]
    if faults:
        raise StillactError("nothing was run\n  " + "\n  ".join(faults))
    kept = keep or profile not in READING
    table = []
    for planned_runs in of_chapter.values():
        of_this = run_batch(planned_runs, keep=kept)
        table += of_this
        if kept and not only and not any(state.startswith("failed") for _, _, state in of_this):
            for name in drop_older_records(planned_runs):
                print(f"  dropped {name}, made with other parameters")
    if kept:
        generate_pages.write_committed()
    print("\n".join(f"{seconds:8.0f} s  {name}  {state}" for name, seconds, state in table))
    if failed := sum(state.startswith("failed") for _, _, state in table):
        raise StillactError(f"{failed} of {len(table)} runs failed; start the batch again to go on with these")


if __name__ == "__main__":
    try:
        app(standalone_mode=True)
    except StillactError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; the chapters on disk are those of the last complete runs", file=sys.stderr)
        sys.exit(130)
