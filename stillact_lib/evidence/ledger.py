"""The ledger of a chapter: every table, claim and verdict from its kept runs, and nothing else.

    ledger = open_ledger("04-im2flow", this_run=record)
    ledger.table("table1", columns=["epe_all", "epe_fg"])
    ledger.claims("flow-best-everywhere")

Chapters, *All results*, README and the front page show the same kept records. A page's own run stands in a column of
its own and changes no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stillact_lib.errors import StillactError
from stillact_lib.evidence import tables
from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.evidence.claims import Entry
from stillact_lib.evidence.estimates import Pool
from stillact_lib.evidence.kept import WORLDS, Kept, World, speaks_of
from stillact_lib.evidence.published import Published, load_published
from stillact_lib.evidence.records import RunRecord, load_records
from stillact_lib.evidence.verdicts import Counts, Verdict, count, decide


def open_ledger(chapter: str, this_run: RunRecord | Sequence[RunRecord] = (), *, folder: Path | None = None) -> Ledger:
    """A chapter's ledger; `this_run`: the page's own run (or its parts), shown beside the kept ones; `folder`: where
    the records lie (default: the kept ones)."""
    own = [this_run] if isinstance(this_run, RunRecord) else list(this_run)
    return Ledger(load_published(chapter), load_records(folder, chapter=chapter, incomplete=True), own)


class Ledger:
    """What kept records say, world by world; what was decided once is kept."""

    def __init__(self, published: Published, records: Sequence[RunRecord], this_run: Sequence[RunRecord] = ()) -> None:
        self.published = published
        self.this_run = {world: Pool([run for run in this_run if speaks_of(run) == world]) for world in WORLDS}
        self.kept = {world: Kept.of(records, world) for world in WORLDS}
        self._decided: dict[tuple[str, World], Verdict] = {}

    @property
    def records(self) -> list[RunRecord]:
        """The kept runs of the drawn world."""
        return self.kept["drawn"].records

    def worlds(self) -> list[World]:
        """Those with kept runs."""
        return [world for world, kept in self.kept.items() if kept.records]

    def table(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        dataset: str | None = None,
        notes: bool = True,
        world: World = "drawn",
    ) -> tables.Shown:
        """A published table beside ours. `columns` takes some of the table's (a page is narrow); `dataset` rebuilds it
        on another dataset, for which the paper's text prints no numbers; `notes`: what its caption says of the paper's
        numbers, once where a table is shown in parts."""
        of_world = self._kept(world), self.this_run[world]
        return tables.result_table(self.published, name, *of_world, columns=columns, dataset=dataset, notes=notes)

    def claims(self, *ids: str, world: World = "drawn") -> tables.Shown:
        """Claims and checks, a row each, by their ids."""
        verdicts = [self.verdict(id, world) for id in ids]
        this_run = self.this_run[world]
        own = [decide(self.published, self._entry(id), this_run) for id in ids if this_run.records]
        return tables.claims_table(self.published, self._kept(world), verdicts, own, this_run)

    def measured(
        self, dataset: str, arm: str, metric: str, against: str | None = None, world: World = "drawn"
    ) -> Interval | None:
        """An arm's figure with its interval, or what it has over another; None where no kept run has it."""
        measure, level = self.published.measure(metric), self.published.rule.level
        return self._kept(world).pool.measured(measure, dataset, arm, level, against)

    def verdict(self, id: str, world: World = "drawn") -> Verdict:
        """The verdict of a claim or a check."""
        if (id, world) not in self._decided:
            self._decided[id, world] = decide(self.published, self._entry(id), self._kept(world).pool)
        return self._decided[id, world]

    def in_words(self, id: str, world: World = "drawn", example: bool = False) -> str:
        """Effect, interval and verdict of an entry as HTML, for a sentence of the text; verdicts of reading-size runs
        are called provisional; with `example`, of an entry over several comparisons also the one that speaks least for
        it."""
        return tables.in_words(self.published, self._kept(world), self.verdict(id, world), example)

    def counts(self, world: World = "drawn") -> dict[str, Counts]:
        """How many of the paper's "claims", and of our "checks", have which verdict."""
        entries = {"claims": self.published.claims, "checks": self.published.checks}
        level = self.published.rule.level
        return {kind: count([self.verdict(one.id, world) for one in of], level) for kind, of in entries.items()}

    def _kept(self, world: World) -> Kept:
        if world not in self.kept:
            raise StillactError(f"ledger: no world {world!r}; there are {', '.join(WORLDS)}")
        return self.kept[world]

    def _entry(self, id: str) -> Entry:
        for entry in self.published.entries:
            if entry.id == id:
                return entry
        known = ", ".join(entry.id for entry in self.published.entries)
        raise StillactError(f"{self.published.chapter}: no claim or check {id!r}; there are: {known}")
