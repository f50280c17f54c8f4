"""Batches of runs: chapters x variants x worlds x seeds, each papermill's, each kept when it is whole (`make runs`).

A run's record lies in a folder of its own until its last cell has run, then it moves to where records are kept, and a
stamp says which run it was and by which code. So a batch that is stopped at any moment goes on when it is started
again: finished runs are skipped, the one that was running resumes at its checkpoints.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from nbclient import NotebookClient
from running import KERNELS, ROOT, ChapterFailed, execute, measuring_digest

from stillact_lib.configuration import CARRYING_OUT, PLACES
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import kept_records_folder
from stillact_lib.paths import workspace, written_whole

PROFILES = ROOT / "chapters" / "profiles"
#: profiles whose runs decide nothing: their records are kept on request only
READING = ("quick", "mini")
#: profiles of real data, which has no worlds to draw
REAL = ("real", "paper")
#: parameters that tell no profile's versions apart: which run of a batch it is, and how it is carried out
ALIKE = ("seed", "miniature_seed", *CARRYING_OUT)


@dataclass(frozen=True)
class Run:
    """One run of a batch; `parameters` are what it changes in the notebook, `code` is what measures (its digest)."""

    notebook: Path
    code: str
    profile: str
    variant: str
    seed: int
    world: int | None
    parameters: dict[str, Any]

    @property
    def name(self) -> str:
        world = "" if self.world is None else f"-world{self.world}"
        return f"{self.notebook.stem}-{self.profile}-{self.variant}{world}-seed{self.seed}"

    @property
    def identity(self) -> str:
        """12 hex digits that say which run this is and by which code."""
        described = [self.code, sorted(self.parameters.items())]
        return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:12]

    @property
    def settings(self) -> dict[str, Any]:
        """All parameters of the run: the notebook's own, and what the run changes in them."""
        return _defaults(self.notebook) | self.parameters

    @property
    def stamp(self) -> Path:
        return workspace() / "runs" / f"{self.name}.json"

    @property
    def stamped(self) -> dict[str, Any]:
        """What the stamp says; empty without one."""
        return json.loads(self.stamp.read_text(encoding="utf-8")) if self.stamp.is_file() else {}

    @property
    def finished(self) -> bool:
        """Whether this very run, by this code, has run to its end, and its records are still there."""
        stamp = self.stamped
        return stamp.get("identity") == self.identity and all(Path(path).is_file() for path in stamp["records"])


@cache
def _defaults(notebook: Path) -> dict[str, Any]:
    listed = papermill.inspect_notebook(str(notebook))
    return {name: ast.literal_eval(entry["default"]) for name, entry in listed.items()}


def planned(
    notebook: Path, profile: str, *, seeds: Sequence[int], worlds: Sequence[int], only: Sequence[str], given: dict
) -> list[Run]:
    """The runs of a chapter, variant after variant within a seed. `given`: parameters of all of them, such as roots.

    Raises StillactError where the profile or a variant does not exist.
    """
    file = PROFILES / profile / f"{notebook.stem}.yaml"
    if profile != "mini" and not file.is_file():
        raise StillactError(f"{notebook.stem}: no profile file {file.relative_to(ROOT)}; write it, or take another")
    if worlds and profile in REAL:
        raise StillactError(f"WORLDS: seeds of the miniature, and profile {profile} draws none; leave it out")
    parameters = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if profile != "mini" else {}
    variants, code = variants_of(notebook.stem, profile), measuring_digest(notebook)
    if unknown := set(only) - set(variants):
        raise StillactError(f"{notebook.stem}: no variant {', '.join(unknown)}; there are {', '.join(variants)}")
    return [
        Run(
            notebook,
            code,
            profile,
            variant,
            seed,
            world,
            # a batch that is stopped goes on where it was, and its networks are there for the next one
            {"keep_checkpoints": True, **parameters, **variants[variant], **given, "seed": seed}
            | ({} if world is None else {"miniature_seed": world}),
        )
        for seed, world, variant in product(seeds, worlds or [None], only or variants)
    ]


def variants_of(chapter: str, profile: str) -> dict[str, dict[str, Any]]:
    """Name -> parameters that differ from the profile's: the profile's own file, or the one for all profiles; a chapter
    without such a file has the one run, "default"."""
    for path in (PROFILES / "variants" / profile / f"{chapter}.yaml", PROFILES / "variants" / f"{chapter}.yaml"):
        if path.is_file():
            return yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"default": {}}


def refusals(runs: Sequence[Run]) -> dict[str, list[str]]:
    """What the chapter's configuration cell says against these runs: fault -> variants; one kernel asks for all."""
    asked = {run.variant: run for run in runs}
    cells = nbformat.read(runs[0].notebook, as_version=4).cells
    at = next(number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", []))
    before = [cell.source for cell in cells[:at] if cell.cell_type == "code"]
    configuring = next(cell.source for cell in cells[at + 1 :] if cell.cell_type == "code")
    sources = list(before)
    for run in asked.values():
        trial = run.parameters | {"keep_checkpoints": False}  # being asked is no session of the run
        changed = "\n".join(f"{name} = {value!r}" for name, value in trial.items())
        sources += [cells[at].source, changed, configuring]
    asking = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    where = {"metadata": {"path": str(ROOT / "chapters")}}
    NotebookClient(asking, kernel_name="python3", allow_errors=True, resources=where, config=KERNELS).execute()
    owners = ["the chapter's first cells"] * len(before) + [variant for variant in asked for _ in range(3)]
    faults: dict[str, list[str]] = {}
    for owner, cell in zip(owners, asking.cells, strict=True):
        for output in cell.outputs:
            if output.output_type == "error":
                faults.setdefault(f"{output.ename}: {output.evalue}", []).append(owner)
    return faults


def run_batch(runs: Sequence[Run], *, keep: bool) -> list[tuple[str, float, str]]:
    """Runs what is not finished; returns (run, seconds, state) of all. One that fails does not end the batch."""
    table = []
    for number, run in enumerate(runs, start=1):
        if run.finished:
            table.append((run.name, run.stamped["seconds"], "finished before"))
            continue
        print(f"{run.name}: run {number} of {len(runs)}", flush=True)
        try:
            seconds = _run(run, kept_records_folder() if keep else workspace() / "records")
        except ChapterFailed as error:
            print(f"{run.name}: {error}", flush=True)
            table.append((run.name, 0.0, f"failed: {error}"))
        else:
            table.append((run.name, seconds, "done"))
    return table


def forget(runs: Sequence[Run]) -> None:
    """Has runs repeated from nothing: by a stamp that says since when networks that they find are their own."""
    for run in runs:
        _write_stamp(run, {"since": time.time()})


def _write_stamp(run: Run, content: dict[str, Any]) -> None:
    run.stamp.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(run.stamp) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _run(run: Run, records: Path) -> float:
    own = run.stamp.with_name(f"{run.name}-{run.identity}")  # what sessions by other code left is not picked up
    own.mkdir(parents=True, exist_ok=True)
    since = run.stamped.get("since", 0)
    environment = {"STILLACT_LIVE": "0", "STILLACT_RECORDS": str(own), "STILLACT_KEPT_SINCE": str(since)}
    seconds = execute(run.notebook, run.stamp.with_suffix(".ipynb"), parameters=run.parameters, environment=environment)
    kept = [_moved(path, records / path.relative_to(own)) for path in _scores_first(own)]
    told = {"identity": run.identity, "seconds": round(seconds, 1), "records": [str(path) for path in kept]}
    _write_stamp(run, told | {"since": since})
    for older in run.stamp.parent.glob(f"{run.name}-*/"):
        shutil.rmtree(older)
    return seconds


def _scores_first(folder: Path) -> list[Path]:
    """A record comes last: where it lies, all that it names lies too."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.suffix == ".json")


def _moved(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as temporary:
        shutil.copyfile(source, temporary)
    return target


def drop_older_records(runs: Sequence[Run]) -> list[str]:
    """Drops kept records of the batch's chapter and profile that are none of its own, yet of one of its runs, or made
    with other parameters than any variant of the profile has now; returns their names. Other seeds and worlds stay. The
    profile is the one that the runs write in their records. Where it is given (`profile=tuning`) and not that of their
    file, records are tries beside each other, made with parameters that are given too: only these very runs drop any.
    """
    own = {Path(path).resolve() for run in runs for path in run.stamped["records"]}
    profiles, dropped = {run.settings["profile"] for run in runs}, []
    tries = profiles != {runs[0].profile}
    for path in sorted((kept_records_folder() / runs[0].notebook.stem).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("profile") not in profiles or path.resolve() in own:
            continue
        told = record["parameters"]
        exact = any(_agree(told, run.settings, ("seed", "miniature_seed")) for run in runs)
        if exact or not (tries or any(_agree(told, run.settings, ()) for run in runs)):
            for file in path.parent.glob(f"{record['run_id']}*"):
                file.unlink()
            dropped.append(path.name)
    return dropped


def _agree(told: dict[str, Any], settings: dict[str, Any], also: Sequence[str]) -> bool:
    """Whether a record's parameters are those of these settings, where they decide, and in `also`."""
    deciding = [name for name in told if name not in ALIKE and not name.endswith(PLACES)]
    return all(told.get(name) == settings.get(name) for name in [*deciding, *also])
