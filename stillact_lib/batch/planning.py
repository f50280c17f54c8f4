"""Which runs a batch is: chapters x variants x worlds x seeds; which of them are finished, which have failed, and what
the chapters' configurations say against them before any of them starts."""

from __future__ import annotations

import ast
import hashlib
import json
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

from stillact_lib.batch.execution import KERNELS, ROOT, measuring_digest
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
    def own_folder(self) -> Path:
        """Where its records lie until it is whole; what runs by other code left is not picked up."""
        return self.stamp.with_name(f"{self.name}-{self.identity}")

    @property
    def rehearsed(self) -> Path:
        """Where a rehearsal writes down how long the steps of each training take."""
        return self.stamp.with_suffix(".trainings.jsonl")

    @property
    def stamped(self) -> dict[str, Any]:
        """What the stamp says; empty without one."""
        return json.loads(self.stamp.read_text(encoding="utf-8")) if self.stamp.is_file() else {}

    @property
    def finished(self) -> bool:
        """Whether this very run, by this code, has run to its end, and its records are still there."""
        stamp = self.stamped
        return self._is_told(stamp, "records") and all(Path(path).is_file() for path in stamp["records"])

    @property
    def failure(self) -> str:
        """Why this very run, by this code, did not come to its end when it was last tried; "" where it did, or was
        stopped, or has not been tried."""
        stamp = self.stamped
        return stamp["failed"] if self._is_told(stamp, "failed") else ""

    def _is_told(self, stamp: dict[str, Any], what: str) -> bool:
        return stamp.get("identity") == self.identity and what in stamp

    def forget(self) -> None:
        """Has it repeated from nothing: by a stamp that says since when networks that it finds are its own."""
        self.write_stamp({"since": time.time()})

    def write_stamp(self, content: dict[str, Any]) -> None:
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.stamp) as temporary:
            temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


@cache
def _defaults(notebook: Path) -> dict[str, Any]:
    listed = papermill.inspect_notebook(str(notebook))
    return {name: ast.literal_eval(entry["default"]) for name, entry in listed.items()}


def chapters() -> list[Path]:
    """The chapters' notebooks, in the order of the book."""
    return sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb"))


def chapters_named(starts: Sequence[str]) -> list[Path]:
    """The chapters whose names begin with any of these, as 04 does; all of them where there are none.

    Raises StillactError for one that begins no chapter's name.
    """
    named = [path.stem for path in chapters()]
    if unknown := [start for start in starts if not any(name.startswith(start) for name in named)]:
        raise StillactError(f"no chapter {', '.join(unknown)}; there are {', '.join(named)}")
    return [path for path in chapters() if path.stem.startswith(tuple(starts or [""]))]


def parameters_given(texts: Sequence[str]) -> dict[str, Any]:
    """The parameters in name=value texts, each value read as YAML; none is an empty string.

    Raises StillactError for a text of another form.
    """
    pairs = [each.partition("=") for each in texts]
    if wrong := [each for each in pairs if not (each[0].isidentifier() and each[1])]:
        raise StillactError(f"{''.join(wrong[0])!r}: should be name=value, as in steps=500")
    return {name: yaml.safe_load(value) if value else "" for name, _, value in pairs}


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
