"""A dress rehearsal: a full-size profile run through on miniatures in the official layouts, its trainings cut short."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from stillact_lib import miniature
from stillact_lib.batch.planning import Run, chapters_named, parameters_given, planned, refusals, variants_of
from stillact_lib.batch.schedule import on_this_machine, run_batch
from stillact_lib.errors import StillactError
from stillact_lib.paths import workspace
from stillact_lib.training.rehearsal import Rehearsed, rehearsed

#: which miniature stands at each of a chapter's roots; "": the folder that holds one for each dataset
ROOTS = {
    "01-action-objects": {"stanford40_root": "fra"},
    "02-human-mask-loss": {"stanford40_root": "stanford40", "mpii_root": "mpii"},
    "03-space-time-saliency": {"data_root": "ucf101", "willow_root": "willow_actions"},
    "04-im2flow": {"data_root": "", "stills_root": ""},
    "05-temporal-transfer": {"stills_root": "", "videos_root": ""},
}
#: what the folder for all of them holds
EVERY = (
    "ucf101",
    "hmdb51",
    "weizmann",
    "yupp",
    "penn_action",
    "willow_actions",
    "stanford40",
    "voc2012_action",
    "imsitu",
)


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsed run told: its state, the seconds it took, its peak of memory in MiB, and its trainings."""

    name: str
    state: str
    seconds: float
    peak_memory_mib: float
    trainings: list[Rehearsed]

    @property
    def failed(self) -> bool:
        return self.state != "done"

    @property
    def hours(self) -> float:
        """Of all trainings at their full number of steps, one after another, on this machine."""
        return sum(one.seconds for one in self.trainings) / 3600

    def __str__(self) -> str:
        head = f"{self.name}: {self.state}"
        if self.failed:
            return head
        rows = [f"  {'training':44}  {'steps':>9}  {'s a step':>9}  {'hours':>8}"]
        for _, alike in groupby(self.trainings, key=lambda one: one.label):
            of = list(alike)
            steps, taken = sum(one.steps for one in of), sum(one.seconds for one in of)
            label = of[0].label + (f" ({len(of)} of them)" if len(of) > 1 else "")
            rows.append(f"  {label[:44]:44}  {steps:9,}  {taken / steps:9.3f}  {taken / 3600:8.2f}")
        took = f"rehearsed in {self.seconds / 60:.1f} min at {self.peak_memory_mib / 1024:.1f} GiB"
        return "\n".join([f"{head}, {took}; its trainings in full: {self.hours:,.1f} h on this machine", *rows])


def rehearse(
    chapters: Sequence[str], profile: str, size: str, steps: int, only: Sequence[str], given: Sequence[str]
) -> list[Rehearsal]:
    """Rehearses the first variant of each chapter, or those asked for. Raises StillactError where one is refused."""
    os.environ |= {"STILLACT_WORKSPACE": str(workspace() / "rehearsal"), "STILLACT_REHEARSE": str(steps)}
    told = []
    for notebook in chapters_named(chapters):
        roots = {name: str(tree(dataset, size)) for name, dataset in ROOTS[notebook.stem].items()}
        variants = list(only) or list(variants_of(notebook.stem, profile))[:1]
        parameters = roots | parameters_given(given)
        runs = planned(notebook, profile, seeds=[0], worlds=[], only=variants, given=parameters)
        for run in runs:
            run.forget()
        if faults := refusals(runs):
            raise StillactError(f"{notebook.stem}: " + "\n".join(faults))
        with on_this_machine(1) as executor:
            table = run_batch(runs, keep=False, executor=executor, repeat_failed=True)
        told += [_told(run, seconds, state) for run, (_, seconds, state) in zip(runs, table, strict=True)]
    return told


def tree(dataset: str, size: str) -> Path:
    """Where a miniature of the dataset lies, written if it is not there; of all of `EVERY` for ""."""
    folder = workspace() / "data" / size
    for name in [dataset] if dataset else EVERY:
        if not (folder / name).is_dir():
            miniature.write(name, folder / name, seed=0, size=size)
    return folder / dataset


def _told(run: Run, seconds: float, state: str) -> Rehearsal:
    records = [json.loads(Path(path).read_text()) for path in run.stamped.get("records", []) if path.endswith(".json")]
    peak = max((record["peak_memory_mib"] for record in records), default=0)
    trainings = rehearsed(run.rehearsed) if run.rehearsed.is_file() else []
    return Rehearsal(run.name, state, seconds, peak, trainings)
