"""The command line, `stillact`: what the datasets are, whether a copy is whole, and miniatures in their place.

Exit codes: 0 done and right · 1 present, but incomplete or wrong · 2 not there or bad arguments · 130 stopped by
Ctrl-C. Commands import what they need when they run: `stillact --help` starts without OpenCV, pandas or torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from typer.core import TyperCommand, TyperGroup

from stillact_lib.errors import StillactError


class ManyValues(TyperCommand):
    """Options that take all words up to the next option: `--seeds 0 1 2`."""

    MANY = ("--seeds", "--worlds", "--only")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given, option = [], ""
        for word in args:
            if word.startswith("-"):
                option = word if word in self.MANY else ""
            given += [option, word] if option and word != option else [word] * (word not in self.MANY)
        return super().parse_args(ctx, given)


class Commands(TyperGroup):
    """Turns the errors that users are meant to read into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StillactError, OSError) as error:
            typer.echo(f"error: {str(error).encode('utf-8', 'backslashreplace').decode()}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="The still-action reproduction book.",
)
data = typer.Typer(
    no_args_is_help=True, help="Datasets: what they are, whether a copy is whole, miniatures in their place."
)
app.add_typer(data, name="data")


@app.callback()
def main() -> None:
    """The still-action reproduction book: its datasets, real and miniature."""


@data.command("list")
def list_datasets() -> None:
    """Print all datasets that the book knows: kind, size, licence, and the chapters that use them."""
    from rich.console import Console
    from rich.table import Table

    from stillact_lib.manifests import overview

    rows = overview()
    table = Table(*rows[0], header_style="bold", box=None, pad_edge=False)
    for position in (2, 3):
        table.columns[position].justify = "right"
    for row in rows:
        table.add_row(*row.values())
    width = None if sys.stdout.isatty() else 120  # a file or a pipe has no width of its own
    Console(width=width).print(table)


@data.command("verify")
def verify_dataset(
    name: Annotated[str, typer.Argument(help="the dataset, as `stillact data list` names it")],
    root: Annotated[Path, typer.Argument(help="the folder with the unpacked downloads")],
    split: Annotated[int | None, typer.Option(help="official split, 1 to 3; 1 where it is left out")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, every file by name")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="read headers only, decode no frame")] = False,
    workers: Annotated[int | None, typer.Option(help="decoding processes; one a core where it is left out")] = None,
    classes: Annotated[str | None, typer.Option(help="hold only these classes, by commas, against the lists")] = None,
    everything: Annotated[bool, typer.Option("--all", help="print each fault, fold none")] = False,
) -> None:
    """Hold a copy of a dataset against its manifest: exit 0 complete and right, 1 incomplete or wrong, 2 not there."""
    from stillact_lib.datasets.verification import verify
    from stillact_lib.datasets.verification_text import as_text

    chosen = None if classes is None else [name.strip() for name in classes.split(",")]
    report = verify(name, root, split=split, quick=quick, workers=workers, classes=chosen)
    typer.echo(json.dumps(report.as_json(), indent=1) if as_json else as_text(report, everything))
    raise typer.Exit(0 if report.complete else 1)


@data.command("miniature")
def write_miniature(
    name: Annotated[str, typer.Argument(help="the dataset whose layout to write")],
    out: Annotated[Path, typer.Argument(help="the folder to make")],
    seed: Annotated[int, typer.Option(help="same seed, same pixels")] = 0,
    size: Annotated[str, typer.Option(help="mini, gpu, ...: how many clips, how large")] = "mini",
) -> None:
    """Write a miniature of a dataset in its official layout, ready for the readers and the chapters."""
    from stillact_lib import miniature

    for option, given, known in (("NAME", name, miniature.LAYOUTS), ("--size", size, miniature.SIZES)):
        if given not in known:
            raise StillactError(f"{option}: no {given!r}; choose from {', '.join(known)}")
    try:
        str(out.absolute()).encode()
    except UnicodeEncodeError:  # OpenCV's writer would end the process
        raise StillactError(f"OUT: {out} is not UTF-8 text, as the video encoder needs; choose another name") from None
    miniature.write(name, out, seed=seed, size=size)
    typer.echo(f"wrote a miniature of {name} to {out} (seed {seed}, size {size})")


@data.command("represent")
def represent_videos(
    name: Annotated[str, typer.Argument(help="a dataset of videos, as `stillact data list` names it")],
    root: Annotated[Path, typer.Argument(help="the folder with the unpacked downloads")],
    classes: Annotated[str | None, typer.Option(help="only these classes, by commas")] = None,
    pairs: Annotated[list[str] | None, typer.Option(help="SIDE[:COUNT] of frames and flow, px (03, 04)")] = None,
    steady: Annotated[list[str] | None, typer.Option(help="the same without the camera's motion")] = None,
    temporal: Annotated[list[int] | None, typer.Option(help="side of dynamic images and flow, px (05)")] = None,
    repeats: Annotated[bool, typer.Option(help="keep frames that repeat the one before")] = False,
) -> None:
    """Make what chapters 03 to 05 make of videos, each decoded once and its flow estimated once.

    COUNT is pairs a video, all where it is left out. Chapters find what is made here; it may be stopped and goes on
    when started again. Exit 1: some videos were unusable.
    """
    import time

    from stillact_lib.datasets import read
    from stillact_lib.vision.pair_shards import PairRecipe
    from stillact_lib.vision.shards import build_shards, shard_folder
    from stillact_lib.vision.temporal_shards import TemporalRecipe

    def pair_recipe(text: str, camera_removed: bool) -> PairRecipe:
        side, _, count = text.partition(":")
        if not side.isdecimal() or (count and not count.isdecimal()):
            raise StillactError(f"--pairs, --steady: {text!r} should be SIDE or SIDE:COUNT, as in 64:41")
        count = int(count or 0)
        return PairRecipe(int(side), pairs_per_video=count, drop_repeats=not repeats, camera_removed=camera_removed)

    recipes = [pair_recipe(text, removed) for some, removed in ((pairs, False), (steady, True)) for text in some or []]
    recipes += [TemporalRecipe(side, drop_repeats=not repeats) for side in temporal or []]
    if not recipes:
        raise StillactError("nothing is asked for: give --pairs, --steady or --temporal")
    samples = read(name, root, **({"classes": classes.split(",")} if classes else {}))
    began, folder = time.perf_counter(), shard_folder(samples.root)
    videos = samples.videos["video"]
    made = build_shards(
        {folder / one.folder_name: one for one in recipes}, videos, samples.root, progress=f"{name}: representations"
    )
    for place, (shards, problems) in made.items():
        rows = sum(len(shard.frames) for shard in shards.values())
        size = sum(shard.bytes for shard in shards.values()) / 1e9
        typer.echo(f"{place.name}: {len(shards)} videos, {rows:,} rows, {size:.2f} GB, {len(problems)} unusable")
    unusable = sorted({problem for _, problems in made.values() for problem in problems})
    for _, reason in unusable:
        typer.echo(reason, err=True)
    typer.echo(f"{time.perf_counter() - began:,.0f} s")
    raise typer.Exit(1 if unusable else 0)


@app.command("run", cls=ManyValues)
def run_chapters(
    chapters: Annotated[list[str] | None, typer.Argument(help="starts of chapters' names, as 03 04; none: all")] = None,
    profile: Annotated[str, typer.Option(help="mini (notebooks' defaults), or a folder of chapters/profiles")] = "mini",
    seeds: Annotated[list[int] | None, typer.Option(help="seeds of what is random; 0 1 2 where left out")] = None,
    worlds: Annotated[list[int] | None, typer.Option(help="seeds of the miniature; else the profile's")] = None,
    only: Annotated[list[str] | None, typer.Option(help="variants in chapters/profiles/variants; else all")] = None,
    given: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value, for all runs")] = None,
    several: Annotated[str, typer.Option("--set", help="several of these in one text, quoted as in a shell")] = "",
    scheduler: Annotated[str, typer.Option(help="tcp://HOST:PORT of a Dask cluster that sees the same files")] = "",
    jobs: Annotated[int, typer.Option(min=0, help="runs at a time on this machine; 0: one a GPU, or one")] = 0,
    repeat_failed: Annotated[bool, typer.Option("--repeat-failed", help="try again what failed before")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="repeat finished runs, from nothing")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="keep the records of profiles quick and mini too")] = False,
) -> None:
    """Run chapters in a batch: every variant of every world and seed, each in a process of its own.

    Executed notebooks, logs and stamps go to workspace/runs/, records to book/results/ (of quick and mini to
    workspace/records/). Started again, it goes on where it was stopped: finished runs are skipped, networks resume at
    their checkpoints. Exit 1: some runs failed.
    """
    import shlex
    import signal

    from stillact_lib.batch import planning, schedule

    def plan_of(notebook: Path) -> list[planning.Run]:
        chosen = {"seeds": seeds or [0, 1, 2], "worlds": worlds or [], "only": only or []}
        parameters = planning.parameters_given([*(given or []), *shlex.split(several)])
        return planning.planned(notebook, profile, **chosen, given=parameters)

    of_chapter = {notebook: plan_of(notebook) for notebook in planning.chapters_named(chapters or [])}
    faults = []
    for notebook, runs in of_chapter.items():
        for run in runs if fresh else []:
            run.forget()
        if to_run := [run for run in runs if not run.finished]:
            said = planning.refusals(to_run)
            faults += [f"{notebook.stem} ({', '.join(variants)}): {fault}" for fault, variants in said.items()]
    if faults:
        raise StillactError("nothing was run\n  " + "\n  ".join(faults))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the runs' processes are told
    kept = keep or profile not in planning.READING
    place = schedule.on_a_cluster(scheduler) if scheduler else schedule.on_this_machine(jobs)
    with place as executor:
        everything = [run for runs in of_chapter.values() for run in runs]
        table = schedule.run_batch(everything, keep=kept, executor=executor, repeat_failed=repeat_failed)
    failed = {name for name, _, state in table if state.startswith(("failed", "stopped"))}
    for runs in of_chapter.values() if kept and not only else ():
        if failed.isdisjoint(run.name for run in runs):
            for name in planning.drop_older_records(runs):
                typer.echo(f"dropped {name}, made with other parameters")
    typer.echo("\n".join(f"{seconds:8.0f} s  {name}  {state}" for name, seconds, state in table))
    if failed:
        typer.echo(f"error: {len(failed)} of {len(table)} runs failed; --repeat-failed goes on with these", err=True)
        raise typer.Exit(1)


@app.command("rehearse", cls=ManyValues)
def rehearse_chapters(
    chapters: Annotated[list[str] | None, typer.Argument(help="starts of chapters' names, as 03 04; none: all")] = None,
    profile: Annotated[str, typer.Option(help="a folder of chapters/profiles")] = "paper",
    size: Annotated[str, typer.Option(help="of the miniatures that stand for the data")] = "tiny",
    steps: Annotated[int, typer.Option(min=2, help="of each training")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="variants; the first of a chapter if left out")] = None,
    given: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value, for all runs")] = None,
) -> None:
    """Rehearse full-size runs: miniatures for the data, each training cut to a few steps, all else as it stands.

    Tells each run's peak of memory, and what its trainings would take here in all their steps. Where ImageNet's weights
    are not to be had, networks begin untrained. Everything lies in workspace/rehearsal/. Exit 1: some runs failed.
    """
    from stillact_lib.batch import rehearsing

    told = rehearsing.rehearse(chapters or [], profile, size, steps, only or [], given or [])
    typer.echo("\n\n".join(map(str, told)))
    raise typer.Exit(any(one.failed for one in told))
