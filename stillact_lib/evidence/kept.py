"""Which kept runs speak of which world, and how fresh they are.

A chapter's kept records (`book/results/<chapter>/`) speak of the drawn world (the miniature at the size that the
question needs; until a chapter has such runs, those of reading size, and then every place that shows them says that
they are provisional), of real data, or of the papers' full architectures. Runs of other profiles decide nothing.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from stillact_lib.evidence.estimates import Pool
from stillact_lib.evidence.published import Published
from stillact_lib.evidence.records import CLIP, GROUP, RunRecord
from stillact_lib.evidence.worlds import is_drawn, is_fold, world_of
from stillact_lib.paths import project_root
from stillact_lib.version import code_digest

World = Literal["drawn", "real", "full architecture"]
WORLDS: tuple[World, ...] = get_args(World)
#: the profiles that speak of a world; the first that has a run decides
PROFILES: dict[World, tuple[str, ...]] = {
    "drawn": ("study", "mini"),
    "real": ("real",),
    "full architecture": ("paper", "gpu"),
}
#: profiles of reading size: what a page's own run with one of them shows decides nothing
READING = ("quick", "mini")
PROVISIONAL = "provisional: the first edition's reading-size runs"


class Kept(NamedTuple):
    """The runs that decide in a world, pooled, and those left out as they did not finish."""

    world: World
    pool: Pool
    unfinished: list[RunRecord]

    @classmethod
    def of(cls, records: Sequence[RunRecord], world: World) -> Kept:
        held = {record.profile for record in records if record.complete}
        profile = next((name for name in PROFILES[world] if name in held), None)
        of_world = [record for record in records if record.profile in PROFILES[world]]
        finished = [record for record in of_world if record.complete and record.profile == profile]
        return cls(world, Pool(finished), [record for record in of_world if not record.complete])

    @property
    def records(self) -> list[RunRecord]:
        return self.pool.records

    @property
    def profile(self) -> str:
        return self.records[0].profile if self.records else ""

    def provenance(self, published: Published, datasets: Collection[str]) -> str:
        """World, profile, seeds, worlds, test items, and over what the intervals go, for tables on `datasets` (none: of
        sentences that nothing was compared for)."""
        runs = [
            one for one in self.records if not datasets or any(f"{name}/{CLIP}" in one.scores() for name in datasets)
        ]
        if not runs:
            return f"{self._called}: no kept runs yet."
        tested = [_items(name, runs, published) for name in datasets]
        grouped = any(f"{name}/{GROUP}" in record.scores() for name in datasets for record in runs)
        worlds = sorted({world_of(record) for record in runs})
        trained = {(world_of(record), record.seed) for record in runs}
        varied = [f"groups of {published.items}" if grouped else published.items]
        varied += ["seeds"] if len(trained) > 1 else []
        varied += ["worlds"] if len(worlds) > 1 and not any(map(is_fold, runs)) else []
        over = f"{published.rule.level:.0%}".replace("%", " %") + f" intervals over {_listed(varied)}"
        over += " of one training" if len(trained) == 1 else ""
        mixed = "; runs of several versions of the library" if len({record.code for record in runs}) > 1 else ""
        seeds = _listed(sorted({record.seed for record in runs}))
        parts = [f"profile {runs[0].profile}", f"seeds {seeds}", _listed(worlds), *filter(None, tested)]
        return f"{self._called}, {'; '.join(parts)}; {over}{mixed}."

    @property
    def _called(self) -> str:
        name = {"drawn": "Drawn world", "real": "Real data", "full architecture": "Full architecture"}[self.world]
        reading = self.profile in READING
        return f"{name} ({PROVISIONAL})" if reading else name

    def freshness(self, chapter: str) -> list[str]:
        """What is to be known of the runs' age, one sentence each; empty where all come from the present library."""
        found = []
        if self.unfinished:
            found.append(f"Left out, as they did not finish: {_listed([one.run_id for one in self.unfinished])}.")
        codes = Counter(record.code for record in self.records)
        if len(codes) > 1:
            groups = _listed([f"{number} of {code}" for code, number in codes.most_common()])
            found.append(f"The runs come from {len(codes)} versions of the library: {groups}.")
        if older := sum(number for code, number in codes.items() if code != code_digest(chapter)):
            found.append(f"The library has changed since {older} of {len(self.records)} runs were made.")
        parameters = chapter_parameters(chapter)
        gone = {name for record in self.records for name in record.parameters} - (parameters or set())
        if parameters and gone:
            found.append(f"Stale: the chapter has no parameter {_listed(sorted(gone))} any more; run them again.")
        return found


def speaks_of(record: RunRecord) -> World:
    """The world that a run speaks of, whether or not it decides anything."""
    if record.profile in PROFILES["full architecture"]:
        return "full architecture"
    return "drawn" if is_drawn(record) else "real"


def chapter_parameters(chapter: str) -> set[str]:
    """Names that the cell tagged `parameters` sets; empty where the chapter has no notebook."""
    path = project_root() / "chapters" / f"{chapter}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
    tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    statements = [statement for source in tagged for statement in ast.parse(source).body]
    return {statement.target.id for statement in statements if isinstance(statement, ast.AnnAssign)}


def _items(dataset: str, runs: Sequence[RunRecord], published: Published) -> str:
    """How many items of a dataset are tested in a world, or in all folds, and in how many groups."""
    holding = [found for run in runs if f"{dataset}/{CLIP}" in (found := run.scores())]
    if not holding:
        return ""
    tested = holding if any(map(is_fold, runs)) else holding[:1]
    number, groups = (
        len(set().union(*(found.get(f"{dataset}/{kind}", np.empty(0)).tolist() for found in tested)))
        for kind in (CLIP, GROUP)
    )
    grouped = f" in {groups} groups" if groups not in (0, number) else ""
    items = published.items_of.get(dataset, published.items)
    return f"{published.datasets.get(dataset, dataset)}: {number} test {items}{grouped}"


def _listed(parts: Sequence[object]) -> str:
    return ", ".join(map(str, parts))
